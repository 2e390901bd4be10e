//! Lines on their way to whoever reads them. A thread of its own writes them, so that a reader who
//! stops holds up nothing else.

use std::collections::VecDeque;
use std::io::{ErrorKind, Write};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// What waits may take so many bytes: a few scrapes of a large fleet, each query logged.
pub(super) const ROOM: usize = 4 * 1024 * 1024;

/// What a line takes beside its text.
const OVERHEAD: usize = 64;

/// At the end there is a wait of several of these: a machine that stands still for a while uses up
/// one of them, not all.
const STEP: Duration = Duration::from_millis(50);

/// So many in which nothing was written mean that nobody reads.
const QUIET_STEPS: u32 = 20;

/// However slowly somebody reads, there are no more.
const STEPS: u32 = 100;

/// Lines that wait, within limits.
pub(super) struct Outlet {
    room: usize,
    queue: Mutex<Queue>,
    has_more: Condvar,
    is_done: Condvar,
}

struct Queue {
    /// Whether there is a thread that writes them.
    is_served: bool,
    items: VecDeque<Item>,
    bytes: usize,
    is_writing: bool,
    written: u64,
}

enum Item {
    Line(Box<[u8]>),
    /// So many were lost here.
    Lost(u64),
}

impl Outlet {
    /// With room for so many bytes.
    pub(super) const fn new(room: usize) -> Self {
        let queue = Queue {
            is_served: false,
            items: VecDeque::new(),
            bytes: 0,
            is_writing: false,
            written: 0,
        };
        Self {
            room,
            queue: Mutex::new(queue),
            has_more: Condvar::new(),
            is_done: Condvar::new(),
        }
    }

