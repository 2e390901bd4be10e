//! Help, man pages and completions, and the order of flags and commands.

use std::process::{Command, Output, Stdio};

use crate::process::PROGRAM;

const COMMANDS: [&str; 5] = ["demo", "status", "explain", "completion", "man"];

fn run(arguments: &[&str]) -> Output {
    Command::new(PROGRAM)
        .args(arguments)
        .env_clear()
        .output()
        .expect("the program runs")
}

/// The standard output of a run that must succeed.
fn shown(arguments: &[&str]) -> String {
    let output = run(arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(
        (output.status.code(), said.as_str()),
        (Some(0), ""),
        "{arguments:?}"
    );
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The standard output of a shell that reads `script`.
fn shell(program: &str, script: &str) -> String {
    let output = Command::new(program)
        .args(["-c", script])
        .stderr(Stdio::inherit())
        .output()
        .expect("a shell");
    assert!(output.status.success(), "{script}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn the_help_has_groups_examples_exit_codes_and_the_environment() {
    let program = shown(&["--help"]);
    for part in [
        "Accounts and clusters:",
        "Configuration file:",
        "Shard:",
        "Web server:",
        "Log:",
        "Examples:",
        "Exit codes:",
        "Environment:",
    ] {
        assert!(
            program.contains(&format!("\n{part}\n")),
            "{part}: {program}"
        );
    }
    for command in COMMANDS {
        assert!(program.contains(&format!("\n  {command} ")), "{command}");
        let help = shown(&[command, "--help"]);
        assert!(help.contains("\nExamples:\n"), "{command}");
        assert_eq!(
            help.contains("\nLog:\n"),
            help.contains("\nExit codes:\n"),
            "{command}"
        );
    }
    let status = shown(&["status", "--help"]);
    for part in ["Filters:", "Output:", "Watching and waiting:"] {
        assert!(status.contains(&format!("\n{part}\n")), "{part}");
    }
}

#[test]
fn every_example_of_the_help_has_known_flags() {
    let helps = COMMANDS.map(|command| shown(&[command, "--help"]));
    let program = shown(&["--help"]);
    let examples: Vec<_> = helps
        .iter()
        .chain([&program])
        .flat_map(|help| help.lines())
        .filter_map(|line| line.strip_prefix("  ack-upgrade-exporter"))
        .collect();
    assert!(examples.len() > 15, "{examples:?}");
    for example in examples {
        let own = example.split(['|', '>']).next().unwrap_or_default();
        let mut words: Vec<_> = own.split_whitespace().collect();
        words.push("--help");
        let output = run(&words);
        assert_eq!(output.status.code(), Some(0), "{example}");
    }
}

#[test]
fn flags_may_precede_the_command() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = format!(
        "--config.file={}",
        folder.path().join("nope.yaml").display()
    );
    let complaint = |arguments: &[&str]| {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        String::from_utf8(output.stderr).expect("UTF-8")
    };
    let expected = complaint(&["status", &config, "--watch"]);
    assert!(expected.contains("nope.yaml: No such file"), "{expected}");
    assert_eq!(complaint(&[&config, "status", "--watch"]), expected);
    assert_eq!(complaint(&["--watch", &config, "status"]), expected);
    assert_eq!(complaint(&[&config, "explain", "shop"]), expected);
    let refused = complaint(&["--web.max-requests=3", "status", &config]);
    assert!(
        refused.contains("unexpected argument '--web.max-requests'")
            && refused.contains("Usage: ack-upgrade-exporter status"),
        "{refused}"
    );
}

#[test]
fn every_command_has_a_man_page() {
    let program = shown(&["man"]);
    for command in COMMANDS {
        let page = shown(&["man", command]);
        assert!(
            page.contains(&format!(".TH ack-upgrade-exporter-{command} 1"))
                && page.contains("\n.SH \"EXAMPLES\"\n"),
            "{page}"
        );
        assert!(
            program.contains(&format!("ack\\-upgrade\\-exporter\\-{command}(1)")),
            "{command}"
        );
    }
    let output = run(&["man", "nope"]);
    assert_eq!(
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stderr).into_owned()
        ),
        (
            Some(2),
            "error: nope is not a command; there are demo, status, explain, completion, man\n"
                .to_owned()
        )
    );
}

#[test]
fn the_completion_of_bash_offers_commands_and_flags() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("completion");
    std::fs::write(&file, shown(&["completion", "bash"])).expect("a script");
    let complete = |words: &str, place: usize| {
        shell(
            "bash",
            &format!(
                "source {}; declaration=$(complete -p ack-upgrade-exporter); \
                 function=${{declaration#*-F }}; COMP_WORDS=({words}); COMP_CWORD={place}; \
                 ${{function%% *}} ack-upgrade-exporter \"${{COMP_WORDS[{place}]}}\" \
                 \"${{COMP_WORDS[{place}-1]}}\"; echo \"${{COMPREPLY[@]}}\"",
                file.display()
            ),
        )
    };
    assert_eq!(complete("ack-upgrade-exporter st", 1), "status\n");
    assert_eq!(
        complete("ack-upgrade-exporter status --ta", 2),
        "--target-version\n"
    );
    assert_eq!(
        complete("ack-upgrade-exporter status --output js", 3),
        "json\n"
    );
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        let script = shown(&["completion", shell]);
        assert!(script.contains("target-version"), "{shell}");
        // It would refuse the dots in the names of the flags.
        assert!(!script.contains("argparse -s"), "{shell}");
    }
}
