//! There and back again.

use std::collections::BTreeSet;
use std::process::Command;

use inventory_core::diag::Finding;
use inventory_core::model::Network;
use inventory_core::name::Name;
use inventory_core::records::{Files, Unopened, present, read_master};
use inventory_core::span::FileId;
use serde_json::Value;

use super::files::{self, ZONE};
use super::{Desk, Entry, aliases, entries, networks};

/// What every import must know.
fn truth() -> BTreeSet<Entry> {
    let hosts = files::hosts().into_iter();
    hosts.map(|host| (format!("{}.{ZONE}", host.name), Some(host.mac), vec![host.ip])).collect()
}

fn true_aliases() -> BTreeSet<(String, String)> {
    let hosts = files::hosts().into_iter();
    let named =
        hosts.filter_map(|host| Some((format!("{}.{ZONE}", host.alias?), format!("{}.{ZONE}", host.name))));
    named.collect()
}

fn true_networks() -> BTreeSet<(String, String, String, String)> {
    let of = |net: &str, gateway: &str, pool: &str| {
        (net.to_owned(), gateway.to_owned(), "10.20.0.10 10.20.0.11".to_owned(), pool.to_owned())
    };
    [
        of("10.20.0.0/24", "10.20.0.1", "10.20.0.200-10.20.0.250"),
        of("10.20.4.0/22", "10.20.4.1", "10.20.7.0-10.20.7.254"),
    ]
    .into()
}

/// Whether a program of the other system takes the file.
fn accepted(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output();
    let output =
        output.unwrap_or_else(|error| panic!("{program}: {error}; integration-tests/setup.sh installs it"));
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
}

/// Code and octets of each.
type Options = Vec<(u16, Vec<u8>)>;

/// The options of the network with this prefix that are not keys of their own.
fn options(desk: &Desk, inventory: &str) -> Vec<(String, Options)> {
    let snapshot = desk.load(inventory);
    let networks = snapshot.inventory.globals.networks.iter();
    let mut all: Vec<_> = networks
        .map(|network| {
            let options = network.options.iter().map(|option| (option.code, option.data.to_vec()));
            (network.ipv4.unwrap().to_string(), options.collect())
        })
        .collect();
    all.sort();
    all
}

#[test]
fn dnsmasq_goes_in_and_out() {
    let desk = Desk::new("dnsmasq");
    let file = desk.write("dnsmasq.conf", &files::dnsmasq());
    let lost = desk.import("a", &["dnsmasq", &file]);
    assert_eq!(
        lost,
        [
            "dnsmasq.conf:16: `server=9.9.9.9`: hostbook-dnsd asks no other server",
            "dnsmasq.conf:17: `enable-tftp`"
        ]
    );
    let snapshot = desk.load("a");
    assert_eq!(entries(&snapshot), truth());
    assert_eq!((aliases(&snapshot), networks(&snapshot)), (true_aliases(), true_networks()));
    let leases: BTreeSet<u32> =
        snapshot.inventory.globals.networks.iter().map(|network| network.lease_seconds).collect();
    assert_eq!(leases, [7200, 43200].into());
    assert_eq!(options(&desk, "a")[0].1, [(42, vec![10, 20, 0, 12])]);
    let records = &snapshot.inventory.globals.zone_named(&Name::parse(ZONE, None).unwrap()).unwrap();
    assert_eq!(snapshot.inventory.globals.zone(*records).records.len(), 3);

    let written = desk.write("out.conf", &desk.export("a", &["dnsmasq"]));
    accepted("dnsmasq", &["--test", "-C", &written]);
    assert_eq!(desk.import("b", &["dnsmasq", &written]), [""; 0]);
    let again = desk.load("b");
    assert_eq!(
        (entries(&again), aliases(&again), networks(&again)),
        (truth(), true_aliases(), true_networks())
    );
    assert_eq!(options(&desk, "a"), options(&desk, "b"));
    assert_eq!(
        zone_records(&desk.export("a", &["zone", "--zone", ZONE])),
        zone_records(&desk.export("b", &["zone", "--zone", ZONE]))
    );
}

