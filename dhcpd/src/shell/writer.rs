//! The thread that writes leases: it takes what waits, commits it as one group, and says so.
//!
//! What could not be written is tried again until it can be, with what comes after it. The worker learns
//! of both, and gives no lease meanwhile.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use tracing::{error, info, warn};

use super::store::{LeaseStore, Loaded, StoreError};
use crate::core::Record;

/// Records of one commit.
const GROUP_MAX: usize = 4096;
/// Pause after a commit that failed.
const RETRY: Duration = Duration::from_millis(500);

type Records = Vec<(u64, Record)>;

/// What the thread has to say.
#[derive(Debug)]
pub(super) enum News {
    /// The leases that there are; no lease could be given before.
    Loaded(Loaded),
    /// All records up to this position are durable.
    Committed(u64),
    /// Records cannot be written, for this reason.
    Failing(StoreError),
}

/// Wakes the worker up.
#[derive(Debug)]
pub(super) struct Waker(UnixStream);

/// Is woken up.
#[derive(Debug)]
pub(super) struct Sleeper(UnixStream);

/// Both ends.
pub(super) fn wake_pair() -> io::Result<(Waker, Sleeper)> {
    let (waker, sleeper) = UnixStream::pair()?;
    waker.set_nonblocking(true)?;
    sleeper.set_nonblocking(true)?;
    Ok((Waker(waker), Sleeper(sleeper)))
}

impl Waker {
    /// Another handle on it.
    pub(super) fn try_clone(&self) -> io::Result<Waker> {
        Ok(Waker(self.0.try_clone()?))
    }

    pub(super) fn wake(&self) {
        // A full pipe wakes as well.
        let _ = (&self.0).write(&[1]);
    }
}

impl Sleeper {
    /// Forgets that it was woken.
    pub(super) fn clear(&self) {
        let mut buffer = [0; 256];
        while (&self.0).read(&mut buffer).is_ok_and(|len| len == buffer.len()) {}
    }
}

impl AsFd for Sleeper {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// The thread. Dropping it writes what waits, if that is possible.
#[derive(Debug)]
pub(super) struct Writer {
    records: Option<Sender<Records>>,
    news: Receiver<News>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Reads the store, then starts the thread. The first news is there when this returns.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub(super) fn start(mut store: Box<dyn LeaseStore>, waker: Waker) -> io::Result<Writer> {
        let (records, to_write) = channel();
        let (tell, news) = channel();
        let loaded = store.load();
        let is_loaded = loaded.is_ok();
        let _ = tell.send(loaded.map_or_else(News::Failing, News::Loaded));
        let mut thread = Thread { store, to_write, tell, waker, waiting: Vec::new(), is_loaded };
        let thread = std::thread::Builder::new().name("leases".to_owned()).spawn(move || thread.run())?;
        Ok(Writer { records: Some(records), news, thread: Some(thread) })
    }

    /// Has records written.
    pub(super) fn write(&self, records: Records) {
        if let Some(sender) = self.records.as_ref().filter(|_| !records.is_empty())
            && sender.send(records).is_err()
        {
            error!("the thread that writes leases has ended");
        }
    }

    /// What the thread has to say, if anything.
    pub(super) fn news(&self) -> Option<News> {
        self.news.try_recv().ok()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.records.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Thread {
    store: Box<dyn LeaseStore>,
    to_write: Receiver<Records>,
    tell: Sender<News>,
    waker: Waker,
    /// What is to be written next.
    waiting: Records,
    is_loaded: bool,
}

impl Thread {
    fn run(&mut self) {
        let mut failing = !self.is_loaded;
        loop {
            let open = self.gather(failing);
            if !self.is_loaded {
                failing = !self.load();
            } else if !self.waiting.is_empty() {
                failing = !self.commit(failing);
            }
            if !open {
                if failing && !self.waiting.is_empty() {
                    error!(records = self.waiting.len(), "leases could not be written before the end");
                }
                return;
            }
        }
    }

    /// Waits for records, or for the time to try again; false at the end.
    fn gather(&mut self, failing: bool) -> bool {
        if failing {
            match self.to_write.recv_timeout(RETRY) {
                Ok(records) => self.waiting.extend(records),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        } else {
            match self.to_write.recv() {
                Ok(records) => self.waiting.extend(records),
                Err(_) => return false,
            }
        }
        while self.waiting.len() < GROUP_MAX {
            match self.to_write.try_recv() {
                Ok(records) => self.waiting.extend(records),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
            }
        }
        true
    }

    fn load(&mut self) -> bool {
        match self.store.load() {
            Ok(loaded) => {
                info!(leases = loaded.records.len(), "leases can be read again");
                self.is_loaded = true;
                // Nothing was given away before, so nothing of it is to be written.
                self.waiting.clear();
                self.say(News::Loaded(loaded));
                true
            }
            Err(_) => false,
        }
    }

    fn commit(&mut self, was_failing: bool) -> bool {
        match self.store.commit(&self.waiting) {
            Ok(()) => {
                if was_failing {
                    info!(records = self.waiting.len(), "leases are written again");
                }
                let last = self.waiting.last().map_or(0, |(position, _)| *position);
                self.waiting.clear();
                self.say(News::Committed(last));
                true
            }
            Err(error) => {
                if !was_failing {
                    warn!(%error, "leases cannot be written: none is given until they can; reservations go on");
                }
                self.say(News::Failing(error));
                false
            }
        }
    }

    fn say(&self, news: News) {
        if self.tell.send(news).is_ok() {
            self.waker.wake();
        }
    }
}
