//! What clients of a view see of an inventory: addresses in networks with `view` are for clients of networks with the
//! same alone, and go before others there.
//!
//! The result is an inventory again, of which a view of the DNS is built as of any other.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use super::{Alias, Globals, Host, Inventory, Network, Nic, Shard};

/// Families of addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Families {
    /// IPv4.
    pub v4: bool,
    /// IPv6.
    pub v6: bool,
}

impl Families {
    /// Whether the family of `address` is one of them.
    pub fn have(self, address: IpAddr) -> bool {
        if address.is_ipv4() { self.v4 } else { self.v6 }
    }

    fn of(nic: &Nic) -> Families {
        let has = |is: fn(&IpAddr) -> bool| nic.addresses.iter().any(is);
        Families { v4: has(IpAddr::is_ipv4), v6: has(IpAddr::is_ipv6) }
    }
}

impl Globals {
    /// Names of the views, sorted. None: everybody sees everything.
    pub fn views(&self) -> BTreeSet<&str> {
        self.networks.iter().filter_map(|network| network.view.as_deref()).collect()
    }
}

impl Inventory {
    /// What clients of `view` see; `None`: those of networks without a view, and strangers. `last` is an earlier
    /// inventory and what the same clients saw of it: files that did not change stay shared then.
    ///
    /// Cost: linear in the hosts of the files that are not in `last`.
    #[must_use]
    pub fn seen_in(&self, view: Option<&str>, last: Option<(&Inventory, &Inventory)>) -> Inventory {
        let last = last.filter(|(source, _)| Arc::ptr_eq(&source.globals, &self.globals));
        let mut known: HashMap<*const Shard, &Arc<Shard>> = HashMap::new();
        if let Some((source, seen)) = last {
            known.extend(source.shards.iter().map(Arc::as_ptr).zip(&seen.shards));
        }
        let globals = match last {
            Some((_, seen)) => Arc::clone(&seen.globals),
            None => globals_in(&self.globals, view),
        };
        let shard_in = |shard: &Arc<Shard>| match known.get(&Arc::as_ptr(shard)) {
            Some(seen) => Arc::clone(seen),
            None => shard_in(shard, &self.globals, view),
        };
        let shards = self.shards.iter().map(shard_in).collect();
        Inventory { globals, shards, files: Arc::clone(&self.files) }
    }
}

impl Network {
    fn is_seen_in(&self, view: Option<&str>) -> bool {
        self.view.is_none() || self.view.as_deref() == view
    }
}

/// The same without the pools of networks that are not seen.
fn globals_in(globals: &Arc<Globals>, view: Option<&str>) -> Arc<Globals> {
    if globals.networks.iter().all(|network| network.is_seen_in(view)) {
        return Arc::clone(globals);
    }
    let mut seen = Globals::clone(globals);
    for network in seen.networks.iter_mut().filter(|network| !network.is_seen_in(view)) {
        network.pools = Box::default();
    }
    Arc::new(seen)
}

fn shard_in(shard: &Arc<Shard>, globals: &Globals, view: Option<&str>) -> Arc<Shard> {
    if shard.iter().all(|host| is_as_written(&host, globals, view)) {
        return Arc::clone(shard);
    }
    let hosts: Vec<Host> = shard.iter().filter_map(|host| host_in(&host, globals, view)).collect();
    Arc::new(Shard::new(Arc::clone(&shard.path), &hosts))
}

fn is_as_written(host: &Host, globals: &Globals, view: Option<&str>) -> bool {
    let all_seen = host.nics.iter().all(|nic| globals.network(nic.network).is_seen_in(view));
    all_seen && bearer(host, globals, view) == Some(0)
}

/// The interface whose addresses the host's name has: the first with some in a network of the view, else the
/// primary one, else the first that is seen. `None`: none is.
fn bearer(host: &Host, globals: &Globals, view: Option<&str>) -> Option<usize> {
    let network = |nic: &Nic| globals.network(nic.network);
    let is_own = |nic: &Nic| view.is_some() && network(nic).view.as_deref() == view;
    let own = host.nics.iter().position(|nic| is_own(nic) && !nic.addresses.is_empty());
    own.or_else(|| host.nics.iter().position(|nic| network(nic).is_seen_in(view)))
}

/// What is seen of a host; `None`: nothing.
fn host_in(host: &Host, globals: &Globals, view: Option<&str>) -> Option<Host> {
    let bearer = bearer(host, globals, view)?;
    let mut seen = host.clone();
    let mut first = host.nics.get(bearer)?.clone();
    let others = host.nics.iter().enumerate().filter(|(place, _)| *place != bearer);
    let mut nics: Vec<Nic> = others
        .map(|(_, nic)| nic)
        .filter(|nic| globals.network(nic.network).is_seen_in(view))
        .cloned()
        .collect();
    // The name of the interface stays one, of the host's.
    if let Some(name) = first.rest.name.clone() {
        first.rest.edit(|rest| rest.name = None);
        let own = Alias { name, span: first.name_span() };
        seen.aliases = host.aliases.iter().cloned().chain([own]).collect();
    }
    for nic in nics.iter_mut().filter(|nic| nic.rest.name.is_none()) {
        nic.rest.edit(|rest| rest.replaced = Families::of(&first));
    }
    nics.insert(0, first);
    seen.nics = nics.into();
    Some(seen)
}