#[test]
fn iscs_dhcpd_goes_in_and_out_as_kea() {
    let desk = Desk::new("isc");
    let file = desk.write("dhcpd.conf", &files::isc());
    let lost = desk.import("a", &["isc", &file]);
    assert_eq!(lost, ["dhcpd.conf:9: `class phones {…}`", "dhcpd.conf:31: `next-server 10.20.0.9`"]);
    let snapshot = desk.load("a");
    assert_eq!((entries(&snapshot), networks(&snapshot)), (truth(), true_networks()));
    check_kea(&desk, "a");
}

#[test]
fn kea_goes_in_and_out() {
    let desk = Desk::new("kea");
    let file = desk.write("kea-dhcp4.conf", &files::kea());
    let lost = desk.import("a", &["kea", &file]);
    assert_eq!(lost, ["kea-dhcp4.conf: Dhcp4: hook \"/usr/lib/kea/hooks/libdhcp_ha.so\""]);
    let snapshot = desk.load("a");
    assert_eq!((entries(&snapshot), networks(&snapshot)), (truth(), true_networks()));
    check_kea(&desk, "a");
}

/// The export for Kea says what the original did, and comes back as the same inventory.
fn check_kea(desk: &Desk, inventory: &str) {
    let text = desk.export(inventory, &["kea"]);
    let config: Value = serde_json::from_str(&text).unwrap();
    let subnets = config["Dhcp4"]["subnet4"].as_array().unwrap();
    let reservations = subnets.iter().flat_map(|subnet| subnet["reservations"].as_array().unwrap());
    let field = |reservation: &Value, key: &str| reservation[key].as_str().unwrap().to_owned();
    let said: BTreeSet<Entry> = reservations
        .map(|one| (field(one, "hostname"), Some(field(one, "hw-address")), vec![field(one, "ip-address")]))
        .collect();
    assert_eq!(said, truth());
    let mut seen: Vec<(String, u64, String)> = subnets
        .iter()
        .map(|subnet| {
            (
                field(subnet, "subnet"),
                subnet["valid-lifetime"].as_u64().unwrap(),
                field(&subnet["pools"][0], "pool"),
            )
        })
        .collect();
    seen.sort();
    assert_eq!(
        seen,
        [
            ("10.20.0.0/24".to_owned(), 43200, "10.20.0.200 - 10.20.0.250".to_owned()),
            ("10.20.4.0/22".to_owned(), 7200, "10.20.7.0 - 10.20.7.254".to_owned())
        ]
    );
    let written = desk.write("kea.json", &text);
    accepted("kea-dhcp4", &["-t", &written]);
    assert_eq!(desk.import("again", &["kea", &written]), [""; 0]);
    let again = desk.load("again");
    assert_eq!((entries(&again), networks(&again)), (truth(), true_networks()));
    assert_eq!(options(desk, inventory), options(desk, "again"));
}

#[test]
fn networks_that_share_a_link_go_in_from_iscs_dhcpd_and_out_and_in_as_kea() {
    let desk = Desk::new("links");
    let subnet = |third: u8| {
        format!(
            "subnet 10.7.{third}.0 netmask 255.255.255.0 {{ range 10.7.{third}.100 10.7.{third}.200; }}\n"
        )
    };
    let text = format!(
        "option domain-name \"corp.example\";\nshared-network floor {{\n{}{}}}\nshared-network alone {{\n{}}}\n{}",
        subnet(1),
        subnet(2),
        subnet(3),
        subnet(4)
    );
    let file = desk.write("dhcpd.conf", &text);
    assert_eq!(desk.import("a", &["isc", &file]), [""; 0]);
    let links = |inventory: &str| {
        let networks = desk.load(inventory).inventory.globals.networks.clone();
        let link = |net: &Network| net.link.as_ref().map(|link| (link.name.to_string(), link.others.len()));
        networks.iter().map(|net| (net.ipv4.unwrap().to_string(), link(net))).collect::<Vec<_>>()
    };
    let floor = Some(("floor".to_owned(), 1));
    let all =
        [("10.7.1.0/24", &floor), ("10.7.2.0/24", &floor), ("10.7.3.0/24", &None), ("10.7.4.0/24", &None)];
    let all = all.map(|(prefix, link)| (prefix.to_owned(), link.clone()));
    assert_eq!(links("a"), all);
    let written = desk.write("kea.json", &desk.export("a", &["kea"]));
    accepted("kea-dhcp4", &["-t", &written]);
    assert_eq!(desk.import("again", &["kea", &written]), [""; 0]);
    assert_eq!(links("again"), all);
}

