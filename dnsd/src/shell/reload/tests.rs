//! Serials on their way: they grow when a zone's content does and outlive the process. One that is not the
//! time is on disk before it is served, or waits for the time; one that is the time needs no disk.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use daemon::state::StateDir;

use super::*;
use crate::testing::{Edited, SITE, name};

/// A state directory that goes away with the value, and what reloads into it.
struct Place {
    path: PathBuf,
    service: Arc<Service>,
    trouble: Arc<Mutex<Option<String>>>,
    clock: Arc<AtomicU64>,
    inventory: Edited,
}

const START: u64 = 1_800_000_000;

impl Place {
    fn new() -> Place {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("hostbook-dnsd-{}-{number}", std::process::id()));
        let inventory = Edited::new();
        inventory.write("site.toml", SITE);
        inventory.write("zones.toml", "[zone.\"lab.example\"]\n[zone.\"other.example\"]\n");
        let nothing = Snapshot::nothing();
        Place {
            path,
            service: Service::new(DnsView::build(&nothing), None),
            trouble: Arc::default(),
            clock: Arc::new(AtomicU64::new(START)),
            inventory,
        }
    }

    fn reloader(&self) -> Reloader {
        let state = Arc::new(StateDir::open(&self.path, None).unwrap());
        let clock = Arc::clone(&self.clock);
        let clock = Box::new(move || UnixSeconds(clock.load(Ordering::Relaxed)));
        Reloader::new(Arc::clone(&self.service), state, Arc::clone(&self.trouble), clock)
    }

    fn host(&self, number: u32) {
        let text = format!("[host.x]\nnetwork = \"lan\"\nip = \"10.20.0.{}\"\n", 20 + number % 200);
        self.inventory.write("x.toml", &text);
    }

    fn apply(&mut self, reloader: &mut Reloader) {
        reloader.apply(&Arc::new(self.inventory.load().unwrap()));
    }

    fn serial(&self, zone: &str) -> u32 {
        serial_in(&self.service.views.load(), zone)
    }
}

