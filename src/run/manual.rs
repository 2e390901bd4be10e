//! `completion` and `man`: files that packages install.

use clap::CommandFactory as _;
use clap_complete::Shell;
use clap_mangen::Man;

use super::RunError;
use crate::cli::Cli;

/// The script that completes commands and flags in `shell`.
pub(super) fn completion(shell: Shell) -> Vec<u8> {
    let mut program = Cli::command();
    let name = program.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut program, name, &mut script);
    script
}

/// The man page of the program, or of one of its commands.
pub(super) fn man(command: Option<&str>) -> Result<Vec<u8>, RunError> {
    // `help` is no command of its own.
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    let page = match command {
        None => program,
        Some(name) => program.find_subcommand(name).cloned().ok_or_else(|| {
            let names: Vec<_> = program
                .get_subcommands()
                .map(clap::Command::get_name)
                .collect();
            RunError::Usage(format!(
                "{name} is not a command; there are {}",
                names.join(", ")
            ))
        })?,
    };
    let mut text = Vec::new();
    Man::new(page)
        .render(&mut text)
        .map_err(|error| RunError::Runtime(error.to_string()))?;
    Ok(text)
}