#[test]
fn pools_for_some_clients_are_not_written_for_all_and_that_is_said() {
    let desk = Desk::new("classes");
    let text = "[network.a]\nipv4 = \"10.7.1.0/24\"\nlink = \"floor\"\npool = \"10.7.1.100-10.7.1.149\"\n[network.a.match.kiosk]\ntag = \"kiosk\"\nlease = \"2h\"\n[network.a.match.phones]\nvendor-class = \"phone*\"\npool = \"10.7.1.150-10.7.1.199\"\n[network.b]\nipv4 = \"10.7.2.0/24\"\nlink = \"floor\"\n";
    std::fs::create_dir_all(desk.path("a")).unwrap();
    std::fs::write(desk.path("a").join("a.toml"), text).unwrap();
    let matches = [
        "`network.a.match.kiosk`: write it as a class of clients",
        "`network.a.match.phones`, with its pools: write it as a class of clients",
    ];
    let links = ["`network.a.link = \"floor\"`", "`network.b.link = \"floor\"`"];
    for (form, pool, left_out) in [
        ("kea", "10.7.1.100 - 10.7.1.149", matches.to_vec()),
        ("dnsmasq", "10.7.1.100,10.7.1.149", [matches, links].concat()),
    ] {
        let output = desk.run("a", &["export", form]);
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && out.contains(pool) && !out.contains("10.7.1.150"), "{out}{err}");
        let said: Vec<&str> =
            err.lines().map(|line| line.strip_prefix("hostbook: not written: ").unwrap()).collect();
        assert_eq!(said, left_out, "{form}");
    }
}

struct NoFiles;

impl Files for NoFiles {
    fn open(&mut self, path: &str, _: FileId) -> Result<(FileId, String), Unopened> {
        panic!("{path} is included")
    }
}

/// Owner, type and data of every record but the SOA.
fn zone_records(text: &str) -> BTreeSet<(String, String, String)> {
    let mut findings: Vec<Finding> = Vec::new();
    let apex = Name::parse(ZONE, None).unwrap();
    let records = read_master(FileId(0), text, &apex, &mut NoFiles, &mut findings);
    assert!(findings.is_empty(), "{findings:?}");
    let shown = records.iter().map(|record| {
        (record.owner.to_string(), record.rtype.to_string(), present(record.rtype, &record.rdata))
    });
    shown.filter(|(_, rtype, _)| rtype != "SOA").collect()
}

#[test]
fn binds_zones_go_in_and_out() {
    let desk = Desk::new("bind");
    let forward = desk.write("db.corp.example", &files::forward());
    let backward = format!("0.20.10.in-addr.arpa={}", desk.write("db.10.20.0", &files::backward()));
    let lost = desk.import("a", &["bind", &forward, &backward]);
    let assumed = lost.iter().filter(|line| line.contains("is assumed")).count();
    let rest: Vec<&String> = lost.iter().filter(|line| !line.contains("is assumed")).collect();
    assert_eq!(
        rest,
        ["db.10.20.0: `99.0.20.10.in-addr.arpa PTR forgotten.corp.example` does not follow from a host"]
    );
    assert_eq!(assumed, 5, "10.20.0, .4, .5, .6 and the IPv6 prefix: {lost:?}");
    let snapshot = desk.load("a");
    assert_eq!(snapshot.inventory.host_count(), 142);
    assert_eq!(aliases(&snapshot), true_aliases());
    let exported = desk.export("a", &["zone", "--zone", ZONE]);
    assert_eq!(zone_records(&exported), zone_records(&files::forward()));
    let written = desk.write("out.zone", &exported);
    accepted("named-checkzone", &[ZONE, &written]);
}

