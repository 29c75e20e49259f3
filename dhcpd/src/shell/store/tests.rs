//! The journal on a real file system: what is committed is found again, whatever happens to the file.

use std::fs;
use std::path::{Path, PathBuf};

use inventory_core::mac::MacAddr;

use super::*;
use crate::core::{ClientKey, State};

mod tail;

/// A directory of the test's own, gone at its end.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Dir {
        // In memory where that is there: thousands of commits need no disk.
        let memory = Path::new("/dev/shm");
        let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let path = place.join(format!("hostbook-store-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Dir(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("leases.redb")
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A record's octets.
pub(super) fn encode(position: u64, record: &Record) -> Vec<u8> {
    let mut octets = Vec::new();
    frame::append(position, record, &mut octets);
    octets
}

fn record(n: u16, seconds: u32) -> Record {
    let [high, low] = n.to_be_bytes();
    Record {
        address: std::net::Ipv4Addr::new(10, 0, high, low).into(),
        client: ClientKey::of_mac(MacAddr([2, 0, 0, 0, high, low])),
        mac: Some(MacAddr([2, 0, 0, 0, high, low])),
        name: None,
        relay_agent: None,
        state: State::Bound,
        written: 1_700_000_000,
        seconds,
        clock: None,
    }
}

fn load(path: &Path) -> Loaded {
    RedbJournal::new(path.to_owned()).load().unwrap()
}

#[test]
fn what_is_committed_is_found_again_the_latest_of_each_address() {
    let dir = Dir::new("again");
    let mut journal = RedbJournal::new(dir.file());
    assert!(journal.load().unwrap().records.is_empty());
    journal.commit(&[(1, record(1, 60)), (2, record(2, 60)), (3, record(1, 120))]).unwrap();
    journal.commit(&[(4, record(3, 60))]).unwrap();
    drop(journal);
    let loaded = load(&dir.file());
    assert_eq!(loaded.records, [(2, record(2, 60)), (3, record(1, 120)), (4, record(3, 60))]);
    assert_eq!(loaded.damage, None);
}

#[test]
fn superseded_records_are_removed_and_the_file_stops_growing() {
    let dir = Dir::new("superseded");
    let mut journal = RedbJournal::new(dir.file());
    journal.load().unwrap();
    let mut position = 0;
    let mut renew = |journal: &mut RedbJournal| {
        let group: Vec<_> = (0..500_u16)
            .map(|n| {
                position += 1;
                (position, record(n, 60))
            })
            .collect();
        journal.commit(&group).unwrap();
    };
    (0..20).for_each(|_| renew(&mut journal));
    let size = fs::metadata(dir.file()).unwrap().len();
    (0..100).for_each(|_| renew(&mut journal));
    assert!(fs::metadata(dir.file()).unwrap().len() <= size * 2, "60,000 records, of which 500 count");
    drop(journal);
    let loaded = load(&dir.file());
    assert_eq!(loaded.records.len(), 500);
    assert!(loaded.records.iter().all(|(position, _)| *position > 59_500));
}

#[test]
fn a_forgotten_address_is_gone() {
    let dir = Dir::new("forgotten");
    let mut journal = RedbJournal::new(dir.file());
    journal.load().unwrap();
    let forgotten = Record { state: State::Forgotten, ..record(1, 0) };
    journal.commit(&[(1, record(1, 60)), (2, record(2, 60))]).unwrap();
    journal.commit(&[(3, forgotten.clone())]).unwrap();
    drop(journal);
    assert_eq!(load(&dir.file()).records, [(2, record(2, 60)), (3, forgotten)]);
}

/// Has one address renewed by every record from 4 to `last`.
fn renew_until(journal: &mut RedbJournal, last: u64) {
    let positions: Vec<u64> = (4..=last).collect();
    for group in positions.chunks(500) {
        let group: Vec<_> = group.iter().map(|position| (*position, record(4, 60))).collect();
        journal.commit(&group).unwrap();
    }
}

#[test]
fn a_damaged_record_costs_no_other_one_also_when_the_journal_is_written_anew() {
    let dir = Dir::new("void");
    let mut entry = [1, 2, 3].map(|n| encode(n.into(), &record(n, 60)));
    *entry[1].last_mut().unwrap() ^= 1;
    let database = redb::Database::create(dir.file()).unwrap();
    let write = database.begin_write().unwrap();
    let leases = redb::TableDefinition::<u64, &[u8]>::new("leases");
    write.open_table(leases).unwrap().insert(1, &*entry.concat()).unwrap();
    write.commit().unwrap();
    drop(database);
    let mut journal = RedbJournal::new(dir.file());
    let loaded = journal.load().unwrap();
    let kept = [(1, record(1, 60)), (3, record(3, 60))];
    assert_eq!(loaded.records, kept);
    assert!(loaded.damage.unwrap().contains("in 1 places"));
    renew_until(&mut journal, 12_000);
    drop(journal);
    let loaded = load(&dir.file());
    assert_eq!(loaded.records, [&kept[..], &[(12_000, record(4, 60))]].concat());
    assert_eq!(loaded.damage, None, "what could not be read has gone with what counts no more");
}

#[test]
fn a_forgotten_address_does_not_come_back_when_the_journal_is_written_anew() {
    let dir = Dir::new("tombs");
    let mut journal = RedbJournal::new(dir.file());
    journal.load().unwrap();
    let forgotten = Record { state: State::Forgotten, ..record(1, 0) };
    journal.commit(&[(1, record(1, 60)), (2, record(2, 60)), (3, forgotten)]).unwrap();
    renew_until(&mut journal, 12_000);
    drop(journal);
    assert_eq!(load(&dir.file()).records, [(2, record(2, 60)), (12_000, record(4, 60))]);
}

#[test]
fn a_file_that_is_no_journal_is_put_aside_and_told_of() {
    let dir = Dir::new("foreign");
    fs::write(dir.file(), b"this is something else entirely").unwrap();
    let loaded = load(&dir.file());
    assert!(loaded.records.is_empty());
    assert!(loaded.damage.unwrap().contains("put aside"), "the operator can look at it");
    assert_eq!(fs::read(dir.0.join("leases.damaged")).unwrap(), b"this is something else entirely");
}

#[test]
fn a_journal_that_cannot_be_opened_for_another_reason_is_left_alone() {
    let dir = Dir::new("directory");
    fs::create_dir(dir.file()).unwrap();
    let error = RedbJournal::new(dir.file()).load().unwrap_err();
    assert!(error.to_string().starts_with("cannot open `"), "{error}");
    assert!(dir.file().is_dir());
}

#[test]
fn a_salvage_that_fails_at_any_step_leaves_the_damaged_file_in_its_place() {
    let dir = Dir::new("salvage");
    let mut ruins = b"no journal".to_vec();
    ruins.extend(encode(1, &record(1, 60)));
    fs::write(dir.file(), &ruins).unwrap();
    // A directory with something in it can be neither removed nor written over.
    for obstacle in ["leases.saved", "leases.damaged"] {
        let obstacle = dir.0.join(obstacle);
        fs::create_dir_all(obstacle.join("full")).unwrap();
        let mut journal = RedbJournal::new(dir.file());
        for _ in 0..2 {
            let error = journal.load().unwrap_err();
            assert!(error.to_string().contains("leases.redb"), "{error}");
            assert_eq!(fs::read(dir.file()).unwrap(), ruins, "{}", obstacle.display());
        }
        fs::remove_dir_all(obstacle).unwrap();
    }
    let mut journal = RedbJournal::new(dir.file());
    assert_eq!(journal.load().unwrap().records, [(1, record(1, 60))]);
    journal.commit(&[(2, record(2, 60))]).unwrap();
    drop(journal);
    assert_eq!(load(&dir.file()).records, [(1, record(1, 60)), (2, record(2, 60))]);
    assert_eq!(fs::read(dir.0.join("leases.damaged")).unwrap(), ruins);
    assert!(!dir.0.join("leases.saved").exists());
}

#[test]
fn a_journal_that_has_gone_is_an_error_and_no_new_one_is_begun() {
    let dir = Dir::new("gone");
    let mut journal = RedbJournal::new(dir.file());
    journal.load().unwrap();
    journal.commit(&[(1, record(1, 60))]).unwrap();
    let kept = dir.0.join("kept");
    fs::rename(dir.file(), &kept).unwrap();
    // As after an error of the disk: it is opened again for the next commit.
    journal.forget_database();
    let error = journal.commit(&[(2, record(2, 60))]).unwrap_err();
    assert!(error.to_string().starts_with("cannot open `"), "{error}");
    assert!(!dir.file().exists());
    fs::rename(&kept, dir.file()).unwrap();
    journal.commit(&[(2, record(2, 60))]).unwrap();
    drop(journal);
    assert_eq!(load(&dir.file()).records, [(1, record(1, 60)), (2, record(2, 60))]);
}

#[test]
fn a_lazy_journal_is_made_by_its_first_record() {
    let dir = Dir::new("lazy");
    let mut journal = RedbJournal::new(dir.file()).lazy();
    assert!(journal.load().unwrap().records.is_empty());
    assert!(!dir.file().exists());
    journal.commit(&[(1, record(1, 60))]).unwrap();
    drop(journal);
    assert_eq!(load(&dir.file()).records, [(1, record(1, 60))]);
}
