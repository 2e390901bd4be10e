//! The command `demo`.

use std::process::{Command, Output, Stdio};

use crate::process::{Demo, Exporter, PROGRAM, get};

fn run(arguments: &[&str]) -> Output {
    Command::new(PROGRAM)
        .args(arguments)
        .output()
        .expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The commands that the demo suggests, without the program.
fn commands(demo: &Demo) -> Vec<String> {
    demo.announcement
        .lines()
        .filter_map(|line| line.trim().strip_prefix(PROGRAM))
        .map(|arguments| arguments.trim().to_owned())
        .collect()
}

#[test]
fn the_demo_plays_todays_api_and_the_earlier_one_on_request() {
    for (flags, expected) in [(&[][..], "tasks"), (&["--classic"], "upgrade_status")] {
        let demo = Demo::start(flags);
        let page = get(&format!("{}/metrics", demo.base));
        let sources: Vec<_> = page
            .lines()
            .filter(|line| line.starts_with("cs_exporter_source_info{"))
            .collect();
        assert!(!sources.is_empty());
        for source in sources {
            assert!(
                source.contains(&format!("source=\"{expected}\"")),
                "{source}"
            );
        }
    }
}

#[test]
fn the_demo_scrapes_itself_so_that_its_pages_live() {
    let mut command = Command::new(PROGRAM);
    command
        .args(["demo", "--web.listen-address=127.0.0.1:0", "--log.queries"])
        .args(["--scrape-interval=100ms", "--clusters=3"])
        .stdout(Stdio::null());
    let demo = Exporter::run(&mut command);
    // Three clusters in four scrapes, and nobody has asked for a page.
    demo.wait_for_logs("msg=\"query ended\"", 12);
    let clusters = get(&format!("http://{}/api/v1/clusters", demo.address));
    assert_eq!(clusters.matches("\"up\":true").count(), 3, "{clusters}");
}

#[test]
fn a_demo_with_the_interval_0_waits_for_its_first_scrape() {
    let demo = Demo::start(&["--scrape-interval=0s"]);
    let before = get(&format!("{}/", demo.base));
    assert!(before.contains("No scrape yet"), "{before}");
}

#[test]
fn the_written_configuration_serves_the_suggested_commands() {
    for flags in [&[][..], &["--classic"]] {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("demo.yaml");
        let write = format!("--write-config={}", file.display());
        let demo = Demo::start(&[flags, &[write.as_str()]].concat());
        let suggested = commands(&demo);
        assert_eq!(suggested.len(), 3, "{}", demo.announcement);
        assert!(suggested[1].ends_with("--watch"), "{suggested:?}");
        let status = run(&suggested[0].split(' ').collect::<Vec<_>>());
        assert_eq!(status.status.code(), Some(0), "{}", text(&status.stderr));
        assert_eq!(text(&status.stdout).lines().count(), 13);
        let explain = run(&suggested[2].split(' ').collect::<Vec<_>>());
        assert_eq!(explain.status.code(), Some(0), "{}", text(&explain.stderr));
        let operation = if flags.is_empty() {
            "DescribeClusterTasks"
        } else {
            "GetUpgradeStatus"
        };
        assert!(text(&explain.stdout).contains(operation));
    }
}

#[test]
fn without_a_file_the_configuration_is_printed() {
    let demo = Demo::start(&[]);
    let configuration: Vec<_> = demo
        .announcement
        .lines()
        .skip_while(|line| !line.contains("# Written by"))
        .take_while(|line| !line.is_empty())
        .map(|line| line.strip_prefix("  ").expect("an indented line"))
        .collect();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("demo.yaml");
    std::fs::write(&file, configuration.join("\n")).expect("written");
    let status = run(&["status", &format!("--config.file={}", file.display())]);
    assert_eq!(status.status.code(), Some(0), "{}", text(&status.stderr));
    assert_eq!(text(&status.stdout).lines().count(), 13);
}

#[test]
fn a_configuration_of_somebody_else_is_not_overwritten() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("exporter.yaml");
    std::fs::write(&file, "accounts: []\n").expect("written");
    let demo = run(&["demo", &format!("--write-config={}", file.display())]);
    assert_eq!(demo.status.code(), Some(1));
    let expected = format!("error: {} exists", file.display());
    assert!(
        text(&demo.stderr).contains(&expected),
        "{}",
        text(&demo.stderr)
    );
    let kept = std::fs::read_to_string(&file).expect("read");
    assert_eq!(kept, "accounts: []\n");
}
