//! The log of one thread, for tests of the events that an operator reads.

use std::io::Write;
use std::sync::{Arc, Mutex};

/// The log of this thread from now on.
pub struct Log {
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
    pub fn listen() -> Self {
        let text = Arc::new(Mutex::new(Vec::new()));
        let written = Arc::clone(&text);
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || Writer(Arc::clone(&written)))
            .with_max_level(tracing::Level::INFO)
            .with_ansi(false)
            .finish();
        Self {
            text,
            _second: tracing::Dispatch::new(tracing::subscriber::NoSubscriber::new()),
            _listening: tracing::subscriber::set_default(subscriber),
        }
    }

    /// The number of lines so far with each of these messages.
    pub fn counts<const COUNT: usize>(&self, messages: [&str; COUNT]) -> [usize; COUNT] {
        let text = self.text.lock().expect("no panic");
        let text = String::from_utf8_lossy(&text);
        messages.map(|message| text.matches(message).count())
    }
}
