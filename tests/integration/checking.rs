//! The exact messages about a configuration in the terminal: of --config.check, at the start, and
//! about flags.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::process::PROGRAM;

/// The output and the exit code of the program in `folder`.
fn run(folder: &Path, arguments: &[&str]) -> (String, String, Option<i32>) {
    let output = Command::new(PROGRAM)
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .output()
        .expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        text(&output.stdout),
        text(&output.stderr),
        output.status.code(),
    )
}

#[test]
fn a_good_file_is_accepted_with_a_summary() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(
        folder.path().join("exporter.yaml"),
        "accounts:\n- name: one\n  discovery: {regions: [cn-hangzhou]}\n- name: two\n  rate_limit: {requests_per_second: 1, burst: 5}\n  clusters:\n  \
         - {id: c106f377e16f34eb1808d6b9362c9abcd, region: cn-hangzhou}\n",
    )
    .expect("written");
    let (said, complained, code) = run(
        folder.path(),
        &["--config.file=exporter.yaml", "--config.check"],
    );
    assert_eq!(
        said,
        "account one: cluster discovery in 1 region; the rate limit allows 240 calls in a scrape of 10s\n\
         account two: 1 cluster named; the rate limit allows 15 calls in a scrape of 10s\n\
         configuration accepted: exporter.yaml\n"
    );
    assert_eq!((complained.as_str(), code), ("", Some(0)));
}

#[test]
fn a_doubtful_file_is_accepted_with_warnings() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(
        folder.path().join("exporter.yaml"),
        "scrape: {timeout: 1s}\naccounts:\n- name: one\n  rate_limit: {requests_per_second: 1, burst: 1}\n  clusters:\n  \
         - {id: c106f377e16f34eb1808d6b9362c9abcd, region: cn-hangzou}\n  - {id: shop, region: cn-hangzhou}\n  - {id: c206f377e16f34eb1808d6b9362c9abcd, region: cn-hangzhou}\n",
    )
    .expect("written");
    let (said, complained, code) = run(
        folder.path(),
        &["--config.file=exporter.yaml", "--config.check"],
    );
    assert!(
        said.ends_with("configuration accepted: exporter.yaml\n"),
        "{said}"
    );
    assert_eq!(
        complained,
        "warning: exporter.yaml:3: accounts[0]: 3 clusters are named, but the rate limit allows 2 calls in a scrape of 1s; it takes several scrapes to query them all\n\
         warning: exporter.yaml:6: accounts[0].clusters[0].region: region cn-hangzou is not known, did you mean cn-hangzhou?\n\
         warning: exporter.yaml:7: accounts[0].clusters[1].id: \"shop\" does not look like a cluster ID, which is c and 32 hexadecimal digits\n"
    );
    assert_eq!(code, Some(0));
}

#[test]
fn every_command_reports_a_mistake_with_the_same_prefix_and_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "accounts:\n- name: one\n  discovery: {regoins: [cn-hangzhou], regions: [cn-hangzhou]}\n  credentials: {type: access_key, access_key_id: id, access_key_secret_file: key}\n";
    fs::write(folder.path().join("exporter.yaml"), text).expect("written");
    let unknown = "error: exporter.yaml:3: accounts[0].discovery.regoins: unknown key, did you mean regions?\n";
    let file = "--config.file=exporter.yaml";
    for arguments in [&[file][..], &["status", file], &["explain", "c1", file]] {
        assert_eq!(
            run(folder.path(), arguments),
            (String::new(), unknown.to_owned(), Some(2)),
            "{arguments:?}"
        );
    }
    let (_, complained, code) = run(folder.path(), &[file, "--config.check"]);
    let secret = format!(
        "error: exporter.yaml:4: accounts[0].credentials.access_key_secret_file: cannot read {}: No such file or directory\n",
        folder.path().join("key").display()
    );
    assert_eq!((complained, code), (format!("{unknown}{secret}"), Some(2)));
    let (_, complained, code) = run(
        folder.path(),
        &["--config.file=nope.yaml", "--config.check"],
    );
    assert_eq!(
        (complained.as_str(), code),
        (
            "error: cannot read nope.yaml: No such file or directory\n",
            Some(2)
        )
    );
}

#[test]
fn a_mistake_in_the_web_configuration_has_the_same_form() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(
        folder.path().join("web.yaml"),
        "http_server_config:\n  http3: true\n",
    )
    .expect("written");
    let flags = [
        "--region=cn-hangzhou",
        "--web.listen-address=127.0.0.1:0",
        "--log.level=error",
    ];
    let (_, complained, code) = run(
        folder.path(),
        &[flags[0], flags[1], flags[2], "--web.config.file=web.yaml"],
    );
    assert_eq!(
        (complained.as_str(), code),
        (
            "error: web.yaml:2: http_server_config.http3: unknown key, did you mean http2?\n",
            Some(2)
        )
    );
    let (_, complained, code) = run(
        folder.path(),
        &[flags[0], flags[1], flags[2], "--web.config.file=nope.yaml"],
    );
    assert_eq!(
        (complained.as_str(), code),
        (
            "error: cannot read nope.yaml: No such file or directory\n",
            Some(2)
        )
    );
}

#[test]
fn mistakes_in_flags_name_the_flag() {
    let folder = tempfile::tempdir().expect("a folder");
    for (flags, expected) in [
        (
            &["--cluster=c1"][..],
            "error: --cluster=c1: its region is missing; add --region=REGION or write --cluster=ID@REGION\n",
        ),
        (
            &[
                "--region=CN",
                "--cluster=a/b@cn-hangzhou",
                "--cluster=c1",
                "--cluster=c1@cn-beijing",
            ],
            "error: --region=CN: \"CN\" is not a region: 1 to 64 of a-z 0-9 -, such as cn-hangzhou\n\
             error: --cluster=a/b@cn-hangzhou: \"a/b\" is not a cluster ID: 1 to 64 of A-Z a-z 0-9 _ -\n\
             error: --cluster=c1@cn-beijing: this cluster is there twice\n",
        ),
        (
            &["--region=cn-hangzhou", "--region=cn-hangzhou"],
            "error: --region=cn-hangzhou: this region is there twice\n",
        ),
        (
            &["status"],
            "error: nothing to serve: name a file with --config.file, a region with --region, or try the demo\n",
        ),
    ] {
        assert_eq!(
            run(folder.path(), flags),
            (String::new(), expected.to_owned(), Some(2)),
            "{flags:?}"
        );
    }
}
