//! Stamps the binary with the revision and the compiler that it was built from.

use std::env;
use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=BUILD_REVISION");
    let revision = env::var("BUILD_REVISION")
        .ok()
        .filter(|revision| !revision.is_empty())
        .or_else(git_revision);
    println!(
        "cargo:rustc-env=BUILD_REVISION={}",
        revision.as_deref().unwrap_or("unknown")
    );
    let compiler = env::var("RUSTC")
        .ok()
        .and_then(|rustc| output(&rustc, &["--version"]));
    let version = compiler
        .as_deref()
        .and_then(|text| text.split_whitespace().nth(1));
    println!(
        "cargo:rustc-env=BUILD_RUSTVERSION={}",
        version.unwrap_or("unknown")
    );
}

/// The commit that is checked out, if this folder is the top of a repository: an unpacked archive
/// inside another one must not take that one's.
fn git_revision() -> Option<String> {
    if !output("git", &["rev-parse", "--show-prefix"])?.is_empty() {
        return None;
    }
    let log = output("git", &["rev-parse", "--git-path", "logs/HEAD"])?;
    if Path::new(&log).exists() {
        println!("cargo:rerun-if-changed={log}");
    }
    output("git", &["rev-parse", "HEAD"])
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
