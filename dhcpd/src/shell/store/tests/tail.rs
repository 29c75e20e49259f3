//! A journal whose file is damaged at its end, as a crash or a bad disk leaves it: at every octet of what
//! the last commit wrote.

use std::collections::BTreeSet;
use std::fs;

use super::super::{LeaseStore, RedbJournal};
use super::{Dir, encode, load, record};

/// Records in the file, each of its own commit.
const COMMITS: u16 = 12;
/// Octets of the database's pages.
const PAGE: usize = 4096;
/// Pages at the end of the file that are cut.
const LAST_PAGES: usize = 4;
const THREADS: usize = 4;

/// A file as a process leaves it that is killed: many commits of one record each.
fn killed(dir: &Dir, commits: u16) -> Vec<u8> {
    let mut journal = RedbJournal::new(dir.file());
    journal.load().unwrap();
    for n in 1..=commits {
        journal.commit(&[(n.into(), record(n, 60))]).unwrap();
    }
    // Not closed: what the kernel has of the file now is what a kill leaves.
    let octets = fs::read(dir.file()).unwrap();
    std::mem::forget(journal);
    octets
}

/// The places of octets in pages that the last commit wrote to.
fn tail(before: &[u8], after: &[u8]) -> Vec<usize> {
    let changed = (0..after.len()).filter(|at| before.get(*at) != after.get(*at));
    let pages: BTreeSet<usize> = changed.map(|at| at / PAGE).collect();
    pages.into_iter().flat_map(|page| page * PAGE..((page + 1) * PAGE).min(after.len())).collect()
}

/// Loads `octets` as a journal: it has every record of `must`, and none is made up.
fn recovers(dir: &Dir, file: &str, octets: &[u8], mut must: impl Iterator<Item = u16>, what: &str) {
    let path = dir.0.join(file);
    fs::write(&path, octets).unwrap();
    let mut journal = RedbJournal::new(path);
    let loaded = journal.load().unwrap();
    let found: BTreeSet<u64> = loaded.records.iter().map(|(position, _)| *position).collect();
    let lost = must.find(|position| !found.contains(&u64::from(*position)));
    assert!(lost.is_none(), "{what}: {lost:?} is lost: {:?}", loaded.damage);
    for (position, one) in &loaded.records {
        assert_eq!(*one, record(u16::try_from(*position).unwrap(), 60), "{what}: made up");
    }
}

/// For each commit, where the first copy of its record ends in the file.
fn ends(octets: &[u8]) -> Vec<(u16, usize)> {
    let end = |n: u16| {
        let frame = encode(n.into(), &record(n, 60));
        let at = octets.windows(frame.len()).position(|window| window == frame);
        (n, at.expect("what is committed is in the file") + frame.len())
    };
    (1..=COMMITS).map(end).collect()
}

/// Calls `check` with each of `all` and the name of a file for it, by several threads.
fn for_each(all: &[usize], check: impl Fn(usize, &str) + Sync) {
    std::thread::scope(|scope| {
        for (number, part) in all.chunks(all.len().div_ceil(THREADS)).enumerate() {
            let check = &check;
            scope.spawn(move || part.iter().for_each(|at| check(*at, &format!("copy-{number}.redb"))));
        }
    });
}

#[test]
fn with_any_octet_of_the_last_commits_pages_flipped_all_that_was_committed_before_is_there() {
    let (one, two) = (Dir::new("flip-before"), Dir::new("flip-after"));
    let (before, after) = (killed(&one, COMMITS - 1), killed(&two, COMMITS));
    let tail = tail(&before, &after);
    assert!(tail.len() >= 3 * PAGE, "{} octets", tail.len());
    for_each(&tail, |at, file| {
        let mut octets = after.clone();
        octets[at] ^= 1 << (at % 8);
        recovers(&two, file, &octets, 1..=COMMITS - 1, &format!("octet {at}, bit {}", at % 8));
    });
}

#[test]
fn cut_at_any_octet_of_its_last_pages_it_has_every_commit_whose_record_is_left_in_it() {
    let dir = Dir::new("cut");
    let octets = killed(&dir, COMMITS);
    let lengths: Vec<usize> = (octets.len() - LAST_PAGES * PAGE..=octets.len()).collect();
    let ends = ends(&octets);
    for_each(&lengths, |len, file| {
        // What lay beyond the cut is lost and nothing else is.
        let left = ends.iter().filter(|(_, end)| *end <= len).map(|(commit, _)| *commit);
        recovers(&dir, file, &octets[..len], left, &format!("cut at {len}"));
    });
    assert!(ends.iter().all(|(_, end)| *end <= octets.len()));
}

#[test]
fn a_journal_that_was_damaged_is_written_again() {
    let dir = Dir::new("again");
    let mut octets = killed(&dir, COMMITS);
    octets.truncate(octets.len() - PAGE / 2);
    let path = dir.0.join("copy.redb");
    fs::write(&path, octets).unwrap();
    let mut journal = RedbJournal::new(path.clone());
    let before = journal.load().unwrap().records.len();
    journal.commit(&[(100, record(100, 60))]).unwrap();
    drop(journal);
    assert_eq!(load(&path).records.len(), before + 1);
}
