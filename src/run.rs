//! The program's jobs, from arguments to exit code.

mod accounts;
#[cfg(feature = "demo")]
mod demo;
mod explain;
mod seal;
mod serve;
mod signals;
mod status;

use std::io::{self, Write as _};
use std::process::ExitCode;

use exporter_toolkit::log::{self, LogLevel};
use listenfd::ListenFd;

use crate::cli::{Cli, Command, exit};
use crate::log::QueryLog;

/// Does what the command line asks for; `handed_over` are the sockets of systemd.
pub async fn run(cli: Cli, handed_over: ListenFd) -> ExitCode {
    let (logs, usual) = match &cli.command {
        #[cfg(feature = "demo")]
        Some(Command::Demo(args)) => (&args.log, LogLevel::Info),
        Some(Command::Status(args)) => (&args.log, LogLevel::Warn),
        Some(Command::Explain(args)) => (&args.log, LogLevel::Warn),
        None => (&cli.serve.log, LogLevel::Info),
    };
    let queries = if logs.queries {
        QueryLog::Always
    } else {
        QueryLog::AtDebug
    };
    crate::log::init(logs.level.unwrap_or(usual), logs.format, queries);
    seal::seal();
    let result = match cli.command {
        #[cfg(feature = "demo")]
        Some(Command::Demo(args)) => demo::demo(args, handed_over).await.map(|()| exit::OK),
        Some(Command::Status(args)) => status::status(&args).await,
        Some(Command::Explain(args)) => explain::explain(&args).await.map(|()| exit::OK),
        None if cli.serve.config_check => serve::check(&cli.serve).map(|()| exit::OK),
        None => serve::serve(cli.serve, handed_over)
            .await
            .map(|()| exit::OK),
    };
    match result {
        Ok(code) => code,
        Err(Failure::Usage(message)) => complain(&message, exit::usage()),
        Err(Failure::Runtime(message)) => complain(&message, exit::runtime()),
    }
}

/// Why a job ended badly; the message is for the operator.
#[derive(Debug)]
enum Failure {
    /// The command line or the configuration is wrong.
    Usage(String),
    /// Something failed while running.
    Runtime(String),
}

/// Prints a line for the person at the terminal, after what was logged before; one who has stopped
/// reading ends nothing. Returns whether somebody reads it.
fn say(line: &str) -> bool {
    log::flush();
    writeln!(io::stdout(), "{line}").is_ok()
}

fn complain(message: &str, code: ExitCode) -> ExitCode {
    for line in message.lines() {
        log::write_line(&format!("error: {line}"));
    }
    code
}

/// Prints each line for the person at the terminal, who may want to do something about it.
fn warn(lines: &str) {
    for line in lines.lines() {
        log::write_line(&format!("warning: {line}"));
    }
}
