//! What only one interface can have: names, addresses, hardware addresses, client identifiers.
//!
//! Every host of the inventory *claims* such keys. [`Claims`] keeps a 32-bit hash of each claimed key
//! with the host that claims it, sorted: 12 octets a claim, and a reload of one file costs one pass.
//! Equal hashes are only a suspicion; the keys themselves decide.

use std::collections::HashMap;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::Ipv6Net;

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

/// The hosts of each file.
pub(crate) type Shards = HashMap<FileId, Arc<Shard>>;

impl HostRef {
    fn find(self, shards: &Shards) -> Option<Host> {
        shards.get(&self.file)?.get(self.index as usize)
    }
}

/// Hashes of everything claimed, sorted.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    sorted: Vec<(u32, HostRef)>,
    /// Those of files that were resolved since, in no order.
    fresh: Vec<(u32, HostRef)>,
    /// These files, and files that are gone.
    renewed: HashSet<FileId>,
}

/// Something that only one interface can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key<'a> {
    Name(&'a Name),
    Address(IpAddr),
    Delegated(Ipv6Net),
    Mac(NetworkId, MacAddr),
    Duid(NetworkId, &'a [u8]),
    ClientId(NetworkId, &'a [u8]),
    Port(NetworkId, &'a PortId),
}

/// A key, the host that claims it, and where.
struct Claim<'a> {
    key: Key<'a>,
    span: Span,
    host: &'a Host,
    path: &'a str,
}

impl Claims {
    /// Notes what the hosts of a file claim, instead of what they claimed before. [`Claims::settle`] follows.
    pub(crate) fn note(&mut self, file: FileId, hosts: &[Host]) {
        if !self.renewed.insert(file) {
            self.fresh.retain(|(_, host)| host.file != file);
        }
        for (index, host) in (0..).zip(hosts) {
            each_claim(host, |key, _| self.fresh.push((hash(&key), HostRef { file, index })));
        }
    }

    /// Forgets the claims of a file. [`Claims::settle`] follows.
    pub(crate) fn forget(&mut self, file: FileId) {
        self.note(file, &[]);
    }

    /// Takes over what was noted. Cost: a pass over all claims if there is any.
    pub(crate) fn settle(&mut self) {
        let (mut fresh, gone) = (std::mem::take(&mut self.fresh), std::mem::take(&mut self.renewed));
        if gone.is_empty() {
            return;
        }
        fresh.sort_unstable();
        let gone = Gone::new(&gone);
        self.sorted.retain(|(_, host)| !gone.contains(host.file));
        merge(&mut self.sorted, &fresh);
    }

    /// The host that claims `name`, as its own, a nic's or an alias; of several the first by path and
    /// place, whatever order their files were first seen in. Cost: a search in what is sorted.
    pub(crate) fn named(&self, name: &Name, shards: &Shards) -> Option<Host> {
        let wanted = hash(&Key::Name(name));
        let at = self.sorted.partition_point(|(hash, _)| *hash < wanted);
        let refs = self.sorted[at..].iter().take_while(|(hash, _)| *hash == wanted).map(|(_, host)| *host);
        let claims = |host: &Host| {
            host.named_nics().any(|(own, _)| own.fqdn == *name)
                || host.aliases.iter().any(|alias| alias.name.fqdn == *name)
                || host.name.fqdn == *name
        };
        refs.filter_map(|host_ref| Some((&*shards.get(&host_ref.file)?.path, host_ref.find(shards)?)))
            .filter(|(_, host)| claims(host))
            .min_by(|(path, host), (other, next)| (*path, host.span.start).cmp(&(*other, next.span.start)))
            .map(|(_, host)| host)
    }

    /// Everything that is claimed twice.
    pub(crate) fn conflicts(&self, shards: &Shards, globals: &Globals, findings: &mut Vec<Finding>) {
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

/// Merges `fresh` into `sorted`, from the back and in place: a second list would double the memory.
fn merge(sorted: &mut Vec<(u32, HostRef)>, fresh: &[(u32, HostRef)]) {
    let Some(filler) = fresh.first() else { return };
    let mut old = sorted.len();
    sorted.reserve_exact(fresh.len());
    sorted.resize(old + fresh.len(), *filler);
    let mut new = fresh.len();
    while new > 0 {
        let from_old = old > 0 && sorted[old - 1] > fresh[new - 1];
        sorted[old + new - 1] = if from_old { sorted[old - 1] } else { fresh[new - 1] };
        if from_old { old -= 1 } else { new -= 1 }
    }
}

/// A set of files, asked once for each claim: a bit for each.
struct Gone(Vec<bool>);

impl Gone {
    fn new(files: &HashSet<FileId>) -> Gone {
        let mut gone = vec![false; files.iter().map(|file| file.0 as usize + 1).max().unwrap_or(0)];
        for file in files {
            gone[file.0 as usize] = true;
        }
        Gone(gone)
    }

    fn contains(&self, file: FileId) -> bool {
        self.0.get(file.0 as usize).copied().unwrap_or(false)
    }
}

/// Reports the keys that the hosts of a group of equal hashes really share.
fn conflict(group: &[(u32, HostRef)], shards: &Shards, globals: &Globals, findings: &mut Vec<Finding>) {
    let mut refs: Vec<HostRef> = group.iter().map(|(_, host)| *host).collect();
    refs.dedup();
    let found = |host: HostRef| Some((host.find(shards)?, &*shards.get(&host.file)?.path));
    let hosts: Vec<(Host, &str)> = refs.into_iter().filter_map(found).collect();
    let mut seen: Vec<Claim<'_>> = Vec::new();
    for (host, path) in &hosts {
        each_claim(host, |key, span| {
            if hash(&key) == group[0].0 {
                seen.push(Claim { key, span, host, path });
            }
        });
    }
    // The later place is the one to be mended. Ids of files tell when a file was first seen, so they
    // would tell another order after each start.
    seen.sort_by_key(|claim| (claim.path, claim.span.start));
    for index in 1..seen.len() {
        let claim = &seen[index];
        if let Some(first) = seen[..index].iter().find(|other| other.key == claim.key) {
            findings.extend(report(claim, first, globals));
        }
    }
}

/// `None` if the two may share it, or if that is told already.
fn report(claim: &Claim<'_>, first: &Claim<'_>, globals: &Globals) -> Option<Finding> {
    let (name, other) = (&claim.host.name.fqdn, &first.host.name.fqdn);
    let one_host = std::ptr::eq(claim.host, first.host);
    if name == other && !one_host {
        // A host written twice shares everything: the host is the one mistake.
        let is_host = claim.key == Key::Name(name) && claim.span == claim.host.span;
        return is_host.then(|| host_twice(claim, first));
    }
    // A DUID is the host's, so all its interfaces may have it.
    if one_host && matches!(claim.key, Key::Duid(..)) {
        return None;
    }
    let by_both =
        if one_host { format!("both times by `{name}`") } else { format!("by `{other}` and by `{name}`") };
    let in_network = |id: &NetworkId| format!("in network `{}`", globals.network(*id).name);
    let twice = |what: &str, network: &NetworkId| {
        (Rule::DuplicateIdentifier, format!("{what} is used twice {}, {by_both}", in_network(network)))
    };
    let (rule, message) = match &claim.key {
        Key::Name(claimed) => (Rule::DuplicateName, format!("name `{claimed}` is used twice, {by_both}")),
        Key::Address(address) => {
            (Rule::DuplicateAddress, format!("address {address} is used twice, {by_both}"))
        }
        Key::Delegated(prefix) => {
            (Rule::DuplicateAddress, format!("prefix {prefix} is delegated twice, {by_both}"))
        }
        Key::Mac(network, mac) => (
            Rule::DuplicateMac,
            format!("MAC address {mac} is used twice {}, {by_both}", in_network(network)),
        ),
        Key::Duid(network, _) => twice("DUID", network),
        Key::ClientId(network, _) => twice("client identifier", network),
        Key::Port(network, _) => twice("relay port", network),
    };
    Some(Finding::new(rule, claim.span, message).other(first.span, "first used here"))
}

fn host_twice(claim: &Claim<'_>, first: &Claim<'_>) -> Finding {
    let message = format!("host `{}` is defined twice", claim.host.name.fqdn);
    let finding = Finding::new(Rule::DefinedTwice, claim.span, message);
    finding.other(first.span, "first defined here").help("rename one of them, or join them in one file")
}

/// Calls `claim` with everything that `host` claims and where it does.
fn each_claim<'a>(host: &'a Host, mut claim: impl FnMut(Key<'a>, Span)) {
    claim(Key::Name(&host.name.fqdn), host.span);
    for alias in &host.aliases {
        claim(Key::Name(&alias.name.fqdn), alias.span);
    }
    for service in &host.rest.services {
        claim(Key::Name(&service.name), service.span);
    }
    for nic in &host.nics {
        if let Some(name) = &nic.rest.name {
            claim(Key::Name(&name.fqdn), nic.name_span());
        }
        if let Some(mac) = nic.mac {
            claim(Key::Mac(nic.network, mac), nic.mac_span());
        }
        for (address, span) in nic.addresses.iter().zip(nic.address_spans()) {
            claim(Key::Address(*address), span);
        }
        for (prefix, span) in nic.delegations() {
            claim(Key::Delegated(*prefix), *span);
        }
        let Some(identifiers) = &nic.rest.identifiers else {
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

#[expect(clippy::cast_possible_truncation, reason = "half of the hash")]
fn hash(key: &Key<'_>) -> u32 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish() as u32
}
