//! The embedded store: a `redb` database as an ordered journal.
//!
//! Positions ascend, so that a commit touches the right edge of the tree only. When as many records are superseded as
//! count, those that count are written anew and the others are gone. Every record that is intact in a database
//! that cannot be opened goes into a new one beside it, which takes its name when it is durable.
//!
//! A file is made where leases are read and there is none, and nowhere else: one that has gone since then
//! is an error, and no reason to forget what it had.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use redb::Database;

use super::entries::{read_all, write};
use super::frame::salvage;
use super::{LeaseStore, Loaded, StoreError};
use crate::core::{Leased, Record, State};

/// Octets of cache: the journal is read once.
const CACHE: usize = 4 << 20;
/// Superseded records that are worth a removal.
const DEAD_MIN: usize = 4096;

/// A journal in one file.
#[derive(Debug)]
pub struct RedbJournal {
    path: PathBuf,
    /// Whether the file is made by the first record, and not at once.
    lazy: bool,
    /// Whether the first record still has to make it.
    is_missing: bool,
    /// `None` after an error: it is opened again for the next commit.
    database: Option<Database>,
    /// Position of the record that counts, by address.
    live: HashMap<Leased, u64>,
    /// Number of records in the table that count no more.
    dead: usize,
}

impl RedbJournal {
    /// A journal in the file at `path`, which is made when it is needed.
    pub fn new(path: PathBuf) -> RedbJournal {
        RedbJournal { path, lazy: false, is_missing: false, database: None, live: HashMap::new(), dead: 0 }
    }

    /// The same for leases that there may never be: the first record makes the file.
    #[must_use]
    pub fn lazy(self) -> RedbJournal {
        RedbJournal { lazy: true, ..self }
    }

    /// As after an error of the disk.
    #[cfg(test)]
    pub(super) fn forget_database(&mut self) {
        self.database = None;
    }

    fn explain(&self, what: &str, error: impl std::fmt::Display) -> StoreError {
        StoreError(format!("cannot {what} `{}`: {error}", self.path.display()))
    }

    /// Opens the file again after an error, or makes it for the first record.
    fn reopen(&mut self) -> Result<(), StoreError> {
        if self.database.is_some() {
            return Ok(());
        }
        let opened = if self.is_missing { create(&self.path) } else { open(&self.path) };
        self.database = Some(opened.map_err(|error| self.explain("open", error))?);
        self.is_missing = false;
        Ok(())
    }

    /// Everything in the database, and how many records are not what they should be.
    fn read(&mut self) -> Result<(Vec<(u64, Record)>, usize), redb::Error> {
        let database = create(&self.path)?;
        let records = read_all(&database);
        self.database = Some(database);
        records
    }

    /// Makes a new file of what is intact in one that cannot be read, which is kept under another name.
    fn salvage(&mut self, why: &redb::Error) -> Result<Loaded, StoreError> {
        self.database = None;
        let octets = fs::read(&self.path).map_err(|error| self.explain("read", error))?;
        let records = salvage(&octets);
        let (saved, aside) = (self.path.with_extension("saved"), self.path.with_extension("damaged"));
        // One that an earlier try has left is of no use: it may not be whole.
        remove(&saved).map_err(|error| self.explain("remove what is left beside", error))?;
        let database = create(&saved).map_err(|error| self.explain("save what is intact in", error))?;
        write(&database, &records, None).map_err(|error| self.explain("save what is intact in", error))?;
        // At each moment from here on, the name is that of the old file or that of the new one.
        keep_as(&self.path, &aside).map_err(|error| self.explain("keep a copy of", error))?;
        fs::rename(&saved, &self.path).map_err(|error| self.explain("replace", error))?;
        sync_directory(&self.path).map_err(|error| self.explain("replace", error))?;
        self.database = Some(database);
        self.live.clear();
        self.dead = 0;
        for (position, record) in &records {
            self.note(*position, record);
        }
        let damage = format!(
            "`{}` is damaged ({why}): {} leases were saved from it, and it was put aside as `{}`",
            self.path.display(),
            records.len(),
            aside.display()
        );
        Ok(Loaded { records, damage: Some(damage) })
    }

    fn try_commit(&mut self, records: &[(u64, Record)]) -> Result<(), StoreError> {
        let is_full = self.dead > DEAD_MIN.max(self.live.len());
        let kept = is_full.then_some(&self.live);
        let database = self.database.as_ref().ok_or_else(|| self.explain("write", "it is not open"))?;
        write(database, records, kept).map_err(|error| self.explain("write", error))?;
        if is_full {
            self.dead = 0;
        }
        for (position, record) in records {
            self.note(*position, record);
        }
        Ok(())
    }

    /// Takes note of a record that is in the table.
    fn note(&mut self, position: u64, record: &Record) {
        let before = if record.state == State::Forgotten {
            self.dead += 1;
            self.live.remove(&record.address)
        } else {
            self.live.insert(record.address, position)
        };
        self.dead += usize::from(before.is_some());
    }
}

impl LeaseStore for RedbJournal {
    fn load(&mut self) -> Result<Loaded, StoreError> {
        if self.lazy && !self.path.exists() {
            self.is_missing = true;
            return Ok(Loaded::default());
        }
        let (all, void) = match self.read() {
            Ok(read) => read,
            // Not the file's fault: what is there must not be put aside.
            Err(error) if is_outside(&error) => return Err(self.explain("open", error)),
            Err(error) => return self.salvage(&error),
        };
        let count = all.len();
        let mut latest: HashMap<Leased, (u64, Record)> = HashMap::new();
        for (position, record) in all {
            latest.insert(record.address, (position, record));
        }
        self.dead = count - latest.len();
        self.live = latest.iter().map(|(address, (position, _))| (*address, *position)).collect();
        let mut records: Vec<_> = latest.into_values().collect();
        records.sort_by_key(|(position, _)| *position);
        let damage = (void > 0).then(|| {
            format!(
                "`{}` has records that cannot be read, in {void} places; they were left out",
                self.path.display()
            )
        });
        Ok(Loaded { records, damage })
    }

    fn commit(&mut self, records: &[(u64, Record)]) -> Result<(), StoreError> {
        self.reopen()?;
        let done = self.try_commit(records);
        if done.is_err() {
            // The database refuses everything after an error of the disk until it is opened again.
            self.database = None;
        }
        done
    }
}

/// The database in a file that is there.
fn open(path: &Path) -> Result<Database, redb::Error> {
    Ok(Database::builder().set_cache_size(CACHE).open(path)?)
}

/// The database in a file that is made if it is not there.
fn create(path: &Path) -> Result<Database, redb::Error> {
    let is_new = !path.exists();
    let created = Database::builder().set_cache_size(CACHE).create(path);
    if is_new && created.is_err() {
        // On a full disk a beginning is left, which is no database, and would stay one that cannot be opened.
        remove(path)?;
    }
    let database = created?;
    if is_new {
        sync_directory(path)?;
    }
    Ok(database)
}

/// Gives a file a second name, in the place of any other file of that name.
fn keep_as(path: &Path, name: &Path) -> io::Result<()> {
    remove(name)?;
    // Not every file system knows files with two names.
    fs::hard_link(path, name).or_else(|_| fs::copy(path, name).map(|_| ()))
}

/// Removes a file, if it is there.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes the name of the file at `path` durable.
fn sync_directory(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

/// Whether the error is one of the machine, and not of the file's contents.
fn is_outside(error: &redb::Error) -> bool {
    match error {
        redb::Error::Io(error) => {
            !matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
        }
        redb::Error::DatabaseAlreadyOpen => true,
        _ => false,
    }
}
