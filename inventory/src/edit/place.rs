//! Where a new host is written: after the host that it resembles most.

use std::sync::Arc;

use inventory_core::model::{Host, HostIndex, Inventory, NetworkId};

use super::session::Session;
use crate::exit::Failure;

/// What is known of a new host.
pub(super) struct Newcomer<'a> {
    /// Its first label.
    pub(super) label: &'a str,
    pub(super) network: Option<NetworkId>,
    pub(super) vmhost: Option<&'a str>,
    pub(super) tags: &'a [String],
}

/// The file for a new host, and the key of the host there to write it after.
pub(super) fn find(
    session: &mut Session,
    newcomer: &Newcomer<'_>,
) -> Result<(Arc<str>, Option<String>), Failure> {
    let inventory = session.before().map(|snapshot| Arc::clone(&snapshot.inventory));
    if let Some((path, octet)) = inventory.as_deref().and_then(|inventory| neighbour(inventory, newcomer)) {
        let key = session.doc(&path)?.key_at(octet);
        return Ok((path, key));
    }
    let paths = session.paths();
    match paths.as_slice() {
        [only] => Ok((Arc::clone(only), None)),
        _ => Ok((Arc::from("hosts.toml"), None)),
    }
}

/// File and octet of the host that resembles `newcomer` most; `None` if there are no hosts.
fn neighbour(inventory: &Inventory, newcomer: &Newcomer<'_>) -> Option<(Arc<str>, usize)> {
    let index = HostIndex::of(inventory);
    let vmhost = newcomer.vmhost.and_then(|name| match index.find(name, None) {
        inventory_core::model::Found::One(host) => Some(host),
        _ => None,
    });
    let is_on = |host: &Host| match (host.vmhost().map(|name| index.find(name, None)), vmhost) {
        (Some(inventory_core::model::Found::One(on)), Some(wanted)) => std::ptr::eq(on, wanted),
        _ => false,
    };
    let (stem, number) = split(newcomer.label);
    let score = |host: &Host| {
        let label = label(host);
        let same_stem = split(&label).0 == stem && !stem.is_empty();
        let same_network = newcomer.network == Some(host.primary().network);
        let shared = host.tags.iter().any(|tag| newcomer.tags.iter().any(|own| **own == **tag));
        // A virtual machine belongs with virtual machines, even of other hosts.
        let same_kind = host.vmhost().is_some() == newcomer.vmhost.is_some();
        u32::from(same_stem) * 16
            + u32::from(is_on(host)) * 8
            + u32::from(same_network) * 4
            + u32::from(same_kind) * 2
            + u32::from(shared)
    };
    let all =
        || inventory.shards.iter().flat_map(|shard| shard.hosts().iter().map(move |host| (shard, host)));
    let best = all().map(|(_, host)| score(host)).max()?;
    let alike: Vec<_> = all().filter(|(_, host)| score(host) == best).collect();
    // web2 goes after web1, whatever comes later in the file.
    let before = alike.iter().filter(|(_, host)| {
        let label = label(host);
        let (its_stem, its_number) = split(&label);
        its_stem == stem && its_number < number
    });
    let nearest = before.max_by_key(|(_, host)| split(&label(host)).1);
    let (shard, host) = nearest.or_else(|| alike.last())?;
    Some((Arc::clone(&shard.path), host.span.start as usize))
}

fn label(host: &Host) -> String {
    host.name
        .fqdn
        .labels()
        .next()
        .map(|label| String::from_utf8_lossy(label).into_owned())
        .unwrap_or_default()
}

/// `web12` as `web` and 12; without a number at the end, 0.
fn split(label: &str) -> (&str, u64) {
    let stem = label.trim_end_matches(|c: char| c.is_ascii_digit());
    (stem, label[stem.len()..].parse().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITE: &str = "[site]\nnameservers = [\"ns1.lab.example.org\"]\ncontact = \"h@lab.example.org\"\n[zone.\"lab.example.org\"]\n[network.a]\nzone = \"lab.example.org\"\nipv4 = \"10.0.0.0/24\"\n[network.b]\nzone = \"lab.example.org\"\nipv4 = \"10.0.1.0/24\"\n";

    fn placed(label: &str, network: u32, vmhost: Option<&str>) -> (String, String) {
        let machines = "[host.ns1]\nnetwork = \"a\"\nip = \"10.0.0.2\"\n[host.hv1]\nnetwork = \"a\"\nip = \"10.0.0.3\"\n";
        let vms = "[host.web1]\nnetwork = \"a\"\nvmhost = \"hv1\"\n[host.web10]\nnetwork = \"a\"\nvmhost = \"hv1\"\n[host.db]\nnetwork = \"a\"\nvmhost = \"hv1\"\n";
        let far = "[host.far]\nnetwork = \"b\"\n";
        let files = [("net.toml", SITE), ("machines.toml", machines), ("vms.toml", vms), ("far.toml", far)];
        let snapshot = inventory_core::load_texts(&files).unwrap();
        let newcomer = Newcomer { label, network: Some(NetworkId(network)), vmhost, tags: &[] };
        let (path, octet) = neighbour(&snapshot.inventory, &newcomer).unwrap();
        let text = files.iter().find(|(name, _)| *name == &*path).unwrap().1;
        let key = text[octet..].split(']').next().unwrap();
        (path.to_string(), key.to_owned())
    }

    #[test]
    fn a_host_goes_after_its_kin_by_name_number_vmhost_and_network() {
        let at = |path: &str, key: &str| (path.to_owned(), key.to_owned());
        assert_eq!(placed("web2", 0, Some("hv1")), at("vms.toml", "web1"));
        assert_eq!(placed("web11", 0, Some("hv1")), at("vms.toml", "web10"));
        assert_eq!(placed("cache", 0, Some("hv1")), at("vms.toml", "db"));
        assert_eq!(placed("hv2", 0, None), at("machines.toml", "hv1"));
        assert_eq!(placed("printer", 1, None), at("far.toml", "far"));
    }
}
