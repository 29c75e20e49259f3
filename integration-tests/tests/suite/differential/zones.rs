//! Random zones that love corners, as master files that every server takes.
//!
//! Few labels, so that names meet. What NSD or Knot would refuse as a whole is left out: data beside a
//! CNAME record, names below a DNAME record.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use integration_tests::random::Random;

/// A zone and its text.
#[derive(Clone, Debug)]
pub(super) struct Zone {
    pub(super) apex: String,
    pub(super) text: String,
    /// Every owner, absolute.
    pub(super) owners: Vec<String>,
}

const LABELS: [&str; 7] = ["a", "b", "c", "*", "ns", "w", "A"];

/// RRsets of one owner, by type: lines of data.
type Sets = BTreeMap<&'static str, BTreeSet<String>>;

/// One zone named `z<number>.test`, or one inside that of the number before.
pub(super) fn zone(random: &mut Random, number: usize) -> Zone {
    let apex = if number % 5 == 4 { format!("in.z{}.test", number - 1) } else { format!("z{number}.test") };
    let mut names: BTreeMap<String, Sets> = BTreeMap::new();
    for _ in 0..4 + random.below(24) {
        let owner = owner(random, &apex);
        let (rtype, data) = data(random, &apex);
        if fits(&names, &owner, rtype, &apex) {
            names.entry(owner).or_default().entry(rtype).or_default().insert(data);
        }
    }
    big_sets(random, &apex, &mut names);
    let mut text = format!(
        "$ORIGIN {apex}.\n$TTL {}\n@ {} IN SOA ns host ( {} 3600 900 2419200\n {} ) ; corners\n",
        [300, 3600][random.below(2)],
        [60, 7200][random.below(2)],
        random.below(4_000_000_000),
        [30, 300, 86_400][random.below(3)]
    );
    text.push_str("@ NS ns\n  NS ns.elsewhere.example.\nns A 192.0.2.53\n");
    for (owner, sets) in &names {
        for (rtype, lines) in sets {
            let ttl = ["", "60 ", "1h30m "][random.below(3)];
            for line in lines {
                writeln!(text, "{owner}. {ttl}{rtype} {line}").unwrap();
            }
        }
    }
    let mut owners: Vec<String> = names.into_keys().collect();
    owners.extend([apex.clone(), format!("ns.{apex}")]);
    Zone { apex, text, owners }
}

/// A name at or below the apex, with up to four labels more.
fn owner(random: &mut Random, apex: &str) -> String {
    let mut name = String::new();
    for _ in 0..[0, 1, 1, 2, 2, 3, 4][random.below(7)] {
        name.push_str(LABELS[random.below(LABELS.len())]);
        name.push('.');
    }
    name + apex
}

/// A name that something points to: here, in another zone, nowhere.
fn target(random: &mut Random, apex: &str) -> String {
    match random.below(10) {
        0 => "www.elsewhere.example".to_owned(),
        1 => {
            let other = format!("z{}.test", random.below(40));
            owner(random, &other)
        }
        _ => owner(random, apex),
    }
}

fn data(random: &mut Random, apex: &str) -> (&'static str, String) {
    let host = random.below(4);
    match random.below(24) {
        0..=3 => ("A", format!("192.0.2.{host}")),
        4 => ("AAAA", format!("2001:db8::{host}")),
        5 | 6 => ("MX", format!("{host} {}.", target(random, apex))),
        7 => ("SRV", format!("0 {host} 53 {}.", target(random, apex))),
        8..=11 => ("NS", format!("{}.", target(random, apex))),
        12..=14 => ("CNAME", format!("{}.", target(random, apex))),
        15 | 16 => ("DNAME", format!("{}.", target(random, apex))),
        17 => ("TXT", format!("\"text {host}\" \"\\195\\164;\" more")),
        18 => ("TYPE65280", format!("\\# 3 abcd0{host}")),
        19 => ("DS", format!("{host} 8 2 {}", "0a".repeat(32))),
        20 => ("CAA", "0 issue \"ca.example; x=1\"".to_owned()),
        21 => {
            let flag = ["s", "A"][random.below(2)];
            ("NAPTR", format!("1 {host} \"{flag}\" \"SIP+D2U\" \"\" {}.", target(random, apex)))
        }
        22 => match host {
            0 => ("HTTPS", format!("0 {}.", target(random, apex))),
            1 => ("HTTPS", format!("1 {}. alpn=h2", target(random, apex))),
            _ => ("HTTPS", format!("1 . port={host} alpn=h2,h3")),
        },
        _ => ("PTR", format!("{}.", target(random, apex))),
    }
}

/// Whether a record goes with what is there, for every server.
fn fits(names: &BTreeMap<String, Sets>, owner: &str, rtype: &str, apex: &str) -> bool {
    let lower = owner.to_lowercase();
    let same = |name: &str| name.to_lowercase() == lower;
    let below =
        |name: &str, above: &str| name.to_lowercase().ends_with(&format!(".{}", above.to_lowercase()));
    let at_apex = owner == apex;
    if same(&format!("ns.{apex}"))
        || names.iter().any(|(name, sets)| sets.contains_key("DNAME") && below(owner, name))
    {
        return false;
    }
    // Two ways to write one owner would make two entries of one name.
    if names.keys().any(|name| name != owner && same(name)) {
        return false;
    }
    let here = names.get(owner);
    let has = |wanted: &str| here.is_some_and(|sets| sets.contains_key(wanted));
    if has("CNAME") || rtype == "CNAME" && (here.is_some() || at_apex) {
        return false;
    }
    if rtype == "DNAME" {
        let alone = !at_apex && !has("DNAME") && !names.keys().any(|name| below(name, owner));
        return alone && !owner.starts_with('*') && !has("NS") && !below(&format!("ns.{apex}"), owner);
    }
    !(rtype == "DS" && !has("NS") || rtype == "NS" && (at_apex || owner.starts_with('*') || has("DNAME")))
}

/// Sometimes RRsets that no datagram holds, and referrals that hardly fit one.
fn big_sets(random: &mut Random, apex: &str, names: &mut BTreeMap<String, Sets>) {
    if random.below(3) == 0 {
        let count = 20 + random.below(100);
        let lines = (0..count).map(|n| format!("198.51.100.{n}")).collect();
        names.entry(format!("many.{apex}")).or_default().insert("A", lines);
        let lines = (0..4).map(|n| format!("\"{}\"", format!("{n}").repeat(200))).collect();
        names.entry(format!("long.{apex}")).or_default().insert("TXT", lines);
    }
    if random.below(3) == 0 {
        let count = 2 + random.below(12);
        let server = |n: usize| format!("server-with-a-long-name-{n}.cut.{apex}");
        let lines = (0..count).map(|n| format!("{}.", server(n))).collect();
        names.entry(format!("cut.{apex}")).or_default().insert("NS", lines);
        for n in 0..count {
            let sets = names.entry(server(n)).or_default();
            sets.insert("A", BTreeSet::from([format!("203.0.113.{n}")]));
            sets.insert("AAAA", BTreeSet::from([format!("2001:db8::{n}")]));
        }
    }
}
