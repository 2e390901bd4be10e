//! What is running: the configuration and all that was built from it, swapped as one.

mod origin;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, watch};

pub use origin::Origin;
use origin::{Content, Text, Unreadable};

use crate::collect::{Collector, Surroundings};
use crate::config::{Config, Problems};
use crate::metrics::Own;

/// A configuration and what was built from it.
#[derive(Debug)]
pub struct Running {
    /// The configuration.
    pub config: Config,
    /// What collects for it; ends with the last scrape that has it.
    pub collector: Arc<Collector>,
}

/// Owns what is running.
#[derive(Debug)]
pub struct Service {
    running: watch::Sender<Arc<Running>>,
    surroundings: Surroundings,
    own: Arc<Own>,
    origin: Origin,
    /// Held by the reload under way, so that there is one at a time.
    seen: Mutex<Seen>,
}

/// Contents of the configuration file.
#[derive(Debug)]
struct Seen {
    /// What is in force.
    running: Content,
    /// What was read last, good or bad.
    last: Content,
}

/// Why the old configuration stays in force.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// The file cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// The file has mistakes.
    #[error(transparent)]
    Mistakes(#[from] Problems),
}

impl Service {
    /// Builds what the configuration asks for.
    pub fn start(origin: Origin, surroundings: Surroundings, own: Arc<Own>) -> Result<Self, ReloadError> {
        let text = origin.read()?;
        let content = Content::of(Ok(&text));
        let config = text.parse()?;
        let collector = Collector::new(&config, &surroundings);
        own.reload_succeeded(surroundings.clock.now());
        let running = watch::Sender::new(Arc::new(Running { config, collector }));
        Ok(Self { running, surroundings, own, origin, seen: Mutex::new(Seen { running: content, last: content }) })
    }

    /// What is running, now and after each reload.
    pub fn running(&self) -> watch::Receiver<Arc<Running>> {
        self.running.subscribe()
    }

    /// Reads the configuration again and puts it in force as a whole, or leaves the old one; logs every mistake. Reloads
    /// that come at once are done one after the other. Dropping the future before its end leaves the old one in force.
    pub async fn reload(&self) -> Result<(), ReloadError> {
        let mut seen = self.seen.lock().await;
        let read = self.read().await;
        self.take(&mut seen, read).await
    }

    /// Reloads every `interval` if the content of the file has changed, for ever. Contents are compared, since neither a
    /// bind-mounted file nor Kubernetes' swap of the folder behind a link shows in the way that file watchers wait for.
    pub async fn keep_current(&self, interval: Duration) {
        loop {
            tokio::time::sleep(interval).await;
            let mut seen = self.seen.lock().await;
            let read = self.read().await;
            if Content::of(read.as_ref()) != seen.last {
                // Whatever is wrong has been logged and counted.
                drop(self.take(&mut seen, read).await);
            }
        }
    }

    /// Ends the collections under way.
    pub async fn stop(&self) {
        let running = Arc::clone(&self.running.borrow());
        running.collector.stop().await;
    }

    async fn read(&self) -> Result<Text, Unreadable> {
        let origin = self.origin.clone();
        tokio::task::spawn_blocking(move || origin.read()).await.expect("reading a file does not panic")
    }

    async fn take(&self, seen: &mut Seen, read: Result<Text, Unreadable>) -> Result<(), ReloadError> {
        seen.last = Content::of(read.as_ref());
        if seen.last != seen.running {
            match parse(read).await {
                Ok(config) => self.swap(config),
                Err(error) => {
                    self.own.reload_failed();
                    error.log();
                    return Err(error);
                }
            }
            seen.running = seen.last;
        }
        self.own.reload_succeeded(self.surroundings.clock.now());
        Ok(())
    }

    /// Puts `config` in force. Scrapes under way go on with what they began with.
    fn swap(&self, config: Config) {
        let before = Arc::clone(&self.running.borrow());
        let collector = Collector::after(&before.collector, &config, &self.surroundings);
        for gone in before.config.accounts.iter().filter(|account| config.accounts.iter().all(|other| other.name != account.name)) {
            self.own.forget(&gone.name);
        }
        let accounts = config.accounts.len();
        self.running.send_replace(Arc::new(Running { config, collector }));
        tracing::info!(accounts, "configuration reloaded");
    }
}

/// Off the async threads: a large fleet takes a while.
async fn parse(read: Result<Text, Unreadable>) -> Result<Config, ReloadError> {
    let text = read?;
    let parsed = tokio::task::spawn_blocking(move || text.parse()).await.expect("parsing does not panic");
    Ok(parsed?)
}

impl ReloadError {
    fn log(&self) {
        match self {
            Self::Unreadable(error) => tracing::error!(%error, "configuration not reloaded, the old one stays"),
            Self::Mistakes(problems) => {
                for problem in problems.iter() {
                    tracing::error!(path = %problem.path, problem = problem.message, "configuration not reloaded, the old one stays");
                }
            }
        }
    }
}
