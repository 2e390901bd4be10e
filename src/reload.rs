//! What is running: the configuration and all that was built from it, swapped as one.

mod source;

use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use exporter_toolkit::apart::{Panicked, apart};
use tokio::sync::{Mutex, watch};
use tokio::time::timeout;

pub use source::{ConfigSource, Warnings};
use source::{Content, Parsed, Text, Unreadable};

use crate::collect::{Collector, Dependencies};
use crate::config::{Config, Problems};
use crate::metrics::ExporterMetrics;

/// A configuration and what was built from it.
#[derive(Debug)]
pub struct ActiveConfig {
    /// The configuration.
    pub config: Config,
    /// What collects for it; ends with the last scrape that has it.
    pub collector: Arc<Collector>,
}

/// Reading the configuration takes less, unless something is wrong.
const PATIENCE: Duration = Duration::from_secs(10);

/// Owns what is running.
#[derive(Debug)]
pub struct ConfigManager {
    running: watch::Sender<Arc<ActiveConfig>>,
    dependencies: Dependencies,
    own: Arc<ExporterMetrics>,
    origin: ConfigSource,
    /// Held by the reload under way, so that there is one at a time; it goes with the thread that
    /// reads.
    seen: Arc<Mutex<ReloadState>>,
}

/// Contents of the configuration file and of those that it names.
#[derive(Debug)]
struct ReloadState {
    /// What is in force.
    running: Content,
    /// What was read last, good or bad.
    last: Content,
    /// The files that the text parsed last, good or bad, names and whose content is part of it.
    beside: Vec<PathBuf>,
}

/// Why the file is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReloadTrigger {
    /// Somebody wants it in force.
    Asked,
    /// It may have changed.
    Polled,
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

impl ConfigManager {
    /// Builds what the configuration asks for.
    pub fn start(
        origin: ConfigSource,
        dependencies: Dependencies,
        own: Arc<ExporterMetrics>,
    ) -> Result<Self, ReloadError> {
        let Parsed {
            config,
            content,
            beside,
        } = origin.read()?.parse();
        let config = config?;
        let collector = Collector::new(&config, &dependencies);
        own.reload_succeeded(dependencies.clock.now());
        let running = watch::Sender::new(Arc::new(ActiveConfig { config, collector }));
        let seen = Arc::new(Mutex::new(ReloadState {
            running: content,
            last: content,
            beside,
        }));
        Ok(Self {
            running,
            dependencies,
            own,
            origin,
            seen,
        })
    }

    /// What is running, now and after each reload.
    pub fn running(&self) -> watch::Receiver<Arc<ActiveConfig>> {
        self.running.subscribe()
    }

    /// Reads the configuration again and puts it in force as a whole, or leaves the old one; logs
    /// every mistake. Reloads that come at once are done one after the other. Dropping the future
    /// gives up one whose turn has not come; what has begun goes on to its end, since nobody can
    /// stop a read on a file system that hangs.
    pub async fn reload(self: &Arc<Self>) -> Result<(), ReloadError> {
        self.take_turn(ReloadTrigger::Asked).await
    }

    /// Reloads every `interval` if the content of the file has changed, for ever. Contents are
    /// compared, since neither a bind-mounted file nor Kubernetes' swap of the folder behind a link
    /// shows in the way that file watchers wait for.
    pub async fn keep_current(self: &Arc<Self>, interval: Duration) {
        loop {
            tokio::time::sleep(interval).await;
            // What is wrong is logged there.
            drop(self.take_turn(ReloadTrigger::Polled).await);
        }
    }

    /// Ends the collections under way.
    pub async fn stop(&self) {
        let running = Arc::clone(&self.running.borrow());
        running.collector.stop().await;
    }

    async fn take_turn(self: &Arc<Self>, occasion: ReloadTrigger) -> Result<(), ReloadError> {
        let mut seen = Arc::clone(&self.seen).lock_owned().await;
        let service = Arc::clone(self);
        // Off the async threads: a large fleet takes a while, too.
        let mut look = pin!(apart(move || service.look(&mut seen, occasion)));
        let reloaded = if let Ok(reloaded) = timeout(PATIENCE, &mut look).await {
            reloaded
        } else {
            tracing::warn!("the configuration is not read yet; a file may hang");
            look.await
        };
        reloaded.unwrap_or_else(|panicked| {
            let reloaded = Err(panicked.into());
            self.note(&reloaded);
            reloaded
        })
    }

    /// Reads what is there now, with the files that it named last, and takes it; blocks.
    fn look(&self, seen: &mut ReloadState, occasion: ReloadTrigger) -> Result<(), ReloadError> {
        let read = self.origin.read();
        let content = Content::now(read.as_ref(), &seen.beside);
        if occasion == ReloadTrigger::Polled && content == seen.last {
            return Ok(());
        }
        // Whoever asks may have moved a server.
        self.dependencies.transports.refresh();
        seen.last = content;
        let reloaded = read
            .map_err(ReloadError::from)
            .and_then(|text| self.take(seen, &text, content));
        self.note(&reloaded);
        reloaded
    }

    /// Puts what was read in force, if it is good and new; blocks.
    fn take(
        &self,
        seen: &mut ReloadState,
        text: &Text,
        content: Content,
    ) -> Result<(), ReloadError> {
        if content == seen.running {
            return Ok(());
        }
        let Parsed {
            config,
            content,
            beside,
        } = text.parse();
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
            Ok(()) => self.own.reload_succeeded(self.dependencies.clock.now()),
            Err(error) => {
                self.own.reload_failed();
                error.log();
            }
        }
    }

    /// Puts `config` in force. Scrapes under way go on with what they began with.
    fn swap(&self, config: Config) {
        let before = Arc::clone(&self.running.borrow());
        let collector = Collector::after(&before.collector, &config, &self.dependencies);
        for gone in before.config.accounts.iter().filter(|account| {
            config
                .accounts
                .iter()
                .all(|other| other.name != account.name)
        }) {
            self.own.forget(&gone.name);
        }
        let accounts = config.accounts.len();
        self.running
            .send_replace(Arc::new(ActiveConfig { config, collector }));
        tracing::info!(accounts, "configuration reloaded");
    }
}

impl ReloadError {
    fn log(&self) {
        match self {
            Self::Unreadable(error) => {
                tracing::error!(%error, "configuration not reloaded, the old one stays");
            }
            Self::Panicked(error) => {
                tracing::error!(%error, "configuration not reloaded, the old one stays");
            }
            Self::Mistakes(problems) => {
                for problem in problems.iter() {
                    tracing::error!(
                        line = problem.line,
                        path = %problem.path,
                        problem = problem.message,
                        "configuration not reloaded, the old one stays"
                    );
                }
            }
        }
    }
}
