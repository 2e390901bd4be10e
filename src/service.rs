//! What is running: the configuration and all that was built from it, swapped as one.

mod origin;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, watch};

pub use origin::Origin;
use origin::{Content, Parsed, Text, Unreadable};

use crate::apart::{Panicked, apart};
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

/// Contents of the configuration file and of those that it names.
#[derive(Debug)]
struct Seen {
    /// What is in force.
    running: Content,
    /// What was read last, good or bad.
    last: Content,
    /// The files that the text parsed last, good or bad, names and whose content is part of it.
    beside: Vec<PathBuf>,
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
    /// The exporter made one.
    #[error(transparent)]
    Panicked(#[from] Panicked),
}

impl Service {
    /// Builds what the configuration asks for.
    pub fn start(origin: Origin, surroundings: Surroundings, own: Arc<Own>) -> Result<Self, ReloadError> {
        let Parsed { config, content, beside } = origin.read()?.parse();
        let config = config?;
        let collector = Collector::new(&config, &surroundings);
        own.reload_succeeded(surroundings.clock.now());
        let running = watch::Sender::new(Arc::new(Running { config, collector }));
        Ok(Self { running, surroundings, own, origin, seen: Mutex::new(Seen { running: content, last: content, beside }) })
    }

    /// What is running, now and after each reload.
    pub fn running(&self) -> watch::Receiver<Arc<Running>> {
        self.running.subscribe()
    }

    /// Reads the configuration again and puts it in force as a whole, or leaves the old one; logs every mistake. Reloads
    /// that come at once are done one after the other. Dropping the future before its end leaves the old one in force.
    pub async fn reload(&self) -> Result<(), ReloadError> {
        let mut seen = self.seen.lock().await;
        let reloaded = match self.read(&seen).await {
            Ok((read, content)) => self.take(&mut seen, read, content).await,
            Err(panicked) => Err(panicked.into()),
        };
        self.note(&reloaded);
        reloaded
    }

    /// Reloads every `interval` if the content of the file has changed, for ever. Contents are compared, since neither a
    /// bind-mounted file nor Kubernetes' swap of the folder behind a link shows in the way that file watchers wait for.
    pub async fn keep_current(&self, interval: Duration) {
        loop {
            tokio::time::sleep(interval).await;
            let mut seen = self.seen.lock().await;
            let reloaded = match self.read(&seen).await {
                Ok((_, content)) if content == seen.last => continue,
                Ok((read, content)) => self.take(&mut seen, read, content).await,
                Err(panicked) => Err(panicked.into()),
            };
            self.note(&reloaded);
        }
    }

    /// Ends the collections under way.
    pub async fn stop(&self) {
        let running = Arc::clone(&self.running.borrow());
        running.collector.stop().await;
    }

    /// What is there now, with the files that it named last.
    async fn read(&self, seen: &Seen) -> Result<(Result<Text, Unreadable>, Content), Panicked> {
        let (origin, beside) = (self.origin.clone(), seen.beside.clone());
        let read = move || {
            let read = origin.read();
            let content = Content::now(read.as_ref(), &beside);
            (read, content)
        };
        apart(read).await
    }

    async fn take(&self, seen: &mut Seen, read: Result<Text, Unreadable>, content: Content) -> Result<(), ReloadError> {
        let parsed = match read {
            Ok(_) if content == seen.running => None,
            // Off the async threads: a large fleet takes a while.
            Ok(text) => Some(apart(move || text.parse()).await.map_err(ReloadError::from)),
            Err(unreadable) => Some(Err(unreadable.into())),
        };
        // Only now: where the one who asked has left in between, nothing has been seen.
        seen.last = content;
        let Some(parsed) = parsed else { return Ok(()) };
        let Parsed { config, content, beside } = parsed?;
        (seen.last, seen.beside) = (content, beside);
        let config = config?;
        if content != seen.running {
            seen.running = content;
            self.swap(config);
        }
        Ok(())
    }

    /// Counts and logs how a reload went.
    fn note(&self, reloaded: &Result<(), ReloadError>) {
        match reloaded {
            Ok(()) => self.own.reload_succeeded(self.surroundings.clock.now()),
            Err(error) => {
                self.own.reload_failed();
                error.log();
            }
        }
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

impl ReloadError {
    fn log(&self) {
        match self {
            Self::Unreadable(error) => tracing::error!(%error, "configuration not reloaded, the old one stays"),
            Self::Panicked(error) => tracing::error!(%error, "configuration not reloaded, the old one stays"),
            Self::Mistakes(problems) => {
                for problem in problems.iter() {
                    tracing::error!(path = %problem.path, problem = problem.message, "configuration not reloaded, the old one stays");
                }
            }
        }
    }
}
