//! The records that are written in zones, against each other.

use crate::diag::{Finding, Rule};
use crate::model::{Globals, Zone};
use crate::records::{Record, RecordType, canonical};
use crate::units::show_duration;

/// Checks the written records of every zone among themselves.
pub(crate) fn check(globals: &Globals, findings: &mut Vec<Finding>) {
    for zone in &globals.zones {
        signed_once(zone, findings);
        for rrset_owner in zone.records.chunk_by(|a, b| a.owner == b.owner) {
            cname_alone(zone, rrset_owner, findings);
            one_dname(rrset_owner, findings);
            for rrset in rrset_owner.chunk_by(|a, b| a.rtype == b.rtype && a.covers() == b.covers()) {
                one_rrset(zone, rrset, findings);
            }
        }
    }
}

/// What signs a zone makes these records: they are not to be written.
fn signed_once(zone: &Zone, findings: &mut Vec<Finding>) {
    const MADE: [RecordType; 7] = [
        RecordType::RRSIG,
        RecordType::NSEC,
        RecordType::DNSKEY,
        RecordType::NSEC3,
        RecordType::NSEC3PARAM,
        RecordType::CDS,
        RecordType::CDNSKEY,
    ];
    if zone.dnssec.is_none() {
        return;
    }
    let written = zone.records.iter().filter(|record| MADE.contains(&record.rtype));
    if let Some(record) = written.min_by_key(|record| record.span.start) {
        let message = format!("zone `{}` is signed by hostbook and has {} records", zone.name, record.rtype);
        let finding = Finding::new(Rule::SignedTwice, record.span, message);
        findings.push(
            finding
                .other(zone.span, "signed here by `dnssec`")
                .help("take the zone as it was before it was signed, or leave `dnssec` out"),
        );
    }
}

/// A CNAME stands alone but for what signs it, and not at the apex, which has SOA and NS.
fn cname_alone(zone: &Zone, records: &[Record], findings: &mut Vec<Finding>) {
    let Some(cname) = records.iter().find(|record| record.rtype == RecordType::CNAME) else {
        return;
    };
    let owner = &cname.owner;
    if *owner == zone.name {
        let message = format!("the apex `{owner}` cannot be a CNAME: it has SOA and NS records");
        let finding = Finding::new(Rule::CnameBesideData, cname.span, message);
        findings.push(finding.help("give the apex addresses of its own: `@ A …`"));
    } else if let Some(other) =
        records.iter().find(|record| !record.rtype.goes_with_cname() && !record.has_data_of(cname))
    {
        let message = if other.rtype == RecordType::CNAME {
            format!("`{owner}` has two CNAME records")
        } else {
            format!("`{owner}` has a CNAME record beside one of type {}", other.rtype)
        };
        let finding =
            Finding::new(Rule::CnameBesideData, cname.span, message).other(other.span, "the other record");
        findings.push(finding.help("a CNAME stands alone: remove one of the two"));
    }
}

/// A name is redirected to one place (RFC 6672, section 2.4).
fn one_dname(records: &[Record], findings: &mut Vec<Finding>) {
    let mut dnames = records.iter().filter(|record| record.rtype == RecordType::DNAME);
    let Some(first) = dnames.next() else { return };
    if let Some(other) = dnames.find(|record| !record.has_data_of(first)) {
        let message = format!("`{}` has two DNAME records", first.owner);
        let finding = Finding::new(Rule::CnameBesideData, first.span, message);
        findings.push(
            finding
                .other(other.span, "the other record")
                .help("a name is redirected to one place: remove one of the two"),
        );
    }
}

fn one_rrset(zone: &Zone, rrset: &[Record], findings: &mut Vec<Finding>) {
    let mut sorted: Vec<_> =
        rrset.iter().map(|record| (canonical(record.rtype, &record.rdata), record)).collect();
    sorted.sort_by(|(a, first), (b, again)| (a, first.span).cmp(&(b, again.span)));
    for pair in sorted.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        let (first, again) = (pair[0].1, pair[1].1);
        let message = format!("the {} record of `{}` is written twice", again.rtype, again.owner);
        findings
            .push(Finding::new(Rule::DuplicateRecord, again.span, message).other(first.span, "first here"));
    }
    let ttl = |record: &Record| record.ttl.unwrap_or(zone.ttl);
    let Some(first) = rrset.iter().min_by_key(|record| record.span.start) else {
        return;
    };
    let others = rrset.iter().filter(|record| ttl(record) != ttl(first));
    if let Some(other) = others.min_by_key(|record| record.span.start) {
        let message = format!("the {} records of `{}` have different TTLs", other.rtype, other.owner);
        let finding = Finding::new(Rule::TtlsDiffer, other.span, message);
        findings.push(
            finding
                .label(show_duration(ttl(other).into()))
                .other(first.span, show_duration(ttl(first).into()))
                .help("give them one TTL; until then the smallest is served for all of them"),
        );
    }
}
