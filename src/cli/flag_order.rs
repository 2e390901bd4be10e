//! Flags before the command.

use std::ffi::OsString;

use clap::{Command, CommandFactory as _};

use super::Cli;

/// Moves the command to the front of `arguments`, of which the first is the program. The flags
/// before it become its own.
// Clap takes the flags of a command only after it.
pub fn command_first(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<_> = arguments.into_iter().collect();
    if let Some(at) = command_position(&Cli::command(), &arguments) {
        arguments[1..=at].rotate_right(1);
    }
    arguments
}

/// The place of a command that has only flags before it.
fn command_position(program: &Command, arguments: &[OsString]) -> Option<usize> {
    let mut at = 1;
    loop {
        let argument = arguments.get(at)?.to_str()?;
        if argument == "--version" {
            // No command has it.
            return None;
        }
        if argument == "--" || !argument.starts_with("--") {
            return program.find_subcommand(argument).map(|_| at);
        }
        at += if has_value_after(program, argument) {
            2
        } else {
            1
        };
    }
}

/// Returns whether the argument after this flag is its value. One that no command has is none.
fn has_value_after(program: &Command, flag: &str) -> bool {
    let commands = program.get_subcommands().chain([program]);
    let mut known = commands.flat_map(Command::get_arguments);
    let known = known.find(|known| known.get_long() == flag.strip_prefix("--"));
    known.is_some_and(|known| {
        let least = known.get_num_args().map_or(1, |number| number.min_values());
        known.get_action().takes_values() && least > 0
    })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    fn ordered(line: &str) -> String {
        let words = command_first(line.split(' ').map(OsString::from));
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
            ("x --config.file man status", "x status --config.file man"),
            ("x --watch status --region=r", "x status --watch --region=r"),
            ("x --faults demo", "x demo --faults"),
            ("x --unknown status", "x status --unknown"),
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
            "x shop status",
            "x -- status",
            "x --version status",
        ] {
            assert_eq!(ordered(line), line);
        }
    }
}
