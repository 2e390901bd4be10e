//! One function for each kind of input from outside: it takes any bytes and panics where a promise
//! is broken.

mod arguments;
mod config;
mod credentials;
mod look;
mod pages;
mod replies;
mod requests;
mod vendor;
mod web_config;

pub use arguments::arguments;
pub use config::config;
pub use credentials::credentials;
pub use pages::pages;
pub use replies::replies;
pub use requests::requests;
pub use web_config::web_config;

use std::path::Path;
use std::sync::OnceLock;

use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// Secrets as they look in every target: a key's secret half and its token, which every account
/// here has, and what a provider of credentials may send besides.
pub const SECRETS: [&str; 3] = [
    "MARKED-key-secret",
    "MARKED+security/token==",
    "MARKED.oidc.token",
];

/// A target by its name, which is that of its folder of seeds.
pub struct Target {
    pub name: &'static str,
    pub take: fn(&[u8]),
}

/// Every target.
pub const ALL: [Target; 7] = [
    Target {
        name: "arguments",
        take: arguments,
    },
    Target {
        name: "config",
        take: config,
    },
    Target {
        name: "credentials",
        take: credentials,
    },
    Target {
        name: "pages",
        take: pages,
    },
    Target {
        name: "replies",
        take: replies,
    },
    Target {
        name: "requests",
        take: requests,
    },
    Target {
        name: "web_config",
        take: web_config,
    },
];

/// Time that passes only while everybody waits.
fn paused() -> Runtime {
    Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime")
}

/// A folder of this process.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    FOLDER
        .get_or_init(|| tempfile::tempdir().expect("a folder"))
        .path()
}

/// `text` has neither of an account's secrets.
fn assert_no_secret(text: &str, what: &str) {
    assert_none(&SECRETS[..2], text, what);
}

fn assert_none(secrets: &[&str], text: &str, what: &str) {
    for secret in secrets {
        assert!(!text.contains(secret), "{what} shows {secret}: {text}");
    }
}

/// `input` with each control character 1, 2, 3 replaced by a secret: a server may repeat what it
/// was sent.
fn with_secrets(input: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(input.len());
    for byte in input {
        match byte {
            1..=3 => bytes.extend_from_slice(SECRETS[usize::from(*byte) - 1].as_bytes()),
            byte => bytes.push(*byte),
        }
    }
    bytes
}
