//! The command line of this process.

use std::ffi::OsString;

use clap::Parser as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::{Cli, command_first};

/// Parses the arguments of this process. Ends it with a message if there is a mistake in them.
pub fn parse() -> Cli {
    let arguments = command_first(std::env::args_os());
    Cli::try_parse_from(&arguments).unwrap_or_else(|mut error| {
        if let Some(tip) = tip(error.kind(), &arguments) {
            let tips = ContextValue::StyledStrs(vec![tip.into()]);
            error.insert(ContextKind::Suggested, tips);
        }
        error.exit()
    })
}

/// The tip for a mistake whose message does not say what to do.
fn tip(kind: ErrorKind, arguments: &[OsString]) -> Option<String> {
    let mut words = arguments.iter().skip(1).filter_map(|word| word.to_str());
    match kind {
        ErrorKind::InvalidSubcommand => words
            .find(|word| word.contains(".y"))
            .map(|file| format!("to name the configuration file, use '--config.file={file}'")),
        // As programs of Go take them.
        ErrorKind::UnknownArgument => words
            .find(|word| word.starts_with('-') && !word.starts_with("--") && word.contains('.'))
            .map(|flag| format!("flags begin with two hyphens: '-{flag}'")),
        _ => None,
    }
}
