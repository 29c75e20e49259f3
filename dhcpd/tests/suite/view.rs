//! A view that followed any edits is the view of what they led to.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use dhcpd::view::{DhcpView, Reservation};
use inventory_core::load::{Loaded, Loader};
use inventory_core::mac::MacAddr;
use inventory_core::model::{NetworkId, Snapshot};
use inventory_core::source::{Listing, Memory, ReadError, Source, Version};
use proptest::prelude::*;

use super::lab::{cases_or, view_of};

const NETWORKS: &str = r#"
[site]
nameservers = ["ns1.lab.test"]
contact = "hostmaster@lab.test"
[zone."lab.test"]
[zone."other.test"]
[network.a]
zone = "lab.test"
ipv4 = "10.1.0.0/16"
[network.b]
zone = "lab.test"
ipv4 = "10.2.0.0/16"
[network.six]
zone = "lab.test"
ipv6 = "2001:db8::/64"
[host.ns1]
network = "a"
ip = "10.1.0.1"
"#;

/// Files that tests write to while a loader follows them.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Memory>>);

impl Source for Shared {
    fn list(&self) -> Listing {
        self.0.lock().unwrap().list()
    }

    fn version(&self, path: &str) -> Result<Version, ReadError> {
        self.0.lock().unwrap().version(path)
    }

    fn read(&self, path: &str) -> Result<(Version, Vec<u8>), ReadError> {
        self.0.lock().unwrap().read(path)
    }

    fn describe(&self) -> String {
        "shared".to_owned()
    }
}

/// A host of number `n`: its keys follow from its number, the rest from its variant.
fn host(n: u16, variant: u8) -> String {
    let [high, low] = n.to_be_bytes();
    let network = if n.is_multiple_of(3) { "b" } else { "a" };
    let name = if variant & 64 == 0 { format!("h{n}") } else { format!("\"h{n}.other.test\"") };
    let mut text = format!("[host.{name}]\nnetwork = {network:?}\n");
    if variant & 1 == 0 {
        text += &format!("mac = \"02:00:00:00:{high:02x}:{low:02x}\"\n");
    }
    if variant & 2 == 0 {
        let second = if network == "a" { 1 } else { 2 };
        text += &format!("ip = \"10.{second}.{}.{low}\"\n", u16::from(high) + 1);
    }
    if variant & 4 != 0 {
        text += &format!("client-id = \"0x00ff{n:04x}\"\n");
    }
    if variant & 8 != 0 {
        text += &format!("duid = \"0x0003000102000000{n:04x}\"\n");
    }
    if variant & 16 != 0 {
        text += &format!("port = {{ circuit-id = \"{n}\", remote-id = \"sw\" }}\n");
    }
    if variant & 32 != 0 {
        text += "state = \"planned\"\nlease = \"5m\"\noptions = { ntp-servers = [\"10.1.0.9\"] }\n";
    }
    text + if variant & 128 != 0 { "dhcp = false\n" } else { "" }
}

fn seen(found: Option<Reservation<'_>>) -> String {
    found.map_or(String::new(), |nic| {
        format!(
            "{} {:?} {:?} {:?} {} {} {:?} {:?}",
            nic.fqdn().unwrap(),
            nic.address(),
            nic.lease_seconds(),
            std::str::from_utf8(nic.label()),
            nic.is_served(),
            nic.has_dhcp(),
            nic.options().iter().map(|option| option.code).collect::<Vec<_>>(),
            nic.other_zone().map(ToString::to_string),
        )
    })
}

