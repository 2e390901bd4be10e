//! The web configuration file: that of the Prometheus exporter-toolkit, key by key, so that
//! `promtool check web-config` accepts what is accepted here.
//!
//! It is stricter where the toolkit would silently do something else than what is written (both
//! `cert` and `cert_file`, TLS settings without a certificate, client authorities that verify
//! nothing), and for values with characters that cannot be seen. It takes an `interval` without
//! `burst` for a burst of one, where the toolkit refuses every request.

mod client_auth;
mod pem;
mod raw;
mod tls;

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::{Path as FilePath, PathBuf};
use std::time::Duration;

use safe_input::file;
use safe_input::secret::Secret;
use sha2::{Digest as _, Sha256};

use crate::blocking::BlockingPanic;
use crate::web::auth::{PasswordHash, Users};
use crate::web::headers::ResponseHeaders;
use crate::web::rate_limit::RateLimit;
use crate::web::tls::{Http2, TlsError, TlsSettings};
use crate::yaml::{Path, Problems, document, duration, reason};

/// The content of the web configuration file and of the files that it names.
#[derive(Debug, Clone)]
pub struct WebConfig {
    /// The settings of TLS; `None` is plain HTTP.
    pub tls: Option<TlsSettings>,
    /// The setting of HTTP/2, which needs TLS.
    pub http2: Http2,
    /// Headers for every response.
    pub headers: ResponseHeaders,
    /// The users of basic authentication.
    pub users: Users,
    /// The limit of requests a second.
    pub rate_limit: Option<RateLimit>,
    /// Settings that are accepted, but not as written.
    pub warnings: Problems,
    /// The fingerprint of all files.
    pub fingerprint: Fingerprint,
}

/// A hash of the web configuration file and the files that it names, to detect changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

/// An error that keeps a web configuration from being loaded.
#[derive(Debug, thiserror::Error)]
pub enum WebConfigError {
    /// The file could not be read.
    #[error("cannot read {}: {}", path.display(), reason(source))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
    /// The file has mistakes.
    #[error("{problems}")]
    Mistakes {
        /// All of them.
        problems: Problems,
    },
    /// The TLS library refuses the settings.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A running server cannot switch TLS on or off.
    #[error(
        "tls_server_config: TLS cannot be switched on or off while the exporter runs; restart it"
    )]
    TlsSwitched,
    /// The system has no randomness for the key under which passwords are remembered.
    #[error("no randomness: {0}")]
    Randomness(#[from] getrandom::Error),
    /// The reader panicked, which is a bug.
    #[error(transparent)]
    Panicked(#[from] BlockingPanic),
}

impl WebConfig {
    /// Reads and checks the file at `path` and those that it names; relative paths in it start at
    /// its folder.
    pub fn load(path: &FilePath) -> Result<Self, WebConfigError> {
        let unreadable = |source| WebConfigError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let text = file::read_text(path, file::MAX_SMALL).map_err(unreadable)?;
        let mut reader = Reader::new(path.parent().unwrap_or(FilePath::new("")));
        reader.seen(text.as_bytes());
        let raw = document::read(&text, &mut reader.problems);
        let mut config = reader.file(raw);
        if reader.problems.is_empty() {
            config.warnings = config.warnings.in_file(path);
            config.warnings.locate(&text);
            return Ok(config);
        }
        let mut problems = reader.problems.in_file(path);
        problems.locate(&text);
        Err(WebConfigError::Mistakes { problems })
    }
}

/// Converts the raw file to the typed one. Notes each mistake and checks the rest.
struct Reader<'a> {
    folder: &'a FilePath,
    problems: Problems,
    warnings: Problems,
    seen: Sha256,
}

impl<'a> Reader<'a> {
    fn new(folder: &'a FilePath) -> Self {
        Self {
            folder,
            problems: Problems::default(),
            warnings: Problems::default(),
            seen: Sha256::new(),
        }
    }

    /// Adds the content of a file to the fingerprint, with its length, so that text that moves from
    /// one file to another changes the fingerprint.
    fn seen(&mut self, content: &[u8]) {
        self.seen.update(content.len().to_le_bytes());
        self.seen.update(content);
    }

    fn file(&mut self, file: raw::File) -> WebConfig {
        let root = Path::root();
        let http = file.http_server_config.unwrap_or_default();
        let tls = self.tls(
            &root.key("tls_server_config"),
            file.tls_server_config.unwrap_or_default(),
        );
        let headers = self.headers(
            &root.key("http_server_config").key("headers"),
            http.headers.unwrap_or_default(),
        );
        let users = self.users(
            &root.key("basic_auth_users"),
            file.basic_auth_users.unwrap_or_default(),
        );
        let rate_limit =
            self.rate_limit(&root.key("rate_limit"), file.rate_limit.unwrap_or_default());
        WebConfig {
            tls,
            http2: if http.http2 == Some(false) {
                Http2::Off
            } else {
                Http2::Offered
            },
            headers,
            users,
            rate_limit,
            warnings: std::mem::take(&mut self.warnings),
            fingerprint: Fingerprint(self.seen.clone().finalize().into()),
        }
    }

    fn headers(
        &mut self,
        path: &Path,
        raw: BTreeMap<String, Option<raw::Text>>,
    ) -> ResponseHeaders {
        let mut headers = ResponseHeaders::default();
        for (name, value) in raw {
            let added = headers.add(&name, &value.map_or_else(String::new, |text| text.0));
            self.problems.keep(&path.key(&name), added);
        }
        headers
    }

    fn users(&mut self, path: &Path, raw: BTreeMap<String, Option<Secret>>) -> Users {
        let mut users = BTreeMap::new();
        for (name, hash) in raw {
            let path = path.key(&name);
            if name.contains(':') {
                self.problems
                    .note(path.clone(), "has a colon, so that no client could send it");
            }
            let hash = PasswordHash::parse(hash.as_ref().map_or("", Secret::expose));
            let Some(hash) = self.problems.keep(&path, hash) else {
                continue;
            };
            if hash.cost() > SLOW {
                self.warnings.note(
                    path,
                    format!(
                        "a cost of {} takes seconds for each comparison; 10 is usual",
                        hash.cost()
                    ),
                );
            }
            users.insert(name, hash);
        }
        Users::new(users)
    }

    fn rate_limit(&mut self, path: &Path, raw: raw::RateLimit) -> Option<RateLimit> {
        let interval = raw
            .interval
            .map_or(Ok(Duration::ZERO), |text| interval(&text.0));
        let interval = self.problems.keep(&path.key("interval"), interval)?;
        if interval.is_zero() {
            if raw.burst.is_some_and(|burst| burst > 0) {
                self.warnings
                    .note(path.key("burst"), "limits nothing without interval");
            }
            return None;
        }
        let burst = NonZeroU32::new(raw.burst.unwrap_or(0)).unwrap_or(NonZeroU32::MIN);
        Some(RateLimit { interval, burst })
    }
}

/// The cost of a password above which a comparison takes seconds.
const SLOW: u32 = 14;

/// A duration as Go writes it. Days are left out, since Go has none.
fn interval(text: &str) -> Result<Duration, String> {
    let is_go = |unit: &str| ["", "ns", "us", "µs", "ms", "s", "m", "h"].contains(&unit);
    match text
        .split(|character: char| character.is_ascii_digit() || character == '.')
        .all(is_go)
    {
        true if text == "0" => Ok(Duration::ZERO),
        true => duration::parse(text),
        false => Err(duration::complaint(format_args!("{text:?}"))),
    }
}
