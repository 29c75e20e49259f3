//! The records that are written in zones: against each other, and what they point to.

use std::collections::HashSet;

use super::claims::Claims;
use super::names::{delegation_above, records_at};
use crate::diag::{Finding, Rule};
use crate::model::{Globals, HostIndex, Zone};
use crate::name::Name;
use crate::records::{Record, RecordType};

/// Checks the written records of every zone among themselves.
pub(crate) fn check(globals: &Globals, findings: &mut Vec<Finding>) {
    for zone in &globals.zones {
        for rrset_owner in zone.records.chunk_by(|a, b| a.owner == b.owner) {
            cname_alone(zone, rrset_owner, findings);
            for rrset in rrset_owner.chunk_by(|a, b| a.rtype == b.rtype) {
                one_rrset(rrset, findings);
            }
        }
        if let (Some(file), None) = (&zone.file, zone.derived) {
            let message =
                format!("zone `{}` is not served: this release does not read master files", zone.name);
            let finding = Finding::new(Rule::FileZoneNotServed, zone.span, message);
            findings.push(finding.help(format!("queries get SERVFAIL until a release that reads `{file}`")));
        }
    }
}

/// A CNAME stands alone, and not at the apex, which has SOA and NS.
fn cname_alone(zone: &Zone, records: &[Record], findings: &mut Vec<Finding>) {
    let Some(cname) = records.iter().find(|record| record.rtype == RecordType::CNAME) else {
        return;
    };
    let owner = &cname.owner;
    if *owner == zone.name {
        let message = format!("the apex `{owner}` cannot be a CNAME: it has SOA and NS records");
        findings.push(Finding::new(Rule::CnameBesideData, cname.span, message));
    } else if let Some(other) =
        records.iter().find(|record| record.span != cname.span && record.rdata != cname.rdata)
    {
        let message = format!("`{owner}` has a CNAME and a {} record", other.rtype);
        findings.push(
            Finding::new(Rule::CnameBesideData, cname.span, message).other(other.span, "the other record"),
        );
    }
}

fn one_rrset(rrset: &[Record], findings: &mut Vec<Finding>) {
    for pair in rrset.windows(2) {
        if pair[0].rdata == pair[1].rdata {
            let (first, again) =
                if pair[0].span <= pair[1].span { (&pair[0], &pair[1]) } else { (&pair[1], &pair[0]) };
            let message = format!("the {} record of `{}` is written twice", again.rtype, again.owner);
            findings.push(
                Finding::new(Rule::DuplicateRecord, again.span, message).other(first.span, "first here"),
            );
        }
    }
    if let Some(other) = rrset.iter().find(|record| record.ttl != rrset[0].ttl) {
        let message = format!("the {} records of `{}` have different TTLs", other.rtype, other.owner);
        findings.push(
            Finding::new(Rule::TtlsDiffer, other.span, message).other(rrset[0].span, "another TTL here"),
        );
    }
}

/// Checks what name servers and written records point to. Needs all hosts: `claims` answers fast
/// whether a name can exist, `index` (made only when something looks wrong) says what it is.
pub(crate) fn check_targets<'a>(
    globals: &Globals,
    claims: &Claims,
    index: &mut LazyIndex<'a, '_>,
    findings: &mut Vec<Finding>,
) {
    let mut seen = HashSet::new();
    for zone in globals.zones.iter().filter(|zone| zone.file.is_none()) {
        for server in zone.nameservers.iter().filter(|_| zone.derived.is_none()) {
            if seen.insert(server) && kind(server, globals, claims, index) == Target::Missing {
                let message = format!("name server `{server}` has no address in a zone of the inventory");
                let finding = Finding::new(Rule::NameserverWithoutAddress, zone.span, message);
                findings.push(finding.help(format!("add a host or an address record `{server}. A …`")));
            }
        }
        for record in zone.records.iter() {
            target(record, globals, claims, index, findings);
        }
    }
}

