//! What is no ordinary question.

use crate::core::{Outcome, Reason, Transport, UDP_PAYLOAD, rcode};
use crate::testing::{Ask, Reply, TCP, UDP, view};
use crate::view::{DnsView, rtype};

fn site() -> DnsView {
    view("[zone.\"lab.example\"]\n")
}

fn ns1() -> Ask {
    Ask::new("ns1.lab.example", rtype::A)
}

#[track_caller]
fn fails(ask: &Ask, reason: Reason) -> Reply {
    let (outcome, reply) = ask.by(&site(), UDP);
    let Outcome::Failed { reason: said, .. } = outcome else { panic!("{outcome:?}") };
    let reply = reply.unwrap();
    assert_eq!((said, Some(reply.rcode)), (reason, reason.rcode()));
    assert!(reply.answer.is_empty() && reply.authority.is_empty());
    assert!(reply.additional.iter().all(|record| record.rtype == rtype::TSIG), "but for a signature");
    assert!(!reply.aa() && !reply.tc());
    reply
}

#[test]
fn responses_are_dropped() {
    let mut ask = ns1();
    ask.flags = 0x8000;
    assert_eq!(ask.by(&site(), UDP), (Outcome::Dropped(Reason::Response), None));
}

#[test]
fn short_messages_are_dropped() {
    let octets = ns1().octets();
    for length in 0..12 {
        let outcome = crate::core::answer(&site(), &octets[..length], UDP, &mut [0; 512]);
        assert_eq!(outcome, Outcome::Dropped(Reason::Short));
    }
}

#[test]
fn rd_comes_back_and_other_flags_do_not() {
    let mut ask = ns1();
    ask.flags = 0x0100;
    assert_eq!(ask.udp(&site()).flags, 0x8500);
    ask.flags = 0x06f0;
    assert_eq!(ask.udp(&site()).flags, 0x8400, "AA, TC, RA, Z, AD, CD and a code of a query mean nothing");
}

#[test]
fn other_opcodes_are_not_implemented() {
    for opcode in 1..16 {
        let mut ask = ns1();
        ask.flags = opcode << 11;
        let reply = fails(&ask, Reason::Opcode);
        assert_eq!((reply.rcode, reply.flags >> 11 & 15, reply.edns), (rcode::NOTIMP, opcode, None));
        let reply = fails(&ask.clone().edns(1232), Reason::Opcode);
        let not_supported = vec![0, 15, 0, 2, 0, 21];
        assert_eq!(reply.edns, Some((UDP_PAYLOAD, 0, 0, not_supported)), "who speaks EDNS gets it back");
        ask.questions = 0;
        assert!(fails(&ask.edns(1232), Reason::Opcode).edns.is_some(), "also without a question");
    }
}

#[test]
fn other_classes_are_refused() {
    for class in [0, 2, 3, 4, 254, 255, 65_535] {
        let mut ask = ns1();
        ask.class = class;
        let reply = fails(&ask, Reason::Class);
        assert_eq!(reply.question.unwrap().2, class);
    }
}

#[test]
fn a_query_has_one_question() {
    let mut none = ns1();
    none.questions = 0;
    assert_eq!(fails(&none, Reason::QuestionCount).question, None);
    let mut two = ns1();
    two.questions = 2;
    two.more.1 = [two.name.as_slice(), &[0, 1, 0, 1]].concat();
    assert_eq!(fails(&two, Reason::QuestionCount).edns, None);
    let opt = [&[0, 0, 41][..], &[4, 208, 0, 0, 0, 0, 0, 0]].concat();
    two.more = (1, [two.more.1, opt].concat());
    assert!(fails(&two, Reason::QuestionCount).edns.is_some());
    let mut with_edns = none.edns(1232);
    with_edns.questions = 0;
    assert!(fails(&with_edns, Reason::QuestionCount).edns.is_some());
}

#[test]
fn questions_that_are_none_are_format_errors() {
    for name in [&b"\xc0\x0c"[..], b"\x40aa\0", b"\x05ab\0", &[&b"\x01a".repeat(128)[..], b"\0"].concat()] {
        let reply = fails(&Ask::wire(name, rtype::A), Reason::Question);
        assert_eq!(reply.question, None, "what cannot be read is not given back");
    }
}

#[test]
fn records_after_the_question_are_passed_over_but_have_to_be_whole() {
    let a = [&[0][..], &[0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, 1]].concat();
    let mut ask = ns1();
    ask.more = (1, a.clone());
    assert_eq!(ask.udp(&site()).answer.len(), 1);
    ask.more = (2, a.clone());
    fails(&ask, Reason::Records);
    ask.more = (0, a);
    fails(&ask, Reason::Records);
}

