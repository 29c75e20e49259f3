//! Records that come, change and go, by zone.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use dnsd::view::{DnsView, ZoneRecord};
use inventory_core::model::Snapshot;
use inventory_core::records::RecordType;
use serde::Serialize;

use super::Sign;

/// A zone whose content changes. Its serial follows from that and is not listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ZoneChange {
    /// The apex.
    pub(crate) zone: String,
    /// The view whose clients alone see that; none: those of no view, and perhaps others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) view: Option<String>,
    /// Whether the zone itself comes or goes.
    pub(crate) sign: Sign,
    /// RRsets, sorted by owner and type.
    pub(crate) records: Vec<RrsetChange>,
}

impl ZoneChange {
    fn new(zone: &str, sign: Sign) -> ZoneChange {
        ZoneChange { zone: zone.to_owned(), view: None, sign, records: Vec::new() }
    }
}

/// An RRset that changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct RrsetChange {
    pub(crate) sign: Sign,
    /// Owner name.
    pub(crate) owner: String,
    /// Type.
    #[serde(rename = "type")]
    pub(crate) rtype: String,
    /// What it was, each as TTL and data.
    pub(crate) before: Vec<String>,
    /// What it becomes.
    pub(crate) after: Vec<String>,
}

const SOA: u16 = 6;

/// The zones that change, sorted by name; then what else changes for the clients of each view.
pub(super) fn between(before: &Snapshot, after: &Snapshot) -> Vec<ZoneChange> {
    let (old, new) = (DnsView::build(before), DnsView::build(after));
    let mut all = changes(&old, &new);
    let names: BTreeSet<&str> = old.views().chain(new.views()).map(|(name, _)| name).collect();
    for name in names {
        let mut own = changes(seen_in(&old, name), seen_in(&new, name));
        for change in &mut own {
            let everybodys = all.iter().find(|other| other.view.is_none() && other.zone == change.zone);
            change.records.retain(|one| everybodys.is_none_or(|other| !other.records.contains(one)));
            change.view = Some(name.to_owned());
        }
        all.extend(own.into_iter().filter(|change| !change.records.is_empty()));
    }
    all
}

/// What clients see by this name: what everybody else does where there is no such view.
fn seen_in<'v>(view: &'v DnsView, name: &str) -> &'v DnsView {
    view.views().find(|(own, _)| *own == name).map_or(view, |(_, own)| own)
}

fn changes(old: &DnsView, new: &DnsView) -> Vec<ZoneChange> {
    let (went, came) = difference(old, new);
    let mut rrsets: BTreeMap<Key, (Vec<String>, Vec<String>)> = BTreeMap::new();
    for (zone, record) in &went {
        rrsets.entry(key(zone, record)).or_default().0.push(data(record));
    }
    for (zone, record) in &came {
        rrsets.entry(key(zone, record)).or_default().1.push(data(record));
    }
    keep_partners(old, new, &mut rrsets);
    let names = |view: &DnsView| -> HashSet<String> {
        view.zones().iter().map(|(_, zone)| zone.name.to_string()).collect()
    };
    let (had, has) = (names(old), names(new));
    let mut zones: BTreeMap<String, ZoneChange> = BTreeMap::new();
    let sign = |zone: &String| match (had.contains(zone), has.contains(zone)) {
        (false, _) => Sign::Added,
        (_, false) => Sign::Removed,
        _ => Sign::Changed,
    };
    for zone in had.symmetric_difference(&has) {
        zones.insert(zone.clone(), ZoneChange::new(zone, sign(zone)));
    }
    for ((zone, _, rtype, owner), (mut before, mut after)) in rrsets {
        before.sort();
        after.sort();
        let rrset_sign = match (before.is_empty(), after.is_empty()) {
            (true, _) => Sign::Added,
            (_, true) => Sign::Removed,
            _ => Sign::Changed,
        };
        let rtype = RecordType(rtype).to_string();
        let change = RrsetChange { sign: rrset_sign, owner, rtype, before, after };
        let entry = zones.entry(zone.clone());
        entry.or_insert_with(|| ZoneChange::new(&zone, sign(&zone))).records.push(change);
    }
    zones.into_values().collect()
}

/// Zone, sort key of the owner, type, owner.
type Key = (String, Vec<Vec<u8>>, u16, String);

fn key(zone: &str, record: &ZoneRecord) -> Key {
    let mut labels: Vec<Vec<u8>> = record.owner.labels().map(<[u8]>::to_vec).collect();
    labels.reverse();
    // 10.in-addr.arpa counts as numbers do, not as texts.
    for label in &mut labels {
        if label.len() < 10 && label.iter().all(u8::is_ascii_digit) {
            let mut padded = vec![b'0'; 10 - label.len()];
            padded.append(label);
            *label = padded;
        }
    }
    (zone.to_owned(), labels, record.rtype, record.owner.to_string())
}

type Records = Vec<(String, ZoneRecord)>;

/// Records that are only in the old view, and only in the new one.
fn difference(old: &DnsView, new: &DnsView) -> (Records, Records) {
    let mut left: HashMap<ZoneRecord, dnsd::view::ZoneNumber> = HashMap::new();
    old.for_each(|zone, record| {
        if record.rtype != SOA {
            left.insert(record.into(), zone);
        }
    });
    let mut came = Records::new();
    new.for_each(|zone, record| {
        let record = ZoneRecord::from(record);
        if record.rtype != SOA && left.remove(&record).is_none() {
            came.push((new.zones().zone(zone).name.to_string(), record));
        }
    });
    let went = left.into_iter().map(|(record, zone)| (old.zones().zone(zone).name.to_string(), record));
    (went.collect(), came)
}

/// Records of a changed RRset that stay are shown on both sides: an RRset is one thing to resolvers.
fn keep_partners(old: &DnsView, new: &DnsView, rrsets: &mut BTreeMap<Key, (Vec<String>, Vec<String>)>) {
    let touched: HashSet<(String, u16)> =
        rrsets.keys().map(|(_, _, rtype, owner)| (owner.clone(), *rtype)).collect();
    if touched.is_empty() {
        return;
    }
    for (view, is_old) in [(old, true), (new, false)] {
        view.for_each(|zone, record| {
            let record = ZoneRecord::from(record);
            if record.rtype == SOA || !touched.contains(&(record.owner.to_string(), record.rtype)) {
                return;
            }
            if let Some(sides) = rrsets.get_mut(&key(&view.zones().zone(zone).name.to_string(), &record)) {
                let side = if is_old { &mut sides.0 } else { &mut sides.1 };
                let text = data(&record);
                if !side.contains(&text) {
                    side.push(text);
                }
            }
        });
    }
}

/// `3600 10.20.0.11`
fn data(record: &ZoneRecord) -> String {
    let line = record.to_string();
    let data =
        line.split_once(" IN ").and_then(|(_, rest)| rest.split_once(' ')).map_or("", |(_, data)| data);
    format!("{} {data}", record.ttl)
}
