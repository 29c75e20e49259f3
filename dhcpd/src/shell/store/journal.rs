//! The embedded store: a `redb` database as an ordered journal.
//!
//! Positions ascend, so that a commit touches the right edge of the tree only. Superseded records are
//! removed in bulk, when they are as many as those that count. A database that cannot be opened is put
//! aside, and every record in it that is intact goes into a new one.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

use super::frame::{decode, encode, salvage};
use super::{LeaseStore, Loaded, StoreError};
use crate::core::{Leased, Record, State};

const JOURNAL: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("leases");
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
    /// `None` after an error: it is opened again for the next commit.
    database: Option<Database>,
    /// Position of the record that counts, by address.
    live: HashMap<Leased, u64>,
    /// Positions of records that count no more.
    dead: Vec<u64>,
}

impl RedbJournal {
    /// A journal in the file at `path`, which is made when it is needed.
    pub fn new(path: PathBuf) -> RedbJournal {
        RedbJournal { path, lazy: false, database: None, live: HashMap::new(), dead: Vec::new() }
    }

    /// The same for leases that there may never be: the first record makes the file.
    #[must_use]
    pub fn lazy(self) -> RedbJournal {
        RedbJournal { lazy: true, ..self }
    }

    fn explain(&self, what: &str, error: impl std::fmt::Display) -> StoreError {
        StoreError(format!("cannot {what} `{}`: {error}", self.path.display()))
    }

    fn database(&mut self) -> Result<&Database, StoreError> {
        if self.database.is_none() {
            self.database = Some(open(&self.path).map_err(|error| self.explain("open", error))?);
        }
        self.database.as_ref().ok_or_else(|| self.explain("open", "it is gone"))
    }

    /// Everything in the database, and how many records are not what they should be.
    fn read(&mut self) -> Result<(Vec<(u64, Record)>, usize), redb::Error> {
        let database = open(&self.path)?;
        let records = read_all(&database);
        self.database = Some(database);
        records
    }

    /// Puts a file aside that cannot be read, and makes a new one of what is intact in it.
    fn salvage(&mut self, why: &redb::Error) -> Result<Loaded, StoreError> {
        self.database = None;
        let octets = fs::read(&self.path).map_err(|error| self.explain("read", error))?;
        let aside = self.path.with_extension("damaged");
        fs::rename(&self.path, &aside).map_err(|error| self.explain("put aside", error))?;
        let records = salvage(&octets);
        self.live.clear();
        self.dead.clear();
        self.commit(&records)?;
        let damage = format!(
            "`{}` is damaged ({why}): {} leases were saved from it, and it was put aside as `{}`",
            self.path.display(),
            records.len(),
            aside.display()
        );
        Ok(Loaded { records, damage: Some(damage) })
    }

    fn try_commit(&mut self, records: &[(u64, Record)]) -> Result<(), StoreError> {
        let superseded = self.superseded(records);
        let remove = self.dead.len() + superseded.len() > DEAD_MIN.max(self.live.len());
        let removed: &[u64] = if remove { &self.dead } else { &[] };
        let database = self.database.as_ref().ok_or_else(|| self.explain("write", "it is not open"))?;
        write(database, records, removed).map_err(|error| self.explain("write", error))?;
        if remove {
            self.dead.clear();
        }
        self.dead.extend(superseded);
        for (position, record) in records {
            self.note(*position, record);
        }
        Ok(())
    }

    /// Positions that count no more once `records` are written.
    fn superseded(&self, records: &[(u64, Record)]) -> Vec<u64> {
        let mut latest: HashMap<Leased, u64> = HashMap::new();
        let mut superseded = Vec::new();
        for (position, record) in records {
            let before = latest.insert(record.address, *position);
            superseded.extend(before.or_else(|| self.live.get(&record.address).copied()));
            if record.state == State::Forgotten {
                superseded.push(*position);
            }
        }
        superseded
    }

    fn note(&mut self, position: u64, record: &Record) {
        if record.state == State::Forgotten {
            self.live.remove(&record.address);
        } else {
            self.live.insert(record.address, position);
        }
    }
}

impl LeaseStore for RedbJournal {
    fn load(&mut self) -> Result<Loaded, StoreError> {
        if self.lazy && !self.path.exists() {
            return Ok(Loaded::default());
        }
        let (all, void) = match self.read() {
            Ok(read) => read,
            // Not the file's fault: what is there must not be put aside.
            Err(error) if is_outside(&error) => return Err(self.explain("open", error)),
            Err(error) => return self.salvage(&error),
        };
        let mut latest: HashMap<Leased, (u64, Record)> = HashMap::new();
        for (position, record) in all {
            let address = record.address;
            self.dead.extend(latest.insert(address, (position, record)).map(|(before, _)| before));
        }
        self.live = latest.iter().map(|(address, (position, _))| (*address, *position)).collect();
        let mut records: Vec<_> = latest.into_values().collect();
        records.sort_by_key(|(position, _)| *position);
        let damage = (void > 0).then(|| {
            format!("`{}` has {void} records that cannot be read; they were left out", self.path.display())
        });
        Ok(Loaded { records, damage })
    }

    fn commit(&mut self, records: &[(u64, Record)]) -> Result<(), StoreError> {
        self.database()?;
        let done = self.try_commit(records);
        if done.is_err() {
            // The database refuses everything after an error of the disk until it is opened again.
            self.database = None;
        }
        done
    }
}

fn open(path: &Path) -> Result<Database, redb::Error> {
    Ok(Database::builder().set_cache_size(CACHE).create(path)?)
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

fn read_all(database: &Database) -> Result<(Vec<(u64, Record)>, usize), redb::Error> {
    let read = database.begin_read()?;
    let table = match read.open_table(JOURNAL) {
        Ok(table) => table,
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok((Vec::new(), 0)),
        Err(error) => return Err(error.into()),
    };
    let (mut records, mut void) = (Vec::new(), 0);
    for entry in table.iter()? {
        let (position, octets) = entry?;
        match decode(octets.value()) {
            Some((at, record)) if at == position.value() => records.push((at, record)),
            _ => void += 1,
        }
    }
    Ok((records, void))
}

/// One transaction, on disk when it returns.
fn write(database: &Database, records: &[(u64, Record)], removed: &[u64]) -> Result<(), redb::Error> {
    let write = database.begin_write()?;
    {
        let mut table = write.open_table(JOURNAL)?;
        for (position, record) in records {
            if let Some(octets) = encode(*position, record) {
                table.insert(position, octets.as_slice())?;
            }
        }
        for position in removed {
            table.remove(position)?;
        }
    }
    Ok(write.commit()?)
}
