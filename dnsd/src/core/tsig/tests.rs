//! Signatures: what holds, what does not, and what is said about it.

use inventory_core::model::KeyAlgorithm;

use super::*;
use crate::core::{self, Outcome, QueryContext, Transport, rcode};
use crate::testing::{Ask, Reply, name, view};
use crate::view::{DnsView, rtype};

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

fn ring() -> Keyring {
    let key = |text, algorithm| SharedKey::new(name(text), algorithm, b"a secret of the two of us");
    Keyring::new([
        key("sha256.k", KeyAlgorithm::HmacSha256),
        key("sha384.k", KeyAlgorithm::HmacSha384),
        key("sha512.k", KeyAlgorithm::HmacSha512),
    ])
}

/// A query signed with a key of `keys`, and the session that its answer belongs to.
fn signed(ask: &Ask, key: &str, keys: &Keyring, now: UnixSeconds) -> (Vec<u8>, Session) {
    let mut query = ask.octets();
    let at = query.len();
    query.resize(at + 512, 0);
    let (end, session) = Session::start(keys.get(&name(key)).unwrap(), &mut query, at, now).unwrap();
    query.truncate(end);
    (query, session)
}

fn answer(view: &DnsView, query: &[u8], now: UnixSeconds) -> (Outcome, Vec<u8>) {
    let keys = ring();
    let context = QueryContext { keys: Some(&keys), now, ..QueryContext::anonymous(Transport::Udp) };
    let mut out = vec![0; 1232];
    let outcome = core::answer(view, query, context, &mut out);
    out.truncate(outcome.octets().unwrap_or(0));
    (outcome, out)
}

/// The signature at the end of a message: it starts `octets` before it.
fn signature(message: &[u8], octets: usize) -> Signature<'_> {
    Signature::read(message, message.len() - octets).unwrap()
}

fn ask() -> Ask {
    Ask::new("ns1.lab.example", rtype::A).edns(1232)
}

fn reason(outcome: Outcome) -> Reason {
    let Outcome::Failed { reason, .. } = outcome else { panic!("{outcome:?}") };
    reason
}

#[test]
fn a_signed_query_gets_a_signed_answer_with_every_algorithm() {
    let view = view("[zone.\"lab.example\"]\n");
    for key in ["sha256.k", "sha384.k", "sha512.k"] {
        let (query, session) = signed(&ask(), key, &ring(), NOW);
        let (outcome, reply) = answer(&view, &query, UnixSeconds(NOW.0 + 299));
        assert!(matches!(outcome, Outcome::Answered { .. }), "{key}: {outcome:?}");
        let read = Reply::read(&reply);
        assert_eq!((read.answer.len(), read.additional.len()), (1, 1), "the address and the signature");
        let theirs = signature(&reply, session.octets());
        assert!(session.is_answered_by(&reply, &theirs, NOW), "{key}");
        assert!(!session.is_answered_by(&reply, &theirs, UnixSeconds(NOW.0 + 900)), "{key}: too late");
        let (_, other) = signed(&Ask::new("ns2.lab.example", rtype::A), key, &ring(), NOW);
        assert!(!other.is_answered_by(&reply, &theirs, NOW), "{key}: an answer to something else");
    }
}

#[test]
fn no_bit_of_a_signed_query_can_be_changed() {
    let view = view("[zone.\"lab.example\"]\n");
    let (query, session) = signed(&ask(), "sha256.k", &ring(), NOW);
    // The id is the one before signing, the name of the key has no case, and nor have other fields a say.
    let start = query.len() - session.octets();
    for at in (2..start).chain(query.len() - 6 - 32..query.len() - 6) {
        for bit in 0..8 {
            let mut changed = query.clone();
            changed[at] ^= 1 << bit;
            let (outcome, _) = answer(&view, &changed, NOW);
            assert!(!matches!(outcome, Outcome::Answered { .. }), "octet {at}, bit {bit}: {outcome:?}");
        }
    }
}

