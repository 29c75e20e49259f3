//! Every record type, asked for by `dig`, `kdig`, `drill` and `host`: each prints what the zone says, so that
//! all of them agree.
//!
//! What they print is read back by our own reader of master files, whose octets for each type are known ones
//! (`inventory-core/src/records/tests/known.rs`). A program that does not know a type prints its octets; a type
//! that we read in that form only (A6, ATMA…) is compared in that form.

use std::collections::{BTreeMap, BTreeSet};

use integration_tests::isolated::isolated;
use integration_tests::place::Place;
use integration_tests::programs::{Daemon, Launch};
use integration_tests::run::sh;
use inventory_core::name::Name;
use inventory_core::records::{Dialect, Record, RecordType, parse_with, present};
use inventory_core::span::{FileId, Span};

const ZONE: &str = include_str!("types/example.zone");
const SERVER: &str = "127.0.0.1";

/// Data by owner and type.
type Sets = BTreeMap<(Name, RecordType), BTreeSet<(u32, Box<[u8]>)>>;

/// What a program is known to print wrongly, and is not held to: ldns shows the name of an NSAP-PTR as a text.
const FAULTS: [(&str, RecordType); 3] =
    [("drill", RecordType::NSAP_PTR), ("drill", RecordType(30)), ("drill", RecordType(40))];

/// Reads master-file lines; `None` if they cannot be read.
fn read(text: &str) -> Option<Sets> {
    let origin = Name::parse("types.test", None).unwrap();
    let mut findings = Vec::new();
    let locate = |from: usize, to: usize| {
        Span::new(FileId(0), u32::try_from(from).unwrap(), u32::try_from(to).unwrap())
    };
    let records = parse_with(text, &origin, Dialect::FILE, &locate, &mut findings);
    if !findings.is_empty() {
        return None;
    }
    let mut sets = Sets::new();
    for Record { owner, ttl, rtype, rdata, .. } in records {
        sets.entry((owner, rtype)).or_default().insert((ttl.unwrap(), rdata));
    }
    Some(sets)
}

fn serve(place: &Place) -> Daemon {
    place.save("types.zone", ZONE);
    place.save(
        "site.toml",
        "[site]\nnameservers = [\"ns.types.test\"]\n[zone.\"types.test\"]\nfile = \"types.zone\"\n",
    );
    Launch::dnsd(place).args(&["--listen", SERVER]).start()
}

/// The records of answers in what a program printed, as lines; `host` prints them as `dig` does when it is asked
/// to say all.
fn answers(printed: &str) -> String {
    let mut lines = String::new();
    let mut within = false;
    for line in printed.lines() {
        if line.starts_with(";;") || line.is_empty() {
            within = line.starts_with(";; ANSWER SECTION");
        } else if within && !line.starts_with(';') {
            lines.push_str(line);
            lines.push('\n');
        }
    }
    lines
}

/// Checks what a program says of every owner and type of the zone, one after the other.
fn says_what_the_zone_says(line: impl Fn(&str, &str) -> String) {
    let place = Place::empty();
    let _dnsd = serve(&place);
    let mut failures = Vec::new();
    for ((owner, rtype), data) in read(ZONE).unwrap() {
        // Referred elsewhere: not ours to answer.
        if owner.to_string() == "cut.types.test" && rtype == RecordType::NS {
            continue;
        }
        let line = line(&format!("{owner}."), &rtype.to_string());
        let printed = sh(&line);
        let lines = answers(&printed);
        let word = |line: &str, place: usize| line.split_whitespace().nth(place).unwrap_or("").to_owned();
        let in_octets = lines.lines().all(|line| word(line, 4) == "\\#");
        if !in_octets && data.iter().all(|(_, rdata)| present(rtype, rdata).starts_with("\\#")) {
            // Octets are compared where they are printed: see the tests of that form.
            let of_type = lines.lines().filter(|line| word(line, 3) == rtype.to_string()).count();
            if of_type != data.len() {
                failures.push(format!("{line}\n{printed}"));
            }
            continue;
        }
        let faulty = FAULTS.iter().any(|(program, of)| *of == rtype && line.starts_with(program));
        if !faulty && read(&lines).is_none_or(|said| said.get(&(owner, rtype)) != Some(&data)) {
            failures.push(format!("{line}\n{printed}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_zone_of_the_test_has_every_type() {
    let have: BTreeSet<RecordType> = read(ZONE).unwrap().into_keys().map(|(_, rtype)| rtype).collect();
    let known = (0..=u16::MAX).map(RecordType).filter(|rtype| rtype.mnemonic().is_some() && !rtype.is_meta());
    let missing: Vec<String> =
        known.filter(|rtype| !have.contains(rtype)).map(|rtype| rtype.to_string()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn dig_prints_of_every_type_what_the_zone_says() {
    isolated(|| {
        says_what_the_zone_says(|owner, rtype| {
            format!("dig +tries=3 +time=20 @{SERVER} {owner} {}", number(rtype))
        });
    });
}

#[test]
fn dig_gets_every_type_over_tcp_in_the_form_of_octets() {
    isolated(|| {
        says_what_the_zone_says(|owner, rtype| {
            format!("dig +tcp +unknownformat +time=20 @{SERVER} {owner} {}", number(rtype))
        });
    });
}

#[test]
fn kdig_prints_of_every_type_what_the_zone_says() {
    isolated(|| {
        says_what_the_zone_says(|owner, rtype| {
            format!("kdig +retry=3 +time=20 @{SERVER} {owner} {}", number(rtype))
        });
    });
}

#[test]
fn kdig_gets_every_type_over_tcp_in_the_form_of_octets() {
    isolated(|| {
        says_what_the_zone_says(|owner, rtype| {
            format!("kdig +tcp +generic +time=20 @{SERVER} {owner} {}", number(rtype))
        });
    });
}

#[test]
fn drill_prints_of_every_type_what_the_zone_says() {
    isolated(|| {
        says_what_the_zone_says(|owner, rtype| format!("drill {owner} @{SERVER} {}", number(rtype)));
    });
}

#[test]
fn host_prints_of_every_type_what_the_zone_says() {
    isolated(|| {
        says_what_the_zone_says(|owner, rtype| {
            format!("host -v -W 20 -t {} {owner} {SERVER}", number(rtype))
        });
    });
}

/// A type by its number, which every program takes.
fn number(rtype: &str) -> String {
    format!("TYPE{}", RecordType::from_mnemonic(rtype).unwrap().0)
}