/// Everything that looking up any key in any network finds.
fn all(view: &DhcpView) -> Vec<String> {
    let mut found = vec![format!("{:?} {}", view.hash(), view.key_count())];
    found.extend(view.networks().map(|network| format!("{network:?}")));
    found.extend(view.networks6().map(|network| format!("{network:?}")));
    for network in (0..4).map(NetworkId) {
        for n in 0..HOSTS {
            let [high, low] = n.to_be_bytes();
            let lookups = [
                view.by_mac(network, MacAddr([2, 0, 0, 0, high, low])),
                view.by_client_id(network, &[0, 0xff, high, low]),
                view.by_duid(network, &[0, 3, 0, 1, 2, 0, 0, 0, high, low]),
                view.by_port(network, n.to_string().as_bytes(), Some(b"sw")),
                view.by_port(network, n.to_string().as_bytes(), None),
            ];
            found.extend(lookups.map(seen));
        }
    }
    found
}

/// Hosts that there may be, dealt to `FILES` files.
const HOSTS: u16 = 300;
const FILES: u16 = 6;

/// What happens to the inventory.
#[derive(Clone, Debug)]
enum Edit {
    /// A file's hosts are these, as number of the host and variant.
    Write(u16, Vec<(u16, u8)>),
    /// A file goes.
    Remove(u16),
    /// A file is written again as it is.
    Touch(u16),
    /// The lease of the networks changes.
    Lease(u16),
}

fn edit() -> impl Strategy<Value = Edit> {
    let hosts = prop::collection::btree_map(0..HOSTS / FILES, any::<u8>(), 0..50);
    let write = (0..FILES, hosts).prop_map(|(file, hosts)| {
        Edit::Write(file, hosts.into_iter().map(|(n, variant)| (n * FILES + file, variant)).collect())
    });
    let file = 0..FILES;
    prop_oneof![
        6 => write,
        1 => file.clone().prop_map(Edit::Remove),
        1 => file.prop_map(Edit::Touch),
        1 => (1..9_u16).prop_map(Edit::Lease),
    ]
}

fn apply(files: &Shared, edit: &Edit) {
    let mut files = files.0.lock().unwrap();
    match edit {
        Edit::Write(file, hosts) => {
            let text: String = hosts.iter().map(|(n, variant)| host(*n, *variant)).collect();
            files.write(&format!("hosts/{file}.toml"), text);
        }
        Edit::Remove(file) => files.remove(&format!("hosts/{file}.toml")),
        Edit::Touch(file) => {
            if let Ok((_, octets)) = files.read(&format!("hosts/{file}.toml")) {
                files.write(&format!("hosts/{file}.toml"), octets);
            }
        }
        Edit::Lease(hours) => {
            let text = NETWORKS.replace("[network.b]", &format!("lease = \"{hours}h\"\n[network.b]"));
            files.write("networks.toml", text);
        }
    }
}

