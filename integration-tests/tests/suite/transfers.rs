//! Real secondaries copy our zones, follow every edit, and end with the same content.

mod peers;
mod site;

use integration_tests::generate::Plan;
use integration_tests::isolated::isolated;
use integration_tests::place::Place;
use integration_tests::programs::{Daemon, Launch};
use integration_tests::run::wait_for;

use peers::{KEY, PRIMARY, Peers, SECONDARIES, SECRETS, axfr, serial, wait_for_serial, zone_lines};
use site::{CATALOG, Site, ZONES};

/// Edits in an ordinary run.
const EDITS: u64 = 12;
/// Edits after which all copies are compared with the original.
const LOOK_EVERY: u64 = 4;

fn start(place: &Place) -> Daemon {
    Launch::dnsd(place).args(&["--listen", PRIMARY, "--workers", "1"]).start()
}

/// Waits until every secondary has what ours has, and compares it record by record.
fn hold(zones: &[&str], secondaries: &[&str]) {
    for zone in zones {
        let wanted = serial(PRIMARY, zone).unwrap_or_else(|| panic!("{zone} is not served"));
        let ours = zone_lines(PRIMARY, zone);
        for secondary in secondaries {
            wait_for_serial(secondary, zone, wanted);
            let theirs = zone_lines(secondary, zone);
            let only = |a: &[String], b: &[String]| -> Vec<String> {
                a.iter().filter(|line| b.binary_search(line).is_err()).take(5).cloned().collect()
            };
            assert!(
                ours == theirs,
                "{zone} at {secondary}: {} and {} records; only ours {:?}, only theirs {:?}",
                ours.len(),
                theirs.len(),
                only(&ours, &theirs),
                only(&theirs, &ours)
            );
        }
    }
}

fn follow(edits: u64) {
    let place = Place::empty();
    let mut site = Site::new(&place, 1);
    let dnsd = start(&place);
    let peers = Peers::start(place.path(), &ZONES, Some(CATALOG));
    hold(&ZONES, &SECONDARIES);
    // Knot learns from the catalog and shows it to nobody.
    hold(&[CATALOG], &SECONDARIES[2..]);
    let copied = |what: &str| dnsd.status()["counters"]["traffic"][what].as_u64().unwrap_or(0);
    let whole = copied("transfer-whole");
    for edit in 1..=edits {
        let before = dnsd.status()["inventory"]["hash"].clone();
        site.edit();
        dnsd.wait_status("the edit", |status| status["inventory"]["hash"] != before);
        if edit % LOOK_EVERY == 0 || edit == edits {
            hold(&ZONES, &SECONDARIES);
        }
    }
    let changes = copied("transfer-changes");
    println!("{edits} edits: {changes} incremental transfers");
    // The tests' own looks are whole transfers too.
    let looks = u64::try_from(ZONES.len()).unwrap() * edits.div_ceil(LOOK_EVERY);
    assert!(changes >= edits / LOOK_EVERY * 3, "{changes} incremental transfers");
    assert_eq!(copied("transfer-whole"), whole + looks, "no secondary had to begin anew");
    let zones = dnsd.status()["zones"].clone();
    let lab = zones.as_array().unwrap().iter().find(|zone| zone["name"] == ZONES[0]).unwrap();
    for secondary in SECONDARIES {
        let known = lab["secondaries"].as_array().unwrap().iter().find(|one| one["address"] == secondary);
        assert_eq!(known.unwrap()["copied"]["serial"], lab["serial"], "{secondary} in the status");
        assert_eq!(known.unwrap()["told"]["rcode"], 0, "{secondary} in the status");
    }
    drop(peers);
}

#[test]
fn nsd_knot_and_bind_follow_random_edits_by_incremental_transfers() {
    isolated(|| follow(EDITS));
}

#[test]
#[ignore = "takes minutes: a hundred edits, each waited for"]
fn nsd_knot_and_bind_follow_a_hundred_random_edits() {
    isolated(|| follow(100));
}

#[test]
fn who_has_another_key_or_none_gets_no_zone() {
    isolated(|| {
        let place = Place::empty();
        let _site = Site::new(&place, 2);
        let dnsd = start(&place);
        let [right, wrong] = SECRETS.map(|secret| format!("hmac-sha256:{KEY}:{secret}"));
        assert!(axfr(PRIMARY, ZONES[0], Some(&right)).contains("\tSOA\t"));
        let said = axfr(PRIMARY, ZONES[0], Some(&wrong));
        assert!(said.contains("BADSIG") && !said.contains("\tSOA\t"), "{said}");
        let said = axfr(PRIMARY, ZONES[0], Some(&wrong.replace(KEY, "other.key")));
        assert!(said.contains("BADKEY") && !said.contains("\tSOA\t"), "{said}");
        let said = axfr(PRIMARY, ZONES[0], None);
        assert!(said.contains("Transfer failed") && !said.contains("\tSOA\t"), "{said}");
        let failures = dnsd.status()["counters"]["failures"].clone();
        assert_eq!(failures["signature-wrong"], 1, "{failures}");
        assert_eq!(failures["signature"], 1, "{failures}");
        assert_eq!(failures["transfer"], 1, "{failures}");
    });
}

#[test]
fn a_restarted_primary_still_has_the_changes_before() {
    isolated(|| {
        let place = Place::empty();
        let mut site = Site::new(&place, 3);
        let dnsd = start(&place);
        let first = serial(PRIMARY, ZONES[0]).unwrap();
        while serial(PRIMARY, ZONES[0]) == Some(first) {
            let before = dnsd.status()["inventory"]["hash"].clone();
            site.edit();
            dnsd.wait_status("the edit", |status| status["inventory"]["hash"] != before);
        }
        drop(dnsd);
        let dnsd = start(&place);
        let key = format!("hmac-sha256:{KEY}:{}", SECRETS[0]);
        let line = format!("dig @{PRIMARY} -b 127.0.0.1 -y {key} +tcp {} IXFR={first}", ZONES[0]);
        let said = integration_tests::run::sh(&line);
        assert!(said.matches("\tSOA\t").count() >= 4, "{said}");
        assert_eq!(dnsd.status()["counters"]["traffic"]["transfer-changes"], 1);
    });
}

#[test]
#[ignore = "takes minutes: three servers copy a hundred thousand hosts"]
fn a_zone_of_a_hundred_thousand_hosts_is_copied() {
    isolated(|| {
        let place = Place::empty();
        Plan { hosts: 100_000, seed: 1 }.write(&place.inventory()).unwrap();
        site::let_copy(&place);
        let dnsd = start(&place);
        let zones = dnsd.status()["zones"].as_array().unwrap().clone();
        let names: Vec<&str> = zones.iter().map(|zone| zone["name"].as_str().unwrap()).collect();
        let peers = Peers::start(place.path(), &names, None);
        for zone in &names {
            let wanted = serial(PRIMARY, zone).unwrap();
            for secondary in SECONDARIES {
                wait_for(&format!("{zone} at {secondary}"), || {
                    (serial(secondary, zone) == Some(wanted)).then_some(())
                });
            }
        }
        hold(&names, &SECONDARIES);
        drop(peers);
    });
}
