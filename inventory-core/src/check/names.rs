//! Names of hosts against what their zones have already: written records and names of pool addresses.

use std::net::{IpAddr, Ipv4Addr};

use crate::diag::{Finding, Rule};
use crate::model::{Globals, Host, HostName, ZoneId};
use crate::name::Name;
use crate::records::{Record, RecordType};
use crate::span::Span;

/// Checks every name of `host`.
pub(crate) fn check(host: &Host, globals: &Globals, findings: &mut Vec<Finding>) {
    let nics = host.nics.iter().filter_map(|nic| Some((nic.name.as_ref()?, nic.name_span)));
    for (name, span) in std::iter::once((&host.name, host.span)).chain(nics) {
        findings.extend(against_records(name, span, false, globals));
        findings.extend(against_pools(name, span, globals));
    }
    for alias in &host.aliases {
        findings.extend(against_records(&alias.name, alias.span, true, globals));
        findings.extend(against_pools(&alias.name, alias.span, globals));
    }
}

/// An alias stands beside nothing; a host's name stands not beside a CNAME, nor below a zone cut.
fn against_records(name: &HostName, span: Span, is_alias: bool, globals: &Globals) -> Option<Finding> {
    let zone = globals.zone(name.zone);
    if zone.records.is_empty() {
        return None;
    }
    let clash = records_at(&zone.records, &name.fqdn)
        .iter()
        .find(|record| is_alias || record.rtype == RecordType::CNAME);
    if let Some(record) = clash {
        let what = if is_alias { "alias" } else { "host name" };
        let message =
            format!("{what} `{}` stands beside a written record of type {}", name.fqdn, record.rtype);
        let finding = Finding::new(Rule::CnameBesideData, span, message).other(record.span, "the record");
        return Some(finding.help("an alias is a CNAME, which stands alone: remove one of the two"));
    }
    let cut = delegation_above(&zone.records, &zone.name, &name.fqdn)?;
    let message =
        format!("`{}` lies below the delegation of `{}`, so nobody would see it", name.fqdn, cut.owner);
    let finding = Finding::new(Rule::OutOfZone, span, message).other(cut.span, "the delegation");
    Some(finding.help("write it in the zone that is delegated to, or remove the NS record"))
}

/// The records of `owner` among `records`, which are sorted by owner.
pub(super) fn records_at<'a>(records: &'a [Record], owner: &Name) -> &'a [Record] {
    let start = records.partition_point(|record| record.owner < *owner);
    let count = records[start..].partition_point(|record| record.owner == *owner);
    &records[start..start + count]
}

/// An NS record at or above `name` and below `apex`.
pub(super) fn delegation_above<'a>(records: &'a [Record], apex: &Name, name: &Name) -> Option<&'a Record> {
    let mut here = name.clone();
    while here != *apex {
        if let Some(found) = records_at(records, &here).iter().find(|record| record.rtype == RecordType::NS) {
            return Some(found);
        }
        here = here.parent()?;
    }
    None
}

/// `dhcp-10-20-0-200` belongs to the pool that holds 10.20.0.200.
fn against_pools(name: &HostName, span: Span, globals: &Globals) -> Option<Finding> {
    let (address, zone) = pool_name(&name.fqdn, globals)?;
    let mut networks = globals.networks.iter().filter(|network| network.zone == Some(zone));
    let network = networks.find(|network| network.pool_of(IpAddr::V4(address)).is_some())?;
    let message = format!("`{}` is the name of the pool address {address}", name.fqdn);
    let finding = Finding::new(Rule::DuplicateName, span, message);
    Some(finding.other(network.span, "the network with that pool").help("choose another name"))
}

/// The address and zone that `name` would be the pool name of.
fn pool_name(name: &Name, globals: &Globals) -> Option<(Ipv4Addr, ZoneId)> {
    let label = std::str::from_utf8(name.labels().next()?).ok()?.strip_prefix("dhcp-")?;
    let octets: Vec<u8> = label.split('-').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let octets: [u8; 4] = octets.try_into().ok()?;
    Some((Ipv4Addr::from(octets), globals.zone_named(&name.parent()?)?))
}
