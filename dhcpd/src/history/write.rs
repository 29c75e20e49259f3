//! Writing the history: a thread that takes what was committed and never holds up whoever commits.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tracing::warn;

use super::{FOLDER, file_name, files};
use crate::core::Record;

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How old a record may become, in seconds. A file goes when its newest record is older.
    pub age_seconds: u64,
    /// How many octets all files may have.
    pub octets: u64,
}

/// The history that is written. Dropping it writes what waits.
#[derive(Debug)]
pub struct History {
    sender: Option<SyncSender<Vec<Record>>>,
    thread: Option<JoinHandle<()>>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    trouble: Mutex<Option<String>>,
    lost: AtomicU64,
}

/// Groups of records that may wait; the rest is lost.
const WAITING_MAX: usize = 256;
/// How long a record may be in memory only, once it is written.
const SYNC: Duration = Duration::from_secs(5);
/// Parts that the octets are cut in: so much goes at once when there are too many.
const PARTS: u64 = 16;

impl History {
    /// A history below the state directory of dhcpd.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn start(state: &Path, limits: Limits) -> io::Result<History> {
        let (sender, records) = sync_channel(WAITING_MAX);
        let shared = Arc::new(Shared::default());
        let mut log = Log { folder: state.join(FOLDER), limits, file: None, shared: Arc::clone(&shared) };
        let thread =
            std::thread::Builder::new().name("history".to_owned()).spawn(move || log.run(&records))?;
        Ok(History { sender: Some(sender), thread: Some(thread), shared })
    }

    /// Whether nothing was ever written below the state directory.
    pub fn is_new(state: &Path) -> bool {
        files(&state.join(FOLDER)).map_or(true, |files| files.is_empty())
    }

    /// Adds records that have become durable. Does not wait: what cannot be taken is lost, and counted.
    pub fn add<'r>(&self, records: impl Iterator<Item = &'r Record>) {
        // The clock of the boot means nothing later.
        let records: Vec<Record> = records.map(|record| Record { clock: None, ..record.clone() }).collect();
        let count = records.len() as u64;
        if let Some(sender) = &self.sender
            && sender.try_send(records).is_err()
        {
            self.shared.lost.fetch_add(count, Ordering::Relaxed);
        }
    }

    /// Records that are missing since the start.
    pub fn lost(&self) -> u64 {
        self.shared.lost.load(Ordering::Relaxed)
    }

    /// Why nothing is written at present.
    pub fn trouble(&self) -> Option<String> {
        self.shared.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for History {
    fn drop(&mut self) {
        drop(self.sender.take());
        if let Some(thread) = self.thread.take() {
            // A panic was printed when it happened.
            let _ = thread.join();
        }
    }
}

/// The thread's own.
struct Log {
    folder: PathBuf,
    limits: Limits,
    /// The newest file and its length.
    file: Option<(File, u64)>,
    shared: Arc<Shared>,
}

impl Log {
    fn run(&mut self, records: &Receiver<Vec<Record>>) {
        let mut is_synced = true;
        loop {
            match records.recv_timeout(SYNC) {
                Ok(group) => {
                    let written = self.write(&group);
                    self.tell(&written, group.len());
                    is_synced = false;
                }
                Err(RecvTimeoutError::Timeout) if is_synced => {}
                Err(end) => {
                    // What fails here fails when it is written, too, and is told then.
                    let _ = self.file.as_ref().map(|(file, _)| file.sync_data());
                    is_synced = true;
                    if end == RecvTimeoutError::Disconnected {
                        return;
                    }
                }
            }
        }
    }

    fn tell(&self, written: &io::Result<()>, count: usize) {
        let mut trouble = self.shared.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        match written {
            Ok(()) => *trouble = None,
            Err(error) => {
                self.shared.lost.fetch_add(count as u64, Ordering::Relaxed);
                let why = format!(
                    "the history of leases cannot be written in `{}`: {error}",
                    self.folder.display()
                );
                if trouble.is_none() {
                    warn!("{why}; leases are given all the same");
                }
                *trouble = Some(why);
            }
        }
    }

    fn write(&mut self, group: &[Record]) -> io::Result<()> {
        let Some(first) = group.first() else { return Ok(()) };
        let mut lines = Vec::new();
        for record in group {
            serde_json::to_writer(&mut lines, record)?;
            lines.push(b'\n');
        }
        let part = self.limits.octets / PARTS;
        if self.file.as_ref().is_none_or(|(_, len)| *len >= part) {
            self.begin(first.written, part)?;
        }
        let Some((file, len)) = &mut self.file else { return Ok(()) };
        let written = file.write_all(&lines);
        if written.is_err() {
            // Half a line may stand there: what comes next begins anew.
            self.file = None;
            return written;
        }
        *len += lines.len() as u64;
        Ok(())
    }

    /// Opens the newest file, or makes one if that is full, and takes away what is too much.
    fn begin(&mut self, now: i64, part: u64) -> io::Result<()> {
        if let Err(error) = DirBuilder::new().mode(0o750).create(&self.folder)
            && error.kind() != io::ErrorKind::AlreadyExists
        {
            return Err(error);
        }
        let mut files = files(&self.folder)?;
        let newest =
            files.last().filter(|(_, path)| fs::metadata(path).is_ok_and(|found| found.len() < part));
        let path = match newest {
            Some((_, path)) => path.clone(),
            None => {
                // Names ascend even where the clock was set back.
                let begins = files.last().map_or(now, |(last, _)| now.max(last + 1));
                let path = self.folder.join(file_name(begins));
                files.push((begins, path.clone()));
                path
            }
        };
        self.file = Some(append(&path)?);
        self.remove(&files, now, part)
    }

    /// Removes the files that are too old or too many, but never the newest.
    fn remove(&self, files: &[(i64, PathBuf)], now: i64, part: u64) -> io::Result<()> {
        let oldest = now.saturating_sub_unsigned(self.limits.age_seconds);
        // The newest is counted as full, which it will be.
        let mut octets = part;
        let mut is_over = false;
        for pair in files.windows(2).rev() {
            let [(_, path), (next, _)] = pair else { continue };
            octets += fs::metadata(path).map_or(0, |found| found.len());
            is_over |= octets > self.limits.octets || *next < oldest;
            if is_over {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }
}

/// Opens a file for writing at its end, and its length. A line that was cut off is ended.
fn append(path: &Path) -> io::Result<(File, u64)> {
    let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o640).open(path)?;
    let mut len = file.metadata()?.len();
    if len > 0 {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            file.write_all(b"\n")?;
            len += 1;
        }
    }
    Ok((file, len))
}

#[cfg(test)]
mod tests {
    use super::super::{Past, past_of};
    use super::*;
    use crate::core::{ClientKey, State};
    use inventory_core::mac::MacAddr;
    use std::net::Ipv4Addr;

    const DAY: u64 = 86_400;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("hostbook-history-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn record(last: u8, written: i64) -> Record {
        Record {
            address: Ipv4Addr::new(10, 0, 0, last).into(),
            client: ClientKey::of_mac(MacAddr([2, 0, 0, 0, 0, last])),
            mac: Some(MacAddr([2, 0, 0, 0, 0, last])),
            name: None,
            state: State::Bound,
            written,
            seconds: 3600,
            clock: Some(crate::core::Clock { boot: 1, ms: 1 }),
        }
    }

    fn past(state: &Path, last: u8) -> Past {
        past_of(state, Ipv4Addr::new(10, 0, 0, last).into()).unwrap()
    }

    #[test]
    fn what_is_added_is_read_by_address_in_its_order_over_restarts() {
        let state = folder("order");
        let limits = Limits { age_seconds: 90 * DAY, octets: 1 << 20 };
        assert!(History::is_new(&state));
        for round in 0..3 {
            let history = History::start(&state, limits).unwrap();
            history.add([record(1, 1000 + round), record(2, 1000 + round)].iter());
            drop(history);
            // As a power cut leaves it.
            let (_, newest) = files(&state.join(FOLDER)).unwrap().pop().unwrap();
            OpenOptions::new().append(true).open(newest).unwrap().write_all(b"{\"addr").unwrap();
        }
        let found = past(&state, 1);
        assert_eq!(found.records.iter().map(|record| record.written).collect::<Vec<_>>(), [1000, 1001, 1002]);
        assert_eq!(found.records[0], Record { clock: None, ..record(1, 1000) });
        assert_eq!((found.begins, found.unreadable), (Some(1000), 3));
        assert!(!History::is_new(&state));
        fs::remove_dir_all(state).unwrap();
    }

    #[test]
    fn it_is_bounded_in_octets_and_the_oldest_goes_first() {
        let state = folder("octets");
        let limits = Limits { age_seconds: u64::MAX, octets: 64 << 10 };
        let history = History::start(&state, limits).unwrap();
        for second in 0..20_000 {
            // A group that is not taken is offered again.
            let mut lost = u64::MAX;
            while lost != history.lost() {
                lost = history.lost();
                history.add([record(1, second)].iter());
            }
        }
        drop(history);
        let octets: u64 = files(&state.join(FOLDER))
            .unwrap()
            .iter()
            .map(|(_, path)| fs::metadata(path).unwrap().len())
            .sum();
        assert!(octets < limits.octets + 1024 && octets > limits.octets / 2, "{octets}");
        let found = past(&state, 1);
        assert!(found.begins.unwrap() > 1000 && found.records.last().unwrap().written > 10_000);
        fs::remove_dir_all(state).unwrap();
    }

    #[test]
    fn what_is_older_than_asked_for_goes() {
        let state = folder("age");
        // A file holds a handful of records.
        let limits = Limits { age_seconds: 10 * DAY, octets: 16 << 10 };
        let history = History::start(&state, limits).unwrap();
        for day in 0..60 {
            history.add(std::iter::repeat_n(&record(1, i64::from(day) * 86_400), 7));
        }
        drop(history);
        let begins = past(&state, 1).begins.unwrap();
        assert!((40 * 86_400..=50 * 86_400).contains(&begins), "{}", begins / 86_400);
        fs::remove_dir_all(state).unwrap();
    }

    #[test]
    fn a_disk_that_refuses_is_told_and_counted_and_nobody_waits() {
        let state = folder("refused");
        fs::write(state.join(FOLDER), "in the way").unwrap();
        let history = History::start(&state, Limits { age_seconds: DAY, octets: 1 << 20 }).unwrap();
        history.add([record(1, 5)].iter());
        while history.trouble().is_none() {
            std::thread::yield_now();
        }
        assert_eq!(history.lost(), 1);
        fs::remove_file(state.join(FOLDER)).unwrap();
        history.add([record(2, 6)].iter());
        while history.trouble().is_some() {
            std::thread::yield_now();
        }
        drop(history);
        assert_eq!(past(&state, 2).records.len(), 1);
        fs::remove_dir_all(state).unwrap();
    }
}
