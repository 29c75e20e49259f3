//! Keys on their way: made once, kept where nobody else reads them, never made again in silence, and
//! replaced without an answer that fails.

use std::collections::VecDeque;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use inventory_core::model::Snapshot;

use super::*;
use crate::core::{self, QueryContext, Transport};
use crate::testing::book::Book;
use crate::testing::validator::{Anchors, Validator};
use crate::testing::{Ask, Reply, SITE, name, snapshot};

const START: u64 = 1_800_000_000;
const ZONE: &str = "lab.example";

/// A state directory that goes away with the value.
struct Place(PathBuf);

impl Place {
    fn new() -> Place {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Place(std::env::temp_dir().join(format!("hostbook-keys-{}-{number}", std::process::id())))
    }

    fn store(&self) -> ZoneKeyStore {
        ZoneKeyStore::new(Arc::new(StateDir::open(&self.0, None).unwrap()))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Failing that, it stays in the directory for such things.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn site() -> Snapshot {
    snapshot(&[("zones.toml", &format!("{SITE}[zone.\"{ZONE}\"]\ndnssec = \"ed25519\"\n"))])
}

/// The DS records that the parent is to have.
fn ds(store: &ZoneKeyStore) -> String {
    store.to_json(&name(ZONE))["ds"].to_string()
}

#[test]
fn keys_are_made_once_and_nobody_else_can_read_them() {
    let place = Place::new();
    let view = DnsView::build(&site());
    let mut store = place.store();
    let signing = store.signing(&view, UnixSeconds(START));
    let zone = view.zone_of(&name(ZONE)).unwrap();
    assert_eq!(signing.zone(zone).unwrap().set(rtype::DNSKEY).unwrap().rdatas.len(), 2);
    let made = ds(&store);
    assert!(made.contains("lab.example. IN DS "), "{made}");
    drop(store);
    let path = place.0.join("dnssec-lab.example.json");
    assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    let mut store = place.store();
    store.signing(&view, UnixSeconds(START + 9));
    assert_eq!(ds(&store), made);
}

#[test]
fn a_zone_whose_keys_are_lost_gets_no_others_and_is_said_to_be_unsigned() {
    let place = Place::new();
    let view = DnsView::build(&site());
    place.store().signing(&view, UnixSeconds(START));
    let path = place.0.join("dnssec-lab.example.json");
    let kept = std::fs::read(&path).unwrap();
    for broken in [None, Some(&b"{}"[..]), Some(&kept[..40])] {
        match broken {
            Some(octets) => std::fs::write(&path, octets).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
        let mut store = place.store();
        let signing = store.signing(&view, UnixSeconds(START));
        assert!(view.zones().iter().all(|(number, _)| signing.zone(number).is_none()));
        let said = store.to_json(&name(ZONE))["trouble"].to_string();
        assert!(said.contains("dnssec-lab.example.json"), "{said}");
    }
    std::fs::write(&path, kept).unwrap();
    let mut store = place.store();
    let zone = view.zone_of(&name(ZONE)).unwrap();
    assert!(store.signing(&view, UnixSeconds(START)).zone(zone).is_some());
}

/// Something in the way of every write of this file, whoever we are, while it can be looked for.
fn obstruct(place: &Place, file: &str) -> Vec<PathBuf> {
    let ways = (0..16).map(|number| place.0.join(format!(".{file}.{number}.tmp")));
    let ways: Vec<PathBuf> = ways.collect();
    ways.iter().for_each(|way| std::fs::create_dir_all(way).unwrap());
    ways
}

#[test]
fn keys_that_could_not_be_written_are_made_when_they_can_be() {
    let place = Place::new();
    let view = DnsView::build(&site());
    let zone = view.zone_of(&name(ZONE)).unwrap();
    let mut store = place.store();
    let ways = obstruct(&place, "dnssec-lab.example.json");
    assert!(store.signing(&view, UnixSeconds(START)).zone(zone).is_none());
    assert!(store.to_json(&name(ZONE))["trouble"].is_string());
    ways.iter().for_each(|way| std::fs::remove_dir(way).unwrap());
    assert!(store.signing(&view, UnixSeconds(START + 5)).zone(zone).is_some());
    assert_eq!(store.to_json(&name(ZONE))["trouble"], Value::Null);
}

#[test]
fn zones_that_have_keys_are_noted_as_soon_as_that_can_be_written() {
    let place = Place::new();
    let view = DnsView::build(&site());
    let zone = view.zone_of(&name(ZONE)).unwrap();
    let known = place.0.join(KNOWN);
    let noted = || std::fs::read_to_string(&known).is_ok_and(|text| text.contains("dnssec-lab.example.json"));
    let mut store = place.store();
    let ways = obstruct(&place, KNOWN);
    assert!(store.signing(&view, UnixSeconds(START)).zone(zone).is_some(), "its keys are kept");
    assert!(!noted());
    ways.iter().for_each(|way| std::fs::remove_dir(way).unwrap());
    store.signing(&view, UnixSeconds(START + 5));
    assert!(noted());
    drop(store);
    std::fs::remove_file(&known).unwrap();
    place.store().signing(&view, UnixSeconds(START + 9));
    assert!(noted(), "also of keys that were there before");
}

#[test]
fn a_rollover_waits_for_secondaries_that_look_as_seldom_as_the_zone_says() {
    let timings = [(3600, REFRESH), (864_000, 864_000)].map(|(refresh, wanted)| {
        let text =
            format!("@ 300 SOA ns host 1 {refresh} 900 2419200 300\n@ 300 NS ns\nns 300 A 192.0.2.1\n");
        let site = "[zone.\"z.test\"]\nfile = \"z.zone\"\n";
        let view = DnsView::build(&snapshot(&[("site.toml", site), ("z.zone", &text)]));
        let zone = view.zone_of(&name("z.test")).unwrap();
        (timing(view.zones().zone(zone)).propagation, u64::from(wanted) + 3600)
    });
    assert!(timings.iter().all(|(found, wanted)| found == wanted), "{timings:?}");
}

#[test]
fn signatures_have_room_for_what_is_signed_and_not_for_all_names() {
    let hosts: String = (0..2_000)
        .map(|n| format!("[host.h{n}]\nnetwork = \"lan\"\nip = \"10.20.{}.{}\"\n", 1 + n / 250, n % 250))
        .collect();
    let wide = SITE.replace("10.20.0.0/24", "10.20.0.0/16");
    let zones = "[zone.\"lab.example\"]\n[zone.\"signed.example\"]\ndnssec = true\n";
    let place = Place::new();
    let view =
        DnsView::build(&snapshot(&[("zones.toml", &format!("{wide}{zones}")), ("hosts.toml", &hosts)]));
    let mut store = place.store();
    store.signing(&view, UnixSeconds(START));
    let of_few = store.signatures.as_ref().unwrap().capacity();
    let all = zones.replace("[zone.\"signed", "dnssec = true\n[zone.\"signed");
    let view = DnsView::build(&snapshot(&[("zones.toml", &format!("{wide}{all}")), ("hosts.toml", &hosts)]));
    store.signing(&view, UnixSeconds(START));
    assert_eq!((of_few, store.signatures.as_ref().unwrap().capacity()), (1024, 8192));
}

#[test]
fn names_of_zones_make_names_of_files() {
    assert_eq!(file_of(&name("0/25.2.0.192.in-addr.arpa")), "dnssec-0%2f25.2.0.192.in-addr.arpa.json");
}

/// What a resolver was told at some time.
struct Told {
    at: u64,
    keys: Vec<Box<[u8]>>,
    answers: Vec<(Name, u16, Reply)>,
}

fn tell(view: &DnsView, now: u64) -> Told {
    let ask = |text: &str, qtype: u16| {
        let mut ask = Ask::new(text, qtype);
        ask.edns = Some((1232, 0, 0x8000, Vec::new()));
        let mut out = vec![0; 65_535];
        let context = QueryContext { now: UnixSeconds(now), ..QueryContext::anonymous(Transport::Tcp) };
        let outcome = core::answer(view, &ask.octets(), context, &mut out);
        Reply::read(&out[..outcome.octets().unwrap()])
    };
    let keys = ask(ZONE, rtype::DNSKEY).answer.into_iter().filter(|record| record.rtype == rtype::DNSKEY);
    let questions = [("ns1.lab.example", rtype::A), ("nothing.lab.example", rtype::A), (ZONE, rtype::SOA)];
    Told {
        at: now,
        keys: keys.map(|record| record.rdata).collect(),
        answers: questions.map(|(text, qtype)| (name(text), qtype, ask(text, qtype))).into(),
    }
}

#[test]
fn no_remembered_answer_fails_against_remembered_keys_for_a_year_of_replacements() {
    let place = Place::new();
    let snapshot = site();
    let mut view = DnsView::build(&snapshot);
    view.set_serials(|_| 7);
    let book = Book::of(&snapshot.inventory, |_| 7);
    let mut store = place.store();
    let mut told: VecDeque<Told> = VecDeque::new();
    let mut seen = BTreeSet::new();
    // Seconds for which keys and answers of the zone may be remembered: TTL, and servers that are behind.
    let (keys_live, answers_live) = (REFRESH + 3600 + 3600, 7 * 86_400_u32);
    for hour in (0..365 * 24).step_by(7) {
        let now = START + hour * 3600;
        view.set_signing(store.signing(&view, UnixSeconds(now)));
        told.push_back(tell(&view, now));
        while told.front().is_some_and(|told| told.at + u64::from(answers_live) <= now) {
            told.pop_front();
        }
        let within = |seconds: u32| told.iter().filter(move |told| told.at + u64::from(seconds) > now);
        // The oldest and the newest of each are the hard cases.
        let all_keys: Vec<&Told> = within(keys_live).collect();
        for keys in [all_keys[0], all_keys[all_keys.len() - 1]] {
            seen.extend(keys.keys.clone());
            let anchors = Anchors::from([(name(ZONE), keys.keys.clone())]);
            let validator = Validator { book: &book, anchors: &anchors, now: u32::try_from(now).unwrap() };
            for answers in [&told[0], &told[told.len() - 1]] {
                for (name, qtype, reply) in &answers.answers {
                    let expected = book.resolve(name, *qtype);
                    if let Err(why) = validator.judge(name, *qtype, reply, &expected) {
                        panic!("hour {hour}: {name} type {qtype} of {}: {why}", answers.at);
                    }
                }
            }
        }
        if hour % (100 * 24) == 0 && hour > 0 {
            let before = ds(&store);
            store.command(&name(ZONE), Command::Roll, UnixSeconds(now)).unwrap();
            assert_eq!(ds(&store), before, "not before it is known");
        }
        let waits = store.to_json(&name(ZONE))["keys"].to_string().contains("ready");
        if waits && hour % 14 == 0 {
            store.command(&name(ZONE), Command::ParentHasIt, UnixSeconds(now)).unwrap();
        }
    }
    assert!(seen.len() >= 2 + 4, "{} keys", seen.len());
}
