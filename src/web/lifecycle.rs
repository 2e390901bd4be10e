//! The reload of the configuration and of the web configuration file.

use std::fmt;
use std::sync::Arc;

use exporter_toolkit::web::config::WebConfigError;
use exporter_toolkit::web::guard::WebGuard;

use crate::reload::{ConfigManager, ReloadError};

/// The files that a reload reads again.
pub struct Lifecycle {
    config_manager: Arc<ConfigManager>,
    guard: Arc<WebGuard>,
}

/// The failure of a reload. The file that failed stays as it was; the other may be new.
#[derive(Debug)]
pub struct NotReloaded {
    configuration: Option<ReloadError>,
    web: Option<WebConfigError>,
}

impl Lifecycle {
    /// Reloads `config_manager` and `guard`.
    pub fn new(config_manager: Arc<ConfigManager>, guard: Arc<WebGuard>) -> Self {
        Self {
            config_manager,
            guard,
        }
    }

    /// Reads every file again and applies the valid ones. Logs the result. Dropping the future
    /// cancels the files that have not been begun.
    pub async fn reload(&self) -> Result<(), NotReloaded> {
        let configuration = self.config_manager.reload().await.err();
        let web = self.reload_guard().await.err();
        if configuration.is_none() && web.is_none() {
            Ok(())
        } else {
            Err(NotReloaded { configuration, web })
        }
    }

    async fn reload_guard(&self) -> Result<(), WebConfigError> {
        let reloaded = self.guard.reload().await;
        if let Err(error) = &reloaded {
            tracing::error!(%error, "web configuration not reloaded, the old one stays");
        }
        reloaded.map(drop)
    }
}

impl fmt::Debug for Lifecycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lifecycle")
            .field("config_manager", &self.config_manager)
            .finish_non_exhaustive()
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ack_client::clock::Clock;
    use ack_client::credentials;
    use ack_simulator::{InProcess, Options, Simulator};
    use exporter_toolkit::exposition::{Format, Page};
    use exporter_toolkit::process::ProcessMetrics;

    use super::*;
    use crate::collect::Dependencies;
    use crate::metrics::ExporterMetrics;
    use crate::reload::ConfigSource;
    use crate::shard::Shard;
    use exporter_toolkit::yaml::document::PANIC;

    const GOOD: &str = "accounts: [{name: a, credentials: {type: access_key, access_key_id: a, \
                        access_key_secret: b}, \
                        clusters: [{id: c1, region: cn-hangzhou}]}]\n";

    #[tokio::test(start_paused = true)]
    async fn a_panic_of_the_parser_fails_the_reload_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).expect("written");
        };
        write("exporter.yml", GOOD);
        write("web.yml", "http_server_config: {http2: true}\n");
        let exporter_metrics = Arc::new(ExporterMetrics::new(ProcessMetrics::Hidden));
        let dependencies = Dependencies {
            clock: Clock::System,
            transports: Arc::new(InProcess(Arc::new(Simulator::new(Options::default())))),
            shard: Shard::default(),
            credentials: credentials::Context::offline(Clock::System),
            metrics: Arc::clone(&exporter_metrics) as Arc<_>,
        };
        let config_manager = ConfigManager::start(
            ConfigSource::File(folder.path().join("exporter.yml")),
            dependencies,
            Arc::clone(&exporter_metrics),
        );
        let config_manager = Arc::new(config_manager.expect("a good configuration"));
        let guard = Arc::new(
            WebGuard::load(&folder.path().join("web.yml")).expect("a good web configuration"),
        );
        let lifecycle = Lifecycle::new(Arc::clone(&config_manager), guard);
        let is_successful = || {
            let mut page = Page::with_capacity(Format::Text, 0);
            exporter_metrics.write(&mut page);
            String::from_utf8_lossy(&page.finish())
                .contains("cs_exporter_config_last_reload_successful 1\n")
        };
        let before = Arc::clone(&config_manager.running().borrow());

        for name in ["exporter.yml", "web.yml"] {
            write(name, PANIC);
        }
        let error = lifecycle
            .reload()
            .await
            .expect_err("neither was read")
            .to_string();
        assert_eq!(error.matches("report this").count(), 2, "{error}");
        assert!(!is_successful());
        assert!(
            Arc::ptr_eq(&before, &config_manager.running().borrow()),
            "the old one stays"
        );

        let polling = tokio::spawn({
            let config_manager = Arc::clone(&config_manager);
            async move { config_manager.keep_current(Duration::from_secs(1)).await }
        });
        for (text, expected) in [
            (GOOD.to_owned(), true),
            (format!("{GOOD}{PANIC}"), false),
            (format!("{GOOD}# new"), true),
        ] {
            write("exporter.yml", &text);
            tokio::time::sleep(Duration::from_secs(3)).await;
            assert_eq!(is_successful(), expected, "{text}");
        }
        assert!(!polling.is_finished());
        polling.abort();
    }
}
