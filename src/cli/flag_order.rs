//! Flags before the command.

use std::collections::BTreeMap;
use std::ffi::OsString;

use clap::{Command, CommandFactory as _};

use super::Cli;

/// Whether the value of a flag is an argument of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value {
    /// It has none, or need not have one.
    Optional,
    /// It follows, unless the flag has a `=`.
    Follows,
}

/// Moves the command to the front of `arguments`, of which the first is the program. The flags
/// before it become its own.
// Clap takes flags of a command only after it.
pub fn command_first(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<_> = arguments.into_iter().collect();
    let program = Cli::command();
    if let Some(at) = command_position(&program, &arguments) {
        arguments[1..=at].rotate_right(1);
    }
    arguments
}

/// The place of the command in `arguments`. None if there is none, or an argument that nobody
/// knows before it.
fn command_position(program: &Command, arguments: &[OsString]) -> Option<usize> {
    let flags = flags(program);
    let mut at = 1;
    loop {
        let argument = arguments.get(at)?.to_str()?;
        let Some(flag) = argument.strip_prefix("--") else {
            return program.find_subcommand(argument).map(|_| at);
        };
        at += match flag.split_once('=') {
            Some((name, _)) => flags.get(name).map(|_| 1)?,
            None => match flags.get(flag)? {
                Value::Optional => 1,
                Value::Follows => 2,
            },
        };
    }
}

/// The flags of all commands.
fn flags(program: &Command) -> BTreeMap<&str, Value> {
    let commands = program.get_subcommands().chain([program]);
    let arguments = commands.flat_map(Command::get_arguments);
    let flags = arguments.filter_map(|argument| {
        let takes_value = argument.get_action().takes_values();
        let needs_value = argument
            .get_num_args()
            .is_none_or(|number| number.min_values() > 0);
        let value = if takes_value && needs_value {
            Value::Follows
        } else {
            Value::Optional
        };
        Some((argument.get_long()?, value))
    });
    flags.collect()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    fn ordered(line: &str) -> String {
        let words = line.split(' ').map(OsString::from);
        let words = command_first(words);
        words.join(OsStr::new(" ")).into_string().expect("UTF-8")
    }

    #[test]
    fn the_command_comes_before_its_flags() {
        for (line, expected) in [
            ("x status --watch", "x status --watch"),
            (
                "x --config.file=f status shop",
                "x status --config.file=f shop",
            ),
            (
                "x --config.file f status shop",
                "x status --config.file f shop",
            ),
            (
                "x --config.file status status",
                "x status --config.file status",
            ),
            (
                "x --watch --output json status --region=r",
                "x status --watch --output json --region=r",
            ),
            (
                "x --log.level=debug explain shop",
                "x explain --log.level=debug shop",
            ),
            (
                "x --web.listen-address=:1 demo",
                "x demo --web.listen-address=:1",
            ),
            ("x --faults demo", "x demo --faults"),
            ("x --config.check status", "x status --config.check"),
        ] {
            assert_eq!(ordered(line), expected);
        }
    }

    #[test]
    fn a_line_without_a_command_stays_as_it_is() {
        for line in [
            "x",
            "x --config.file=f",
            "x --config.file status",
            "x --unknown status",
            "x --unknown=1 status",
            "x shop status",
            "x -- status",
            "x -h status",
        ] {
            assert_eq!(ordered(line), line);
        }
    }
}