#[test]
fn hosts_and_ethers_are_one_and_go_out_again() {
    let desk = Desk::new("hosts");
    let (hosts, ethers) = files::hosts_and_ethers();
    let (hosts, ethers) = (desk.write("hosts", &hosts), desk.write("ethers", &ethers));
    desk.import("a", &["hosts", &ethers, &hosts]);
    let snapshot = desk.load("a");
    assert_eq!((entries(&snapshot), aliases(&snapshot)), (truth(), true_aliases()));
    let exported = desk.write("hosts.out", &desk.export("a", &["hosts"]));
    desk.import("b", &["hosts", &ethers, &exported]);
    assert_eq!((entries(&desk.load("b")), aliases(&desk.load("b"))), (truth(), true_aliases()));
}

/// The interfaces of an inventory made of one file.
fn imported(desk: &Desk, format: &str, name: &str, text: &str) -> (BTreeSet<Entry>, Vec<String>) {
    let file = desk.write(name, text);
    let lost = desk.import(format, &[format, &file, "--zone", "lab.example"]);
    (entries(&desk.load(format)), lost)
}

fn entry(name: &str, mac: Option<&str>, addresses: &[&str]) -> Entry {
    (name.to_owned(), mac.map(str::to_owned), addresses.iter().map(|text| (*text).to_owned()).collect())
}

#[test]
fn libvirts_networks_and_domains_are_one_inventory() {
    let desk = Desk::new("libvirt");
    let xml = r#"<all>
<network><name>virt</name><domain name='lab.example'/>
  <ip address='192.168.122.1' netmask='255.255.255.0'><dhcp><range start='192.168.122.100' end='192.168.122.254'/>
    <host mac='52:54:00:00:00:01' name='vm1' ip='192.168.122.10'/></dhcp></ip>
  <dns><txt name='note' value='hello'/><srv service='ldap' protocol='tcp' domain='lab.example' target='vm1.lab.example' port='389'/></dns>
</network>
<domain type='kvm'><name>vm1</name><memory unit='MiB'>2048</memory><vcpu>2</vcpu><devices>
  <disk type='file' device='disk'><target dev='vda'/></disk>
  <interface type='network'><mac address='52:54:00:00:00:01'/><source network='virt'/></interface></devices></domain>
<domain type='kvm'><name>vm2</name><memory>1048576</memory><vcpu>1</vcpu><devices>
  <interface type='network'><mac address='52:54:00:00:00:02'/><source network='virt'/></interface></devices></domain>
</all>"#;
    let (entries, lost) = imported(&desk, "libvirt", "all.xml", xml);
    let vm1 = entry("vm1.lab.example", Some("52:54:00:00:00:01"), &["192.168.122.10"]);
    assert_eq!(entries, [vm1, entry("vm2.lab.example", Some("52:54:00:00:00:02"), &[])].into());
    assert_eq!(lost, ["all.xml:7: vm1: the sizes of disks vda are not in the file"]);
    let snapshot = desk.load("libvirt");
    let vm1 = snapshot.inventory.hosts().find(|host| host.primary().ipv4().is_some()).unwrap();
    let hardware = &vm1.hardware;
    assert_eq!((hardware.cpu, hardware.memory.unwrap()), (Some(2), 2 << 30));
}

#[test]
fn netboxs_tables_are_one_inventory() {
    let desk = Desk::new("netbox");
    let devices = desk.write(
        "devices.csv",
        "Name,Status,Role,Tags\nweb1,Active,Web Server,\"prod,edge\"\nspare,Planned,,\n",
    );
    let interfaces = desk.write("interfaces.csv", "Device,Name,Type,MAC address\nweb1,eth0,1000base-t,52:54:00:00:00:01\nspare,eth0,1000base-t,52:54:00:00:00:02\n");
    let addresses = desk.write("addresses.csv", "IP Address,Device,Interface,DNS name\n10.0.0.3/24,web1,eth0,web1.lab.example\n10.0.0.4/24,spare,eth0,\n");
    let prefixes = desk.write("prefixes.csv", "Prefix,VLAN\n10.0.0.0/24,Servers\n");
    let lost = desk
        .import("netbox", &["netbox", &devices, &interfaces, &addresses, &prefixes, "--zone", "lab.example"]);
    assert_eq!(lost, [""; 0]);
    let snapshot = desk.load("netbox");
    let web1 = entry("web1.lab.example", Some("52:54:00:00:00:01"), &["10.0.0.3"]);
    assert_eq!(
        entries(&snapshot),
        [web1, entry("spare.lab.example", Some("52:54:00:00:00:02"), &["10.0.0.4"])].into()
    );
    let tags: BTreeSet<String> =
        snapshot.inventory.hosts().flat_map(|host| host.tags.iter().map(ToString::to_string)).collect();
    assert_eq!(tags, ["prod", "edge", "web-server"].map(str::to_owned).into());
    assert_eq!(snapshot.inventory.hosts().filter(|host| !host.state.is_served()).count(), 1);
}

