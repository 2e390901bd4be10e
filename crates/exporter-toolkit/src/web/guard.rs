//! The checks of connections and requests before the routes, as in the web configuration file.
//!
//! The file and the certificates it names are read when they change, not per request. A change
//! takes effect as a whole or not at all; one from TLS to plain text, or back, needs a restart.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use http::request::Parts;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Mutex, watch};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;

use crate::blocking::run_blocking;
use crate::web::auth::{Passwords, Users};
use crate::web::config::{Fingerprint, WebConfig, WebConfigError};
use crate::web::headers::ResponseHeaders;
use crate::web::rate_limit::Bucket;

pub use crate::web::rejection::Rejection;

/// The time limit of a TLS handshake.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

/// The bytes that are buffered for a TLS client that does not read: one record.
const TLS_BUFFER: usize = 16 << 10;

/// The time after which a change of the file or of a certificate takes effect.
pub const RELOAD_INTERVAL: Duration = Duration::from_secs(1);

/// The web configuration of a server, for all its addresses.
pub struct WebGuard {
    file: Option<PathBuf>,
    active: watch::Sender<Arc<ActiveWebConfig>>,
    /// Held by the thread of the running reload, so that only one runs at a time.
    reloading: Arc<Mutex<()>>,
    passwords: Passwords,
}

/// One version of the file.
#[derive(Default)]
struct ActiveWebConfig {
    tls: Option<Arc<ServerConfig>>,
    headers: ResponseHeaders,
    users: Users,
    bucket: Option<Arc<Bucket>>,
    fingerprint: Option<Fingerprint>,
}

/// The result of a reload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reloaded {
    /// The configuration has changed, and the new one is active.
    Changed,
    /// The configuration is the same as before.
    Unchanged,
}

/// The checks of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// The password and the rate limit are checked.
    Required,
    /// Nothing is checked. This is for health checks, so that the kubelet needs no password and
    /// cannot be locked out.
    None,
}

/// The transport of all connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Plain text.
    Plain,
    /// TLS.
    Tls,
}

/// The protocol of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1, the only protocol without TLS.
    Http1,
    /// HTTP/2, which client and server agree on in the handshake.
    Http2,
}

/// A connection after its handshake, if there was one.
#[derive(Debug)]
pub struct Accepted<S> {
    /// The plain stream, or the TLS stream.
    pub stream: Either<S, Box<TlsStream<S>>>,
    /// The protocol that client and server agreed on.
    pub protocol: Protocol,
}

/// A failed handshake. It belongs in a debug log at most, because any client can cause it.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    /// The client did not finish in [`HANDSHAKE_TIMEOUT`].
    #[error("no TLS handshake within {} s", HANDSHAKE_TIMEOUT.as_secs())]
    TimedOut,
    /// The client does not speak TLS, or does not meet the settings of the file.
    #[error("TLS handshake: {0}")]
    Failed(#[from] io::Error),
}

impl WebGuard {
    /// Plain HTTP without a password.
    pub fn without_file() -> Result<Self, WebConfigError> {
        Ok(Self {
            file: None,
            active: watch::Sender::default(),
            reloading: Arc::default(),
            passwords: Passwords::new()?,
        })
    }

    /// Loads the file at `path`. Blocks. Warnings are logged.
    pub fn load(path: &Path) -> Result<Self, WebConfigError> {
        let active = ActiveWebConfig::new(WebConfig::load(path)?, &ActiveWebConfig::default())?;
        Ok(Self {
            file: Some(path.to_owned()),
            active: watch::Sender::new(Arc::new(active)),
            ..Self::without_file()?
        })
    }

    /// Reads the file and those it names again. On any error all stays as it was. Reloads run one
    /// after the other. Once dropped, a future that waits for its turn reloads nothing; a reload
    /// that has begun goes on to its end.
    pub async fn reload(self: &Arc<Self>) -> Result<Reloaded, WebConfigError> {
        let turn = Arc::clone(&self.reloading).lock_owned().await;
        let guard = Arc::clone(self);
        run_blocking(move || {
            let reloaded = guard.reload_blocking();
            drop(turn);
            reloaded
        })
        .await?
    }

