//! The door: everything a connection and a request must pass before a route sees them, live from
//! the web configuration file.
//!
//! The file and the certificates it names are read when they change, not per request; what is new
//! takes effect as a whole or not at all. Whether there is TLS is fixed when the door opens.

mod refusal;
mod stream;

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

pub use refusal::Refusal;
pub use stream::{Protocol, Stream};

use crate::apart::apart;
use crate::web::auth::{Passwords, Users};
use crate::web::config::{Fingerprint, WebConfig, WebConfigError};
use crate::web::headers::ResponseHeaders;
use crate::web::limits::Bucket;

/// How long a client may take for its handshake.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

/// How soon a change of the file or of a certificate takes effect.
pub const RELOAD_INTERVAL: Duration = Duration::from_secs(1);

/// The door of one server, whichever addresses it listens on.
pub struct Door {
    file: Option<PathBuf>,
    live: watch::Sender<Arc<Live>>,
    /// Held by the reload under way, so that there is one at a time; it goes with the thread that
    /// reads.
    reloading: Arc<Mutex<()>>,
    passwords: Passwords,
}

/// What one version of the file amounts to.
#[derive(Default)]
struct Live {
    tls: Option<Arc<ServerConfig>>,
    headers: ResponseHeaders,
    users: Users,
    bucket: Option<Arc<Bucket>>,
    fingerprint: Option<Fingerprint>,
}

/// What a reload found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reloaded {
    /// Something new, in force now.
    Changed,
    /// Nothing new.
    Unchanged,
}

/// Who may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// Those with a password, and not too often.
    Guarded,
    /// Everyone: health checks, so that the kubelet needs no password and cannot be locked out.
    Open,
}

/// Whether clients must speak TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// They must not.
    Plain,
    /// They must.
    Tls,
}

/// Why a connection came to nothing; no reason for more than a debug log, since any client can
/// bring it about.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    /// The client did not finish in [`HANDSHAKE_TIMEOUT`].
    #[error("no TLS handshake within {} s", HANDSHAKE_TIMEOUT.as_secs())]
    TimedOut,
    /// The client does not speak TLS, or not as the file asks.
    #[error("TLS handshake: {0}")]
    Failed(#[from] io::Error),
}

impl Door {
    /// A door without a file: plain HTTP for everyone.
    pub fn unguarded() -> Result<Self, WebConfigError> {
        Ok(Self {
            file: None,
            live: watch::Sender::default(),
            reloading: Arc::default(),
            passwords: Passwords::new()?,
        })
    }

    /// A door as the file at `path` has it. Reads files; what is accepted but not as written is
    /// logged.
    pub fn open(path: &Path) -> Result<Self, WebConfigError> {
        let live = Live::new(WebConfig::load(path)?, &Live::default())?;
        Ok(Self {
            file: Some(path.to_owned()),
            live: watch::Sender::new(Arc::new(live)),
            ..Self::unguarded()?
        })
    }

    /// Reads the file and those it names again. On any error all stays as it was. Reloads that come
    /// at once are done one after the other. Dropping the future gives up one whose turn has not
    /// come; what has begun goes on to its end.
    pub async fn reload_apart(self: &Arc<Self>) -> Result<Reloaded, WebConfigError> {
        let turn = Arc::clone(&self.reloading).lock_owned().await;
        let door = Arc::clone(self);
        apart(move || {
            let reloaded = door.reload();
            drop(turn);
            reloaded
        })
        .await?
    }

    /// Reloads every [`RELOAD_INTERVAL`], for ever; drop it to stop. Contents are compared, since
    /// neither a bind-mounted file nor Kubernetes' swap of the folder behind a link shows in the
    /// way that file watchers wait for.
    pub async fn keep_current(self: Arc<Self>) {
        let mut complaint = String::new();
        loop {
            tokio::time::sleep(RELOAD_INTERVAL).await;
            match self.reload_apart().await {
                Ok(Reloaded::Changed | Reloaded::Unchanged) => {}
                Err(error) => {
                    let error = error.to_string();
                    if error != complaint {
                        tracing::error!(%error, "web configuration not reloaded, the old one stays");
                    }
                    complaint = error;
                    continue;
                }
            }
            complaint.clear();
        }
    }

    /// Whether clients must speak TLS.
    pub fn transport(&self) -> Transport {
        if self.live().tls.is_some() {
            Transport::Tls
        } else {
            Transport::Plain
        }
    }

    /// Takes a connection in, after the handshake if there is TLS. May be dropped at any time, and
    /// the connection with it.
    pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> Result<Stream<S>, HandshakeError> {
        let Some(config) = self.live().tls.clone() else {
            return Ok(Stream::Plain(stream));
        };
        let handshake =
            tokio::time::timeout(HANDSHAKE_TIMEOUT, TlsAcceptor::from(config).accept(stream));
        let stream = handshake.await.map_err(|_| HandshakeError::TimedOut)??;
        Ok(Stream::Tls(Box::new(stream)))
    }

    /// Decides about a request before it is routed. The password comes before the rate limit, so
    /// that nobody without one can use it up.
    pub async fn check(
        &self,
        request: &Parts,
        client: IpAddr,
        passage: Passage,
    ) -> Result<(), Refusal> {
        if passage == Passage::Open {
            return Ok(());
        }
        let live = self.live();
        self.passwords
            .check(&live.users, &request.headers, client)
            .await?;
        live.bucket
            .as_ref()
            .map_or(Ok(()), |bucket| bucket.take())
            .map_err(|retry_after| Refusal::TooMany { retry_after })
    }

    /// Puts the file's headers on a response, refusals included.
    pub fn add_headers(&self, response: &mut HeaderMap) {
        self.live().headers.apply(response);
    }

    /// Blocks.
    fn reload(&self) -> Result<Reloaded, WebConfigError> {
        let Some(path) = &self.file else {
            return Ok(Reloaded::Unchanged);
        };
        let config = WebConfig::load(path)?;
        let live = self.live();
        if live.fingerprint == Some(config.fingerprint) {
            return Ok(Reloaded::Unchanged);
        }
        if live.tls.is_some() != config.tls.is_some() {
            return Err(WebConfigError::TlsSwitched);
        }
        self.live.send_replace(Arc::new(Live::new(config, &live)?));
        tracing::info!("web configuration reloaded");
        Ok(Reloaded::Changed)
    }

    fn live(&self) -> Arc<Live> {
        self.live.borrow().clone()
    }
}

impl Live {
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
