//! Good and bad web configuration files, also compared with promtool.
//!
//! The `# expect:` lines of a bad file are the expected mistakes, and the `# warn:` lines of a good
//! file the expected warnings. A new file is a new case. The comparison needs promtool:
//! `-- --include-ignored` adds it, and `tests/stack/web-config` prints the result for each file.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use exporter_toolkit::web::config::{WebConfig, WebConfigError};

/// The files that we reject and promtool accepts, with the reason.
const STRICTER: &[(&str, &str)] = &[
    (
        "tls-only-a-version",
        "the toolkit would serve plain HTTP without a word",
    ),
    (
        "tls-only-empty-strings",
        "the toolkit would serve plain HTTP without a word",
    ),
    (
        "cert-inline-and-file",
        "the toolkit takes the file without a word",
    ),
    (
        "key-inline-and-file",
        "the toolkit takes the file without a word",
    ),
    (
        "client-ca-inline-and-file",
        "the toolkit takes the file without a word",
    ),
    (
        "client-ca-with-request",
        "the authorities would verify nothing",
    ),
    (
        "client-ca-with-require-any",
        "the authorities would verify nothing",
    ),
    ("client-ca-without-certificate", "no client could connect"),
    ("client-ca-not-x509", "no client could connect"),
    (
        "client-sans-not-asked",
        "the names would never be looked at",
    ),
    ("client-sans-none", "no client could connect"),
    ("version-max-tls11", "rustls has no TLS 1.0 and 1.1"),
    ("version-max-below-min", "no client could connect"),
    ("cipher-suites-none-left", "rustls has none of them"),
    (
        "cipher-suites-of-tls13-for-tls12",
        "no client could connect",
    ),
    ("curves-none-left", "rustls has none of them"),
    (
        "header-of-two-lines",
        "Go sends it with the line break taken out",
    ),
    ("password-too-long", "no password matches it"),
    ("password-too-short", "no password matches it"),
    ("password-with-a-stray-character", "no password matches it"),
    (
        "password-2x",
        "hashes of a program with a bug that Go does not reproduce",
    ),
    ("password-2", "a form from before 1997"),
    ("user-with-a-colon", "no client could send the name"),
    (
        "rate-limit-without-unit",
        "the toolkit takes it for nanoseconds",
    ),
    ("rate-limit-negative", "the toolkit takes it for no limit"),
    (
        "rate-limit-burst-negative",
        "the toolkit refuses every request then",
    ),
];

/// The files that we accept and some versions of promtool reject, with the reason.
const LOOSER: &[(&str, &str)] = &[(
    "cipher-suites-of-older-go",
    "Go 1.22 took these out; they are left out here as well, with a warning",
)];

/// The messages of a promtool that does not know these keys.
const NEWER_KEYS: [&str; 5] = [
    "cert",
    "key",
    "client_ca",
    "client_allowed_sans",
    "rate_limit",
];

