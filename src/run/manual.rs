//! `completion` and `man`: files that packages install.

use clap::CommandFactory as _;
use clap_complete::Shell;
use clap_mangen::Man;

use super::RunError;
use crate::cli::Cli;

/// The script that completes commands and flags in `shell`.
pub(super) fn completion(shell: Shell) -> String {
    let mut program = Cli::command();
    let name = program.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut program, &name, &mut script);
    repaired(&String::from_utf8_lossy(&script), &name)
}

/// The script without two mistakes of clap, which keep it from completing what is after a command.
fn repaired(script: &str, name: &str) -> String {
    let function = name.replace('-', "_");
    script
        // In bash, a hyphen is written in two ways: https://github.com/clap-rs/clap/issues/6421.
        .replace(&name.replace('-', "__subcmd__"), &name.replace('-', "__"))
        // In fish, `argparse` refuses a dot in the name of a flag. The command is the first word
        // that is no flag.
        .replace(
            &format!(
                "argparse -s (__fish_{function}_global_optspecs) -- $cmd 2>/dev/null\n    \
                      or return\n"
            ),
            "set -l argv (string match --invert -- '-*' $cmd)\n",
        )
}

/// The man page of the program, or of one of its commands.
pub(super) fn man(command: Option<&str>) -> Result<String, RunError> {
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
        .source(env!("CARGO_PKG_VERSION"))
        .render(&mut text)
        .map_err(|error| RunError::Runtime(error.to_string()))?;
    Ok(with_sections(&String::from_utf8_lossy(&text)))
}

/// The page with a section for each heading of the help's end, such as `Examples:`.
// Clap puts all of it into one section with the title EXTRA.
fn with_sections(page: &str) -> String {
    let Some((before, end)) = page.split_once(".SH EXTRA\n") else {
        return page.to_owned();
    };
    let lines = end.lines().map(|line| match line.strip_suffix(':') {
        // `.nf` keeps the lines of the section as they are: they are aligned.
        Some(title) if !title.starts_with(' ') => {
            format!(".SH \"{}\"\n.nf\n", title.to_uppercase())
        }
        _ => format!("{line}\n"),
    });
    [before.to_owned()].into_iter().chain(lines).collect()
}
