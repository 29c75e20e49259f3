//! The daemon is killed at random points under load: no acknowledged lease is lost, none is given twice.

use std::time::Duration;

use integration_tests::isolated::{isolated, isolated_for};
use integration_tests::random::Random;
use nix::sys::signal::Signal;

use super::Net;
use super::crowd::{Crowd, Promised, mac};
use super::tongue::{Family, Kind};

/// Clients that begin after each start.
const CLIENTS: u32 = 24;
/// Every so many kills, all leases are looked for again; else those of the last kills.
const ALL_AGAIN: u32 = 50;
const LAST: u32 = 4;

fn no_lease_is_lost_and_none_given_twice(family: Family, kills: u32) {
    let net = Net::without_probes(family);
    let mut crowd = Crowd::new(&net);
    let mut promised = Promised::default();
    let mut random = Random::new(kills.into());
    for kill in 0..kills {
        let mut daemon = net.start();
        // Before anything else can hide what was lost.
        let recent = kill.saturating_sub(LAST) * CLIENTS;
        let recent: Vec<[u8; 6]> = (recent..kill * CLIENTS).map(mac).collect();
        let all = kill % ALL_AGAIN == 0 || kills < ALL_AGAIN;
        promised.check_those(&mut crowd, |mac| all || recent.contains(&mac));
        let macs: Vec<_> = (kill * CLIENTS..(kill + 1) * CLIENTS).map(mac).collect();
        // Somewhere in the midst of it.
        let last = random.below(20);
        let mut count = 0;
        crowd.join(&macs, |mac, address| {
            promised.note(mac, address);
            count += 1;
            count <= last
        });
        daemon.signal(Signal::SIGKILL);
        daemon.wait();
        // What left before the kill was promised as well.
        while let Some((kind, mac, address)) = crowd.receive() {
            if kind == Kind::Ack {
                promised.note(mac, address);
            }
        }
    }
    let _daemon = net.start();
    promised.check(&mut crowd);
    let leases = promised.by_mac.len();
    println!("{kills} kills, {leases} leases acknowledged, none lost and none given twice");
    assert!(leases >= usize::try_from(kills).unwrap() * 5, "{leases} leases");
}

#[test]
fn twenty_kills_under_load_lose_no_acknowledged_lease_and_give_no_address_twice() {
    isolated(|| no_lease_is_lost_and_none_given_twice(Family::V4, 20));
}

#[test]
fn twenty_kills_under_load_lose_no_lease_of_dhcpv6_and_give_no_address_twice() {
    isolated(|| no_lease_is_lost_and_none_given_twice(Family::V6, 20));
}

#[test]
#[ignore = "takes a quarter of an hour"]
fn a_thousand_kills_under_load_lose_no_acknowledged_lease_and_give_no_address_twice() {
    isolated_for(Duration::from_secs(7200), || no_lease_is_lost_and_none_given_twice(Family::V4, 1000));
}

#[test]
#[ignore = "takes a quarter of an hour"]
fn a_thousand_kills_under_load_lose_no_lease_of_dhcpv6_and_give_no_address_twice() {
    isolated_for(Duration::from_secs(7200), || no_lease_is_lost_and_none_given_twice(Family::V6, 1000));
}
