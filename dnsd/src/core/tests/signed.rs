//! Signed zones: every signature holds, and every proof proves, on random inventories.

use std::sync::Arc;

use inventory_core::name::Name;
use ring::rand::SystemRandom;

use crate::core::dnssec::{Algorithm, Role, Signatures, Signing, SigningKey, ZoneKeySet, ZoneSigner};
use crate::core::serial::UnixSeconds;
use crate::core::{self, QueryContext, Transport, rcode};
use crate::testing::book::{Book, BookZone};
use crate::testing::random::RandomSite;
use crate::testing::validator::{Anchors, Validator};
use crate::testing::{Ask, Reply, SITE, TCP, name, snapshot, view};
use crate::view::{DnsView, ZoneRecord, rtype};

use super::agreement::{TYPES, names, seeds};

const NOW: u64 = 1_800_000_000;
const TXT: u16 = 16;

/// A new key.
fn key(algorithm: Algorithm, role: Role) -> Arc<SigningKey> {
    let random = SystemRandom::new();
    let pkcs8 = algorithm.generate(&random).unwrap();
    Arc::new(SigningKey::read(algorithm, role, &pkcs8, &random).unwrap())
}

/// Signs every zone of `view` that `signed` wants.
pub(super) fn sign(view: &mut DnsView, algorithm: Algorithm, signed: impl Fn(usize) -> bool) -> Anchors {
    let mut anchors = Anchors::new();
    let mut zones = Vec::new();
    for (place, (_, zone)) in view.zones().iter().enumerate() {
        if !signed(place) {
            zones.push(None);
            continue;
        }
        let (keys, of_zone) = (key(algorithm, Role::Keys), key(algorithm, Role::Zone));
        let published = vec![Arc::clone(&keys), Arc::clone(&of_zone)];
        anchors.insert(zone.name.clone(), published.iter().map(|key| key.dnskey().into()).collect());
        let (key_keys, delegated) = (vec![Arc::clone(&keys)], vec![keys]);
        let keys = ZoneKeySet { published, key_keys, zone_key: of_zone, delegated };
        zones.push(Some(Arc::new(ZoneSigner::new(zone.name.clone(), zone.ttl, keys, 0))));
    }
    view.set_signing(Arc::new(Signing::new(zones, Arc::new(Signatures::new(4096, [7; 16])))));
    anchors
}

/// The answer to `ask` with signatures.
fn ask(view: &DnsView, ask: &Ask, transport: Transport, payload: u16) -> Reply {
    let mut ask = ask.clone();
    ask.edns = Some((payload, 0, 0x8000, Vec::new()));
    let mut out = vec![0; 65_535];
    let context = QueryContext { now: UnixSeconds(NOW), ..QueryContext::anonymous(transport) };
    let outcome = core::answer(view, &ask.octets(), context, &mut out);
    Reply::read(&out[..outcome.octets().unwrap()])
}

/// `reply` without what only signed zones have.
fn unsigned(reply: &Reply, qtype: u16) -> Reply {
    let mut reply = reply.clone();
    for section in [&mut reply.answer, &mut reply.authority, &mut reply.additional] {
        section.retain(|record| record.rtype != rtype::RRSIG && record.rtype != rtype::NSEC);
    }
    if qtype != rtype::DS {
        reply.authority.retain(|record| record.rtype != rtype::DS);
    }
    reply
}

#[test]
fn every_answer_of_random_signed_inventories_is_valid_and_every_absence_proven() {
    let (mut questions, mut wrong) = (0, Vec::new());
    for seed in 0..seeds(12) {
        let (_, snapshot) = RandomSite::new(seed);
        let mut view = DnsView::build(&snapshot);
        view.set_serials(|_| 7);
        let algorithm = if seed % 2 == 0 { Algorithm::Ed25519 } else { Algorithm::EcdsaP256 };
        let anchors = sign(&mut view, algorithm, |place| (seed >> 1) % 3 == 0 || place % 2 == 0);
        let book = Book::of(&snapshot.inventory, |_| 7);
        let validator = Validator { book: &book, anchors: &anchors, now: u32::try_from(NOW).unwrap() };
        for name in names(&book) {
            for qtype in TYPES {
                let expected = book.resolve(&name, qtype);
                let question = Ask::wire(name.as_wire(), qtype);
                let reply = ask(&view, &question, Transport::Tcp, 1232);
                let judged = book
                    .judge(&unsigned(&reply, qtype), &expected)
                    .and_then(|()| validator.judge(&name, qtype, &reply, &expected));
                if let Err(why) = judged {
                    let said = (reply.rcode, reply.answers(), reply.authorities());
                    wrong.push(format!("seed {seed}: {name} type {qtype}: {why}\n{said:#?}"));
                }
                for payload in [512, 1232] {
                    let short = ask(&view, &question, Transport::Udp, payload);
                    assert!(short.octets <= payload.into());
                    assert_eq!(short.rcode, reply.rcode);
                    if !short.tc() {
                        assert_eq!((&short.answer, &short.authority), (&reply.answer, &reply.authority));
                    }
                }
                questions += 1;
            }
        }
    }
    let first: Vec<&str> = wrong.iter().take(12).map(String::as_str).collect();
    assert!(wrong.is_empty(), "{} of {questions}: {}", wrong.len(), first.join("\n"));
    assert!(questions > 20_000, "{questions}");
}

#[test]
fn who_does_not_ask_for_signatures_gets_none() {
    let mut view = view("[zone.\"lab.example\"]\n");
    let plain = Ask::new("ns1.lab.example", rtype::A).edns(1232).tcp(&view);
    sign(&mut view, Algorithm::Ed25519, |_| true);
    assert_eq!(Ask::new("ns1.lab.example", rtype::A).edns(1232).tcp(&view), plain);
    let nothing = Ask::new("nothing.lab.example", rtype::A).tcp(&view);
    assert_eq!(nothing.authority.len(), 1, "{nothing:?}");
    let keys = Ask::new("lab.example", rtype::DNSKEY).tcp(&view);
    assert_eq!(keys.answer.len(), 2, "{keys:?}");
}

