//! One row of the table: both clients, measured in turn.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::exporter;
use crate::measured::Measured;
use crate::plan::Plan;
use crate::scraper::Scraper;

/// The measured values. Durations are those of one scrape.
#[derive(Debug)]
pub(crate) struct Row {
    clusters: usize,
    latency: Duration,
    scrapes: u32,
    bare: Cost,
    exporter: Cost,
    bytes: usize,
    resident: u64,
    peak: u64,
    idle: u64,
    ready: Duration,
}

#[derive(Debug, Default, Clone, Copy)]
struct Cost {
    cpu: Duration,
    wall: Duration,
}

/// Scrapes before the first that counts. They open the connections and allocate the memory.
const WARM_UP: u32 = 3;

/// Minimum of scrapes that count. CPU time has a resolution of 10 ms.
const LEAST: u32 = 10;

impl Row {
    pub(crate) fn measure(plan: &Plan<'_>) -> anyhow::Result<Self> {
        let itself = std::env::current_exe()?;
        let mut api = Measured::start(Command::new(&itself).args([
            "api",
            "--latency",
            &plan.latency.as_millis().to_string(),
        ]))?;
        let mut address = String::new();
        BufReader::new(api.child.stdout.take().context("a pipe was asked for")?)
            .read_line(&mut address)?;
        let address = address.trim().parse().context("the address of the API")?;

        let mut bare = Bare::start(Command::new(&itself).args([
            "bare",
            &format!("--api={address}"),
            &format!("--clusters={}", plan.clusters / plan.shards),
            &format!("--concurrency={}", plan.concurrency),
        ]))?;
        let (measured, listening, ready) = exporter::start(plan, address)?;
        let mut scraper = Scraper::connect(listening, plan.encoding)?;
        let idle = measured.resident()?;
        for _ in 0..WARM_UP {
            // First of all, since a connection that stays silent is closed.
            scraper.scrape()?;
            bare.round()?;
        }

        let (bare_before, before) = (bare.measured.cpu()?, measured.cpu()?);
        let (mut bare_wall, mut wall, mut bytes, mut count) =
            (Duration::ZERO, Duration::ZERO, 0, 0);
        let began = Instant::now();
        while began.elapsed() < plan.time * 2 || count < LEAST {
            bare_wall += bare.round()?;
            let scrape = scraper.scrape()?;
            wall += scrape.wall;
            bytes = scrape.bytes;
            count += 1;
        }
        Ok(Self {
            clusters: plan.clusters,
            latency: plan.latency,
            scrapes: count,
            bare: Cost {
                cpu: bare.measured.cpu()?.saturating_sub(bare_before) / count,
                wall: bare_wall / count,
            },
            exporter: Cost {
                cpu: measured.cpu()?.saturating_sub(before) / count,
                wall: wall / count,
            },
            bytes,
            resident: measured.resident()?,
            peak: measured.peak()?,
            idle,
            ready,
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "a table shows a few digits")]
    pub(crate) fn print(&self) {
        let milliseconds = |duration: Duration| duration.as_secs_f64() * 1e3;
        let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        println!(
            "| {} | {} | {} | {:.2} | {:.2} | {:.2} | {:.1} | {:.1} | {:.2} | {:.1} | {:.1} | {:.1} | {:.0} | {:.0} |",
            self.clusters,
            self.latency.as_millis(),
            self.scrapes,
            milliseconds(self.bare.cpu),
            milliseconds(self.exporter.cpu),
            self.exporter.cpu.as_secs_f64() / self.bare.cpu.as_secs_f64(),
            milliseconds(self.bare.wall),
            milliseconds(self.exporter.wall),
            self.exporter.wall.as_secs_f64() / self.bare.wall.as_secs_f64(),
            mebibytes(self.idle),
            mebibytes(self.resident),
            mebibytes(self.peak),
            self.bytes as f64 / 1e3,
            milliseconds(self.ready),
        );
    }
}

pub(crate) fn print_head() {
    println!(
        "| clusters | latency, ms | scrapes | bare CPU, ms | CPU, ms | ratio | bare wall, ms | \
            wall, ms | ratio | idle, MiB | resident, MiB | peak, MiB | page, kB | start, ms |"
    );
    println!("|{}", "---:|".repeat(14));
}

/// The process of the baseline.
struct Bare {
    measured: Measured,
    done: BufReader<std::process::ChildStdout>,
}

impl Bare {
    fn start(command: &mut Command) -> anyhow::Result<Self> {
        let mut measured = Measured::start(command)?;
        let done = BufReader::new(
            measured
                .child
                .stdout
                .take()
                .context("a pipe was asked for")?,
        );
        Ok(Self { measured, done })
    }

    fn round(&mut self) -> anyhow::Result<Duration> {
        let began = Instant::now();
        let stdin = self
            .measured
            .child
            .stdin
            .as_mut()
            .context("a pipe was asked for")?;
        stdin.write_all(b"go\n")?;
        stdin.flush()?;
        let mut line = String::new();
        anyhow::ensure!(self.done.read_line(&mut line)? > 0, "the bare client ended");
        Ok(began.elapsed())
    }
}