#[test]
fn ansibles_files_and_cinvs_database_are_read() {
    let desk = Desk::new("small");
    let (entries_of, lost) = imported(
        &desk,
        "ansible",
        "hosts.ini",
        "[web]\nweb[1:2].lab.example ansible_user=root\n[db]\ndb ansible_host=10.0.0.9\n",
    );
    assert_eq!(entries_of, [entry("db.lab.example", None, &["10.0.0.9"])].into());
    assert_eq!(lost.iter().filter(|line| line.contains("ansible_user")).count(), 2, "{lost:?}");
    assert_eq!(lost.iter().filter(|line| line.contains("no network is known")).count(), 2, "{lost:?}");
    for (path, text) in [
        ("cores", "4"),
        ("memory", "8G"),
        ("nic/eth0", "52:54:00:00:00:01 10.0.0.5"),
        ("disk/vda", "40G"),
        ("tag", "web"),
    ] {
        let path = desk.path("cinv/host/vm.lab.example").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let root = desk.path("cinv").display().to_string();
    let lost = desk.import("from-cinv", &["cinv", &root, "--zone", "lab.example"]);
    assert_eq!(lost.len(), 1, "{lost:?}");
    let snapshot = desk.load("from-cinv");
    assert_eq!(
        entries(&snapshot),
        [entry("vm.lab.example", Some("52:54:00:00:00:01"), &["10.0.0.5"])].into()
    );
    let hardware = snapshot.inventory.hosts().next().unwrap().hardware.clone();
    assert_eq!(
        (hardware.cpu, hardware.memory.unwrap(), hardware.disks[0].size),
        (Some(4), 8 << 30, 40 << 30)
    );
}

#[test]
fn an_import_beside_hosts_merges_by_hardware_address_and_leaves_them_alone() {
    let desk = Desk::new("beside");
    let kea = desk.write("kea.conf", &files::kea());
    desk.import("a", &["kea", &kea]);
    let before = std::fs::read_to_string(desk.path("a/imported-kea.toml")).unwrap();
    let more = desk.write(
        "more.conf",
        "dhcp-host=52:54:00:20:00:00,other,10.20.0.99\ndhcp-host=52:54:00:99:00:01,new,10.20.0.99\n",
    );
    let lost = desk.import("a", &["dnsmasq", &more]);
    assert_eq!(lost, ["more.conf:1: web1.corp.example is there already, and stays as it is"]);
    assert_eq!(std::fs::read_to_string(desk.path("a/imported-kea.toml")).unwrap(), before);
    let added = std::fs::read_to_string(desk.path("a/imported-dnsmasq.toml")).unwrap();
    let entry = "[host.new]\nnetwork = \"net-10-20-0-0\"\nmac     = \"52:54:00:99:00:01\"\nip      = \"10.20.0.99\"\n";
    assert!(added.ends_with(entry), "{added}");
    assert_eq!(desk.load("a").inventory.host_count(), 141);
}

#[test]
fn what_would_break_the_inventory_is_not_written() {
    let desk = Desk::new("broken");
    let file = desk.write("d.conf", "domain=corp.example\ndhcp-range=10.0.0.50,10.0.0.60\nmx-host=corp.example,no host,10\ndhcp-host=52:54:00:00:00:01,a,10.0.0.5\n");
    let output = desk.run("a", &["import", "dnsmasq", &file]);
    assert_eq!(output.status.code(), Some(65));
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(errors.contains("HB022") && errors.contains("nothing is written"), "{errors}");
    assert!(std::fs::read_dir(desk.path("a")).unwrap().next().is_none());
}
