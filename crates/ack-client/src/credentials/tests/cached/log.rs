//! The log of the cache.

use tempfile::NamedTempFile;

use super::*;

/// The log of this thread from now on.
struct Log {
    file: NamedTempFile,
    /// A second dispatcher in the process. With only one, tracing caches whether a line is wanted
    /// by the dispatcher of the first thread that reaches it, which may be another test's.
    _second: tracing::Dispatch,
    _listening: tracing::subscriber::DefaultGuard,
}

impl Log {
    fn listen() -> Self {
        let file = NamedTempFile::new().expect("a file");
        let to_file = file.reopen().expect("the file");
        let written = tracing_subscriber::fmt()
            .with_writer(to_file)
            .with_max_level(tracing::Level::INFO)
            .finish();
        let second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::new());
        Self {
            file,
            _second: second,
            _listening: tracing::subscriber::set_default(written),
        }
    }

    /// The number of lines with each of the messages.
    fn count(&self, messages: &[&str]) -> Vec<usize> {
        let text = std::fs::read_to_string(self.file.path()).expect("text");
        messages
            .iter()
            .map(|message| text.lines().filter(|line| line.contains(message)).count())
            .collect()
    }
}

#[tokio::test(start_paused = true)]
async fn the_log_has_one_line_for_each_outage_and_one_for_its_end() {
    let log = Log::listen();
    let server = Server::new(Behavior::Silent, Duration::ZERO);
    let credentials = server.credentials();
    let outage = async || {
        server.set_behavior(Behavior::Silent);
        for _ in 0..20 {
            sleep(6 * SECOND).await;
            drop(id(&credentials).await);
        }
        server.set_behavior(Behavior::Lasting(5 * SECOND));
        sleep(6 * SECOND).await;
        id(&credentials).await.expect("credentials again");
    };
    let messages = [
        "credentials not refreshed",
        "credentials chosen",
        "credentials refreshed again",
    ];
    outage().await;
    assert_eq!(log.count(&messages), [1, 1, 0]);
    outage().await;
    assert_eq!(log.count(&messages), [2, 1, 1], "every outage is told");
    server.set_behavior(Behavior::Until(server.clock.now()));
    sleep(6 * SECOND).await;
    for _ in 0..3 {
        id(&credentials).await.expect_err("expired when they come");
        sleep(6 * SECOND).await;
    }
    server.set_behavior(Behavior::Silent);
    id(&credentials).await.expect_err("silent");
    assert_eq!(
        log.count(&messages),
        [4, 1, 1],
        "and so is every other reason"
    );
}