#[test]
fn good_files_are_accepted_with_the_expected_warnings() {
    let differences = corpus("good")
        .into_iter()
        .filter_map(|file| match WebConfig::load(&file) {
            Ok(config) => difference(&file, "# warn: ", config.warnings.iter()),
            Err(error) => Some(format!("{}: {error}", file.display())),
        });
    assert_eq!(differences.collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn bad_files_are_rejected_with_every_mistake() {
    let differences = corpus("bad")
        .into_iter()
        .filter_map(|file| match WebConfig::load(&file) {
            Err(WebConfigError::Mistakes { problems }) => {
                difference(&file, "# expect: ", problems.iter())
            }
            other => Some(format!("{}: {other:?}", file.display())),
        });
    assert_eq!(differences.collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn every_key_and_every_name_is_in_a_good_file() {
    let texts: String = corpus("good")
        .iter()
        .map(|file| fs::read_to_string(file).expect("readable"))
        .collect();
    for word in [
        "cert:",
        "key:",
        "client_ca:",
        "cert_file:",
        "key_file:",
        "client_ca_file:",
        "client_auth_type:",
        "client_allowed_sans:",
        "min_version:",
        "max_version:",
        "cipher_suites:",
        "prefer_server_cipher_suites:",
        "curve_preferences:",
        "http2:",
        "Content-Security-Policy:",
        "X-Frame-Options: deny",
        "X-Frame-Options: sameorigin",
        "X-Content-Type-Options: nosniff",
        "X-XSS-Protection:",
        "Strict-Transport-Security:",
        "basic_auth_users:",
        "interval:",
        "burst:",
        " NoClientCert",
        " RequestClientCert",
        " RequireAnyClientCert",
        " RequireClientCert",
        " VerifyClientCertIfGiven",
        " RequireAndVerifyClientCert",
        " TLS10",
        " TLS11",
        " TLS12",
        " TLS13",
        "CurveP256",
        "CurveP384",
        "CurveP521",
        "X25519",
        "$2a$",
        "$2b$",
        "$2y$",
    ] {
        assert!(texts.contains(word), "{word} is in no good file");
    }
}

#[test]
#[ignore = "needs promtool, which tests/run installs"]
fn promtool_agrees_except_for_the_listed_files() {
    let (mut surprises, mut tally) = (Vec::new(), std::collections::BTreeMap::new());
    println!("{:44} {:8} {:8}", "file", "ours", "promtool");
    for file in [corpus("good"), corpus("bad")].concat() {
        let name = file
            .file_stem()
            .expect("a file")
            .to_string_lossy()
            .into_owned();
        let ours = if WebConfig::load(&file).is_ok() {
            Verdict::Accepted
        } else {
            Verdict::Refused
        };
        let theirs = verdict_of(&file);
        let reason = |table: &[(&str, &'static str)]| {
            table
                .iter()
                .find(|(listed, _)| *listed == name)
                .map(|(_, reason)| *reason)
        };
        let note = match (ours, theirs, reason(STRICTER), reason(LOOSER)) {
            (_, Verdict::TooOld, ..) => "newer than this promtool",
            (Verdict::Refused, Verdict::Accepted, Some(reason), _)
            | (Verdict::Accepted, Verdict::Refused, _, Some(reason)) => reason,
            (ours, theirs, None, _) if ours == theirs => "",
            _ => {
                surprises.push(name.clone());
                "NOT LISTED"
            }
        };
        println!("{name:44} {:8} {:8} {note}", ours.word(), theirs.word());
        *tally.entry((ours.word(), theirs.word())).or_insert(0) += 1;
    }
    for ((ours, theirs), files) in tally {
        println!("{files:4} files: ours {ours}, promtool {theirs}");
    }
    assert!(surprises.is_empty(), "not as listed: {surprises:?}");
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Accepted,
    Refused,
    TooOld,
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepts",
            Self::Refused => "refuses",
            Self::TooOld => "-",
        }
    }
}

fn verdict_of(file: &Path) -> Verdict {
    let output = Command::new("promtool")
        .args(["check", "web-config"])
        .arg(file)
        .output()
        .expect("promtool runs");
    let text = [output.stdout, output.stderr]
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .concat();
    match output.status.success() {
        true => Verdict::Accepted,
        false
            if NEWER_KEYS
                .iter()
                .any(|key| text.contains(&format!("field {key} not found in type web."))) =>
        {
            Verdict::TooOld
        }
        false => Verdict::Refused,
    }
}

/// The files of one folder, by name; relative, so that messages with a path are the same
/// everywhere.
fn corpus(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new("tests/data/web-config").join(folder);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .expect("the corpus")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    files
}

fn difference(
    file: &Path,
    prefix: &str,
    found: impl Iterator<Item = impl ToString>,
) -> Option<String> {
    let text = fs::read_to_string(file).expect("readable");
    let expected: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix(prefix))
        .collect();
    let found: Vec<_> = found.map(|problem| problem.to_string()).collect();
    (found != expected).then(|| format!("{}: {found:#?}", file.display()))
}
