//! What changed in zones that others copy, kept over restarts, so that they need not copy it all again
//! (RFC 1995).
//!
//! Bounded for each zone, the oldest steps go first. A chain of steps has no gaps: where one would be,
//! as after changes while the daemon was not there, the zone starts anew. Nothing depends on it but the
//! size of transfers, so a file that cannot be read is put aside.

use std::io;
use std::path::Path;

use daemon::state::StateDir;
use inventory_core::name::Name;
use redb::{
    Database, DatabaseError, ReadableDatabase, ReadableTable, StorageError, TableDefinition, WriteTransaction,
};
use tracing::warn;

use crate::core::delta::Delta;

/// By name of the zone and number of the step.
const STEPS: TableDefinition<'_, (&[u8], u64), &[u8]> = TableDefinition::new("steps");
/// File of the journal, below the state directory.
const FILE: &str = "changes.redb";
/// Octets of cache.
const CACHE: usize = 2 << 20;
/// Steps that are kept of a zone.
const STEPS_MAX: usize = 512;
/// Octets that are kept of a zone: a secondary further behind copies it all.
const OCTETS_MAX: usize = 1 << 20;

/// The journal.
#[derive(Debug)]
pub struct Journal {
    database: Database,
}

impl Journal {
    /// Opens the journal in `state`; `None`, and a warning, if that cannot be.
    pub fn open(state: &StateDir) -> Option<Journal> {
        match open_database(&state.path().join(FILE)) {
            Ok(database) => Some(Journal { database }),
            Err(error) => {
                warn!(%error, file = FILE, "changes cannot be kept: secondaries copy zones as a whole");
                None
            }
        }
    }

