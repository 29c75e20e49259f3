//! Updates of names of leases: what is read, what is let, and that what cannot be kept is undone.

use std::net::IpAddr;
use std::sync::Arc;

use inventory_core::model::Range;

use super::*;
use crate::testing::query::ask;
use crate::testing::{SITE, name, snapshot};

const LEASES: &str = r#"
[key.leases]
file = "/k"
[key.others]
file = "/o"
[zone."lab.example"]
records = "*.wild A 10.20.0.9\nowned A 10.20.0.8"
[network.guests]
zone = "lab.example"
ipv4 = "10.30.0.0/24"
ipv6 = "2001:db8:30::/64"
pool = ["10.30.0.100-10.30.0.200", "2001:db8:30::100-2001:db8:30::200"]
exclude = "10.30.0.150"
dynamic-names = true
[host.cam]
network = "guests"
"#;

struct World {
    snapshot: inventory_core::model::Snapshot,
    base: DnsView,
    names: LeaseNames,
}

impl World {
    fn new() -> World {
        let site = SITE.replace("[site]", "[site]\nupdates = { key = \"leases\" }");
        let snapshot = snapshot(&[("zones.toml", &format!("{site}{LEASES}"))]);
        World { base: DnsView::build(&snapshot), snapshot, names: LeaseNames::default() }
    }

    /// The verdict on some changes of a zone.
    fn update(&mut self, zone: &str, changes: Vec<Change>) -> Result<Before, Verdict> {
        let update = Update { zone: name(zone), prerequisites: Vec::new(), changes };
        self.apply(&update, "leases")
    }

    fn apply(&mut self, update: &Update, key: &str) -> Result<Before, Verdict> {
        let mut before = Before::default();
        apply(update, &name(key), &self.base, &mut self.names, &mut before)?;
        Ok(before)
    }

    /// The verdict on a record that is to be added.
    fn add(&mut self, owner: &str, rtype: u16, rdata: &[u8]) -> Result<(), Verdict> {
        let owner = name(owner);
        let zone = self.base.zones().zone(self.base.zone_of(&owner).unwrap()).name.to_string();
        self.update(&zone, vec![Change::Add(owner, rtype, 60, rdata.into())]).map(drop)
    }

    /// A view with all names of leases.
    fn view(&self) -> DnsView {
        let nodes = self.names.nodes(&self.base);
        let mut view = self.base.with_leases(&self.snapshot.inventory.globals, &nodes).unwrap();
        view.set_serials(|_| 7);
        view
    }
}

