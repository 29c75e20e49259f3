//! Writing the history: a thread that takes what was committed and never holds up whoever commits.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tracing::warn;

use super::{FOLDER, file_name, files};
use crate::core::Record;

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a record is kept, in seconds. It goes with its file, at most a [`PARTS`]th of that and an
    /// hour later.
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
/// Parts that the octets and the age are cut in: so much goes at once when it is too much.
const PARTS: u64 = 16;
/// How often files are looked for that are too old.
const LOOK_SECONDS: u64 = 3600;

impl History {
    /// A history below the state directory of dhcpd.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn start(state: &Path, limits: Limits) -> io::Result<History> {
        History::start_with(state, limits, unix_seconds)
    }

    fn start_with(state: &Path, limits: Limits, clock: fn() -> i64) -> io::Result<History> {
        let (sender, records) = sync_channel(WAITING_MAX);
        let shared = Arc::new(Shared::default());
        let mut log = Log::new(state, limits, Arc::clone(&shared));
        let thread =
            std::thread::Builder::new().name("history".to_owned()).spawn(move || log.run(&records, clock))?;
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
    newest: Option<Newest>,
    /// When it was looked for files that are too old, in seconds since 1970.
    looked: i64,
    shared: Arc<Shared>,
}

/// The file that is written.
struct Newest {
    file: File,
    octets: u64,
    /// From when on it holds records, in seconds since 1970.
    begins: i64,
}

impl Log {
    fn new(state: &Path, limits: Limits, shared: Arc<Shared>) -> Log {
        Log { folder: state.join(FOLDER), limits, newest: None, looked: i64::MIN, shared }
    }

    fn run(&mut self, records: &Receiver<Vec<Record>>, clock: fn() -> i64) {
        let mut unsynced: Option<Instant> = None;
        loop {
            let waited = unsynced.map_or(Duration::ZERO, |since: Instant| since.elapsed());
            let heard = records.recv_timeout(SYNC.saturating_sub(waited));
            if let Ok(group) = &heard {
                self.add(group);
                unsynced.get_or_insert_with(Instant::now);
            }
            let is_over = heard == Err(RecvTimeoutError::Disconnected);
            if unsynced.is_some_and(|since| is_over || since.elapsed() >= SYNC) {
                // What fails here fails when it is written, too, and is told then.
                let _ = self.sync();
                unsynced = None;
            }
            if is_over {
                return;
            }
            self.look(clock());
        }
    }

    fn sync(&self) -> io::Result<()> {
        self.newest.as_ref().map_or(Ok(()), |newest| newest.file.sync_data())
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

    /// Octets that a file may have.
    fn part(&self) -> u64 {
        self.limits.octets / PARTS
    }

    /// Adds records, and tells what becomes of them.
    fn add(&mut self, mut group: &[Record]) {
        while let Some(first) = group.first() {
            let (lines, count) = lines_of(group, self.part());
            let written = self.write(&lines, first.written);
            self.tell(&written, count);
            group = group.get(count..).unwrap_or_default();
        }
    }

    fn write(&mut self, lines: &[u8], now: i64) -> io::Result<()> {
        let len = lines.len() as u64;
        let fits = |newest: &Newest| newest.octets == 0 || newest.octets + len <= self.part();
        if !self.newest.as_ref().is_some_and(|newest| fits(newest) && !self.is_old(newest.begins, now)) {
            self.begin(now, len)?;
        }
        let Some(newest) = &mut self.newest else { return Ok(()) };
        let written = newest.file.write_all(lines);
        newest.octets += len;
        if written.is_err() {
            // Half a line may stand there: what comes next begins anew.
            self.newest = None;
        }
        written
    }

    /// Whether a file that begins at `begins` has records of its part of the age.
    fn is_old(&self, begins: i64, now: i64) -> bool {
        let part = (self.limits.age_seconds / PARTS).max(1);
        now.saturating_sub(begins) >= i64::try_from(part).unwrap_or(i64::MAX)
    }

    /// Looks now and then for files that are too old, also where nothing is written.
    fn look(&mut self, now: i64) {
        if now.abs_diff(self.looked) < LOOK_SECONDS {
            return;
        }
        self.looked = now;
        if files(&self.folder).is_ok_and(|files| !files.is_empty()) {
            let begun = self.begin(now, 0);
            // That a file opens does not show that it takes a record.
            if begun.is_err() {
                self.tell(&begun, 0);
            }
        }
    }

    /// Opens the newest file, or makes one if that is old or has no room for `octets`, and takes away what is
    /// too much.
    fn begin(&mut self, now: i64, octets: u64) -> io::Result<()> {
        if let Err(error) = DirBuilder::new().mode(0o750).create(&self.folder)
            && error.kind() != io::ErrorKind::AlreadyExists
        {
            return Err(error);
        }
        let mut files = files(&self.folder)?;
        let has_room =
            |path: &Path| fs::metadata(path).is_ok_and(|found| found.len() + octets <= self.part());
        let newest = files.last().filter(|(begins, path)| !self.is_old(*begins, now) && has_room(path));
        let (begins, path) = newest.cloned().unwrap_or_else(|| {
            // Names ascend even where the clock was set back.
            let begins = files.last().map_or(now, |(last, _)| now.max(last + 1));
            let path = self.folder.join(file_name(begins));
            files.push((begins, path.clone()));
            (begins, path)
        });
        let (file, octets) = append(&path)?;
        self.sync()?;
        self.newest = Some(Newest { file, octets, begins });
        self.remove(&files, now)
    }

    /// Removes the files that are too old or too many, but never the newest.
    fn remove(&self, files: &[(i64, PathBuf)], now: i64) -> io::Result<()> {
        let oldest = now.saturating_sub_unsigned(self.limits.age_seconds);
        // The newest is counted as full, which it will be.
        let mut octets = self.part();
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

/// Lines of the first records, of as many as have `octets` or else of one, and their count.
fn lines_of(group: &[Record], octets: u64) -> (Vec<u8>, usize) {
    let mut lines = Vec::new();
    for (count, record) in group.iter().enumerate() {
        let before = lines.len();
        // A record in memory has nothing that JSON has no word for.
        let _ = serde_json::to_writer(&mut lines, record);
        lines.push(b'\n');
        if count > 0 && lines.len() as u64 > octets {
            lines.truncate(before);
            return (lines, count);
        }
    }
    (lines, group.len())
}

fn unix_seconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
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
mod tests;