    /// Reloads every [`RELOAD_INTERVAL`], for ever; drop it to stop. Contents are compared, since
    /// neither a bind-mounted file nor Kubernetes' swap of the folder behind a link shows in the
    /// way that file watchers wait for.
    pub async fn keep_current(self: Arc<Self>) {
        let mut last_error = String::new();
        loop {
            tokio::time::sleep(RELOAD_INTERVAL).await;
            let result = self.reload().await;
            let error = result
                .err()
                .map_or_else(String::new, |error| error.to_string());
            if !error.is_empty() && error != last_error {
                tracing::error!(%error, "web configuration not reloaded, the old one stays");
            }
            last_error = error;
        }
    }

    /// The transport that clients must use.
    pub fn transport(&self) -> Transport {
        if self.active().tls.is_some() {
            Transport::Tls
        } else {
            Transport::Plain
        }
    }

    /// Accepts a connection, after the handshake if there is TLS.
    pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> Result<Accepted<S>, HandshakeError> {
        let Some(config) = self.active().tls.clone() else {
            return Ok(Accepted {
                stream: Either::Left(stream),
                protocol: Protocol::Http1,
            });
        };
        let handshake =
            tokio::time::timeout(HANDSHAKE_TIMEOUT, TlsAcceptor::from(config).accept(stream));
        let mut stream = handshake.await.map_err(|_| HandshakeError::TimedOut)??;
        stream.get_mut().1.set_buffer_limit(Some(TLS_BUFFER));
        let protocol = match stream.get_ref().1.alpn_protocol() {
            Some(b"h2") => Protocol::Http2,
            _ => Protocol::Http1,
        };
        Ok(Accepted {
            stream: Either::Right(Box::new(stream)),
            protocol,
        })
    }

    /// Checks a request before it is routed. The password comes before the rate limit, so that no
    /// client without one can use it up.
    pub async fn check(
        &self,
        request: &Parts,
        client: IpAddr,
        auth: Auth,
    ) -> Result<(), Rejection> {
        if auth == Auth::None {
            return Ok(());
        }
        let active = self.active();
        self.passwords
            .check(&active.users, &request.headers, client)
            .await?;
        if let Some(bucket) = &active.bucket {
            let taken = bucket.take();
            taken.map_err(|retry_after| Rejection::TooMany { retry_after })?;
        }
        Ok(())
    }

    /// Puts the file's headers on a response, rejections included.
    pub fn add_headers(&self, response: &mut HeaderMap) {
        self.active().headers.apply(response);
    }

    fn reload_blocking(&self) -> Result<Reloaded, WebConfigError> {
        let Some(path) = &self.file else {
            return Ok(Reloaded::Unchanged);
        };
        let config = WebConfig::load(path)?;
        let active = self.active();
        if active.fingerprint == Some(config.fingerprint) {
            return Ok(Reloaded::Unchanged);
        }
        if active.tls.is_some() != config.tls.is_some() {
            return Err(WebConfigError::TlsSwitched);
        }
        self.active
            .send_replace(Arc::new(ActiveWebConfig::new(config, &active)?));
        tracing::info!("web configuration reloaded");
        Ok(Reloaded::Changed)
    }

    fn active(&self) -> Arc<ActiveWebConfig> {
        self.active.borrow().clone()
    }
}

impl ActiveWebConfig {
    fn new(config: WebConfig, before: &Self) -> Result<Self, WebConfigError> {
        let tls = config
            .tls
            .map(|settings| settings.server_config(config.http2))
            .transpose()?;
        for warning in config.warnings.iter() {
            tracing::warn!(path = %warning.path, warning = warning.message, "web configuration");
        }
        let bucket = config.rate_limit.map(|limit| match &before.bucket {
            // A certificate that changes does not fill the bucket.
            Some(bucket) if bucket.limit() == limit => bucket.clone(),
            _ => Arc::new(Bucket::new(limit)),
        });
        Ok(Self {
            tls,
            headers: config.headers,
            users: config.users,
            bucket,
            fingerprint: Some(config.fingerprint),
        })
    }
}

#[cfg(test)]
mod tests;