fn loaded(loader: &mut Loader) -> Option<Snapshot> {
    match loader.load() {
        Loaded::Good { snapshot, .. } => Some(snapshot),
        Loaded::Unchanged => None,
        Loaded::Broken { diagnostics } => panic!("the edits are all good: {diagnostics:#?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases_or(60)))]

    #[test]
    fn a_view_that_followed_edits_equals_one_built_from_nothing(edits in prop::collection::vec(edit(), 1..12)) {
        let files = Shared::default();
        files.0.lock().unwrap().write("networks.toml", NETWORKS);
        let mut loader = Loader::new(Box::new(files.clone()));
        let mut snapshot = loaded(&mut loader).unwrap();
        let mut view = DhcpView::build(&snapshot);
        for edit in &edits {
            apply(&files, edit);
            let Some(next) = loaded(&mut loader) else { continue };
            view = view.updated(&snapshot.inventory, &next);
            snapshot = next;
            prop_assert_eq!(view.generation(), snapshot.generation);
            prop_assert_eq!(all(&view), all(&DhcpView::build(&snapshot)), "after {:?}", edit);
            for nic in snapshot.inventory.hosts().flat_map(|host| &host.nics) {
                let Some(address) = nic.ipv4() else { continue };
                let found = view.by_address(nic.network, address).and_then(|found| found.mac());
                prop_assert_eq!(found, nic.mac, "after {:?}", edit);
            }
        }
    }
}

#[test]
fn a_table_that_grows_far_beyond_its_first_size_is_laid_out_anew() {
    let files = Shared::default();
    files.0.lock().unwrap().write("networks.toml", NETWORKS);
    let mut loader = Loader::new(Box::new(files.clone()));
    let mut snapshot = loaded(&mut loader).unwrap();
    let mut view = DhcpView::build(&snapshot);
    for step in 0..40 {
        let hosts: String = (step * 100..step * 100 + 100).map(|n| host(n, 0)).collect();
        files.0.lock().unwrap().write(&format!("hosts/{step}.toml"), hosts);
        let next = loaded(&mut loader).unwrap();
        view = view.updated(&snapshot.inventory, &next);
        snapshot = next;
    }
    assert_eq!(view.key_count(), 4000);
    for n in 0..4000_u16 {
        let [high, low] = n.to_be_bytes();
        let found = [0, 1].map(|id| view.by_mac(NetworkId(id), MacAddr([2, 0, 0, 0, high, low])).is_some());
        assert_eq!(found, [!n.is_multiple_of(3), n.is_multiple_of(3)], "{n}");
    }
}

#[test]
fn one_card_in_two_networks_is_two_nics_and_a_third_network_knows_neither() {
    let view = view_of(
        &(NETWORKS.to_owned()
            + "[network.c]\nzone = \"lab.test\"\nipv4 = \"10.3.0.0/24\"
[host.r.nic.a]\nnetwork = \"a\"\nmac = \"02:00:00:00:00:01\"\nip = \"10.1.0.5\"
[host.r.nic.b]\nnetwork = \"b\"\nmac = \"02:00:00:00:00:01\"\nip = \"10.2.0.5\"\n"),
    );
    let address = |network: &str| {
        let network = view.networks().find(|other| *other.name == *network).unwrap();
        view.by_mac(network.id, MacAddr([2, 0, 0, 0, 0, 1])).map(|nic| nic.address().unwrap())
    };
    assert_eq!(address("a"), Some(Ipv4Addr::new(10, 1, 0, 5)));
    assert_eq!(address("b"), Some(Ipv4Addr::new(10, 2, 0, 5)));
    assert_eq!(address("c"), None);
}

#[test]
fn a_port_with_its_remote_id_goes_before_the_same_port_of_any_switch() {
    let view = view_of(
        &(NETWORKS.to_owned()
            + "[host.any]\nnetwork = \"a\"\nport = \"7\"\nip = \"10.1.0.5\"
[host.one]\nnetwork = \"a\"\nport = { remote-id = \"sw1\", circuit-id = \"7\" }\nip = \"10.1.0.6\"\n"),
    );
    let id = view.networks().next().unwrap().id;
    let label = |circuit: &[u8], remote| view.by_port(id, circuit, remote).map(|nic| nic.label());
    assert_eq!(label(b"7", Some(b"sw1")), Some(&b"one"[..]));
    assert_eq!(label(b"7", Some(b"sw2")), Some(&b"any"[..]));
    assert_eq!(label(b"7", None), Some(&b"any"[..]));
    assert_eq!(label(b"8", Some(b"sw1")), None);
}

#[test]
fn a_network_is_found_by_any_of_its_addresses_and_one_without_ipv4_never() {
    let view = view_of(NETWORKS);
    let name = |address: [u8; 4]| view.network_of(address.into()).map(|network| &*network.name);
    assert_eq!(name([10, 1, 0, 0]), Some("a"));
    assert_eq!(name([10, 1, 255, 255]), Some("a"));
    assert_eq!(name([10, 2, 0, 0]), Some("b"));
    assert_eq!([[10, 0, 255, 255], [10, 3, 0, 0], [0; 4], [255; 4]].map(name), [None; 4]);
    assert_eq!(view.networks().count(), 2);
}
