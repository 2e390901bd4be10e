//! Log lines on their way to their reader. A thread writes them, so a reader that stops holds up
//! nothing else.

use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};

/// The most lines that wait to be written: about a megabyte, as lines are a few hundred bytes long.
pub(super) const CAPACITY: usize = 4096;

/// One step of the wait in [`LogQueue::drain`]. A machine that stands still for a while uses up one
/// of them, not all.
const STEP: Duration = Duration::from_millis(5);

/// After so many steps without a line written nobody reads: a second.
const MAX_QUIET_STEPS: u32 = 200;

/// The most steps, however slowly somebody reads: five seconds.
const MAX_STEPS: u32 = 1000;

/// Lines that wait, within limits.
pub(super) struct LogQueue {
    sender: NonBlocking,
    counts: Arc<Counts>,
    // Never dropped: its drop waits less than `drain`, and prints to standard output if the queue
    // stays full.
    _worker: WorkerGuard,
}

#[derive(Default)]
struct Counts {
    /// Lines that were pushed, those that found no room included.
    pushed: AtomicUsize,
    /// Lines that were written, and those that are lost and reported.
    done: AtomicUsize,
    /// Lines that found no room. The queue has this counter only after the writer is made.
    lost: OnceLock<ErrorCounter>,
}

/// The end of the queue: writes lines, and reports lost ones.
struct QueueEnd<W, R> {
    write: W,
    report: R,
    counts: Arc<Counts>,
    capacity: usize,
    /// Lines written since it last looked for lost ones.
    written: usize,
    /// Lost lines that were reported.
    reported: usize,
}

// === impl LogQueue ===

impl LogQueue {
    /// Starts a thread that has `write` write each line, and where lines were lost what `report`
    /// makes of their number.
    pub(super) fn start(
        capacity: usize,
        write: impl FnMut(&[u8]) + Send + 'static,
        report: impl Fn(usize) -> String + Send + 'static,
    ) -> Self {
        let counts = Arc::new(Counts::default());
        let end = QueueEnd {
            write,
            report,
            counts: Arc::clone(&counts),
            capacity,
            written: 0,
            reported: 0,
        };
        let (sender, worker) = NonBlockingBuilder::default()
            .lossy(true)
            .buffered_lines_limit(capacity)
            .thread_name("log")
            .finish(end);
        counts.lost.get_or_init(|| sender.error_counter());
        Self {
            sender,
            counts,
            _worker: worker,
        }
    }

    /// Adds a line, which is written in its turn, or lost and counted if there is no room.
    pub(super) fn push(&self, line: &[u8]) {
        self.counts.pushed.fetch_add(1, Ordering::Relaxed);
        self.sender
            .clone()
            .write_all(line)
            .expect("a lossy queue refuses no line");
    }

    /// Waits until all lines are written; a second in which none is, or five in all, are enough.
    pub(super) fn drain(&self) {
        let mut quiet = 0;
        let mut done = self.counts.done();
        for _ in 0..MAX_STEPS {
            if done == self.counts.pushed() || quiet == MAX_QUIET_STEPS {
                return;
            }
            thread::sleep(STEP);
            let before = done;
            done = self.counts.done();
            quiet = if done == before { quiet + 1 } else { 0 };
        }
    }
}

// === impl Counts ===

impl Counts {
    fn pushed(&self) -> usize {
        self.pushed.load(Ordering::Relaxed)
    }

    fn done(&self) -> usize {
        self.done.load(Ordering::Relaxed)
    }

    fn lost(&self) -> usize {
        self.lost.get().map_or(0, ErrorCounter::dropped_lines)
    }
}

// === impl QueueEnd ===

impl<W: FnMut(&[u8]), R: Fn(usize) -> String> QueueEnd<W, R> {
    fn report_lost(&mut self) {
        self.written = 0;
        let lost = self.counts.lost() - self.reported;
        if lost == 0 {
            return;
        }
        let report = (self.report)(lost);
        (self.write)(report.as_bytes());
        self.reported += lost;
        self.counts.done.fetch_add(lost, Ordering::Relaxed);
    }
}

impl<W: FnMut(&[u8]), R: Fn(usize) -> String> Write for QueueEnd<W, R> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        (self.write)(line);
        self.counts.done.fetch_add(1, Ordering::Relaxed);
        self.written += 1;
        // A slow reader may never see the queue empty. By now all is written that waited when it
        // was full.
        if self.written > self.capacity {
            self.report_lost();
        }
        Ok(line.len())
    }

    /// Called whenever the queue is empty.
    fn flush(&mut self) -> io::Result<()> {
        self.report_lost();
        Ok(())
    }
}

