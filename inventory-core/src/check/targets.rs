//! What name servers and written records point to.

use std::collections::HashSet;
use std::sync::Arc;

use super::claims::{Claims, Shards};
use super::names::{delegation_above, records_at};
use crate::diag::{Finding, Rule};
use crate::model::{Globals, Host, Shard, State, Zone};
use crate::name::Name;
use crate::parse::GlobalDecls;
use crate::records::{Record, RecordType};
use crate::span::Span;

/// Everything that a name can stand for.
#[derive(Clone, Copy)]
pub(crate) struct Known<'a> {
    pub(crate) globals: &'a Globals,
    pub(crate) claims: &'a Claims,
    pub(crate) shards: &'a Shards,
}

/// What a record points to.
enum Target {
    /// A name with data, or one that we cannot judge.
    Fine,
    /// A host's name.
    Host(Box<Host>),
    /// A CNAME of ours.
    Alias,
    /// A host that is planned or retired, so that its names do not exist.
    Silent(Box<Host>),
    /// A name in a zone of ours that has no data.
    Missing,
}

/// Checks the name servers that `files` write, and the targets of all written records.
pub(crate) fn check<'a>(
    files: impl Iterator<Item = &'a GlobalDecls>,
    known: Known<'_>,
    findings: &mut Vec<Finding>,
) {
    let mut seen = HashSet::new();
    for file in files {
        let site = file.site.iter().map(|site| &site.nameservers);
        let zones = file.zones.iter().map(|zone| &zone.nameservers);
        for server in site.chain(zones).filter_map(|field| field.get()).flatten() {
            if seen.insert(&server.value) {
                findings.extend(nameserver(&server.value, server.span, known));
            }
        }
    }
    findings.extend(of_delegations(known));
    for zone in &known.globals.zones {
        findings.extend(zone.records.iter().filter_map(|record| target(record, known)));
    }
}

/// The name servers of the reverse names of delegated prefixes. One that a profile names is told once.
fn of_delegations(known: Known<'_>) -> impl Iterator<Item = Finding> + '_ {
    let delegates =
        |shard: &&Arc<Shard>| shard.nic_rests().any(|rest| !rest.delegated.nameservers.is_empty());
    let mut servers: Vec<(Name, Span)> = Vec::new();
    for host in known.shards.values().filter(delegates).flat_map(|shard| shard.in_state(State::is_served)) {
        let delegated = host.nics.iter().map(|nic| &nic.rest.delegated);
        servers.extend(delegated.flat_map(|delegated| &delegated.nameservers).cloned());
    }
    servers.sort_unstable_by_key(|(_, span)| *span);
    servers.dedup_by_key(|(_, span)| *span);
    servers.into_iter().filter_map(move |(name, span)| nameserver(&name, span, known))
}

fn nameserver(name: &Name, span: Span, known: Known<'_>) -> Option<Finding> {
    let addressless = |why: String, help: String| {
        let finding = Finding::new(Rule::NameserverWithoutAddress, span, why).help(help);
        Some(finding.depends_on(name))
    };
    match known.target(name) {
        Target::Fine if known.has_written_address(name) => None,
        Target::Host(host)
            if host.named_nics().any(|(own, nic)| own.fqdn == *name && !nic.addresses.is_empty()) =>
        {
            None
        }
        Target::Fine | Target::Host(_) | Target::Missing => {
            let help = format!("add a host with an `ip`, or an address record: `{name}. A …`");
            addressless(format!("name server `{name}` has no address in the inventory"), help)
        }
        Target::Silent(host) => {
            let why = format!("name server `{name}` is not served: its host is {}", host.state.word());
            addressless(why, "name a server that is there, or make its host `active`".to_owned())
        }
        Target::Alias => {
            let message = format!("name server `{name}` is an alias");
            let finding = Finding::new(Rule::TargetIsAlias, span, message);
            Some(finding.help("name the server by its host's own name"))
        }
    }
}

fn target(record: &Record, known: Known<'_>) -> Option<Finding> {
    let watched = [RecordType::MX, RecordType::SRV, RecordType::NS, RecordType::CNAME];
    let name = record.target.as_ref().filter(|name| watched.contains(&record.rtype) && !name.is_root())?;
    let span = record.target_span.unwrap_or(record.span);
    let points = format!("the {} record of `{}` points to `{name}`", record.rtype, record.owner);
    match known.target(name) {
        Target::Missing => {
            let finding = Finding::new(Rule::TargetMissing, span, format!("{points}, which does not exist"));
            let help = "define it as a host, an alias or a record, or mend the name; one without a dot at its end is relative to the zone";
            Some(finding.help(help).depends_on(name))
        }
        Target::Silent(host) => {
            let state = host.state.word();
            let message = format!("{points}, which is not served: its host is {state}");
            Some(
                Finding::new(Rule::TargetMissing, span, message)
                    .other(host.span, format!("the {state} host")),
            )
        }
        Target::Alias if record.rtype != RecordType::CNAME => {
            let finding = Finding::new(Rule::TargetIsAlias, span, format!("{points}, which is an alias"));
            Some(finding.help("point it to the host's own name"))
        }
        Target::Alias | Target::Fine | Target::Host(_) => None,
    }
}

impl Known<'_> {
    fn target(self, name: &Name) -> Target {
        let Some(zone) = self.globals.zone_of(name).map(|id| self.globals.zone(id)) else {
            return Target::Fine;
        };
        if is_elsewhere(zone, name) {
            return Target::Fine;
        }
        let written = records_at(&zone.records, name);
        if written.iter().any(|record| record.rtype == RecordType::CNAME) {
            return Target::Alias;
        }
        match self.claims.named(name, self.shards) {
            Some(host) if !host.state.is_served() && written.is_empty() => Target::Silent(host.into()),
            Some(host) if host.aliases.iter().any(|alias| alias.name.fqdn == *name) => Target::Alias,
            Some(host) => Target::Host(host.into()),
            None if !written.is_empty() || wildcard_covers(zone, name) || *name == zone.name => Target::Fine,
            None => Target::Missing,
        }
    }

    /// Whether `name` has an address record, or lies where we cannot know.
    fn has_written_address(self, name: &Name) -> bool {
        let Some(zone) = self.globals.zone_of(name).map(|id| self.globals.zone(id)) else {
            return true;
        };
        let address = |record: &Record| [RecordType::A, RecordType::AAAA].contains(&record.rtype);
        is_elsewhere(zone, name)
            || records_at(&zone.records, name).iter().any(address)
            || wildcard_covers(zone, name)
    }
}

/// Whether other servers say what `name` is.
fn is_elsewhere(zone: &Zone, name: &Name) -> bool {
    delegation_above(&zone.records, &zone.name, name).is_some()
}

/// Whether a written `*` at some name above covers `name`. Closer names that stop it are not looked
/// for: a warning too few is better than one too many.
fn wildcard_covers(zone: &Zone, name: &Name) -> bool {
    std::iter::successors(name.parent(), Name::parent)
        .take_while(|above| above.is_within(&zone.name))
        .filter_map(|above| above.child("*").ok())
        .any(|wildcard| !records_at(&zone.records, &wildcard).is_empty())
}