fn target(
    record: &Record,
    globals: &Globals,
    claims: &Claims,
    index: &mut LazyIndex<'_, '_>,
    findings: &mut Vec<Finding>,
) {
    let watched = [RecordType::MX, RecordType::SRV, RecordType::NS, RecordType::CNAME];
    let Some(name) = record.target.as_ref().filter(|name| watched.contains(&record.rtype) && !name.is_root())
    else {
        return;
    };
    let (rtype, owner) = (record.rtype, &record.owner);
    match kind(name, globals, claims, index) {
        Target::Missing => {
            let message = format!("the {rtype} record of `{owner}` points to `{name}`, which does not exist");
            findings.push(Finding::new(Rule::TargetMissing, record.span, message));
        }
        Target::Alias if rtype != RecordType::CNAME => {
            let message = format!("the {rtype} record of `{owner}` points to `{name}`, which is an alias");
            let finding = Finding::new(Rule::TargetIsAlias, record.span, message);
            findings.push(finding.help("point it to the host's own name"));
        }
        Target::Alias | Target::Fine => {}
    }
}

/// What a record points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    /// A name with data, or one that we cannot judge.
    Fine,
    /// A CNAME of ours.
    Alias,
    /// A name in a zone of ours that has no data.
    Missing,
}

fn kind(name: &Name, globals: &Globals, claims: &Claims, index: &mut LazyIndex<'_, '_>) -> Target {
    let Some(zone) = globals.zone_of(name).map(|id| globals.zone(id)) else {
        return Target::Fine;
    };
    if zone.file.is_some() || delegation_above(&zone.records, &zone.name, name).is_some() {
        return Target::Fine;
    }
    let written = records_at(&zone.records, name);
    if written.iter().any(|record| record.rtype == RecordType::CNAME) {
        return Target::Alias;
    }
    if !written.is_empty() || wildcard_covers(zone, name) {
        return Target::Fine;
    }
    if claims.may_have_name(name) {
        return index.get().claimed(name);
    }
    if *name == zone.name { Target::Fine } else { Target::Missing }
}

/// Whether a written `*` at some name above covers `name`. Closer names that stop it are not looked
/// for: a warning too few is better than one too many.
fn wildcard_covers(zone: &Zone, name: &Name) -> bool {
    std::iter::successors(name.parent(), Name::parent)
        .take_while(|above| above.is_within(&zone.name))
        .filter_map(|above| above.child("*").ok())
        .any(|wildcard| !records_at(&zone.records, &wildcard).is_empty())
}

/// Host names and aliases, collected at the first need.
pub(crate) struct LazyIndex<'a, 'f> {
    make: &'f dyn Fn() -> TargetIndex<'a>,
    made: Option<TargetIndex<'a>>,
}

/// Every name that a host gives.
pub(crate) struct TargetIndex<'a> {
    pub(crate) hosts: HostIndex<'a>,
    pub(crate) names: HashSet<&'a Name>,
    pub(crate) aliases: HashSet<&'a Name>,
}

impl<'a, 'f> LazyIndex<'a, 'f> {
    /// An index that `make` makes when it is first asked.
    pub(crate) fn new(make: &'f dyn Fn() -> TargetIndex<'a>) -> LazyIndex<'a, 'f> {
        LazyIndex { make, made: None }
    }

    /// The index.
    pub(crate) fn get(&mut self) -> &TargetIndex<'a> {
        self.made.get_or_insert_with(self.make)
    }
}

impl<'a> TargetIndex<'a> {
    /// An index over `hosts`.
    pub(crate) fn new(hosts: impl Iterator<Item = &'a crate::model::Host> + Clone) -> TargetIndex<'a> {
        let nics = hosts.clone().flat_map(|host| host.named_nics().map(|(name, _)| &name.fqdn));
        TargetIndex {
            names: nics.collect(),
            aliases: hosts
                .clone()
                .flat_map(|host| host.aliases.iter().map(|alias| &alias.name.fqdn))
                .collect(),
            hosts: HostIndex::new(hosts),
        }
    }

    fn claimed(&self, name: &Name) -> Target {
        if self.aliases.contains(name) {
            Target::Alias
        } else if self.names.contains(name) {
            Target::Fine
        } else {
            Target::Missing
        }
    }
}