#[test]
fn edns_is_answered_with_what_we_can() {
    let reply = ns1().edns(4096).udp(&site());
    assert_eq!(reply.edns, Some((UDP_PAYLOAD, 0, 0, Vec::new())));
    assert_eq!(ns1().udp(&site()).edns, None, "and only to who speaks it");
    let mut with_do = ns1().edns(4096);
    with_do.edns = Some((4096, 0, 0x8000, Vec::new()));
    assert_eq!(with_do.udp(&site()).edns.unwrap().2, 0x8000);
    let mut with_flags = ns1().edns(4096);
    with_flags.edns = Some((4096, 0, 0x7fff, Vec::new()));
    assert_eq!(
        with_flags.udp(&site()).edns.unwrap().2,
        0,
        "unknown flags are not copied (RFC 6891, section 6.1.4)"
    );
}

#[test]
fn unknown_options_are_ignored() {
    let mut ask = ns1();
    ask.edns = Some((1232, 0, 0, vec![0x0f, 0xa0, 0, 3, 1, 2, 3, 0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8]));
    let reply = ask.udp(&site());
    assert_eq!((reply.rcode, reply.answer.len()), (rcode::NOERROR, 1));
    assert_eq!(reply.edns.unwrap().3, b"");
}

#[test]
fn other_versions_of_edns_get_badvers() {
    for version in [1, 100, 255] {
        let mut ask = ns1();
        ask.edns = Some((1232, version, 0x8000, vec![0x0f, 0xa0, 0, 0]));
        let reply = fails(&ask, Reason::EdnsVersion);
        assert_eq!(reply.rcode, rcode::BADVERS);
        assert_eq!(reply.edns, Some((UDP_PAYLOAD, 0, 0x8000, Vec::new())), "with the highest that we know");
        ask.edns = Some((1232, version, 0, vec![0, 3, 0, 9, 1]));
        fails(&ask, Reason::EdnsVersion);
    }
}

#[test]
fn broken_edns_is_a_format_error() {
    let mut options_cut = ns1();
    options_cut.edns = Some((1232, 0, 0, vec![0, 3, 0, 9, 1]));
    fails(&options_cut, Reason::Options);
    let opt = [&[0, 0, 41][..], &[4, 208, 0, 0, 0, 0, 0, 0]].concat();
    let mut twice = ns1().edns(1232);
    twice.more = (1, opt.clone());
    fails(&twice, Reason::Options);
    let mut named = ns1();
    named.more = (1, [&b"\x01a"[..], &opt].concat());
    fails(&named, Reason::Options);
}

#[test]
fn signed_queries_are_not_authenticated() {
    let rdata = [&b"\x08hmac-md5\0"[..], &[0, 0, 0, 0, 0, 0, 1, 44, 0, 0, 0xab, 0xcd, 0, 0, 0, 0]].concat();
    let tsig =
        [&b"\x03key\0\0\xfa\0\xff\0\0\0\0"[..], &u16::try_from(rdata.len()).unwrap().to_be_bytes(), &rdata]
            .concat();
    let mut ask = ns1();
    ask.more = (1, tsig.clone());
    fails(&ask, Reason::Signature);
    ask.more = (2, [&tsig[..], &[0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0]].concat());
    fails(&ask, Reason::Records);
}

#[test]
fn transfers_are_refused_to_strangers() {
    let mut ask = Ask::new("lab.example", rtype::AXFR);
    assert_eq!(fails(&ask, Reason::TransferByUdp).rcode, rcode::NOTIMP);
    let (outcome, reply) = ask.by(&site(), TCP);
    assert!(matches!(outcome, Outcome::Failed { reason: Reason::Transfer, .. }));
    assert_eq!(reply.unwrap().rcode, rcode::REFUSED);
    ask.rtype = rtype::IXFR;
    fails(&ask, Reason::Transfer);
    // What is no zone of ours is not refused but not there.
    for (name, rtype) in [("ns1.lab.example", rtype::IXFR), ("elsewhere.test", rtype::IXFR)] {
        assert_eq!(fails(&Ask::new(name, rtype), Reason::TransferOutside).rcode, rcode::NOTAUTH, "{name}");
    }
}

#[test]
fn a_view_without_zones_refuses_everything() {
    let view = DnsView::build(&inventory_core::model::Snapshot::nothing());
    for transport in [Transport::Udp, Transport::Tcp] {
        let (_, reply) = ns1().by(&view, crate::core::QueryContext::anonymous(transport));
        assert_eq!(reply.unwrap().rcode, rcode::REFUSED);
    }
}
