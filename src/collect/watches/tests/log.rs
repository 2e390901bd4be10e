//! The log of the queries.

use std::io::Write;
use std::sync::Mutex;

use super::*;
use crate::collect::fixture::id;

/// The log of this thread from now on.
struct Log {
    text: Arc<Mutex<Vec<u8>>>,
    /// A second dispatcher in the process. With only one, tracing caches whether a line is wanted
    /// by the dispatcher of the first thread that reaches it, which may be another test's.
    _second: tracing::Dispatch,
    _listening: tracing::subscriber::DefaultGuard,
}

struct Writer(Arc<Mutex<Vec<u8>>>);

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn listen() -> Self {
        let text = Arc::new(Mutex::new(Vec::new()));
        let written = Arc::clone(&text);
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || Writer(Arc::clone(&written)))
            .with_max_level(tracing::Level::INFO)
            .finish();
        Self {
            text,
            _second: tracing::Dispatch::new(tracing::subscriber::NoSubscriber::new()),
            _listening: tracing::subscriber::set_default(subscriber),
        }
    }

    /// The number of lines about a failure, and of those about its end.
    fn lines(&self) -> [usize; 2] {
        let text = self.text.lock().expect("no panic");
        let text = String::from_utf8_lossy(&text);
        ["query fails", "query is answered again"].map(|message| text.matches(message).count())
    }
}

#[tokio::test(start_paused = true)]
async fn the_log_has_a_line_for_each_reason_and_one_when_every_subject_is_answered_again() {
    let log = Log::listen();
    let slots = slots(&["c1", "c2"]);
    for (name, result, lines) in [
        ("c1", Err(ErrorKind::Timeout), [1, 0]),
        ("c1", Err(ErrorKind::Timeout), [1, 0]),
        ("c2", Err(ErrorKind::Timeout), [1, 0]),
        ("c2", Err(ErrorKind::Forbidden), [2, 0]),
        // The other one still fails.
        ("c1", Ok(1), [2, 0]),
        ("c2", Ok(1), [2, 1]),
        ("c1", Ok(2), [2, 1]),
        ("c1", Err(ErrorKind::Timeout), [3, 1]),
    ] {
        let (asked, _) = slots.start(&id(name)).expect("it is known");
        slots.record(&id(name), &asked, result.map_err(error), Instant::now());
        assert_eq!(log.lines(), lines, "{name}: {result:?}");
    }
}
