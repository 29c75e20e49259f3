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
        relay_agent: None,
        state: State::Bound,
        written,
        seconds: 3600,
        clock: Some(crate::core::Clock { boot: 1, ms: 1 }),
    }
}

/// The clock stands still, so that files are old by their records alone.
fn start(state: &Path, limits: Limits) -> io::Result<History> {
    History::start_with(state, limits, || 0)
}

fn octets(state: &Path) -> u64 {
    let files = files(&state.join(FOLDER)).unwrap();
    files.iter().map(|(_, path)| fs::metadata(path).unwrap().len()).sum()
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
        let history = start(&state, limits).unwrap();
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
    let history = start(&state, limits).unwrap();
    for second in 0..20_000 {
        // A group that is not taken is offered again.
        let mut lost = u64::MAX;
        while lost != history.lost() {
            lost = history.lost();
            history.add([record(1, second)].iter());
        }
    }
    drop(history);
    let octets = octets(&state);
    assert!(octets <= limits.octets && octets > limits.octets / 2, "{octets}");
    let found = past(&state, 1);
    assert!(found.begins.unwrap() > 1000 && found.records.last().unwrap().written > 10_000);
    fs::remove_dir_all(state).unwrap();
}

#[test]
fn as_many_records_as_there_are_leases_are_bounded_too() {
    let state = folder("seeded");
    let limits = Limits { age_seconds: u64::MAX, octets: 64 << 10 };
    let history = start(&state, limits).unwrap();
    let all: Vec<Record> = (0..5000).map(|second| record(1, second)).collect();
    history.add(all.iter());
    drop(history);
    let octets = octets(&state);
    assert!(octets <= limits.octets && octets > limits.octets / 2, "{octets}");
    assert_eq!(past(&state, 1).records.last().unwrap().written, 4999);
    fs::remove_dir_all(state).unwrap();
}

/// What dhcpd has without options.
const DEFAULT: Limits = Limits { age_seconds: 90 * DAY, octets: 256 << 20 };

#[test]
fn what_is_older_than_asked_for_goes() {
    let state = folder("age");
    let history = start(&state, DEFAULT).unwrap();
    for day in 0..250 {
        history.add(std::iter::repeat_n(&record(1, i64::from(day) * 86_400), 7));
    }
    drop(history);
    let begins = past(&state, 1).begins.unwrap() / 86_400;
    assert!((249 - 90 - 12..=249 - 90).contains(&begins), "{begins}");
    fs::remove_dir_all(state).unwrap();
}

#[test]
fn what_is_older_goes_though_nothing_is_written() {
    let state = folder("idle");
    let mut log = Log::new(&state, DEFAULT, Arc::default());
    log.look(0);
    assert!(History::is_new(&state), "nothing was there");
    log.add(&[record(1, 0)]);
    let mut look = |day: i64| {
        log.look(day * 86_400);
        past(&state, 1).records.len()
    };
    assert_eq!((0..=90).map(&mut look).min(), Some(1));
    assert_eq!((91..=97).map(&mut look).last(), Some(0));
    fs::remove_dir_all(state).unwrap();
}

#[test]
fn a_disk_that_refuses_is_told_and_counted_and_nobody_waits() {
    let state = folder("refused");
    fs::write(state.join(FOLDER), "in the way").unwrap();
    let history = start(&state, Limits { age_seconds: DAY, octets: 1 << 20 }).unwrap();
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
