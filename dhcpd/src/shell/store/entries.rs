//! How records lie in the database: as many of a commit in one entry of the table as a page has room for, since an entry
//! costs more than a record does.

use std::collections::HashMap;

use redb::{Database, ReadableDatabase, ReadableTable, Table, TableDefinition, WriteTransaction};

use super::frame;
use crate::core::{Leased, Record};

/// Records one after the other, by the position of the first.
const JOURNAL: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("leases");
/// The same while it is written anew, within one transaction.
const ANEW: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("anew");
/// Octets after which an entry of the table gets no further record: with one more it fits into a page.
const ENTRY_OCTETS: usize = 3500;

/// All records of a database, and how many entries have something else in them.
pub(super) fn read_all(database: &Database) -> Result<(Vec<(u64, Record)>, usize), redb::Error> {
    let read = database.begin_read()?;
    let table = match read.open_table(JOURNAL) {
        Ok(table) => table,
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok((Vec::new(), 0)),
        Err(error) => return Err(error.into()),
    };
    let (mut records, mut void) = (Vec::new(), 0);
    for entry in table.iter()? {
        let (_, octets) = entry?;
        let (found, is_damaged) = frame::read(octets.value());
        records.extend(found);
        void += usize::from(is_damaged);
    }
    Ok((records, void))
}

/// One transaction, on disk when it returns. `kept`: which records of those that are there count, and stay.
pub(super) fn write(
    database: &Database,
    records: &[(u64, Record)],
    kept: Option<&HashMap<Leased, u64>>,
) -> Result<(), redb::Error> {
    let write = database.begin_write()?;
    if let Some(kept) = kept {
        write_anew(&write, kept)?;
    }
    let mut entries = Entries { table: write.open_table(JOURNAL)?, first: 0, octets: Vec::new() };
    for (position, record) in records {
        entries.put(*position, record)?;
    }
    entries.end()?;
    Ok(write.commit()?)
}

/// Writes the journal anew with the records that count.
fn write_anew(write: &WriteTransaction, kept: &HashMap<Leased, u64>) -> Result<(), redb::Error> {
    let mut entries = Entries { table: write.open_table(ANEW)?, first: 0, octets: Vec::new() };
    for entry in write.open_table(JOURNAL)?.iter()? {
        let (_, octets) = entry?;
        let (records, _) = frame::read(octets.value());
        for (position, record) in records {
            if kept.get(&record.address) == Some(&position) {
                entries.put(position, &record)?;
            }
        }
    }
    entries.end()?;
    write.delete_table(JOURNAL)?;
    Ok(write.rename_table(ANEW, JOURNAL)?)
}

/// Records on their way into a table, in the order of their positions.
struct Entries<'t> {
    table: Table<'t, u64, &'static [u8]>,
    /// Position of the first record of the entry that is not full yet.
    first: u64,
    /// That entry.
    octets: Vec<u8>,
}

impl Entries<'_> {
    fn put(&mut self, position: u64, record: &Record) -> Result<(), redb::Error> {
        if self.octets.is_empty() {
            self.first = position;
        }
        frame::append(position, record, &mut self.octets);
        if self.octets.len() >= ENTRY_OCTETS { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), redb::Error> {
        if !self.octets.is_empty() {
            self.table.insert(self.first, self.octets.as_slice())?;
            self.octets.clear();
        }
        Ok(())
    }

    /// Puts the last entry in, too.
    fn end(mut self) -> Result<(), redb::Error> {
        self.flush()
    }
}
