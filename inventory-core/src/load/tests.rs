use super::*;
use crate::source::Memory;
use std::sync::{Mutex, PoisonError};

/// Files in memory that a test changes while the loader looks at them.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Memory>>);

impl Shared {
    fn write(&self, path: &str, text: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(path, text);
    }
}

impl Source for Shared {
    fn list(&self) -> crate::source::Listing {
        self.0.lock().unwrap().list()
    }
    fn version(&self, path: &str) -> Result<Version, ReadError> {
        self.0.lock().unwrap().version(path)
    }
    fn read(&self, path: &str) -> Result<(Version, Vec<u8>), ReadError> {
        self.0.lock().unwrap().read(path)
    }
    fn describe(&self) -> String {
        "memory".to_owned()
    }
}

const BOOT: &str = "[boot.debian]\nkernel = \"linux\"\nfiles = { \"preseed.cfg\" = \"templates/p.j2\" }\n";

fn good(loader: &mut Loader) -> Snapshot {
    match loader.load() {
        Loaded::Good { snapshot, .. } => snapshot,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_template_is_part_of_the_snapshot_and_of_its_hash() {
    let source = Shared::default();
    source.write("inventory.toml", BOOT);
    source.write("templates/p.j2", "one");
    let mut loader = Loader::new(Box::new(source.clone()));
    let first = good(&mut loader);
    assert_eq!(first.inventory.files.get("templates/p.j2").map(|text| &**text), Some(&b"one"[..]));

    source.write("templates/p.j2", "two");
    let second = good(&mut loader);
    assert_eq!(second.inventory.files.get("templates/p.j2").map(|text| &**text), Some(&b"two"[..]));
    assert_ne!(first.hash, second.hash);
    assert_eq!(second.generation, first.generation + 1);
    assert!(!second.inventory.changes_since(&first.inventory).globals, "views of hosts stay as they are");
}

const ZONE: &str =
    "[site]\nnameservers = [\"ns.example.net\"]\n[zone.\"old.example\"]\nfile = \"old.zone\"\n";
const MASTER: &str = "$TTL 1h\n@ SOA ns.example.net. h.example.net. 1 2 3 4 5\n@ NS ns.example.net.\n";

impl Shared {
    fn remove(&self, path: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(path);
    }
}

/// Owners and types of the zone's records.
fn records(snapshot: &Snapshot) -> Vec<String> {
    let zone = snapshot.inventory.globals.zones.first().unwrap();
    zone.records.iter().map(|record| format!("{} {}", record.owner, record.rtype)).collect()
}

#[test]
fn a_master_file_and_what_it_includes_are_part_of_the_snapshot_and_followed() {
    let source = Shared::default();
    source.write("inventory.toml", ZONE);
    source.write("zones/old.zone", &format!("{MASTER}$INCLUDE parts/a.zone\n"));
    source.write("zones/parts/a.zone", "a A 192.0.2.1\n");
    let mut loader = Loader::new(Box::new(source.clone()));
    let first = good(&mut loader);
    let soa = first.inventory.globals.zones[0].soa.as_ref().unwrap();
    assert_eq!((soa.serial, soa.refresh, soa.retry, soa.expire, soa.minimum), (1, 2, 3, 4, 5));
    assert_eq!(records(&first), ["a.old.example A", "old.example NS"]);
    let mut paths: Vec<String> = loader.paths().map(ToString::to_string).collect();
    paths.sort();
    assert_eq!(paths, ["inventory.toml", "zones/old.zone", "zones/parts/a.zone"]);
    assert!(matches!(loader.load(), Loaded::Unchanged));

    source.write("zones/parts/a.zone", "b A 192.0.2.1\n");
    let second = good(&mut loader);
    assert_eq!(records(&second), ["b.old.example A", "old.example NS"]);
    assert_ne!(first.hash, second.hash);
    assert!(second.inventory.changes_since(&first.inventory).globals);

    source.write("zones/parts/a.zone", "b A 192.0.2.\n");
    assert!(matches!(loader.load(), Loaded::Broken { .. }));
    source.write("zones/parts/a.zone", "b A 192.0.2.1\n");
    assert_eq!(good(&mut loader).hash, second.hash, "mended");
}

#[test]
fn a_file_that_appears_where_it_was_looked_for_first_is_taken() {
    let source = Shared::default();
    source.write("inventory.toml", ZONE);
    source.write("zones/old.zone", MASTER);
    let mut loader = Loader::new(Box::new(source.clone()));
    assert_eq!(records(&good(&mut loader)).len(), 1);
    source.write("old.zone", &format!("{MASTER}x A 192.0.2.1\n"));
    assert_eq!(records(&good(&mut loader)).len(), 2);
    source.remove("old.zone");
    assert_eq!(records(&good(&mut loader)).len(), 1);
    source.remove("zones/old.zone");
    assert!(matches!(loader.load(), Loaded::Broken { .. }));
    source.write("zones/old.zone", MASTER);
    assert_eq!(records(&good(&mut loader)).len(), 1);
}

#[test]
fn one_master_file_serves_several_zones() {
    let source = Shared::default();
    source.write("inventory.toml", &format!("{ZONE}[zone.\"new.example\"]\nfile = \"old.zone\"\n"));
    source.write("old.zone", MASTER);
    let mut loader = Loader::new(Box::new(source.clone()));
    let snapshot = good(&mut loader);
    let apexes: Vec<String> =
        snapshot.inventory.globals.zones.iter().map(|zone| zone.records[0].owner.to_string()).collect();
    assert_eq!(apexes, ["new.example", "old.example"]);
}

#[test]
fn names_and_addresses_of_hosts_lie_in_a_zone_with_a_master_file() {
    let source = Shared::default();
    let hosts = "[network.lan]\nzone = \"old.example\"\nipv4 = \"10.0.0.0/24\"\n[host.a]\nnetwork = \"lan\"\nip = \"10.0.0.9\"\n";
    source.write("inventory.toml", &format!("{ZONE}{hosts}"));
    source.write("old.zone", MASTER);
    let mut loader = Loader::new(Box::new(source.clone()));
    let snapshot = good(&mut loader);
    assert_eq!(snapshot.inventory.hosts().next().unwrap().name.fqdn.to_string(), "a.old.example");
    let derived = snapshot.inventory.globals.zones.iter().find(|zone| zone.derived.is_some()).unwrap();
    assert_eq!(derived.nameservers[0].to_string(), "ns.example.net", "as its network's zone has them");
    assert_eq!(derived.contact.to_string(), "h.example.net");
}

#[test]
fn of_two_hosts_with_one_name_the_first_by_path_is_meant_whichever_was_seen_first() {
    let zone = "[zone.\"example.org\"]\nnameservers = [\"ns.example.net\"]\nrecords = \"@ MX 10 mail\"\n\
                [network.lan]\nzone = \"example.org\"\nipv4 = \"10.0.0.0/24\"\n";
    let own = "[host.mail]\nnetwork = \"lan\"\nip = \"10.0.0.2\"\n";
    let alias = "[host.web]\nnetwork = \"lan\"\nip = \"10.0.0.1\"\nalias = \"mail\"\n";
    let whole = Memory::from_iter([("a.toml", zone), ("b.toml", alias), ("c.toml", own)]);
    let Loaded::Broken { diagnostics: anew } = Loader::new(Box::new(whole)).load() else { panic!() };

    let source = Shared::default();
    source.write("a.toml", zone);
    source.write("c.toml", own);
    let mut loader = Loader::new(Box::new(source.clone()));
    good(&mut loader);
    source.write("b.toml", alias);
    let Loaded::Broken { diagnostics } = loader.load() else { panic!() };
    assert_eq!(diagnostics, anew);
    let codes: Vec<_> = diagnostics.iter().map(|one| &*one.code).collect();
    assert_eq!(codes, ["HB073", "HB042"], "the MX record points to the alias");
}