#[test]
fn unknown_keys_and_wrong_secrets_are_said_without_a_signature() {
    let view = view("[zone.\"lab.example\"]\n");
    let stranger = Keyring::new([SharedKey::new(name("who.k"), KeyAlgorithm::HmacSha256, b"x")]);
    let wrong = Keyring::new([SharedKey::new(name("sha256.k"), KeyAlgorithm::HmacSha256, b"x")]);
    let algorithm = Keyring::new([SharedKey::new(name("sha256.k"), KeyAlgorithm::HmacSha512, b"x")]);
    for (key, keys, why, code) in [
        ("who.k", stranger, Reason::Signature, code::BADKEY),
        ("sha256.k", wrong, Reason::SignatureWrong, code::BADSIG),
        ("sha256.k", algorithm, Reason::Signature, code::BADKEY),
    ] {
        let (query, _) = signed(&ask(), key, &keys, NOW);
        let (outcome, reply) = answer(&view, &query, NOW);
        assert_eq!(reason(outcome), why);
        let read = Reply::read(&reply);
        assert_eq!((read.rcode, read.answer.len()), (rcode::NOTAUTH, 0));
        let octets = record::octets(keys.get(&name(key)).unwrap(), 0, 0);
        let said = signature(&reply, octets);
        assert_eq!((said.error, said.mac.len()), (code, 0));
    }
}

#[test]
fn a_wrong_time_is_said_under_a_signature_with_ours() {
    let view = view("[zone.\"lab.example\"]\n");
    let (query, session) = signed(&ask(), "sha256.k", &ring(), NOW);
    for now in [NOW.0 - 301, NOW.0 + 301] {
        let (outcome, reply) = answer(&view, &query, UnixSeconds(now));
        assert_eq!(reason(outcome), Reason::SignatureTime);
        let said = signature(&reply, session.octets() + 6);
        assert_eq!((said.error, said.time), (code::BADTIME, NOW.0));
        let [_, _, ours @ ..] = now.to_be_bytes();
        assert_eq!(said.other, ours);
        assert!(session.key.holds(&reply, &said, Some(&session.before)));
    }
}

#[test]
fn signatures_that_are_cut_or_malformed_are_errors() {
    let view = view("[zone.\"lab.example\"]\n");
    let (query, session) = signed(&ask(), "sha256.k", &ring(), NOW);
    let start = query.len() - session.octets();
    // A signature of half its octets: both lengths follow.
    let mut cut = query.clone();
    let mac = query.len() - 6 - 32;
    cut.drain(mac + 16..mac + 32);
    let length_at = start + "sha256.k".len() + 2 + 8;
    for (at, less) in [(length_at, 16), (mac - 2, 16)] {
        let before = u16::from_be_bytes([cut[at], cut[at + 1]]);
        cut[at..at + 2].copy_from_slice(&(before - less).to_be_bytes());
    }
    assert_eq!(reason(answer(&view, &cut, NOW).0), Reason::SignatureWrong);
    let mut class = query.clone();
    class[length_at - 5] = 1;
    assert_eq!(reason(answer(&view, &class, NOW).0), Reason::Records);
    for length in start..query.len() {
        assert!(!matches!(answer(&view, &query[..length], NOW).0, Outcome::Answered { .. }));
    }
}

#[test]
fn every_message_of_a_transfer_covers_the_one_before() {
    let keys = ring();
    let key = keys.get(&name("sha256.k")).unwrap();
    let (query, asked) = signed(&ask(), "sha256.k", &keys, NOW);
    let mut session = keys.open(&query, &signature(&query, asked.octets()), NOW).unwrap();
    let mut before = session.before.clone();
    for number in 0..3_u8 {
        let mut message = ask().octets();
        message[2] |= 0x80;
        message[11] = 0;
        message.push(number);
        let at = message.len();
        message.resize(at + 512, 0);
        let end = session.sign(&mut message, at, NOW).unwrap();
        let theirs = Signature::read(&message[..end], at).unwrap();
        let mut covered = Vec::new();
        record::cover_before(&mut covered, &before);
        record::cover_message(&mut covered, &message[..end], &theirs).unwrap();
        let stamp = record::Stamp { time: NOW.0, fudge: FUDGE, error: 0, other: &[] };
        if number == 0 {
            record::cover_variables(&mut covered, key, &stamp);
        } else {
            record::cover_timers(&mut covered, &stamp);
        }
        assert!(hmac::verify(&key.hmac, &covered, theirs.mac).is_ok(), "message {number}");
        before = theirs.mac.to_vec();
    }
}
