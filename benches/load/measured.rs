//! A process under measurement: its CPU time and memory, as the system accounts for them.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use procfs::process::Process;

/// A child that is killed when it goes out of scope.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) child: Child,
    process: Process,
}

impl Measured {
    /// Starts `command` with its standard input and output as pipes.
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Self> {
        let child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let process = Process::new(i32::try_from(child.id())?)?;
        Ok(Self { child, process })
    }

    /// User and system time so far, in steps of 10 ms.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        let stat = self.process.stat()?;
        Ok(Duration::from_millis(
            (stat.utime + stat.stime) * 1000 / procfs::ticks_per_second(),
        ))
    }

    /// Resident memory now, in bytes.
    pub(crate) fn resident(&self) -> anyhow::Result<u64> {
        Ok(self.process.status()?.vmrss.unwrap_or_default() * 1024)
    }

    /// The most that was ever resident, in bytes.
    pub(crate) fn peak(&self) -> anyhow::Result<u64> {
        Ok(self.process.status()?.vmhwm.unwrap_or_default() * 1024)
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
