//! What is running: the configuration and all that was built from it, swapped as one.

use std::sync::Arc;

use tokio::sync::watch;

use crate::collect::{Collector, Surroundings};
use crate::config::Config;

/// A configuration and what was built from it.
#[derive(Debug)]
pub struct Running {
    /// The configuration.
    pub config: Config,
    /// What collects for it.
    pub collector: Arc<Collector>,
}

/// Owns what is running.
#[derive(Debug)]
pub struct Service {
    running: watch::Sender<Arc<Running>>,
}

impl Service {
    /// Builds what `config` asks for.
    pub fn start(config: Config, surroundings: &Surroundings) -> Self {
        let collector = Collector::new(&config, surroundings);
        Self { running: watch::Sender::new(Arc::new(Running { config, collector })) }
    }

    /// What is running, now and after each reload.
    pub fn running(&self) -> watch::Receiver<Arc<Running>> {
        self.running.subscribe()
    }

    /// Ends the collections under way.
    pub async fn stop(&self) {
        let running = Arc::clone(&self.running.borrow());
        running.collector.stop().await;
    }
}
