//! What only one interface can have: names, addresses, hardware addresses, client identifiers.
//!
//! Every host of the inventory *claims* such keys. [`Claims`] keeps a 64-bit hash of each claimed key
//! with the host that claims it, sorted: 16 octets a claim, and a reload of one file costs one pass.
//! Equal hashes are only a suspicion; the keys themselves decide.

use std::collections::HashMap;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::sync::Arc;

use crate::diag::{Finding, Rule};
use crate::mac::MacAddr;
use crate::model::{Globals, Host, NetworkId, PortId, Shard};
use crate::name::Name;
use crate::span::{FileId, Span};

/// A host by its file and its place in that file's shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct HostRef {
    file: FileId,
    index: u32,
}

/// Hashes of everything claimed, sorted.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    sorted: Vec<(u64, HostRef)>,
}

/// Something that only one interface can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key<'a> {
    Name(&'a Name),
    Address(IpAddr),
    Mac(NetworkId, MacAddr),
    Duid(NetworkId, &'a [u8]),
    ClientId(NetworkId, &'a [u8]),
    Port(NetworkId, &'a PortId),
}

impl Claims {
    /// Forgets the claims of the files `gone` and adds those of `added`.
    pub(crate) fn update<'a>(
        &mut self,
        gone: &HashSet<FileId>,
        added: impl Iterator<Item = (FileId, &'a Shard)>,
    ) {
        let mut fresh = Vec::new();
        for (file, shard) in added {
            for (index, host) in shard.hosts.iter().enumerate() {
                let host_ref = HostRef { file, index: u32::try_from(index).unwrap_or(u32::MAX) };
                each_claim(host, |key, _| fresh.push((hash(&key), host_ref)));
            }
        }
        fresh.sort_unstable();
        let old = std::mem::take(&mut self.sorted);
        if old.is_empty() {
            fresh.shrink_to_fit();
            self.sorted = fresh;
            return;
        }
        let mut merged = Vec::with_capacity(old.len() + fresh.len());
        let mut fresh = fresh.into_iter().peekable();
        for claim in old.into_iter().filter(|(_, host)| !gone.contains(&host.file)) {
            while let Some(smaller) = fresh.next_if(|new| *new < claim) {
                merged.push(smaller);
            }
            merged.push(claim);
        }
        merged.extend(fresh);
        self.sorted = merged;
    }

    /// Whether any host may have this name. False positives are possible, false negatives not.
    pub(crate) fn may_have_name(&self, name: &Name) -> bool {
        let wanted = hash(&Key::Name(name));
        let at = self.sorted.partition_point(|(hash, _)| *hash < wanted);
        self.sorted.get(at).is_some_and(|(hash, _)| *hash == wanted)
    }

    /// Everything that is claimed twice.
    pub(crate) fn conflicts(
        &self,
        shards: &HashMap<FileId, Arc<Shard>>,
        globals: &Globals,
        findings: &mut Vec<Finding>,
    ) {
        let mut group_start = 0;
        for at in 1..=self.sorted.len() {
            let group = &self.sorted[group_start..at];
            let ended = self.sorted.get(at).is_none_or(|next| next.0 != group[0].0);
            if ended {
                if group.len() > 1 {
                    conflict(group, shards, globals, findings);
                }
                group_start = at;
            }
        }
    }
}

/// Reports the keys that the hosts of a group of equal hashes really share.
fn conflict(
    group: &[(u64, HostRef)],
    shards: &HashMap<FileId, Arc<Shard>>,
    globals: &Globals,
    findings: &mut Vec<Finding>,
) {
    let mut seen: Vec<(Key<'_>, Span, &Host)> = Vec::new();
    let mut hosts: Vec<HostRef> = group.iter().map(|(_, host)| *host).collect();
    hosts.dedup();
    for host_ref in hosts {
        let Some(host) =
            shards.get(&host_ref.file).and_then(|shard| shard.hosts.get(host_ref.index as usize))
        else {
            continue;
        };
        let mut own = Vec::new();
        each_claim(host, |key, span| {
            if hash(&key) == group[0].0 {
                own.push((key, span, host));
            }
        });
        seen.append(&mut own);
    }
    // The later place is the one to be mended.
    seen.sort_by_key(|(_, span, _)| *span);
    for index in 1..seen.len() {
        let (key, span, host) = &seen[index];
        if let Some((_, first_span, first)) = seen[..index].iter().find(|(other, _, _)| other == key) {
            // A DUID is the host's, so all its interfaces may have it.
            if !matches!(key, Key::Duid(..)) || host.name != first.name {
                findings.push(report(key, *span, host, *first_span, first, globals));
            }
        }
    }
}

fn report(
    key: &Key<'_>,
    span: Span,
    host: &Host,
    first_span: Span,
    first: &Host,
    globals: &Globals,
) -> Finding {
    let (name, other) = (&host.name.fqdn, &first.name.fqdn);
    let in_network = |id: &NetworkId| format!("in network `{}`", globals.network(*id).name);
    let (rule, message) = match key {
        Key::Name(claimed) => (Rule::DuplicateName, format!("name `{claimed}` is given twice")),
        Key::Address(address) => (
            Rule::DuplicateAddress,
            format!("address {address} is given twice, to `{other}` and to `{name}`"),
        ),
        Key::Mac(network, mac) => {
            let message = format!(
                "MAC address {mac} is used twice {}, by `{other}` and by `{name}`",
                in_network(network)
            );
            (Rule::DuplicateMac, message)
        }
        Key::Duid(network, _) => {
            (Rule::DuplicateIdentifier, format!("DUID is used twice {}", in_network(network)))
        }
        Key::ClientId(network, _) => {
            (Rule::DuplicateIdentifier, format!("client identifier is used twice {}", in_network(network)))
        }
        Key::Port(network, _) => {
            (Rule::DuplicateIdentifier, format!("relay port is used twice {}", in_network(network)))
        }
    };
    Finding::new(rule, span, message).other(first_span, format!("first here, by `{other}`"))
}

/// Calls `claim` with everything that `host` claims and where it does.
fn each_claim<'a>(host: &'a Host, mut claim: impl FnMut(Key<'a>, Span)) {
    claim(Key::Name(&host.name.fqdn), host.span);
    for alias in &host.aliases {
        claim(Key::Name(&alias.name.fqdn), alias.span);
    }
    for nic in &host.nics {
        if let Some(name) = &nic.name {
            claim(Key::Name(&name.fqdn), nic.network_span);
        }
        if let Some(mac) = nic.mac {
            claim(Key::Mac(nic.network, mac), nic.mac_span);
        }
        for (address, span) in nic.addresses.iter().zip(&nic.address_spans) {
            claim(Key::Address(*address), *span);
        }
        let Some(identifiers) = &nic.identifiers else {
            continue;
        };
        if let Some((duid, span)) = &identifiers.duid {
            claim(Key::Duid(nic.network, duid), *span);
        }
        if let Some((client_id, span)) = &identifiers.client_id {
            claim(Key::ClientId(nic.network, client_id), *span);
        }
        if let Some((port, span)) = &identifiers.port {
            claim(Key::Port(nic.network, port), *span);
        }
    }
}

fn hash(key: &Key<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}
