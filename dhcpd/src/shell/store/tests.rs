//! The journal on a real file system: what is committed is found again, whatever happens to the file.

use std::collections::BTreeMap;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use inventory_core::mac::MacAddr;

use super::*;
use crate::core::{ClientKey, State};

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

fn record(n: u16, seconds: u32) -> Record {
    let [high, low] = n.to_be_bytes();
    Record {
        address: [10, 0, high, low].into(),
        client: ClientKey::of_mac(MacAddr([2, 0, 0, 0, high, low])),
        mac: Some(MacAddr([2, 0, 0, 0, high, low])),
        name: None,
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
    let forgotten = Record { state: State::Forgotten, ..record(1, 0) };
    journal.commit(&[(1, record(1, 60)), (2, record(2, 60))]).unwrap();
    journal.commit(&[(3, forgotten.clone())]).unwrap();
    drop(journal);
    assert_eq!(load(&dir.file()).records, [(2, record(2, 60)), (3, forgotten)]);
}

/// A file as a process leaves it that is killed: many commits, the last of one record.
fn killed(dir: &Dir, commits: u64) -> Vec<u8> {
    let mut journal = RedbJournal::new(dir.file());
    for position in 1..=commits {
        let n = u16::try_from(position).unwrap();
        journal.commit(&[(position, record(n, 60))]).unwrap();
    }
    // Not closed: what the kernel has of the file now is what a kill leaves.
    let octets = fs::read(dir.file()).unwrap();
    std::mem::forget(journal);
    octets
}

/// Loads `octets` as a journal; all it may lack are the latest records, of which it must have all but
/// `lost`.
fn recovers(dir: &Dir, octets: &[u8], commits: u64, lost: u64, what: &str) {
    let path = dir.0.join("copy.redb");
    fs::write(&path, octets).unwrap();
    let loaded = load(&path);
    let found: BTreeMap<Ipv4Addr, u64> =
        loaded.records.iter().map(|(position, record)| (record.address, *position)).collect();
    for position in 1..=commits - lost {
        let n = u16::try_from(position).unwrap();
        assert_eq!(found.get(&record(n, 60).address), Some(&position), "{what}: {:?}", loaded.damage);
    }
    for (position, record_) in &loaded.records {
        assert_eq!(*record_, record(u16::try_from(*position).unwrap(), 60), "{what}: made up");
    }
    let mut journal = RedbJournal::new(path);
    journal.load().unwrap();
    journal.commit(&[(commits + 1, record(9999, 60))]).unwrap();
}

/// The octets by which the file of `commits` commits differs from that of one less.
fn last_written(before: &[u8], after: &[u8]) -> Vec<usize> {
    (0..after.len()).filter(|at| before.get(*at) != after.get(*at)).collect()
}

/// Some 300 octets of it; all of them with `EVERY_OCTET=1`.
#[test]
fn a_file_with_any_octet_of_the_last_commit_flipped_has_all_that_was_committed_before() {
    let (one, two) = (Dir::new("flip-before"), Dir::new("flip-after"));
    let (before, after) = (killed(&one, 39), killed(&two, 40));
    let written = last_written(&before, &after);
    assert!(written.len() > 100, "{}", written.len());
    let every = std::env::var("EVERY_OCTET").map_or(written.len().div_ceil(300), |_| 1);
    for (n, at) in written.into_iter().enumerate().step_by(every) {
        let mut octets = after.clone();
        octets[at] ^= 1 << (n % 8);
        recovers(&two, &octets, 40, 1, &format!("octet {at}, bit {}", n % 8));
    }
}

#[test]
fn a_file_cut_anywhere_in_its_tail_has_every_record_that_is_left_in_it() {
    let dir = Dir::new("cut");
    let octets = killed(&dir, 40);
    let last_record = octets.windows(8).rposition(|window| window == b"hb-lease").unwrap();
    let tail = last_record + 400..octets.len();
    for len in tail.step_by(997).chain([octets.len() - 1, octets.len()]) {
        recovers(&dir, &octets[..len], 40, 0, &format!("cut at {len}"));
    }
    // Further in, what lay beyond the cut is lost and nothing else is.
    for len in (0..octets.len()).step_by(509) {
        let path = dir.0.join("copy.redb");
        fs::write(&path, &octets[..len]).unwrap();
        let expected = frame::salvage(&octets[..len]);
        assert!(load(&path).records.len() >= expected.len(), "cut at {len}");
    }
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
