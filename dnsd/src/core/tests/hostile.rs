//! Hostile octets: an answer, an error or a counted drop, and never anything else.

use proptest::prelude::*;

use crate::core::{self, Outcome, QueryContext, Reason};
use crate::testing::{Ask, Reply, TCP, UDP, view};
use crate::view::{DnsView, rtype};

fn site() -> DnsView {
    view(
        "[zone.\"lab.example\"]\nrecords = '''\n*.w A 192.0.2.1\nsub NS ns.sub\nns.sub A 192.0.2.2\n\
         d DNAME w\nc CNAME x.d\n@ MX 1 ns1\n'''\n",
    )
}

/// Queries of every kind.
fn queries() -> Vec<Vec<u8>> {
    let mut asks: Vec<Ask> = [
        ("ns1.lab.example", rtype::A),
        ("x.w.lab.example", rtype::A),
        ("x.sub.lab.example", rtype::AAAA),
        ("c.lab.example", rtype::A),
        ("lab.example", rtype::MX),
        ("lab.example", rtype::ANY),
        ("lab.example", rtype::SOA),
        ("2.0.20.10.in-addr.arpa", rtype::PTR),
        ("nothing.lab.example", rtype::A),
        ("elsewhere.test", rtype::A),
        ("lab.example", rtype::AXFR),
    ]
    .map(|(name, rtype)| Ask::new(name, rtype))
    .into();
    let mut options = Ask::new("ns1.lab.example", rtype::A);
    options.edns = Some((1232, 0, 0x8000, vec![0, 3, 0, 0, 0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8]));
    let mut version = options.clone();
    version.edns = Some((1232, 1, 0, Vec::new()));
    let mut record = options.clone();
    record.more = (1, b"\x01k\xc0\x0c\0\xfa\0\xff\0\0\0\0\0\x02\xc0\x0c".to_vec());
    asks.extend([options, version, record]);
    asks.iter().map(Ask::octets).collect()
}

/// Answers `message` and checks that the reply can be read. The id of replies is that of the query.
fn survive(view: &DnsView, message: &[u8], context: QueryContext<'_>) -> Outcome {
    let mut out = vec![0; 4096];
    let outcome = core::answer(view, message, context, &mut out);
    if let Some(octets) = outcome.octets() {
        let mut reply = out[..octets].to_vec();
        assert_eq!(reply[..2], message[..2]);
        reply[..2].copy_from_slice(&crate::testing::query::ID);
        Reply::read(&reply);
    }
    outcome
}

#[test]
fn queries_cut_at_any_octet_are_errors() {
    let view = site();
    for query in queries() {
        for length in 0..query.len() {
            let outcome = survive(&view, &query[..length], UDP);
            if length < 12 {
                assert_eq!(outcome, Outcome::Dropped(Reason::Short));
                continue;
            }
            let Outcome::Failed { reason, .. } = outcome else { panic!("cut to {length}: {outcome:?}") };
            assert_eq!(reason.rcode(), Some(core::rcode::FORMERR), "cut to {length}: {reason:?}");
        }
    }
}

#[test]
fn queries_with_any_bit_flipped_are_survived() {
    let view = site();
    for query in queries() {
        for at in 0..query.len() {
            for bit in 0..8 {
                let mut flipped = query.clone();
                flipped[at] ^= 1 << bit;
                for context in [UDP, TCP] {
                    survive(&view, &flipped, context);
                }
            }
        }
    }
}

#[test]
fn what_follows_a_query_is_a_format_error() {
    let view = site();
    for mut query in queries() {
        query.push(0);
        assert!(matches!(survive(&view, &query, UDP), Outcome::Failed { .. }));
    }
}

proptest! {
    #[test]
    fn random_octets_are_survived(message in prop::collection::vec(any::<u8>(), 0..600)) {
        let view = site();
        survive(&view, &message, UDP);
        survive(&view, &message, TCP);
    }

    #[test]
    fn random_questions_with_random_tails_are_survived(
        labels in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..64), 0..6),
        rtype in any::<u16>(),
        counts in prop::array::uniform3(0_u16..3),
        tail in prop::collection::vec(any::<u8>(), 0..80),
    ) {
        let mut message = vec![1, 2, 0, 0, 0, 1];
        message.extend(counts.iter().flat_map(|count| count.to_be_bytes()));
        for label in &labels {
            message.push(u8::try_from(label.len()).unwrap());
            message.extend_from_slice(label);
        }
        message.extend_from_slice(b"\x03lab\x07example\0");
        message.extend_from_slice(&rtype.to_be_bytes());
        message.extend_from_slice(&[0, 1]);
        message.extend_from_slice(&tail);
        survive(&site(), &message, UDP);
    }
}
