//! Reloading all that can be reloaded: the configuration and what guards the door.

use std::fmt;
use std::sync::Arc;

use super::door::{Door, Reloaded};
use crate::service::{ReloadError, Service};
use crate::web::config::WebConfigError;

/// What a reload reaches.
pub struct Lifecycle {
    service: Arc<Service>,
    door: Arc<Door>,
}

/// What could not be reloaded, and stays as it was. The other half may be new.
#[derive(Debug)]
pub struct NotReloaded {
    configuration: Option<ReloadError>,
    web: Option<WebConfigError>,
}

impl Lifecycle {
    /// Reloads `service` and `door`.
    pub fn new(service: Arc<Service>, door: Arc<Door>) -> Self {
        Self { service, door }
    }

    /// Reads every file again and puts in force what is good. Logs what it did.
    pub async fn reload(&self) -> Result<(), NotReloaded> {
        let configuration = self.service.reload().await.err();
        let web = self.reload_door().await.err();
        if configuration.is_none() && web.is_none() { Ok(()) } else { Err(NotReloaded { configuration, web }) }
    }

    async fn reload_door(&self) -> Result<(), WebConfigError> {
        let door = Arc::clone(&self.door);
        let reloaded = tokio::task::spawn_blocking(move || door.reload()).await.expect("reading files does not panic");
        match &reloaded {
            Ok(Reloaded::Unchanged) => {}
            Ok(Reloaded::Changed) => tracing::info!("web configuration reloaded"),
            Err(error) => tracing::error!(%error, "web configuration not reloaded, the old one stays"),
        }
        reloaded.map(drop)
    }
}

impl fmt::Debug for Lifecycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lifecycle").field("service", &self.service).finish_non_exhaustive()
    }
}

impl fmt::Display for NotReloaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(error) = &self.configuration {
            writeln!(f, "configuration: {error}")?;
        }
        if let Some(error) = &self.web {
            writeln!(f, "web configuration: {error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for NotReloaded {}
