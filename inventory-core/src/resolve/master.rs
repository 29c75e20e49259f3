//! What a whole master file says of its zone.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diag::{Finding, Rule};
use crate::model::WrittenSoa;
use crate::name::Name;
use crate::records::{Record, RecordType};
use crate::span::Span;

/// Master files in use: by the path that the zone names, and the zone.
pub type Masters = BTreeMap<(Arc<str>, Name), Arc<MasterZone>>;

/// A zone as its master file has it.
#[derive(Debug, Default)]
pub struct MasterZone {
    /// Its SOA record; `None` only if something is wrong, which is reported.
    pub soa: Option<WrittenSoa>,
    /// All other records, sorted by owner, type and data.
    pub records: Arc<[Record]>,
    /// Name servers at the apex, the SOA record's primary first if it is one of them.
    pub nameservers: Arc<[Name]>,
}

impl MasterZone {
    /// Takes the records of `zone`, whose `file` is named at `span`. `sound`: the file could be read
    /// without mistakes, so that what is missing in it is worth a finding.
    pub(crate) fn new(
        records: Vec<Record>,
        sound: bool,
        zone: &Name,
        span: Span,
        findings: &mut Vec<Finding>,
    ) -> MasterZone {
        let (soas, mut records): (Vec<Record>, Vec<Record>) =
            records.into_iter().partition(|record| record.rtype == RecordType::SOA);
        let soa = one_soa(&soas, sound, zone, span, findings);
        records.sort_by(|a, b| {
            (&a.owner, a.rtype.0, &a.rdata, a.span).cmp(&(&b.owner, b.rtype.0, &b.rdata, b.span))
        });
        let apex = records.iter().filter(|record| record.owner == *zone && record.rtype == RecordType::NS);
        let mut servers: Vec<Name> = apex.filter_map(|record| record.target.clone()).collect();
        servers.dedup();
        if let Some(primary) =
            soa.as_ref().and_then(|soa| servers.iter().position(|name| *name == soa.primary))
        {
            servers.swap(0, primary);
        }
        if servers.is_empty() && sound {
            let message = format!("the master file of zone `{zone}` has no NS record at the apex");
            let finding = Finding::new(Rule::NoNameservers, span, message);
            findings.push(finding.help(format!("add its name servers: `{zone}. NS ns1.{zone}.`")));
        }
        MasterZone { soa, records: records.into(), nameservers: servers.into() }
    }
}

/// The SOA record of the apex. Others are reported.
fn one_soa(
    soas: &[Record],
    sound: bool,
    zone: &Name,
    span: Span,
    findings: &mut Vec<Finding>,
) -> Option<WrittenSoa> {
    let (at_apex, strays): (Vec<&Record>, Vec<&Record>) = soas.iter().partition(|soa| soa.owner == *zone);
    for stray in strays {
        let message = format!("`{}` has a SOA record, but the zone is `{zone}`", stray.owner);
        let finding = Finding::new(Rule::OutOfZone, stray.span, message);
        findings.push(finding.help("a zone has one SOA record, at its own name"));
    }
    let Some(first) = at_apex.first() else {
        if sound && soas.is_empty() {
            let message = format!("the master file of zone `{zone}` has no SOA record");
            let finding = Finding::new(Rule::MissingSoa, span, message);
            findings.push(finding.help(format!("add `{zone}. SOA PRIMARY CONTACT SERIAL 1d 15m 4w 5m`")));
        }
        return None;
    };
    if let Some(second) = at_apex.iter().find(|soa| soa.rdata != first.rdata) {
        let finding =
            Finding::new(Rule::DefinedTwice, second.span, format!("zone `{zone}` has a second SOA record"));
        findings.push(finding.other(first.span, "the first one").help("remove one of them"));
    }
    read_soa(first)
}

/// Reads the data of a SOA record (RFC 1035, section 3.3.13).
fn read_soa(record: &Record) -> Option<WrittenSoa> {
    let names = record.rdata.len().checked_sub(20)?;
    let (names, numbers) = record.rdata.split_at_checked(names)?;
    let mut end = 0;
    while let Some(length) = names.get(end).filter(|length| **length > 0) {
        end += usize::from(*length) + 1;
    }
    let (primary, contact) = names.split_at_checked(end + 1)?;
    let mut numbers = numbers.as_chunks::<4>().0.iter().map(|octets| u32::from_be_bytes(*octets));
    Some(WrittenSoa {
        span: record.span,
        ttl: record.ttl,
        primary: Name::from_wire(primary)?,
        contact: Name::from_wire(contact)?,
        names: names.into(),
        serial: numbers.next()?,
        refresh: numbers.next()?,
        retry: numbers.next()?,
        expire: numbers.next()?,
        minimum: numbers.next()?,
    })
}
