//! The commands of the program, from arguments to exit code.

mod accounts;
mod check;
#[cfg(feature = "demo")]
mod demo;
mod explain;
mod manual;
mod memory;
mod missing;
mod serve;
mod signals;
mod status;

use std::io::{self, ErrorKind, Write as _};
use std::process::ExitCode;

use exporter_toolkit::log::{self, LogLevel};
use listenfd::ListenFd;
use safe_input::text::escape;

use crate::cli::{Cli, Command, exit};
use crate::log::{QueryLog, UNREAD_TARGETS};

/// Runs the command; `systemd_sockets` are those that systemd has passed.
pub async fn run(cli: Cli, systemd_sockets: ListenFd) -> ExitCode {
    start_log(&cli);
    memory::protect();
    let result = match cli.command {
        #[cfg(feature = "demo")]
        Some(Command::Demo(args)) => demo::demo(args, systemd_sockets).await.map(|()| exit::OK),
        Some(Command::Status(args)) => status::status(&args).await,
        Some(Command::Explain(args)) => explain::explain(&args).await.map(|()| exit::OK),
        Some(Command::Completion(args)) => write(&manual::completion(args.shell)),
        Some(Command::Man(args)) => {
            manual::man(args.command.as_deref()).and_then(|page| write(&page))
        }
        None if cli.serve.config.check => check::check(&cli.serve).map(|()| exit::OK),
        None => serve::serve(cli.serve, systemd_sockets)
            .await
            .map(|()| exit::OK),
    };
    match result {
        Ok(code) => code,
        Err(RunError::Usage(message)) => print_errors(&message, exit::usage()),
        Err(RunError::Runtime(message)) => print_errors(&message, exit::runtime()),
    }
}

fn start_log(cli: &Cli) {
    let (logs, default_level) = match &cli.command {
        #[cfg(feature = "demo")]
        Some(Command::Demo(args)) => (&args.log, LogLevel::Info),
        Some(Command::Status(args)) => (&args.log, LogLevel::Warn),
        Some(Command::Explain(args)) => (&args.log, LogLevel::Warn),
        // These log nothing.
        Some(Command::Completion(_) | Command::Man(_)) => return,
        None => (&cli.serve.log, LogLevel::Info),
    };
    let queries = if logs.queries {
        QueryLog::Always
    } else {
        QueryLog::AtDebug
    };
    let quiet: &[&str] = match (&cli.command, logs.level) {
        (Some(Command::Status(_) | Command::Explain(_)), None) => &UNREAD_TARGETS,
        _ => &[],
    };
    let level = logs.level.unwrap_or(default_level);
    crate::log::init(level, logs.format, queries, quiet);
}

/// The failure of a command, with a message for the operator.
#[derive(Debug)]
enum RunError {
    /// The command line or the configuration is wrong.
    Usage(String),
    /// An operation failed.
    Runtime(String),
}

/// Prints a line on standard output, after the events logged before. Returns false if standard
/// output is closed.
fn print(line: &str) -> bool {
    log::flush();
    writeln!(io::stdout(), "{line}").is_ok()
}

/// Writes a file to standard output. That a reader closes it early is no failure.
fn write(file: &str) -> Result<ExitCode, RunError> {
    match io::stdout().write_all(file.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(RunError::Runtime(format!(
            "cannot write to standard output: {error}"
        ))),
        _ => Ok(exit::OK),
    }
}

fn print_errors(message: &str, code: ExitCode) -> ExitCode {
    for line in message.lines() {
        log::write_line(&format!("error: {}", escape(line)));
    }
    code
}

/// Prints each line as a warning on standard error.
fn print_warnings(lines: &str) {
    for line in lines.lines() {
        log::write_line(&format!("warning: {}", escape(line)));
    }
}
