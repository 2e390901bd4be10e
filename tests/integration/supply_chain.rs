//! Checks of the lock files; `cargo deny` in tests/run checks the rest.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// One package of a lock file.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Package {
    name: String,
    version: String,
    source: Option<String>,
    checksum: Option<String>,
}

fn locked(file: &str) -> Vec<Package> {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{file}: {error}"));
    let packages: Vec<_> = text.split("[[package]]").skip(1).map(package).collect();
    assert!(packages.len() > 100, "{file} was read as it should be");
    packages
}

fn package(block: &str) -> Package {
    let value = |key: &str| {
        let line = block.lines().find_map(|line| {
            line.strip_prefix(key)?
                .strip_prefix(" = \"")?
                .strip_suffix('"')
        });
        line.map(str::to_owned)
    };
    Package {
        name: value("name").expect("a name"),
        version: value("version").expect("a version"),
        source: value("source"),
        checksum: value("checksum"),
    }
}

/// Packages that are locked as unused optional dependencies; only `cargo deny` can check that.
const UNUSED: &str = "ring";

/// The packages that deny.toml bans in every version.
fn forbidden() -> BTreeSet<String> {
    let policy = fs::read_to_string("deny.toml").expect("deny.toml");
    let denied = policy
        .split_once("\ndeny = [")
        .expect("a list")
        .1
        .split_once("\n]")
        .expect("its end")
        .0;
    let names = denied
        .lines()
        .filter_map(|line| line.split_once("crate = \"")?.1.split('"').next());
    names
        .filter(|name| !name.contains(':'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn no_locked_package_is_banned_by_the_policy() {
    let mut forbidden = forbidden();
    for name in [
        "openssl-sys",
        "native-tls",
        "ring",
        "rustls-pemfile",
        "serde_yaml",
        "serde_yml",
    ] {
        assert!(forbidden.contains(name), "{name} is no longer forbidden");
    }
    forbidden.remove(UNUSED);
    for file in ["Cargo.lock", "fuzz/Cargo.lock"] {
        let found: Vec<_> = locked(file)
            .into_iter()
            .filter(|package| forbidden.contains(&package.name))
            .collect();
        assert!(found.is_empty(), "{file}: {found:?}");
    }
}

/// The packages of this repository.
const OWN: [&str; 6] = [
    "ack-client",
    "ack-simulator",
    "ack-upgrade-exporter",
    "ack-upgrade-exporter-fuzz",
    "exporter-toolkit",
    "safe-input",
];

#[test]
fn every_package_is_from_the_registry_and_has_a_checksum() {
    for file in ["Cargo.lock", "fuzz/Cargo.lock"] {
        for package in locked(file) {
            if OWN.contains(&package.name.as_str()) {
                assert_eq!((package.source, package.checksum), (None, None));
            } else {
                assert_eq!(
                    package.source.as_deref(),
                    Some(REGISTRY),
                    "{file}: {}",
                    package.name
                );
                assert_eq!(
                    package.checksum.as_ref().map(String::len),
                    Some(64),
                    "{file}: {}",
                    package.name
                );
            }
        }
    }
}

#[test]
fn security_relevant_libraries_have_one_version_each() {
    let mut versions: BTreeMap<String, usize> = BTreeMap::new();
    for package in locked("Cargo.lock") {
        *versions.entry(package.name).or_default() += 1;
    }
    for name in [
        "rustls",
        "aws-lc-rs",
        "hyper",
        "http",
        "tokio",
        "reqwest",
        "bcrypt",
        "hmac",
        "sha2",
        "quick-xml",
        "serde_json",
        "yaml_serde",
    ] {
        assert_eq!(versions.get(name), Some(&1), "{name}");
    }
}

/// fuzz/run reuses the build of the tests, so the versions must be equal.
#[test]
fn the_fuzz_workspace_locks_the_same_versions() {
    let shipped: BTreeSet<_> = locked("Cargo.lock")
        .into_iter()
        .map(|package| (package.name, package.version))
        .collect();
    let only_there = ["ack-upgrade-exporter-fuzz", "libfuzzer-sys", "arbitrary"];
    let strange: Vec<_> = locked("fuzz/Cargo.lock")
        .into_iter()
        .map(|package| (package.name, package.version))
        .filter(|package| !shipped.contains(package) && !only_there.contains(&package.0.as_str()))
        .collect();
    assert!(
        strange.is_empty(),
        "copy Cargo.lock to fuzz/ and let cargo add what is missing: {strange:?}"
    );
}
