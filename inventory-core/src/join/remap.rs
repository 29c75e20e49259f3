//! Ids of one source counted as ids of the whole.

use std::collections::BTreeSet;

use super::placed;
use crate::model::{BootId, BootSource, Globals, Host, Key, NetworkId, Unknown, ZoneId};

/// For each id of a source, the one in the whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Maps {
    pub(super) zones: Vec<ZoneId>,
    pub(super) networks: Vec<NetworkId>,
    pub(super) boots: Vec<BootId>,
}

/// A host with the ids of the whole.
pub(super) fn moved(mut host: Host, maps: &Maps) -> Host {
    let zone = |id: &mut ZoneId| *id = maps.zones[id.0 as usize];
    zone(&mut host.name.zone);
    host.aliases.iter_mut().for_each(|alias| zone(&mut alias.name.zone));
    for nic in host.nics.iter_mut() {
        nic.network = maps.networks[nic.network.0 as usize];
        nic.rest.edit(|rest| rest.name.iter_mut().for_each(|name| zone(&mut name.zone)));
    }
    host.boot = host.boot.map(|id| maps.boots[id.0 as usize]);
    host
}

/// Appends what a source has to `all`, not sorted yet. Ids in it become places
/// in `all`. A reverse zone that follows from both sources' networks is one zone, the earlier one's.
pub(super) fn append(all: &mut Globals, own: &Globals, label: &str) -> Maps {
    let mut maps = Maps::default();
    for zone in &own.zones {
        let known = all.zones.iter().position(|other| other.name == zone.name);
        let place = known.unwrap_or(all.zones.len());
        if known.is_none() {
            let mut zone = zone.clone();
            zone.file = zone.file.as_ref().map(|path| placed(label, path));
            all.zones.push(zone);
        }
        maps.zones.push(ZoneId(number(place)));
    }
    for boot in &own.boots {
        let mut boot = boot.clone();
        boot.name = own_name(&boot.name, label, |name| all.boots.iter().any(|other| *other.name == *name));
        for file in &mut boot.files {
            file.template = placed(label, &file.template);
        }
        if let BootSource::Script(path) = &mut boot.source
            && !path.contains("://")
        {
            *path = placed(label, path);
        }
        maps.boots.push(BootId(number(all.boots.len())));
        all.boots.push(boot);
    }
    let unknown = |key: &&Key| all.keys.iter().all(|other| other.name != key.name);
    let keys: Vec<Key> = own.keys.iter().filter(unknown).cloned().collect();
    all.keys.extend(keys);
    let first = number(all.networks.len());
    // A view is one customer's, whatever others call theirs.
    let views: BTreeSet<String> = all.views().into_iter().map(str::to_owned).collect();
    for network in &own.networks {
        let mut network = network.clone();
        network.name =
            own_name(&network.name, label, |name| all.networks.iter().any(|other| *other.name == *name));
        network.zone = network.zone.map(|id| maps.zones[id.0 as usize]);
        network.view = network.view.map(|view| own_name(&view, label, |name| views.contains(name)));
        if let Unknown::Boot(id) = network.unknown {
            network.unknown = Unknown::Boot(maps.boots[id.0 as usize]);
        }
        for other in network.link.iter_mut().flat_map(|link| &mut link.others) {
            other.0 += first;
        }
        maps.networks.push(NetworkId(number(all.networks.len())));
        all.networks.push(network);
    }
    maps
}

/// Turns places in `all` into ids, which are places once the lists are sorted.
pub(super) fn refer(all: &mut Globals, zones: &[u32], networks: &[u32], boots: &[u32]) {
    for network in &mut all.networks {
        network.zone = network.zone.map(|place| ZoneId(zones[place.0 as usize]));
        if let Unknown::Boot(place) = network.unknown {
            network.unknown = Unknown::Boot(BootId(boots[place.0 as usize]));
        }
        if let Some(link) = &mut network.link {
            link.others.iter_mut().for_each(|place| place.0 = networks[place.0 as usize]);
            link.others.sort_unstable();
        }
    }
}

/// `servers`, or `servers@customer` if an earlier source has that name.
fn own_name(name: &str, label: &str, is_taken: impl Fn(&str) -> bool) -> Box<str> {
    if !is_taken(name) {
        return name.into();
    }
    let plain = format!("{name}@{label}");
    let numbered = (2..).map(|number: u32| format!("{plain}-{number}"));
    let mut names = std::iter::once(plain.clone()).chain(numbered);
    names.find(|name| !is_taken(name)).unwrap_or(plain).into()
}

fn number(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}