    /// Has a thread write each line, and where some were lost what `told` makes of their number.
    /// Where the system gives no thread, `put` says so.
    pub(super) fn serve(
        &'static self,
        mut write: impl FnMut(&[u8]) + Send + 'static,
        told: impl Fn(u64) -> String + Send + 'static,
    ) {
        let mut queue = self.lock();
        if queue.is_served {
            return;
        }
        let thread = thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || {
                loop {
                    match self.next() {
                        Item::Line(line) => write(&line),
                        Item::Lost(lines) => write(told(lines).as_bytes()),
                    }
                    self.wrote();
                }
            });
        queue.is_served = thread.is_ok();
    }

    /// Takes a line, which is written in its turn, or lost and counted if there is no room. False
    /// if nobody would write it.
    pub(super) fn put(&self, line: &[u8]) -> bool {
        let mut queue = self.lock();
        if !queue.is_served {
            return false;
        }
        queue.put(line, self.room);
        drop(queue);
        self.has_more.notify_one();
        true
    }

    /// Waits until all that waits is written; a second in which nothing can be, or five in all, are
    /// enough.
    pub(super) fn drain(&self) {
        let mut queue = self.lock();
        let mut quiet = 0;
        for _ in 0..STEPS {
            let before = queue.written;
            let waited = self.is_done.wait_timeout_while(queue, STEP, |queue| {
                queue.is_writing || !queue.items.is_empty()
            });
            let (after, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            quiet = if after.written == before {
                quiet + 1
            } else {
                0
            };
            if !timeout.timed_out() || quiet == QUIET_STEPS {
                return;
            }
            queue = after;
        }
    }

    fn next(&self) -> Item {
        let mut queue = self.lock();
        loop {
            if let Some(item) = queue.next() {
                return item;
            }
            queue = self
                .has_more
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn wrote(&self) {
        let mut queue = self.lock();
        queue.is_writing = false;
        queue.written += 1;
        if queue.items.is_empty() {
            self.is_done.notify_all();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn put(&mut self, line: &[u8], room: usize) {
        // Once lines are lost they are until half of the room is free, so that one line tells of
        // many.
        let room = if matches!(self.items.back(), Some(Item::Lost(_))) {
            room / 2
        } else {
            room
        };
        let cost = line.len() + OVERHEAD;
        if self.items.is_empty() || self.bytes + cost <= room {
            self.bytes += cost;
            self.items.push_back(Item::Line(line.into()));
        } else if let Some(Item::Lost(lines)) = self.items.back_mut() {
            *lines += 1;
        } else {
            self.items.push_back(Item::Lost(1));
        }
    }

    fn next(&mut self) -> Option<Item> {
        let item = self.items.pop_front()?;
        if let Item::Line(line) = &item {
            self.bytes -= line.len() + OVERHEAD;
        }
        self.is_writing = true;
        Some(item)
    }
}

/// Writes all of a line, or gives it up on an error: whoever closes the log wants none of it.
pub(super) fn write_whole(to: &mut impl Write, mut line: &[u8]) {
    while !line.is_empty() {
        match to.write(line) {
            Ok(0) => return,
            Ok(count) => line = &line[count..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // Somebody it is shared with wants it to answer so. The other half must follow the
            // first.
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                thread::sleep(Duration::from_millis(10));
            }
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, mpsc};
    use std::time::Instant;

    use super::*;

    /// An outlet into a list, which takes a line whenever the test allows it, and all of them once
    /// the sender is gone.
    fn outlet(room: usize) -> (&'static Outlet, mpsc::Sender<()>, Arc<Mutex<Vec<String>>>) {
        let outlet: &'static Outlet = Box::leak(Box::new(Outlet::new(room)));
        let (allow, allowed) = mpsc::channel();
        let list = Arc::new(Mutex::new(Vec::new()));
        let written = Arc::clone(&list);
        let write = move |line: &[u8]| {
            allowed.recv().unwrap_or_default();
            written
                .lock()
                .expect("no panic")
                .push(String::from_utf8(line.to_vec()).expect("UTF-8"));
        };
        outlet.serve(write, |lines| format!("{lines} lost"));
        (outlet, allow, list)
    }

    fn put(outlet: &Outlet, numbers: std::ops::Range<usize>) {
        for number in numbers {
            assert!(outlet.put(number.to_string().as_bytes()));
        }
    }

    fn strings(numbers: std::ops::Range<usize>) -> Vec<String> {
        numbers.map(|number| number.to_string()).collect()
    }

    #[test]
    fn all_lines_are_written_in_their_order_before_the_end() {
        let (outlet, allow, list) = outlet(ROOM);
        drop(allow);
        put(outlet, 0..5000);
        outlet.drain();
        assert_eq!(*list.lock().expect("no panic"), strings(0..5000));
    }

    #[test]
    fn what_finds_no_room_is_counted_where_it_is_missing() {
        let (outlet, allow, list) = outlet(10 * (1 + OVERHEAD));
        put(outlet, 0..1);
        // It is being written and no longer takes room.
        while !outlet.lock().items.is_empty() {
            thread::sleep(Duration::from_millis(1));
        }
        // Ten have room. Three are too many, and so are two more while less than half of it is
        // free.
        for _ in 0..13 {
            put(outlet, 1..2);
        }
        allow.send(()).expect("it writes");
        allow.send(()).expect("it writes");
        while outlet.lock().written < 2 {
            thread::sleep(Duration::from_millis(1));
        }
        put(outlet, 2..4);
        drop(allow);
        outlet.drain();
        put(outlet, 4..6);
        outlet.drain();
        let expected = [
            strings(0..1),
            vec!["1".to_owned(); 10],
            vec!["5 lost".to_owned()],
            strings(4..6),
        ]
        .concat();
        assert_eq!(*list.lock().expect("no panic"), expected);
    }

    #[test]
    fn a_line_larger_than_the_room_is_written_if_no_other_waits() {
        let (outlet, allow, list) = outlet(10);
        drop(allow);
        assert!(outlet.put("x".repeat(1000).as_bytes()));
        outlet.drain();
        assert_eq!(list.lock().expect("no panic")[0].len(), 1000);
    }

    #[test]
    fn the_end_waits_for_nobody_who_does_not_read() {
        let (outlet, allow, list) = outlet(ROOM);
        put(outlet, 0..3);
        let began = Instant::now();
        outlet.drain();
        let waited = began.elapsed();
        assert!(
            waited >= Duration::from_millis(900) && waited < Duration::from_secs(20),
            "{waited:?}"
        );
        assert!(list.lock().expect("no panic").is_empty());
        drop(allow);
    }

    #[test]
    fn without_a_thread_nothing_is_taken() {
        let outlet = Outlet::new(ROOM);
        assert!(!outlet.put(b"line"));
        outlet.drain();
    }

    /// Takes three bytes at a time, and before each refuses twice.
    struct Sluggish(Vec<u8>, u32);

    impl Write for Sluggish {
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
        let mut slow = Sluggish(Vec::new(), 0);
        write_whole(&mut slow, b"one line\n");
        assert_eq!(slow.0, b"one line\n");
        write_whole(&mut io::Cursor::new(&mut [0; 3][..]), b"one line\n");
    }
}
