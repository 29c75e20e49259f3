//! Transfers: who gets them, and that what they say makes the zone.

use std::collections::BTreeSet;

use super::*;
use crate::core::{Asked, rcode};
use crate::testing::random::RandomSite;
use crate::testing::{Ask, Reply, TCP, UDP, name, view};
use crate::view::ZoneRecord;

const ANYBODY: &str = "[zone.\"lab.example\"]\nsecondaries = [\"0.0.0.0/0\"]\n";

/// The messages of a granted transfer.
fn messages(view: &Arc<DnsView>, ask: &Ask, deltas: Option<Vec<Delta>>) -> (Kind, Vec<Reply>) {
    let mut out = vec![0; 65_535];
    let Opened::Granted(grant) = open(view, &ask.octets(), TCP, &mut out) else { panic!("no transfer") };
    let mut transfer = Transfer::new(Arc::clone(view), *grant, deltas);
    let mut replies = Vec::new();
    loop {
        match transfer.next(UnixSeconds(0)) {
            Part::Message(message) => replies.push(Reply::read(&message)),
            Part::Nothing => {}
            Part::End => return (transfer.kind(), replies),
            Part::Failed => panic!("it failed"),
        }
    }
}

/// A query for what changed since `serial`.
fn since(zone: &str, serial: u32) -> Ask {
    let mut ask = Ask::new(zone, rtype::IXFR);
    let numbers = [serial, 0, 0, 0, 0].map(u32::to_be_bytes).concat();
    let soa = [&[0xc0, 12, 0, 6, 0, 1, 0, 0, 0, 0, 0, 22, 0, 0][..], &numbers].concat();
    ask.more = (1, soa);
    ask
}

fn refused(view: &DnsView, ask: &Ask) -> Reply {
    let mut out = vec![0; 65_535];
    match open(view, &ask.octets(), TCP, &mut out) {
        Opened::Reply(outcome) => Reply::read(&out[..outcome.octets().unwrap()]),
        Opened::Granted(_) => panic!("it was granted"),
    }
}

fn all(replies: &[Reply]) -> Vec<ZoneRecord> {
    replies.iter().flat_map(|reply| reply.answer.iter().cloned()).collect()
}

/// Plays the messages of an incremental transfer on the records that the client has (RFC 1995, section
/// 4).
fn play(mut records: BTreeSet<String>, said: &[ZoneRecord]) -> BTreeSet<String> {
    let [_, steps @ .., _] = said else { panic!("{said:?}") };
    let mut adding = true;
    for record in steps {
        if record.rtype == rtype::SOA {
            adding = !adding;
        }
        if adding {
            assert!(records.insert(record.to_string()), "{record} is there already");
        } else {
            assert!(records.remove(&record.to_string()), "{record} is not there");
        }
    }
    records
}

fn texts(view: &DnsView, zone: ZoneNumber) -> BTreeSet<String> {
    view.records_of(zone).iter().map(ToString::to_string).collect()
}

#[test]
fn a_whole_zone_is_its_records_between_two_soa_records() {
    for seed in 0..12 {
        let (mut site, snapshot) = RandomSite::new(seed);
        for snapshot in std::iter::once(snapshot).chain((0..3).map(|_| site.edit())) {
            let mut built = DnsView::build(&snapshot);
            built.set_serials(|_| 7);
            let view = Arc::new(built);
            for (number, zone) in view.zones().iter() {
                let ask = Ask::wire(zone.name.as_wire(), rtype::AXFR);
                let (kind, replies) = messages(&view, &ask, None);
                assert_eq!(kind, Kind::Whole);
                let mut records = all(&replies);
                let soa = view.soa(number);
                assert_eq!((records.first(), records.last()), (Some(&soa), Some(&soa)), "{}", zone.name);
                records.pop();
                let said: BTreeSet<String> = records.iter().map(ToString::to_string).collect();
                assert_eq!(said.len(), records.len(), "none twice");
                assert_eq!(said, texts(&view, number), "seed {seed}: {}", zone.name);
            }
        }
    }
}

#[test]
fn what_changed_makes_the_new_zone_of_the_old_one() {
    let mut steps = 0;
    for seed in 0..40 {
        let (mut site, mut before) = RandomSite::new(100 + seed);
        let mut old = DnsView::build(&before);
        old.set_serials(|_| 1);
        for serial in 2..8 {
            let after = site.edit();
            let mut new = old.updated(&before.inventory, &after);
            new.set_serials(|_| serial);
            let changes = new.changes_since(&old, |_| true);
            let view = Arc::new(new.clone());
            for (number, zone) in view.zones().iter() {
                let Some(was) = old.zones().with_apex(zone.name.as_wire()) else { continue };
                let change = changes.get(&number).cloned().unwrap_or_default();
                let delta = Delta::new(&old.soa(was), &view.soa(number), &change).unwrap();
                let ask = since(&zone.name.to_string(), serial - 1);
                let (kind, replies) = messages(&view, &ask, Some(vec![delta]));
                assert_eq!(kind, Kind::Changes);
                let what = format!("seed {seed}, serial {serial}: {}", zone.name);
                assert_eq!(play(texts(&old, was), &all(&replies)), texts(&view, number), "{what}");
                steps += usize::from(!change.added.is_empty());
            }
            (old, before) = (new, after);
        }
    }
    assert!(steps > 100, "{steps}");
}

