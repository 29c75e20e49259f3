//! Names of hosts against what their zones have already: written records and names of pool addresses.

use std::fmt;
use std::net::IpAddr;

use crate::diag::{Finding, Rule};
use crate::model::{Globals, Host, HostName, Nic, PoolLabel, Service, Zone};
use crate::name::Name;
use crate::records::{Record, RecordType};
use crate::span::Span;

/// Checks every name of `host`; `reverse` is what [`any_reverse_written`] says of `globals`.
pub(crate) fn check(host: &Host, globals: &Globals, reverse: bool, findings: &mut Vec<Finding>) {
    let nics = host.nics.iter().filter_map(|nic| Some((nic.rest.name.as_ref()?, nic.name_span())));
    for (name, span) in std::iter::once((&host.name, host.span)).chain(nics) {
        findings.extend(against_records(name, span, false, globals));
        findings.extend(against_pools(name, span, globals));
    }
    for (name, nic) in host.named_nics() {
        addresses_against_file(name, nic, globals, findings);
        if reverse {
            reverse_against_records(name, nic, globals, findings);
        }
    }
    for service in &host.rest.services {
        findings.extend(service_beside_written(service, &host.name, globals));
    }
    for alias in &host.aliases {
        findings.extend(against_records(&alias.name, alias.span, true, globals));
        findings.extend(against_pools(&alias.name, alias.span, globals));
    }
}

/// Whether anything is written where reverse names of hosts may be. Mostly nothing is, and all hosts have some.
pub(crate) fn any_reverse_written(globals: &Globals) -> bool {
    let arpa = Name::root().child("arpa");
    let has_reverse = |zone: &Zone| {
        let is_reverse = globals.networks.iter().any(|network| network.reverse.as_ref() == Some(&zone.name));
        is_reverse || arpa.as_ref().is_ok_and(|arpa| zone.name.is_within(arpa) || arpa.is_within(&zone.name))
    };
    globals.zones.iter().any(|zone| (zone.file.is_some() || !zone.records.is_empty()) && has_reverse(zone))
}

/// An alias stands beside nothing; a host's name stands not beside a CNAME, nor below a zone cut.
fn against_records(name: &HostName, span: Span, is_alias: bool, globals: &Globals) -> Option<Finding> {
    let zone = globals.zone(name.zone);
    if zone.records.is_empty() {
        return None;
    }
    let clash = records_at(&zone.records, &name.fqdn)
        .iter()
        .find(|record| record.rtype == RecordType::CNAME || is_alias && !record.rtype.goes_with_cname());
    if let Some(record) = clash {
        let what = if is_alias { "alias" } else { "host name" };
        let message =
            format!("{what} `{}` stands beside a written record of type {}", name.fqdn, record.rtype);
        let finding = Finding::new(Rule::CnameBesideData, span, message).other(record.span, "the record");
        return Some(finding.help("an alias is a CNAME, which stands alone: remove one of the two"));
    }
    hidden(format_args!("`{}`", name.fqdn), &name.fqdn, span, zone)
}

/// What a service gives to a name stands beside nothing that is written.
fn service_beside_written(service: &Service, host: &HostName, globals: &Globals) -> Option<Finding> {
    let zone = globals.zone(host.zone);
    if zone.records.is_empty() {
        return None;
    }
    let owners = service.records(&host.fqdn).into_iter().map(|(owner, ..)| owner);
    owners.into_iter().find_map(|owner| match records_at(&zone.records, &owner).first() {
        Some(record) => {
            let message =
                format!("`{owner}` has a written record, and service `{}` gives it one", service.instance);
            let finding = Finding::new(Rule::ConflictingKeys, service.span, message);
            let help = "write down the records of a service, or the service, and not both";
            Some(finding.other(record.span, "the record").help(help))
        }
        None => {
            let what = format_args!("`{owner}` of service `{}`", service.instance);
            hidden(what, &owner, service.span, zone)
        }
    })
}

