//! Limits: truncation, long names, big messages.

use crate::core::{self, OPT_OCTETS, UDP_PAYLOAD, rcode};
use crate::testing::query::ask;
use crate::testing::{Ask, UDP, view};
use crate::view::{DnsView, rtype};

fn many(count: usize) -> DnsView {
    let lines: String = (0..count).map(|n| format!("many A 192.0.2.{n}\n")).collect();
    view(&format!("[zone.\"lab.example\"]\nrecords = '''\n{lines}'''\n"))
}

#[test]
fn a_reply_keeps_to_what_the_client_can_take() {
    let view = many(250);
    let whole = ask(&view, "many.lab.example", rtype::A);
    assert_eq!((whole.answer.len(), whole.tc()), (250, false), "over a connection there is room");
    for (payload, most) in
        [(None, 512), (Some(0), 512), (Some(512), 512), (Some(1232), 1232), (Some(65_535), UDP_PAYLOAD)]
    {
        let ask = Ask::new("many.lab.example", rtype::A);
        let reply = payload.map_or(ask.clone(), |payload| ask.edns(payload)).udp(&view);
        assert!(reply.octets <= usize::from(most), "{payload:?}: {} octets", reply.octets);
        assert_eq!((reply.tc(), reply.answer.len(), reply.rcode), (true, 0, rcode::NOERROR), "{payload:?}");
        assert_eq!(reply.edns.is_some(), payload.is_some());
    }
}

#[test]
fn any_in_a_datagram_never_gets_more_than_512_octets() {
    for (count, truncated) in [(10, false), (28, false), (40, true), (250, true)] {
        let view = many(count);
        for payload in [512, 1232, 65_535] {
            let reply = Ask::new("many.lab.example", rtype::ANY).edns(payload).udp(&view);
            assert!(reply.octets <= 512, "{count} records, {payload}: {} octets", reply.octets);
            assert_eq!((reply.tc(), reply.answer.is_empty()), (truncated, truncated), "{count} records");
        }
        assert_eq!(
            Ask::new("many.lab.example", rtype::ANY).tcp(&view).answer.len(),
            count,
            "all of the RRset"
        );
    }
}

#[test]
fn what_just_fits_is_not_truncated() {
    // Header and question take 34 octets, a record 16.
    for (count, payload, truncated) in
        [(29, None, false), (30, None, true), (74, Some(1232), false), (75, Some(1232), true)]
    {
        let ask = Ask::new("many.lab.example", rtype::A);
        let ask = payload.map_or(ask.clone(), |payload| ask.edns(payload));
        let reply = ask.udp(&many(count));
        assert_eq!(reply.tc(), truncated, "{count} records, {payload:?}");
        assert!(payload.is_none() || reply.octets + 16 >= OPT_OCTETS);
    }
}

#[test]
fn additional_records_are_left_out_without_tc_but_glue_is_not() {
    let label = "x".repeat(60);
    let hosts: String =
        (0..13).map(|n| format!("{label}{n} A 192.0.2.{n}\nmail MX 1 {label}{n}\n")).collect();
    let glue: String =
        (0..13).map(|n| format!("sub NS {label}{n}.sub\n{label}{n}.sub AAAA 2001:db8::{n}\n")).collect();
    let view = view(&format!("[zone.\"lab.example\"]\nrecords = '''\n{hosts}{glue}'''\n"));
    let reply = Ask::new("mail.lab.example", rtype::MX).edns(1232).udp(&view);
    assert!(!reply.tc() && reply.answer.len() == 13 && reply.additional.len() < 13, "{reply:#?}");
    let referral = Ask::new("sub.lab.example", rtype::A).edns(1232).udp(&view);
    assert!(referral.tc() && referral.authority.len() == 13, "RFC 9471: glue is needed");
    let whole = Ask::new("sub.lab.example", rtype::A).tcp(&view);
    assert!(!whole.tc() && whole.additional.len() == 13);
}

#[test]
fn names_of_255_octets_and_127_labels_are_answered() {
    let view = view("[zone.\"lab.example\"]\nrecords = '* A 192.0.2.1'\n");
    let zone = b"\x03lab\x07example\0";
    let mut wide = Vec::new();
    for length in [63_u8, 63, 63, 49] {
        wide.push(length);
        wide.extend(vec![b'W'; length.into()]);
    }
    let wide = [&wide, &zone[..]].concat();
    let mut deep = b"\x01a".repeat(121);
    deep.extend_from_slice(zone);
    assert_eq!((wide.len(), deep.len()), (255, 255));
    for name in [wide, deep] {
        let reply = Ask::wire(&name, rtype::A).tcp(&view);
        assert_eq!((reply.rcode, reply.answer.len()), (rcode::NOERROR, 1));
        assert_eq!(reply.question.unwrap().0, name);
    }
    let most = [&b"\x01a".repeat(127)[..], b"\0"].concat();
    assert_eq!(Ask::wire(&most, rtype::A).tcp(&view).rcode, rcode::REFUSED);
}

#[test]
fn whatever_room_there_is_nothing_is_written_beyond_it() {
    let view = many(40);
    for (name, rtype) in
        [("many.lab.example", rtype::A), ("lab.example", rtype::NS), ("nothing.lab.example", rtype::A)]
    {
        for ask in [Ask::new(name, rtype), Ask::new(name, rtype).edns(1232)] {
            for room in 0..800 {
                let mut out = vec![0xee; 1300];
                let outcome = core::answer(&view, &ask.octets(), UDP, &mut out[..room]);
                assert!(outcome.octets().is_none_or(|octets| octets <= room));
                assert!(out[room..].iter().all(|octet| *octet == 0xee));
            }
        }
    }
}

#[test]
fn an_error_is_not_sent_without_the_opt_record_that_says_it() {
    let view = many(1);
    let mut ask = Ask::new("many.lab.example", rtype::A).edns(1232);
    ask.edns = Some((1232, 1, 0, Vec::new()));
    let query = ask.octets();
    let whole = query.len();
    for (room, sent) in [(whole - 1, false), (whole, true), (whole + 1, true)] {
        let mut out = vec![0; room];
        let outcome = core::answer(&view, &query, UDP, &mut out);
        assert_eq!(outcome.octets().is_some(), sent, "{room} octets: {outcome:?}");
    }
}

#[test]
fn a_referral_has_all_the_glue_that_it_needs_or_says_that_it_has_not() {
    use std::fmt::Write;
    let mut records = String::new();
    for number in 0..60 {
        write!(records, "sub NS ns{number}.sub\nns{number}.sub A 192.0.2.{number}\n").unwrap();
    }
    let view = view(&format!("[zone.\"lab.example\"]\nrecords = \"\"\"\n{records}\"\"\"\n"));
    let reply = ask(&view, "x.sub.lab.example", rtype::A);
    assert_eq!((reply.tc(), reply.authority.len(), reply.additional.len()), (false, 60, 60));
    assert!(Ask::new("x.sub.lab.example", rtype::A).edns(1232).udp(&view).tc());
}
