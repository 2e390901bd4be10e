//! The command line. Flags are dotted, as in the Prometheus family.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::log::{LogFormat, LogLevel};

/// Prometheus exporter for the upgrade state of Kubernetes clusters on Alibaba Cloud ACK.
#[derive(Debug, Parser)]
#[command(name = "ack-upgrade-exporter", version, about, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// Another job than serving.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How to serve.
    #[command(flatten)]
    pub serve: ServeArgs,
}

/// Jobs other than serving.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve a simulated account: no credentials, no file, no network
    Demo(DemoArgs),
}

/// Serving real accounts.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The configuration file
    #[arg(long = "config.file", value_name = "FILE")]
    pub config_file: Option<PathBuf>,
    /// Check the configuration file, list every mistake, and exit
    #[arg(long = "config.check", requires = "config_file")]
    pub config_check: bool,
    /// Where and how to listen.
    #[command(flatten)]
    pub web: WebArgs,
    /// What to log.
    #[command(flatten)]
    pub log: LogArgs,
}

/// Serving a simulated account.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Where the stand-in for the vendor's API listens
    #[arg(long = "api.listen-address", value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub api_listen_address: SocketAddr,
    /// The world that is played; another seed, another story
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How many clusters the simulated account has
    #[arg(long, default_value_t = 12)]
    pub clusters: u32,
    /// Where and how to listen.
    #[command(flatten)]
    pub web: WebArgs,
    /// What to log.
    #[command(flatten)]
    pub log: LogArgs,
}

/// Where and how to listen.
#[derive(Debug, Args)]
pub struct WebArgs {
    /// Address to listen on; repeatable
    #[arg(long = "web.listen-address", value_name = "ADDRESS", default_value = ":10525")]
    pub listen_addresses: Vec<String>,
    /// Path of the metrics
    #[arg(long = "web.telemetry-path", value_name = "PATH", default_value = "/metrics", value_parser = absolute_path)]
    pub telemetry_path: String,
    /// Leave the process_* metrics out
    #[arg(long = "web.disable-exporter-metrics")]
    pub disable_exporter_metrics: bool,
}

/// What to log.
#[derive(Debug, Args)]
pub struct LogArgs {
    /// The lowest level that is logged
    #[arg(long = "log.level", value_name = "LEVEL", value_enum, default_value = "info")]
    pub level: LogLevel,
    /// The shape of a line
    #[arg(long = "log.format", value_name = "FORMAT", value_enum, default_value = "logfmt")]
    pub format: LogFormat,
}

fn absolute_path(text: &str) -> Result<String, String> {
    if text.starts_with('/') && text.len() > 1 && !text.ends_with('/') {
        Ok(text.to_owned())
    } else {
        Err("must start with a slash and not end in one".to_owned())
    }
}

/// The exit codes that scripts may rely on.
pub mod exit {
    use super::ExitCode;

    /// Ended well, or drained.
    pub const OK: ExitCode = ExitCode::SUCCESS;

    /// Failed while running.
    pub fn runtime() -> ExitCode {
        ExitCode::from(1)
    }

    /// The command line or the configuration is wrong.
    pub fn usage() -> ExitCode {
        ExitCode::from(2)
    }
}
