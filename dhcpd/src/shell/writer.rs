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
    /// Whether its end was told.
    is_mourned: bool,
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
        Ok(Writer { records: Some(records), news, thread: Some(thread), is_mourned: false })
    }

    /// Has records written.
    pub(super) fn write(&self, records: Records) {
        if let Some(sender) = self.records.as_ref().filter(|_| !records.is_empty()) {
            // If nobody takes them, that is news.
            let _ = sender.send(records);
        }
    }

    /// What the thread has to say, if anything. That it has ended is the last news.
    pub(super) fn news(&mut self) -> Option<News> {
        match self.news.try_recv() {
            Ok(news) => Some(news),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => {
                let error = "the thread that writes leases has ended, which is a defect: restart the daemon";
                let is_first = !std::mem::replace(&mut self.is_mourned, true);
                is_first.then(|| {
                    error!("{error}");
                    News::Failing(StoreError(error.to_owned()))
                })
            }
        }
    }

    /// Whether the thread is there. Without it nothing can be written any more.
    pub(super) fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{ClientKey, State};
    use inventory_core::mac::MacAddr;
    use std::sync::{Arc, Mutex};

    /// A store that fails when it is told to.
    #[derive(Clone, Default)]
    struct Faulty(Arc<Mutex<Disk>>);

    #[derive(Default)]
    struct Disk {
        broken: bool,
        /// Writing to it ends the thread.
        deadly: bool,
        commits: Vec<Vec<u64>>,
        tries: usize,
    }

    impl LeaseStore for Faulty {
        fn load(&mut self) -> Result<Loaded, StoreError> {
            let disk = self.0.lock().unwrap();
            if disk.broken { Err(StoreError("disk full".to_owned())) } else { Ok(Loaded::default()) }
        }

        fn commit(&mut self, records: &[(u64, Record)]) -> Result<(), StoreError> {
            let mut disk = self.0.lock().unwrap();
            assert!(!disk.deadly, "as a defect would");
            disk.tries += 1;
            if disk.broken {
                return Err(StoreError("disk full".to_owned()));
            }
            disk.commits.push(records.iter().map(|(position, _)| *position).collect());
            Ok(())
        }
    }

    fn records(positions: std::ops::RangeInclusive<u64>) -> Records {
        let record = |position: u64| Record {
            address: std::net::Ipv4Addr::new(10, 0, 0, u8::try_from(position).unwrap()).into(),
            client: ClientKey::of_mac(MacAddr([2, 0, 0, 0, 0, 1])),
            mac: None,
            name: None,
            relay_agent: None,
            state: State::Bound,
            written: 0,
            seconds: 60,
            clock: None,
        };
        positions.map(|position| (position, record(position))).collect()
    }

    /// Waits for the next news, which must come.
    fn next(writer: &Writer) -> News {
        writer.news.recv_timeout(Duration::from_secs(20)).unwrap()
    }

    fn start(disk: &Faulty) -> Writer {
        let (waker, _sleeper) = wake_pair().unwrap();
        Writer::start(Box::new(disk.clone()), waker).unwrap()
    }

    #[test]
    fn what_could_not_be_written_is_written_when_it_can_with_what_came_after_it() {
        let disk = Faulty::default();
        let writer = start(&disk);
        assert!(matches!(next(&writer), News::Loaded(_)));
        writer.write(records(1..=2));
        assert!(matches!(next(&writer), News::Committed(2)));
        disk.0.lock().unwrap().broken = true;
        writer.write(records(3..=4));
        assert!(matches!(next(&writer), News::Failing(_)));
        writer.write(records(5..=5));
        assert!(matches!(next(&writer), News::Failing(_)));
        disk.0.lock().unwrap().broken = false;
        let committed = std::iter::repeat_with(|| next(&writer)).find_map(|news| match news {
            News::Committed(position) => Some(position),
            News::Failing(_) | News::Loaded(_) => None,
        });
        assert!(matches!(committed, Some(4 | 5)));
        drop(writer);
        let written: Vec<u64> = disk.0.lock().unwrap().commits.concat();
        assert_eq!(written, [1, 2, 3, 4, 5], "each once, in their order");
    }

    #[test]
    fn a_store_that_cannot_be_read_is_read_when_it_can_be() {
        let disk = Faulty::default();
        disk.0.lock().unwrap().broken = true;
        let writer = start(&disk);
        assert!(matches!(next(&writer), News::Failing(_)));
        disk.0.lock().unwrap().broken = false;
        assert!(matches!(next(&writer), News::Loaded(_)));
    }

    #[test]
    fn a_thread_that_ends_is_news_once_and_for_all() {
        let disk = Faulty::default();
        let mut writer = start(&disk);
        assert!(matches!(next(&writer), News::Loaded(_)) && writer.is_running());
        disk.0.lock().unwrap().deadly = true;
        writer.write(records(1..=1));
        while writer.is_running() {
            std::thread::yield_now();
        }
        assert!(matches!(writer.news(), Some(News::Failing(_))));
        writer.write(records(2..=2));
        assert!(writer.news().is_none());
    }

    #[test]
    fn what_waits_is_one_commit() {
        let disk = Faulty::default();
        let writer = start(&disk);
        let hold = disk.0.lock().unwrap();
        for position in 1..=100 {
            writer.write(records(position..=position));
        }
        drop(hold);
        drop(writer);
        let disk = disk.0.lock().unwrap();
        assert_eq!(disk.commits.concat(), (1..=100).collect::<Vec<u64>>());
        assert!(disk.tries <= 3, "{} commits", disk.tries);
    }
}
