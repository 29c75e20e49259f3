//! The pre-encoded path against the reference resolver, on random inventories.

use std::collections::BTreeSet;

use inventory_core::load::{Loaded, Loader};
use inventory_core::name::Name;
use inventory_core::source::Directory;

use crate::testing::book::{Book, sort};
use crate::testing::random::RandomSite;
use crate::testing::{Ask, Reply, name};
use crate::view::{DnsView, rtype};

pub(super) const TYPES: [u16; 14] = [
    rtype::A,
    rtype::NS,
    rtype::CNAME,
    rtype::SOA,
    rtype::PTR,
    rtype::MX,
    16,
    rtype::AAAA,
    rtype::SRV,
    rtype::DNAME,
    rtype::DS,
    rtype::SSHFP,
    rtype::ANY,
    65_280,
];

/// Every name that has something to do with the zones: owners, what lies above and beside and below
/// them, wildcards themselves.
pub(super) fn names(book: &Book) -> BTreeSet<Name> {
    let mut names = BTreeSet::from([Name::root(), name("test"), name("arpa")]);
    for zone in &book.zones {
        for owner in zone.names.iter().chain(zone.sets.keys()) {
            names.insert(owner.clone());
            names.extend(owner.parent());
            for label in ["a", "*", "nothing"] {
                names.extend(owner.child(label));
            }
            names.extend(owner.child("nothing").and_then(|name| name.child("b")));
        }
    }
    names
}

/// Checks every name and type; returns the number of questions.
#[track_caller]
pub(super) fn agree(view: &DnsView, book: &Book, what: &str) -> usize {
    let names = names(book);
    for name in &names {
        for rtype in TYPES {
            let expected = book.resolve(name, rtype);
            let ask = Ask::wire(name.as_wire(), rtype);
            let reply = ask.tcp(view);
            if let Err(why) = book.judge(&reply, &expected) {
                panic!("{what}: {name} type {rtype}\n{why}");
            }
            for payload in [None, Some(512), Some(1232)] {
                let ask = payload.map_or_else(|| ask.clone(), |payload| ask.clone().edns(payload));
                is_start_of(&ask.udp(view), &reply, payload.unwrap_or(512));
            }
        }
    }
    names.len() * TYPES.len()
}

/// A datagram says what the whole reply says, or less and TC.
#[track_caller]
fn is_start_of(short: &Reply, whole: &Reply, payload: u16) {
    assert!(short.octets <= payload.into());
    assert_eq!((short.rcode, short.aa()), (whole.rcode, whole.aa()));
    if !short.tc() {
        assert_eq!((&short.answer, &short.authority), (&whole.answer, &whole.authority));
    }
    assert!(short.answer.iter().all(|record| whole.answer.contains(record)));
    assert!(short.authority.iter().all(|record| whole.authority.contains(record)));
    assert!(short.additional.iter().all(|record| whole.additional.contains(record)));
}

fn check(view: &mut DnsView, inventory: &inventory_core::model::Inventory, what: &str) -> usize {
    view.set_serials(|_| 7);
    let book = Book::of(inventory, |_| 7);
    let mut records = view.records();
    sort(&mut records);
    pretty_eq(&records, &book.records(), what);
    agree(view, &book, what)
}

#[track_caller]
fn pretty_eq(ours: &[crate::view::ZoneRecord], meant: &[crate::view::ZoneRecord], what: &str) {
    let lines = |records: &[crate::view::ZoneRecord]| -> Vec<String> {
        records.iter().map(ToString::to_string).collect()
    };
    assert_eq!(lines(ours), lines(meant), "{what}");
}

#[test]
fn every_name_and_type_of_random_inventories_is_answered_as_the_reference_says() {
    let mut questions = 0;
    for seed in 0..seeds(60) {
        let (_, snapshot) = RandomSite::new(seed);
        let mut view = DnsView::build(&snapshot);
        questions += check(&mut view, &snapshot.inventory, &format!("seed {seed}"));
    }
    assert!(questions > 50_000, "{questions}");
}

#[test]
#[ignore = "takes minutes"]
fn every_name_and_type_of_1_000_random_inventories_is_answered_as_the_reference_says() {
    let mut questions = 0;
    for seed in 10_000..11_000 {
        let (_, snapshot) = RandomSite::new(seed);
        let mut view = DnsView::build(&snapshot);
        questions += check(&mut view, &snapshot.inventory, &format!("seed {seed}"));
    }
    println!("{questions} questions of 1,000 inventories");
}

/// An institute of 300 hosts: racks, an office, laboratories, virtual machines.
fn institute() -> inventory_core::model::Snapshot {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../inventory-core/tests/corpus/good/institute");
    let loaded = Loader::new(Box::new(Directory::new(root))).load();
    let Loaded::Good { snapshot, .. } = loaded else { panic!("{loaded:?}") };
    snapshot
}

#[test]
fn every_name_and_type_of_a_site_of_300_hosts_is_answered_as_the_reference_says() {
    let snapshot = institute();
    assert!(snapshot.inventory.host_count() >= 300, "{}", snapshot.inventory.host_count());
    let mut view = DnsView::build(&snapshot);
    let questions = check(&mut view, &snapshot.inventory, "the institute");
    println!("{questions} questions");
    assert!(questions > 50_000, "{questions}");
}

#[test]
fn a_view_that_followed_random_edits_answers_as_the_reference_says() {
    for seed in 0..seeds(12) {
        let (mut site, mut before) = RandomSite::new(1_000_000 + seed);
        let mut view = DnsView::build(&before);
        for step in 0..6 {
            let after = site.edit();
            view = view.updated(&before.inventory, &after);
            check(&mut view, &after.inventory, &format!("seed {seed}, edit {step}"));
            before = after;
        }
    }
}

/// How many random inventories: `few`, or as many times as the environment says.
pub(super) fn seeds(few: u64) -> u64 {
    let times = std::env::var("HOSTBOOK_TEST_EFFORT").ok().and_then(|text| text.parse().ok());
    few * times.unwrap_or(1)
}
