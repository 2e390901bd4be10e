//! The active configuration and all that was built from it, replaced as a whole by a reload.

mod source;

use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use exporter_toolkit::blocking::{BlockingPanic, run_blocking};
use tokio::sync::{Mutex, watch};
use tokio::time::timeout;

pub use source::{ConfigSource, Warnings};
use source::{Content, Parsed, SourceText, Unreadable};

use crate::collect::{Collector, Dependencies};
use crate::config::{Config, Problems};
use crate::metrics::ExporterMetrics;

/// A configuration and what was built from it.
#[derive(Debug)]
pub struct ActiveConfig {
    /// The configuration.
    pub config: Config,
    /// The collector for it. It ends with the last scrape that holds it.
    pub collector: Arc<Collector>,
}

/// The time after which a configuration that is still being read is worth a warning.
const SLOW_READ: Duration = Duration::from_secs(10);

/// The owner of the active configuration.
#[derive(Debug)]
pub struct ConfigManager {
    running: watch::Sender<Arc<ActiveConfig>>,
    dependencies: Dependencies,
    metrics: Arc<ExporterMetrics>,
    source: ConfigSource,
    /// Locked by the reload in progress, so that there is one at a time. The lock belongs to the
    /// thread that reads.
    state: Arc<Mutex<ReloadState>>,
}

/// The contents that were read of the configuration file and of the files that it names.
#[derive(Debug)]
struct ReloadState {
    /// The content of the active configuration.
    active: Content,
    /// The content that was read last, good or bad.
    last: Content,
    /// The files named by the text that was parsed last, good or bad, whose content is part of the
    /// configuration.
    referenced: Vec<PathBuf>,
}

/// The reason why the file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReloadTrigger {
    /// A signal or a request.
    Requested,
    /// The poll for changes.
    Polled,
}

/// The reason why the old configuration stays active.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// The file cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// The file has mistakes.
    #[error(transparent)]
    Mistakes(#[from] Problems),
    /// Reading or building it panicked.
    #[error(transparent)]
    Panicked(#[from] BlockingPanic),
}

impl ConfigManager {
    /// Reads the configuration and builds its collector; blocks.
    pub fn start(
        source: ConfigSource,
        dependencies: Dependencies,
        metrics: Arc<ExporterMetrics>,
    ) -> Result<Self, ReloadError> {
        let Parsed {
            config,
            content,
            referenced,
        } = source.read()?.parse();
        let config = config?;
        let collector = Collector::new(&config, &dependencies);
        metrics.reload_succeeded(dependencies.clock.now());
        let running = watch::Sender::new(Arc::new(ActiveConfig { config, collector }));
        let state = Arc::new(Mutex::new(ReloadState {
            active: content,
            last: content,
            referenced,
        }));
        Ok(Self {
            running,
            dependencies,
            metrics,
            source,
            state,
        })
    }

    /// The active configuration, now and after each reload.
    pub fn running(&self) -> watch::Receiver<Arc<ActiveConfig>> {
        self.running.subscribe()
    }

    /// Reads the configuration again and activates it as a whole, or keeps the old one and logs
    /// every mistake. Concurrent reloads are done one after the other. Dropping the future cancels
    /// a reload that has not begun; one that has begun goes on to its end, since a read on a file
    /// system that hangs cannot be stopped.
    pub async fn reload(self: &Arc<Self>) -> Result<(), ReloadError> {
        self.take_turn(ReloadTrigger::Requested).await
    }

    /// Polls for changes every `interval`, for ever, and reloads a file whose content has changed.
    /// Contents are compared because file watchers miss a change of a bind-mounted file, and of a
    /// `ConfigMap`, for which Kubernetes replaces a symbolic link.
    pub async fn keep_current(self: &Arc<Self>, interval: Duration) {
        loop {
            tokio::time::sleep(interval).await;
            // The failure is logged already.
            drop(self.take_turn(ReloadTrigger::Polled).await);
        }
    }

    /// Ends the collections in progress.
    pub async fn stop(&self) {
        let running = Arc::clone(&self.running.borrow());
        running.collector.stop().await;
    }

    async fn take_turn(self: &Arc<Self>, trigger: ReloadTrigger) -> Result<(), ReloadError> {
        let mut state = Arc::clone(&self.state).lock_owned().await;
        let manager = Arc::clone(self);
        // Parsing a large configuration takes a while, too.
        let mut attempt = pin!(run_blocking(move || manager.read_again(&mut state, trigger)));
        let reloaded = if let Ok(reloaded) = timeout(SLOW_READ, &mut attempt).await {
            reloaded
        } else {
            tracing::warn!("the configuration is not read yet; a file may hang");
            attempt.await
        };
        reloaded.unwrap_or_else(|panicked| {
            let reloaded = Err(panicked.into());
            self.record_outcome(&reloaded);
            reloaded
        })
    }

    /// Reads the file and those that it named last, and activates the configuration; blocks.
    fn read_again(
        &self,
        state: &mut ReloadState,
        trigger: ReloadTrigger,
    ) -> Result<(), ReloadError> {
        let read = self.source.read();
        let content = Content::now(read.as_ref(), &state.referenced);
        if trigger == ReloadTrigger::Polled && content == state.last {
            return Ok(());
        }
        // A server may have moved: names are looked up again.
        self.dependencies.transports.refresh();
        state.last = content;
        let reloaded = read
            .map_err(ReloadError::from)
            .and_then(|text| self.activate(state, &text, content));
        self.record_outcome(&reloaded);
        reloaded
    }

    /// Parses the text and makes its configuration the active one, if it is good and new; blocks.
    fn activate(
        &self,
        state: &mut ReloadState,
        text: &SourceText,
        content: Content,
    ) -> Result<(), ReloadError> {
        if content == state.active {
            tracing::info!("configuration unchanged");
            return Ok(());
        }
        let Parsed {
            config,
            content,
            referenced,
        } = text.parse();
        (state.last, state.referenced) = (content, referenced);
        let config = config?;
        if content == state.active {
            tracing::info!("configuration unchanged");
        } else {
            state.active = content;
            self.swap(config);
        }
        Ok(())
    }

    /// Counts the reload, and logs the reasons of a failure.
    fn record_outcome(&self, reloaded: &Result<(), ReloadError>) {
        match reloaded {
            Ok(()) => self.metrics.reload_succeeded(self.dependencies.clock.now()),
            Err(error) => {
                self.metrics.reload_failed();
                error.log();
            }
        }
    }

    /// Replaces the active configuration. Scrapes in progress go on with the one that they began
    /// with.
    fn swap(&self, config: Config) {
        let before = Arc::clone(&self.running.borrow());
        let collector = Collector::after(&before.collector, &config, &self.dependencies);
        for removed in before.config.accounts.iter().filter(|account| {
            config
                .accounts
                .iter()
                .all(|other| other.name != account.name)
        }) {
            self.metrics.forget(&removed.name);
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
                for problem in problems.shown() {
                    tracing::error!(
                        line = problem.line,
                        path = %problem.path,
                        problem = problem.message,
                        "configuration not reloaded, the old one stays"
                    );
                }
                let hidden = problems.hidden();
                if hidden > 0 {
                    tracing::error!(mistakes = hidden, "more mistakes are not shown");
                }
            }
        }
    }
}
