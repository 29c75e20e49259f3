//! Thousands of clients at once on a bad cable: each gets an address, none gets another's, and each keeps
//! what it has.

use integration_tests::isolated::isolated;
use integration_tests::load::{CABLE, Clients, INVENTORY, Load};
use integration_tests::place::Place;
use integration_tests::programs::Launch;
use integration_tests::run::sh;

/// Of a hundred frames, so many are lost and so many more doubled, on each way.
const LOSS: usize = 10;

fn all_are_bound_and_none_twice(clients: usize) {
    let place = Place::empty();
    place.save("site.toml", INVENTORY);
    sh(CABLE);
    let dhcpd = Launch::dhcpd(&place).args(&["--interface", "server"]).start();
    let mut crowd = Clients::new("clients", Load { clients, loss: LOSS, seed: 7 });
    let bound = crowd.bind();
    assert_eq!(bound.addresses.len(), clients);
    assert!(bound.lost > clients / 10 && bound.doubled > clients / 10, "{bound:?}");
    let status = dhcpd.status();
    assert_eq!(status["networks"][0]["pool"]["bound"], clients, "{status}");
    crowd.reboot();
    // As many leases as before: none was given twice, and none to nobody.
    assert_eq!(dhcpd.status()["networks"][0]["pool"]["bound"], clients);
}

#[test]
fn a_thousand_clients_at_once_are_bound_over_a_bad_cable() {
    isolated(|| all_are_bound_and_none_twice(1_000));
}

#[test]
#[ignore = "takes a minute"]
fn ten_thousand_clients_at_once_are_bound_over_a_bad_cable() {
    isolated(|| all_are_bound_and_none_twice(10_000));
}
