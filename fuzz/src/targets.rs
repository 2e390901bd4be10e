//! One function for each kind of input from outside. It takes any bytes, and panics if the code
//! breaks a promise.

mod arguments;
mod config;
mod credentials;
mod fake_api;
mod outputs;
mod pages;
mod requests;
mod responses;
mod web_config;

pub use arguments::arguments;
pub use config::config;
pub use credentials::credentials;
pub use pages::pages;
pub use requests::requests;
pub use responses::responses;
pub use web_config::web_config;

use std::path::Path;
use std::sync::OnceLock;

use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// The secrets of every target: the secret half and the token of a key, which every account here
/// has, and the OIDC token that a provider of credentials may send.
pub const SECRETS: [&str; 3] = [
    "MARKED-key-secret",
    "MARKED+security/token==",
    "MARKED.oidc.token",
];

/// A target. Its name is that of its folder of seeds.
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
        name: "responses",
        take: responses,
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

/// A runtime with paused time.
fn paused() -> Runtime {
    Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime")
}

/// The folder of this process.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    FOLDER
        .get_or_init(|| tempfile::tempdir().expect("a folder"))
        .path()
}

/// Panics if `text` contains a secret of an account.
fn assert_no_secret(text: &str, what: &str) {
    assert_none(&SECRETS[..2], text, what);
}

fn assert_none(secrets: &[&str], text: &str, what: &str) {
    for secret in secrets {
        assert!(!text.contains(secret), "{what} shows {secret}: {text}");
    }
}

/// Replaces each control character 1, 2, 3 of `input` by a secret, because a server may repeat the
/// request.
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