/// Writes all of a line, or gives it up on an error: whoever closes the log wants none of it.
pub(super) fn write_whole(to: &mut impl Write, mut line: &[u8]) {
    while !line.is_empty() {
        match to.write(line) {
            Ok(0) => return,
            Ok(count) => line = &line[count..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // Another process that shares the file has made it non-blocking. The other half must
            // follow the first.
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                thread::sleep(Duration::from_millis(10));
            }
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, mpsc};
    use std::time::Instant;

    use super::*;

    /// A queue into a list.
    struct Stage {
        queue: LogQueue,
        list: Arc<Mutex<Vec<String>>>,
        /// Tells of each write that begins.
        begun: mpsc::Receiver<()>,
        /// Lets a write end; all of them end once it is gone.
        allow: mpsc::Sender<()>,
    }

    impl Stage {
        fn new(capacity: usize) -> Self {
            let (starts, begun) = mpsc::channel();
            let (allow, allowed) = mpsc::channel();
            let list = Arc::new(Mutex::new(Vec::new()));
            let written = Arc::clone(&list);
            let write = move |line: &[u8]| {
                // The test may have stopped listening.
                starts.send(()).unwrap_or_default();
                allowed.recv().unwrap_or_default();
                written
                    .lock()
                    .expect("no panic")
                    .push(String::from_utf8(line.to_vec()).expect("UTF-8"));
            };
            Self {
                queue: LogQueue::start(capacity, write, |lines| format!("{lines} lost")),
                list,
                begun,
                allow,
            }
        }

        fn push(&self, lines: &[&str]) {
            for line in lines {
                self.queue.push(line.as_bytes());
            }
        }

        /// Waits until a line has left the queue and is being written.
        fn wait_for_write(&self) {
            self.begun.recv().expect("it writes");
        }

        fn allow(&self, writes: usize) {
            for _ in 0..writes {
                self.allow.send(()).expect("it writes");
            }
        }

        fn written(&self) -> Vec<String> {
            self.list.lock().expect("no panic").clone()
        }

        fn finish(self) -> Vec<String> {
            drop(self.allow);
            self.queue.drain();
            self.list.lock().expect("no panic").clone()
        }
    }

    #[test]
    fn all_lines_are_written_in_their_order_before_the_end() {
        let stage = Stage::new(CAPACITY);
        let lines: Vec<_> = (0..CAPACITY).map(|number| number.to_string()).collect();
        for line in &lines {
            stage.queue.push(line.as_bytes());
        }
        assert_eq!(stage.finish(), lines);
    }

    #[test]
    fn lines_without_room_are_counted_after_those_that_waited() {
        let stage = Stage::new(3);
        stage.push(&["first"]);
        stage.wait_for_write();
        stage.push(&["second", "third", "fourth", "no room", "no room"]);
        stage.allow(5);
        stage.queue.drain();
        let expected = ["first", "second", "third", "fourth", "2 lost"];
        assert_eq!(stage.written(), expected);
        stage.push(&["fifth"]);
        assert_eq!(stage.finish()[5..], ["fifth"]);
    }

    #[test]
    fn losses_are_reported_while_the_queue_is_never_empty() {
        let stage = Stage::new(1);
        stage.push(&["first"]);
        stage.wait_for_write();
        stage.push(&["second", "no room"]);
        stage.allow(1);
        stage.wait_for_write();
        stage.push(&["third"]);
        assert_eq!(stage.finish(), ["first", "second", "1 lost", "third"]);
    }

    #[test]
    fn the_end_waits_for_no_reader_that_has_stopped() {
        let stage = Stage::new(CAPACITY);
        stage.push(&["first", "second"]);
        let began = Instant::now();
        stage.queue.drain();
        let waited = began.elapsed();
        assert!(
            waited >= Duration::from_millis(900) && waited < Duration::from_secs(20),
            "{waited:?}"
        );
        assert!(stage.written().is_empty());
    }

    /// Takes three bytes at a time, and refuses twice before each.
    struct SlowWriter(Vec<u8>, u32);

    impl Write for SlowWriter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.1 += 1;
            match self.1 % 3 {
                1 => Err(ErrorKind::WouldBlock.into()),
                2 => Err(ErrorKind::Interrupted.into()),
                _ => self.0.write(&bytes[..bytes.len().min(3)]),
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_is_written_as_a_whole_or_given_up() {
        let mut slow = SlowWriter(Vec::new(), 0);
        write_whole(&mut slow, b"one line\n");
        assert_eq!(slow.0, b"one line\n");
        write_whole(&mut io::Cursor::new(&mut [0; 3][..]), b"one line\n");
    }
}