fn serial_in(view: &DnsView, zone: &str) -> u32 {
    view.zone_of(&name(zone)).map_or(0, |number| view.serial(number))
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

#[test]
fn only_zones_that_change_get_a_new_serial() {
    let mut place = Place::new();
    let mut reloader = place.reloader();
    place.apply(&mut reloader);
    let first = u32::try_from(START).unwrap();
    let zones = ["lab.example", "other.example", "0.20.10.in-addr.arpa"];
    assert_eq!(zones.map(|zone| place.serial(zone)), [first; 3]);
    place.clock.store(START + 60, Ordering::Relaxed);
    place.host(1);
    place.apply(&mut reloader);
    assert_eq!(zones.map(|zone| place.serial(zone)), [first + 60, first, first + 60]);
    place.inventory.write("boot.toml", "[boot.x]\nkernel = \"linux\"\n");
    place.apply(&mut reloader);
    assert_eq!(
        zones.map(|zone| place.serial(zone)),
        [first + 60, first, first + 60],
        "nothing of DNS changed"
    );
}

#[test]
fn serials_outlive_the_process_and_clocks_that_go_back() {
    let mut place = Place::new();
    let first = u32::try_from(START).unwrap();
    place.apply(&mut place.reloader());
    place.clock.store(1_000, Ordering::Relaxed);
    place.apply(&mut place.reloader());
    assert_eq!(place.serial("lab.example"), first, "the same content has the same serial");
    place.host(1);
    place.apply(&mut place.reloader());
    assert_eq!(place.serial("lab.example"), first + 1, "other content one that is greater");
    place.host(2);
    let mut reloader = place.reloader();
    place.apply(&mut reloader);
    place.host(3);
    place.apply(&mut reloader);
    assert_eq!(place.serial("lab.example"), first + 3);
    assert_eq!(place.serial("other.example"), first);
}

/// Takes what is in the inventory as a commit of that time; the serial that is served then.
fn commit(place: &mut Place, reloader: &mut Reloader, committed: u64) -> u32 {
    let commit = Some(inventory_core::model::Commit { id: "c0ffee".into(), unix_seconds: committed });
    let snapshot = Snapshot { commit, ..place.inventory.load().unwrap() };
    reloader.apply(&Arc::new(snapshot));
    place.serial("lab.example")
}

#[test]
fn a_commit_gives_every_server_the_same_serial_unless_it_lies_ahead() {
    let mut place = Place::new();
    let (mut reloader, first) = (place.reloader(), u32::try_from(START).unwrap());
    assert_eq!(commit(&mut place, &mut reloader, START - 500), first - 500);
    place.host(1);
    assert_eq!(commit(&mut place, &mut reloader, START - 400), first - 400);
    place.host(2);
    assert_eq!(commit(&mut place, &mut reloader, START - 450), first - 399, "an older commit: one more");
    place.host(3);
    assert_eq!(commit(&mut place, &mut reloader, START + 9_000_000), first, "its clock was wrong");
}

#[test]
fn a_serial_is_on_disk_before_anybody_sees_it() {
    let mut place = Place::new();
    let mut reloader = place.reloader();
    place.apply(&mut reloader);
    let done = Arc::new(AtomicBool::new(false));
    let watching = {
        let (views, path, done) =
            (Arc::clone(&place.service.views), place.path.join(SERIALS), Arc::clone(&done));
        std::thread::spawn(move || {
            let mut seen = 0;
            while !done.load(Ordering::Relaxed) {
                let served = serial_in(&views.load(), "lab.example");
                if served == seen {
                    continue;
                }
                let kept: Serials = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
                let kept = kept.get("lab.example").unwrap();
                assert!(kept >= served, "{served} is served, {kept} on disk");
                seen = served;
            }
            seen
        })
    };
    for number in 0..60 {
        place.host(number);
        place.apply(&mut reloader);
    }
    let last = place.serial("lab.example");
    done.store(true, Ordering::Relaxed);
    assert!(watching.join().unwrap() > last - 60);
}

/// Something in the way of the file of serials, whoever we are.
fn obstruct(place: &Place) {
    let _ = std::fs::remove_file(place.path.join(SERIALS));
    std::fs::create_dir_all(place.path.join(SERIALS).join("in-the-way")).unwrap();
}

#[test]
fn a_serial_ahead_of_the_time_is_not_served_before_it_is_kept() {
    let mut place = Place::new();
    let mut reloader = place.reloader();
    place.apply(&mut reloader);
    obstruct(&place);
    let names = place.service.views.load().node_count();
    place.host(1);
    place.apply(&mut reloader);
    reloader.retry();
    assert_eq!(u64::from(place.serial("lab.example")), START);
    assert_eq!(place.service.views.load().node_count(), names, "nor is what it stands for");
    assert!(place.trouble.lock().unwrap().is_some());
    place.inventory.write("boot.toml", "[boot.x]\nkernel = \"linux\"\n");
    place.apply(&mut reloader);
    assert_eq!(u64::from(place.serial("lab.example")), START, "the change before is in it");
    // Whoever forgets this one gives a later one.
    place.clock.store(START + 9, Ordering::Relaxed);
    reloader.retry();
    assert_eq!(u64::from(place.serial("lab.example")), START + 9);
    assert!(place.service.views.load().node_count() > names);
    assert!(place.trouble.lock().unwrap().is_some());
    std::fs::remove_dir_all(place.path.join(SERIALS)).unwrap();
    reloader.retry();
    assert_eq!(*place.trouble.lock().unwrap(), None);
    assert!(place.path.join(SERIALS).is_file());
}

#[test]
fn while_serials_cannot_be_kept_a_commit_gets_the_time_so_that_no_restart_goes_back() {
    let mut place = Place::new();
    let (mut reloader, first) = (place.reloader(), u32::try_from(START).unwrap());
    assert_eq!(commit(&mut place, &mut reloader, START - 500), first - 500);
    obstruct(&place);
    place.host(1);
    assert_eq!(commit(&mut place, &mut reloader, START - 400), first, "not the time of the commit");
    assert!(place.trouble.lock().unwrap().is_some());
    place.host(2);
    assert_eq!(
        commit(&mut place, &mut reloader, START - 300),
        first,
        "a second change within the second waits"
    );
    place.clock.store(START + 1, Ordering::Relaxed);
    reloader.retry();
    assert_eq!(place.serial("lab.example"), first + 1, "for the next one");
    drop(reloader);
    *place.trouble.lock().unwrap() = None;
    place.clock.store(START + 5, Ordering::Relaxed);
    let mut reloader = place.reloader();
    assert_eq!(
        commit(&mut place, &mut reloader, START - 300),
        first + 5,
        "whoever forgot it gives a later one"
    );
}

#[test]
fn at_the_start_names_are_served_whether_serials_can_be_kept_or_not() {
    let mut place = Place::new();
    let mut reloader = place.reloader();
    obstruct(&place);
    place.apply(&mut reloader);
    assert_eq!(u64::from(place.serial("lab.example")), START);
    assert!(place.trouble.lock().unwrap().is_some());
    std::fs::remove_dir_all(place.path.join(SERIALS)).unwrap();
    reloader.retry();
    assert_eq!(*place.trouble.lock().unwrap(), None);
    assert!(place.path.join(SERIALS).is_file());
}

#[test]
fn a_master_files_serial_is_served_while_it_grows_and_the_next_one_when_it_does_not() {
    let mut place = Place::new();
    place
        .inventory
        .write("zones.toml", "[zone.\"lab.example\"]\n[zone.\"old.example\"]\nfile = \"old.zone\"\n");
    let file = |serial: u32, address: u32| {
        format!(
            "$TTL 1h\n@ SOA ns1.lab.example. h.lab.example. {serial} 2 3 4 5\n@ NS ns1.lab.example.\nx A 192.0.2.{address}\n"
        )
    };
    let mut reloader = place.reloader();
    for (serial, address, served, behind) in
        [(7, 1, 7, false), (8, 2, 8, false), (8, 3, 9, true), (8, 3, 9, true), (20, 3, 20, false)]
    {
        place.inventory.write("old.zone", &file(serial, address));
        place.apply(&mut reloader);
        let view = place.service.views.load();
        assert_eq!(serial_in(&view, "old.example"), served);
        let problem = Problem::SerialBehind { zone: name("old.example"), written: serial };
        assert_eq!(view.problems(), behind.then_some(problem).as_slice());
        place.host(address);
    }
    drop(reloader);
    place.inventory.write("old.zone", &file(20, 4));
    place.apply(&mut place.reloader());
    assert_eq!(place.serial("old.example"), 21, "also after a restart");
}

#[test]
fn a_broken_file_of_serials_starts_from_the_time() {
    let mut place = Place::new();
    place.apply(&mut place.reloader());
    std::fs::write(place.path.join(SERIALS), "{").unwrap();
    place.clock.store(START + 5, Ordering::Relaxed);
    place.apply(&mut place.reloader());
    assert_eq!(u64::from(place.serial("lab.example")), START + 5);
}