#[test]
fn labels_of_odd_octets_do_not_stand_in_gaps() {
    // The name right before `b`, one below it, and names whose label is the first of all.
    let last = format!("a{}", "\\255".repeat(62));
    let text = format!(
        "{SITE}[zone.\"lab.example\"]\nrecords = '''\n{last} TXT x\nc.{last} TXT x\nd\\000 TXT x\n\
         \\000.e TXT x\n\\000 TXT x\n\\000.\\000 TXT x\n{last}.e TXT x\n'''\n"
    );
    let snapshot = snapshot(&[("zones.toml", &text)]);
    let mut view = DnsView::build(&snapshot);
    view.set_serials(|_| 7);
    let anchors = sign(&mut view, Algorithm::Ed25519, |_| true);
    let book = Book::of(&snapshot.inventory, |_| 7);
    let validator = Validator { book: &book, anchors: &anchors, now: u32::try_from(NOW).unwrap() };
    let zone = &book.zones[book.zone_of(&name("lab.example")).unwrap()];
    let (mut nothing, mut covered) = (0, 0);
    for text in [
        "b",
        "b.b",
        "a",
        "c.b",
        "d",
        "d\\000\\000",
        "e",
        "a.e",
        "f.e",
        "b.e",
        "\\001",
        "\\000\\000",
        "\\000.b",
        "Z",
        "[",
    ] {
        let name = name(&format!("{text}.lab.example"));
        let expected = book.resolve(&name, TXT);
        let reply = ask(&view, &Ask::wire(name.as_wire(), TXT), Transport::Tcp, 1232);
        if let Err(why) = validator.judge(&name, TXT, &reply, &expected) {
            panic!("{name}: {why}\n{:#?}", reply.authorities());
        }
        nothing += usize::from(reply.rcode == rcode::NXDOMAIN);
        // The gap begins at a name of the zone: there was no room for a smaller one.
        let at_name =
            |record: &&ZoneRecord| record.rtype == rtype::NSEC && zone.names.contains(&record.owner);
        covered += reply.authority.iter().filter(at_name).count();
    }
    assert!(nothing >= 10 && covered >= 1, "{nothing} {covered}");
}

/// Whether `zone` has `name`, and its own NSEC record for it.
fn is_own(zone: &BookZone, name: &Name) -> bool {
    let is_cut = *name != zone.apex && zone.has(name, rtype::NS);
    zone.names.contains(name) && zone.cut_above(name).is_none() && !is_cut
}

#[test]
fn who_asks_for_nsec_records_or_signatures_gets_them_wherever_there_are_some() {
    let (mut own, mut expanded) = (0, 0);
    for seed in 0..seeds(6) {
        let (_, snapshot) = RandomSite::new(seed);
        let mut view = DnsView::build(&snapshot);
        view.set_serials(|_| 7);
        let anchors = sign(&mut view, Algorithm::Ed25519, |_| true);
        let book = Book::of(&snapshot.inventory, |_| 7);
        let validator = Validator { book: &book, anchors: &anchors, now: u32::try_from(NOW).unwrap() };
        for name in names(&book) {
            let Some(zone) = book.zone_of(&name).map(|place| &book.zones[place]) else { continue };
            let [nsec, rrsig] = [rtype::NSEC, rtype::RRSIG].map(|qtype| {
                let reply = ask(&view, &Ask::wire(name.as_wire(), qtype), Transport::Tcp, 1232);
                let expected = book.resolve(&name, qtype);
                if let Err(why) = validator.judge(&name, qtype, &reply, &expected) {
                    panic!("seed {seed}: {name} type {qtype}: {why}\n{:#?}", reply.authorities());
                }
                let kind = |record: &&ZoneRecord| record.rtype == qtype && record.owner == name;
                let found: Vec<String> = reply.answer.iter().filter(kind).map(ToString::to_string).collect();
                if found.len() == 1 {
                    assert_eq!(
                        (reply.rcode, reply.answer.iter().any(|record| record.rtype == rtype::SOA)),
                        (0, false)
                    );
                }
                (found, reply)
            });
            assert_eq!(nsec.0.len(), rrsig.0.len(), "seed {seed}: {name}");
            if is_own(zone, &name) {
                assert_eq!(nsec.0.len(), 1, "seed {seed}: {name}: {:#?}", nsec.1);
            }
            if nsec.0.len() == 1 {
                let signature = nsec.1.answer.iter().find(|record| record.rtype == rtype::RRSIG);
                assert_eq!(rrsig.0[0], signature.unwrap().to_string(), "seed {seed}: {name}");
                own += usize::from(is_own(zone, &name));
                expanded += usize::from(!is_own(zone, &name));
            }
            // Who asks without DO gets just that.
            let context = QueryContext { now: UnixSeconds(NOW), ..TCP };
            let plain = Ask::wire(name.as_wire(), rtype::RRSIG).edns(1232).by(&view, context).1.unwrap();
            let own_signature = |record: &&ZoneRecord| record.rtype == rtype::RRSIG && record.owner == name;
            let said: Vec<String> =
                plain.answer.iter().filter(own_signature).map(ToString::to_string).collect();
            assert_eq!(said, rrsig.0, "seed {seed}: {name}");
            assert!(plain.authorities().iter().all(|line| !line.contains(" RRSIG ")), "{plain:?}");
        }
    }
    assert!(own > 200 && expanded > 20, "{own} {expanded}");
}