#[test]
fn a_large_zone_takes_many_messages_each_with_the_question() {
    let lines: String = (0..9_000).map(|n| format!("h{n} TXT \"number {n} of many\"\n")).collect();
    let view = Arc::new(view(&format!("{ANYBODY}records = '''\n{lines}'''\n")));
    let mut ask = Ask::new("lab.example", rtype::AXFR).edns(1232);
    let (_, replies) = messages(&view, &ask, None);
    assert!(replies.len() > 5, "{}", replies.len());
    assert!(
        replies.iter().all(|reply| reply.question.is_some() && reply.aa() && reply.octets <= 32 * 1024 + 64)
    );
    assert!(replies[0].edns.is_some() && replies[1].edns.is_none());
    assert_eq!(all(&replies).len(), view.records_of(view.zone_of(&name("lab.example")).unwrap()).len() + 1);
    ask.flags = 0x0110;
    assert_eq!(messages(&view, &ask, None).1[0].flags, 0x8500, "of the flags only RD comes back");
}

#[test]
fn a_whole_zone_goes_in_the_order_of_its_names() {
    let lines: String = (0..3_000).map(|n| format!("a.h{n} A 192.0.2.1\nh{n} A 192.0.2.1\n")).collect();
    let view = Arc::new(view(&format!("{ANYBODY}records = '''\n* A 192.0.2.1\n{lines}'''\n")));
    let (_, replies) = messages(&view, &Ask::new("lab.example", rtype::AXFR), None);
    let mut said = all(&replies);
    said.pop();
    let soa_first = |record: &ZoneRecord| record.rtype != rtype::SOA;
    let mut sorted = view.records_of(view.zone_of(&name("lab.example")).unwrap());
    sorted.sort_by_key(soa_first);
    assert!(said.len() > 6_000 && said == sorted);
}

#[test]
fn who_may_not_copy_a_zone_is_refused() {
    let text = "[key.k]\nfile = \"/k\"\n[zone.\"lab.example\"]\nsecondaries = [\"192.0.2.1\"]\n\
                [zone.\"keyed.example\"]\nsecondaries = [{ address = \"0.0.0.0/0\", key = \"k\" }]\n\
                [zone.\"open.example\"]\nsecondaries = [\"0.0.0.0/0\"]\n";
    let view = view(text);
    for (zone, code) in [
        ("lab.example", rcode::REFUSED),
        ("keyed.example", rcode::REFUSED),
        ("ns1.lab.example", rcode::NOTAUTH),
        ("elsewhere.example", rcode::NOTAUTH),
    ] {
        let ask = Ask::new(zone, rtype::AXFR);
        assert!(Asked::read(&ask.octets()).is_transfer());
        assert_eq!(refused(&view, &ask).rcode, code, "{zone}");
        assert_eq!(refused(&view, &since(zone, 3)).rcode, code, "{zone}");
        assert_eq!(since(zone, 3).udp(&view).rcode, code, "{zone}");
    }
    let plain = Ask::new("open.example", rtype::IXFR);
    assert_eq!(refused(&view, &plain).rcode, rcode::FORMERR, "a serial has to be there");
    assert!(!Asked::read(&Ask::new("open.example", rtype::SOA).octets()).is_transfer());
    assert_eq!(Ask::new("open.example", rtype::AXFR).udp(&view).rcode, rcode::NOTIMP);
}

#[test]
fn who_asks_for_changes_in_a_datagram_gets_the_soa_record() {
    let view = view(ANYBODY);
    let (outcome, reply) = since("lab.example", 3).by(&view, UDP);
    assert!(matches!(outcome, Outcome::Answered { .. }));
    let reply = reply.unwrap();
    assert_eq!(reply.question.unwrap().1, rtype::IXFR);
    assert_eq!(reply.answer, [view.soa(view.zone_of(&name("lab.example")).unwrap())]);
}

#[test]
fn who_has_the_serial_or_a_later_one_is_told_so_and_who_is_too_far_behind_gets_it_all() {
    let mut built = view(ANYBODY);
    built.set_serials(|_| 10);
    let view = Arc::new(built);
    for serial in [10, 11, 0x8000_0009] {
        let (kind, replies) = messages(&view, &since("lab.example", serial), None);
        assert_eq!((kind, all(&replies).len()), (Kind::UpToDate, 1), "{serial}");
    }
    let (kind, replies) = messages(&view, &since("lab.example", 9), None);
    assert_eq!(kind, Kind::Whole);
    assert!(all(&replies).len() > 4);
}