fn v4_of(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn v4(text: &str) -> Vec<u8> {
    let IpAddr::V4(v4) = text.parse().unwrap() else { panic!("{text}") };
    v4.octets().to_vec()
}

const TAKEN: Result<(), Verdict> = Err(Verdict::NotAllowed);

#[test]
fn a_name_has_what_was_added_and_the_address_points_back() {
    let mut world = World::new();
    let target = name("cam.lab.example");
    world.add("cam.lab.example", rtype::A, &v4("10.30.0.100")).unwrap();
    world.add("cam.lab.example", rtype::DHCID, &[0, 0, 1, 5]).unwrap();
    world.add("100.0.30.10.in-addr.arpa", rtype::PTR, target.as_wire()).unwrap();
    let view = world.view();
    assert_eq!(ask(&view, "cam.lab.example", rtype::A).answers().len(), 1);
    assert_eq!(ask(&view, "cam.lab.example", rtype::DHCID).answers().len(), 1);
    let pointer = ask(&view, "100.0.30.10.in-addr.arpa", rtype::PTR);
    assert!(format!("{:?}", pointer.answers()).contains("cam"), "{:?}", pointer.answers());
    let derived = ask(&view, "101.0.30.10.in-addr.arpa", rtype::PTR);
    assert!(format!("{:?}", derived.answers()).contains("dhcp-10-30-0-101"));
    // Without the name the address has its derived one again.
    world.update("lab.example", vec![Change::DeleteName(target)]).unwrap();
    assert_eq!(world.view().content(ZoneNumber(0)), world.base.content(ZoneNumber(0)));
    let all = |view: &DnsView| view.records().iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut base = world.base.clone();
    base.set_serials(|_| 7);
    assert_eq!(all(&world.view()), all(&base));
}

#[test]
fn what_another_key_has_told_is_not_taken_away() {
    let mut world = World::new();
    // As another customer has it, whose leases are in reverse zones of both.
    let mut inventory = inventory_core::model::Inventory::clone(&world.snapshot.inventory);
    let globals = Arc::make_mut(&mut inventory.globals);
    let guests = globals.networks.iter_mut().find(|network| &*network.name == "guests").unwrap();
    let mut annex = guests.clone();
    annex.ipv4 = Some("10.31.0.0/24".parse().unwrap());
    annex.ipv6 = None;
    annex.pools = [Range::new(v4_of("10.31.0.100"), v4_of("10.31.0.200")).unwrap()].into();
    annex.dynamic_names.as_mut().unwrap().key = name("others");
    globals.networks.push(annex);
    world.snapshot.inventory = Arc::new(inventory);
    world.base = DnsView::build(&world.snapshot);
    let (target, pointer) = (name("cam.lab.example"), name("100.0.30.10.in-addr.arpa"));
    world.add("cam.lab.example", rtype::A, &v4("10.30.0.100")).unwrap();
    world.add("100.0.30.10.in-addr.arpa", rtype::PTR, target.as_wire()).unwrap();
    let reverse = world.base.zones().zone(world.base.zone_of(&pointer).unwrap()).name.clone();
    for (zone, changes) in [
        (name("lab.example"), [Change::DeleteName(target.clone()), Change::DeleteRrset(target, rtype::A)]),
        (reverse, [Change::DeleteName(pointer.clone()), Change::DeleteRrset(pointer, rtype::PTR)]),
    ] {
        for change in changes {
            let update = Update { zone: zone.clone(), prerequisites: Vec::new(), changes: vec![change] };
            assert_eq!(world.apply(&update, "others").map(drop), TAKEN, "{update:?}");
            assert!(world.apply(&update, "leases").is_ok_and(|before| !before.is_empty()), "{update:?}");
            world.names = LeaseNames::default();
            world.add("cam.lab.example", rtype::A, &v4("10.30.0.100")).unwrap();
            world.add("100.0.30.10.in-addr.arpa", rtype::PTR, name("cam.lab.example").as_wire()).unwrap();
        }
    }
}

#[test]
fn nothing_that_the_inventory_has_is_for_leases() {
    let mut world = World::new();
    for owner in [
        "ns1.lab.example",
        "owned.lab.example",
        "lab.example",
        "*.lab.example",
        "dhcp-10-30-0-100.lab.example",
    ] {
        assert_eq!(world.add(owner, rtype::A, &v4("10.30.0.100")), TAKEN, "{owner}");
        let zone = "lab.example";
        assert!(world.update(zone, vec![Change::DeleteName(name(owner))]).is_err(), "{owner}");
    }
    for address in ["10.30.0.99", "10.30.0.150", "10.20.0.100", "192.0.2.1"] {
        assert_eq!(world.add("a.lab.example", rtype::A, &v4(address)), TAKEN, "{address}");
    }
    for rtype in [rtype::NS, rtype::CNAME, rtype::MX, rtype::PTR, rtype::DNAME, 16] {
        assert_eq!(world.add("a.lab.example", rtype, b"\x01a\0"), TAKEN, "{rtype}");
    }
    let elsewhere = name("www.elsewhere.example");
    assert_eq!(world.add("100.0.30.10.in-addr.arpa", rtype::PTR, elsewhere.as_wire()), TAKEN);
    assert_eq!(world.add("99.0.30.10.in-addr.arpa", rtype::PTR, name("a.lab.example").as_wire()), TAKEN);
    assert!(world.names.is_empty());
    let update = Update {
        zone: name("lab.example"),
        prerequisites: Vec::new(),
        changes: vec![Change::Add(name("a.lab.example"), rtype::A, 60, v4("10.30.0.100").into())],
    };
    assert_eq!(world.apply(&update, "others").err(), Some(Verdict::OtherZone));
    let other = Update { zone: name("example"), ..update.clone() };
    assert_eq!(world.apply(&other, "leases").err(), Some(Verdict::OtherZone));
    let outside = Change::Add(name("a.example"), rtype::A, 60, v4("10.30.0.100").into());
    assert_eq!(world.update("lab.example", vec![outside]).err(), Some(Verdict::OutsideZone));
    world.add("a.wild.lab.example", rtype::A, &v4("10.30.0.100")).unwrap();
}

#[test]
fn all_of_an_update_is_made_or_nothing() {
    let mut world = World::new();
    let good = Change::Add(name("a.lab.example"), rtype::A, 60, v4("10.30.0.100").into());
    let bad = Change::Add(name("b.lab.example"), rtype::A, 60, v4("10.30.0.1").into());
    assert!(world.update("lab.example", vec![good, bad]).is_err());
    assert!(world.names.is_empty());
}

#[test]
fn prerequisites_hold_as_rfc_2136_says() {
    let mut world = World::new();
    world.add("a.lab.example", rtype::A, &v4("10.30.0.100")).unwrap();
    world.add("a.lab.example", rtype::DHCID, &[0, 0, 1, 5]).unwrap();
    let (a, b, ns1) = (name("a.lab.example"), name("b.lab.example"), name("ns1.lab.example"));
    let id = |octet| Prerequisite::RrsetHas(a.clone(), rtype::DHCID, Box::new([0, 0, 1, octet]));
    for (prerequisites, verdict) in [
        (vec![Prerequisite::NameInUse(a.clone())], None),
        (vec![Prerequisite::NameInUse(ns1.clone())], None),
        (vec![Prerequisite::NameInUse(b.clone())], Some(Verdict::NameNotInUse)),
        (vec![Prerequisite::NameNotInUse(b.clone())], None),
        (vec![Prerequisite::NameNotInUse(a.clone())], Some(Verdict::NameInUse)),
        (vec![Prerequisite::NameNotInUse(ns1.clone())], Some(Verdict::NameInUse)),
        (vec![Prerequisite::RrsetExists(a.clone(), rtype::A)], None),
        (vec![Prerequisite::RrsetExists(ns1, rtype::DHCID)], Some(Verdict::RecordsMissing)),
        (vec![Prerequisite::RrsetDoesNotExist(a.clone(), rtype::AAAA)], None),
        (vec![Prerequisite::RrsetDoesNotExist(a.clone(), rtype::A)], Some(Verdict::RecordsThere)),
        (vec![id(5)], None),
        (vec![id(6)], Some(Verdict::RecordsMissing)),
        (vec![id(5), id(6)], Some(Verdict::RecordsMissing)),
        (vec![Prerequisite::NameInUse(name("x.example"))], Some(Verdict::OutsideZone)),
    ] {
        let update =
            Update { zone: name("lab.example"), prerequisites: prerequisites.clone(), changes: Vec::new() };
        assert_eq!(world.apply(&update, "leases").err(), verdict, "{prerequisites:?}");
    }
}

#[test]
fn an_address_has_one_name_and_what_is_undone_is_as_it_was() {
    let mut world = World::new();
    world.add("a.lab.example", rtype::A, &v4("10.30.0.100")).unwrap();
    let was = format!("{:?}", world.names);
    let change = Change::Add(name("b.lab.example"), rtype::A, 60, v4("10.30.0.100").into());
    let before = world.update("lab.example", vec![change]).unwrap();
    assert_eq!(world.names.len(), 1);
    assert!(world.names.get(&name("a.lab.example")).is_none());
    let undone = world.names.restore(before);
    assert_eq!(format!("{:?}", world.names), was);
    world.names.restore(undone);
    assert!(world.names.get(&name("b.lab.example")).is_some());
}

#[test]
fn one_change_after_another_is_what_all_together_are() {
    let mut world = World::new();
    let globals = &world.snapshot.inventory.globals.clone();
    let mut served = world.base.clone();
    let target = name("a.lab.example");
    for (zone, change) in [
        ("lab.example", Change::Add(target.clone(), rtype::A, 60, v4("10.30.0.100").into())),
        (
            "0.30.10.in-addr.arpa",
            Change::Add(name("100.0.30.10.in-addr.arpa"), rtype::PTR, 60, target.as_wire().into()),
        ),
        ("lab.example", Change::Add(name("b.lab.example"), rtype::A, 60, v4("10.30.0.101").into())),
        ("lab.example", Change::Add(name("b.lab.example"), rtype::A, 60, v4("10.30.0.100").into())),
        ("lab.example", Change::Add(target.clone(), rtype::A, 60, v4("10.30.0.100").into())),
        ("lab.example", Change::DeleteRrset(name("b.lab.example"), rtype::A)),
    ] {
        let before = world.update(zone, vec![change]).unwrap();
        served = served.with_leases(globals, &world.names.changed_nodes(&world.base, &before)).unwrap();
        served.set_serials(|_| 7);
        let whole = world.view();
        assert_eq!(served.records(), whole.records());
        for (number, _) in whole.zones().iter() {
            assert_eq!(served.content(number), whole.content(number));
        }
    }
    let mut base = world.base.clone();
    base.set_serials(|_| 7);
    let changes = served.changes_since(&base, |_| true);
    let count: usize = changes.values().map(|change| change.added.len() + change.removed.len()).sum();
    assert_eq!(count, 3, "an address, its name, and the name that it had: {changes:?}");
}

/// An update with a name that leads through so many pointers.
fn with_pointers(count: u16) -> Vec<u8> {
    let mut message = [0, 1, 0x28, 0, 0, 1, 0, 0, 0, 2, 0, 0].to_vec();
    message.extend_from_slice(&[1, b'a', 0, 0, 6, 0, 1]);
    // A TXT record whose data are pointers, each to the one before, the first to the zone's name.
    message.extend_from_slice(&[0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 0]);
    message.extend_from_slice(&(2 * count).to_be_bytes());
    let mut target: u16 = 12;
    for _ in 0..count {
        let at = u16::try_from(message.len()).unwrap();
        message.extend_from_slice(&(0xc000 | target).to_be_bytes());
        target = at;
    }
    message.extend_from_slice(&(0xc000 | target).to_be_bytes());
    message.extend_from_slice(&[0, 255, 0, 255, 0, 0, 0, 0, 0, 0]);
    message
}

#[test]
fn a_name_leads_through_as_many_pointers_as_it_can_have_labels() {
    let read = |count| {
        let message = with_pointers(count);
        Update::read(&Header::read(&message).unwrap(), &message).map(|(update, _)| update.changes.len())
    };
    assert_eq!((read(126), read(127)), (Some(2), None));
}