    /// Adds a step to each zone. `None`: its change is not worth keeping, so its chain ends.
    ///
    /// # Errors
    /// Nothing was added.
    pub fn append(&self, steps: &[(Name, Option<Delta>)]) -> Result<(), redb::Error> {
        if steps.is_empty() {
            return Ok(());
        }
        let transaction = self.database.begin_write()?;
        for (zone, step) in steps {
            append(&transaction, zone.as_wire(), step.as_ref())?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// The steps of `zone` that lead from one serial to the other; `None` if they are not all there.
    pub fn steps(&self, zone: &Name, from: u32, to: u32) -> Option<Vec<Delta>> {
        let steps = self.read(zone.as_wire()).inspect_err(|error| {
            warn!(%error, "the journal of changes cannot be read");
        });
        let mut chain: Vec<Delta> = Vec::new();
        for step in steps.ok()? {
            match chain.last() {
                None if step.from != from => continue,
                Some(last) if last.to == to => break,
                Some(last) if last.to != step.from => return None,
                _ => chain.push(step),
            }
        }
        chain.last().is_some_and(|last| last.to == to).then_some(chain)
    }

    fn read(&self, zone: &[u8]) -> Result<Vec<Delta>, redb::Error> {
        let transaction = self.database.begin_read()?;
        let table = match transaction.open_table(STEPS) {
            Ok(table) => table,
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let mut steps = Vec::new();
        for entry in table.range((zone, 0)..=(zone, u64::MAX))? {
            steps.extend(Delta::from_octets(entry?.1.value()));
        }
        Ok(steps)
    }
}

/// Opens a file of what may be lost. One that cannot be read is put aside.
///
/// # Errors
/// It can be neither read nor made.
pub(super) fn open_database(path: &Path) -> Result<Database, DatabaseError> {
    open(path).or_else(|error| {
        if !is_of_contents(&error) {
            return Err(error);
        }
        warn!(%error, file = %path.display(), "the file cannot be read and starts anew");
        // If that fails, so does opening it.
        let _ = std::fs::rename(path, path.with_extension("damaged"));
        open(path)
    })
}

/// Whether the file is wrong, and not the machine.
fn is_of_contents(error: &DatabaseError) -> bool {
    match error {
        DatabaseError::Storage(StorageError::Io(error)) => {
            matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
        }
        DatabaseError::DatabaseAlreadyOpen => false,
        _ => true,
    }
}

fn open(path: &Path) -> Result<Database, DatabaseError> {
    Database::builder().set_cache_size(CACHE).create(path)
}

fn append(transaction: &WriteTransaction, zone: &[u8], step: Option<&Delta>) -> Result<(), redb::Error> {
    let mut table = transaction.open_table(STEPS)?;
    let mut kept: Vec<(u64, usize)> = Vec::new();
    let mut end = None;
    for entry in table.range((zone, 0)..=(zone, u64::MAX))? {
        let (key, value) = entry?;
        kept.push((key.value().1, value.value().len()));
        end = Delta::from_octets(value.value()).map(|step| step.to);
    }
    let next = kept.last().map_or(0, |(number, _)| number + 1);
    let mut octets = step.map_or(0, Delta::octets);
    let fits = step.filter(|step| step.octets() <= OCTETS_MAX);
    let joins = fits.is_some_and(|step| end == Some(step.from));
    let mut count = 1;
    for (number, size) in kept.iter().rev() {
        (octets, count) = (octets + size, count + 1);
        if !joins || octets > OCTETS_MAX || count > STEPS_MAX {
            table.remove((zone, *number))?;
        }
    }
    if let Some(step) = fits {
        table.insert((zone, next), &*step.to_octets())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{name, view};
    use crate::view::ZoneChange;

    struct Place(std::path::PathBuf);

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn place(what: &str) -> Place {
        Place(std::env::temp_dir().join(format!("hostbook-journal-{what}-{}", std::process::id())))
    }

    fn step(from: u32, to: u32, octets: usize) -> Delta {
        let mut view = view("[zone.\"lab.example\"]\n");
        let zone = view.zone_of(&name("lab.example")).unwrap();
        view.set_serials(|_| from);
        let before = view.soa(zone);
        view.set_serials(|_| to);
        let mut big = before.clone();
        big.rtype = 16;
        big.rdata = vec![0; octets].into();
        let change = ZoneChange { removed: Vec::new(), added: vec![big] };
        Delta::new(&before, &view.soa(zone), &change).unwrap()
    }

    #[test]
    fn steps_lead_from_any_serial_to_the_last_and_survive_a_restart() {
        let place = place("steps");
        let zone = name("lab.example");
        for (from, to) in [(1, 2), (2, 5), (5, 6)] {
            let state = StateDir::open(&place.0, None).unwrap();
            let journal = Journal::open(&state).unwrap();
            let other = (name("other.example"), Some(step(70 + from, 70 + to, 9)));
            journal.append(&[(zone.clone(), Some(step(from, to, 9))), other]).unwrap();
        }
        let state = StateDir::open(&place.0, None).unwrap();
        let journal = Journal::open(&state).unwrap();
        let serials = |from, to| {
            let steps = journal.steps(&zone, from, to)?;
            Some(steps.iter().map(|step| (step.from, step.to)).collect::<Vec<_>>())
        };
        assert_eq!(serials(1, 6), Some(vec![(1, 2), (2, 5), (5, 6)]));
        assert_eq!(serials(2, 5), Some(vec![(2, 5)]), "the view may be one step behind");
        assert_eq!(serials(3, 6), None);
        assert_eq!(serials(2, 7), None);
        assert_eq!(journal.steps(&name("nothing.example"), 1, 6), None);
    }

    #[test]
    fn a_gap_or_a_change_that_is_too_large_starts_anew() {
        let place = place("gap");
        let state = StateDir::open(&place.0, None).unwrap();
        let journal = Journal::open(&state).unwrap();
        let zone = name("lab.example");
        let append = |step| journal.append(&[(zone.clone(), step)]).unwrap();
        append(Some(step(1, 2, 9)));
        append(Some(step(3, 4, 9)));
        assert_eq!(journal.steps(&zone, 1, 4), None);
        assert!(journal.steps(&zone, 3, 4).is_some());
        append(None);
        assert_eq!(journal.steps(&zone, 3, 4), None);
    }

    #[test]
    fn a_zone_keeps_so_many_steps_and_no_more() {
        let place = place("bounds");
        let state = StateDir::open(&place.0, None).unwrap();
        let journal = Journal::open(&state).unwrap();
        let zone = name("lab.example");
        for serial in 1..40 {
            journal.append(&[(zone.clone(), Some(step(serial, serial + 1, 60_000)))]).unwrap();
        }
        let kept = (1..40).find(|from| journal.steps(&zone, *from, 40).is_some()).unwrap();
        let octets: usize = journal.steps(&zone, kept, 40).unwrap().iter().map(Delta::octets).sum();
        assert!(octets <= OCTETS_MAX && octets + 60_000 > OCTETS_MAX - 1_000, "{octets}");
    }

    #[test]
    fn a_file_that_is_no_journal_is_put_aside() {
        let place = place("damage");
        let state = StateDir::open(&place.0, None).unwrap();
        std::fs::write(place.0.join(FILE), vec![7; 4096]).unwrap();
        let journal = Journal::open(&state).unwrap();
        journal.append(&[(name("lab.example"), Some(step(1, 2, 9)))]).unwrap();
        assert!(journal.steps(&name("lab.example"), 1, 2).is_some());
        assert!(place.0.join("changes.damaged").is_file());
    }
}