/// What is below a delegation or a DNAME record of `zone` is not answered from it.
pub(super) fn hidden(what: fmt::Arguments<'_>, name: &Name, span: Span, zone: &Zone) -> Option<Finding> {
    if let Some(cut) = delegation_above(&zone.records, &zone.name, name) {
        let message = format!("{what} lies below the delegation of `{}`, so nobody would see it", cut.owner);
        let finding = Finding::new(Rule::OutOfZone, span, message).other(cut.span, "the delegation");
        return Some(finding.help("write it in the zone that is delegated to, or remove the NS record"));
    }
    let dname = redirection_above(&zone.records, &zone.name, name)?;
    let message = format!("{what} lies below the DNAME record of `{}`, so nobody would see it", dname.owner);
    let finding = Finding::new(Rule::OutOfZone, span, message).other(dname.span, "the DNAME record");
    Some(finding.help("write it in the zone that the DNAME record leads to, or remove that record"))
}

/// What an interface gives to DNS stands in no whole master file as well: there would be two truths.
fn addresses_against_file(name: &HostName, nic: &Nic, globals: &Globals, findings: &mut Vec<Finding>) {
    let zone = globals.zone(name.zone);
    let span = nic.address_spans().next().unwrap_or(nic.name_span());
    if zone.file.is_some() && !nic.addresses.is_empty() {
        let own = |record: &&Record| match record.rtype {
            RecordType::A => nic.addresses.iter().any(IpAddr::is_ipv4),
            RecordType::AAAA => nic.addresses.iter().any(IpAddr::is_ipv6),
            _ => false,
        };
        let is_given = |record: &Record| nic.addresses.iter().any(|one| octets(*one) == *record.rdata);
        let written: Vec<&Record> = records_at(&zone.records, &name.fqdn).iter().filter(own).collect();
        let other = written.iter().find(|record| !is_given(record));
        findings.extend(other.or(written.first()).map(|record| twice(record, other.is_some(), span)));
    }
}

/// The PTR record of an address stands beside no CNAME, below no zone cut, and in no master file as well.
fn reverse_against_records(name: &HostName, nic: &Nic, globals: &Globals, findings: &mut Vec<Finding>) {
    for (address, span) in nic.addresses.iter().zip(nic.address_spans()) {
        let owner = globals.network(nic.network).ptr_owner(*address);
        let Some(zone) = globals.zone_of(&owner).map(|id| globals.zone(id)) else { continue };
        let written = records_at(&zone.records, &owner);
        let of_type = |rtype| written.iter().find(|record| record.rtype == rtype);
        if let Some(cname) = of_type(RecordType::CNAME) {
            let message = format!("the PTR record of {address} stands beside the CNAME record of `{owner}`");
            let finding = Finding::new(Rule::CnameBesideData, span, message).other(cname.span, "the record");
            findings.push(finding.help(
                "remove the CNAME record; if it leads to a classless zone (RFC 2317), name that zone by the \
                 network's key `reverse`",
            ));
        } else if let Some(record) = of_type(RecordType::PTR).filter(|_| zone.file.is_some()) {
            findings.push(twice(record, record.target.as_ref() != Some(&name.fqdn), span));
        } else if !zone.records.is_empty() {
            let what = format_args!("the PTR record of {address}");
            findings.extend(hidden(what, &owner, span, zone));
        }
    }
}

/// A record of a master file that a host gives as well, or gives otherwise.
fn twice(record: &Record, differs: bool, span: Span) -> Finding {
    let (owner, rtype) = (&record.owner, record.rtype);
    let finding = if differs {
        let message = format!("`{owner}` has other {rtype} records in its zone's master file");
        Finding::new(Rule::DuplicateName, span, message)
    } else {
        let message = format!("the {rtype} record of `{owner}` is in its zone's master file as well");
        Finding::new(Rule::DuplicateRecord, span, message)
    };
    finding.other(record.span, "the record there").help("remove one of the two")
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    }
}

/// A DNAME record above `name`, the apex included.
fn redirection_above<'a>(records: &'a [Record], apex: &Name, name: &Name) -> Option<&'a Record> {
    std::iter::successors(name.parent(), Name::parent)
        .take_while(|above| above.is_within(apex))
        .find_map(|above| records_at(records, &above).iter().find(|record| record.rtype == RecordType::DNAME))
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
    let address = PoolLabel::read(name.fqdn.labels().next()?)?;
    let zone = globals.zone_named(&name.fqdn.parent()?)?;
    let mut networks = globals.networks.iter().filter(|network| network.zone == Some(zone));
    let network = networks.find(|network| network.pool_of(address).is_some())?;
    let message = format!("`{}` is the name of the pool address {address}", name.fqdn);
    let finding = Finding::new(Rule::DuplicateName, span, message);
    Some(finding.other(network.span, "the network with that pool").help("choose another name"))
}
