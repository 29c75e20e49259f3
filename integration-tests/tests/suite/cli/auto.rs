//! `--ip auto` beside a running dhcpd: what it has leased and what a machine simply uses are passed over.

use integration_tests::dhcp;
use integration_tests::isolated::isolated;
use integration_tests::net::Lan;
use integration_tests::place::Place;
use integration_tests::programs::Launch;

use super::{hostbook, json};

#[test]
fn an_address_is_free_if_nobody_has_it_by_entry_or_lease_nor_uses_it() {
    isolated(|| {
        let lan = Lan::new("lan0", &["10.20.0.2/24"]);
        let relay = lan.attach("relay", "52:54:00:ff:00:01");
        relay.add_address("10.20.0.254/24");
        let place = Place::lab();
        place.edit("networks.toml", "lease   = \"12h\"", "lease   = \"12h\"\nprobe   = false");
        let _dhcpd = Launch::dhcpd(&place).args(&["--interface", "lan0"]).start();
        let control = place.control("dhcpd").display().to_string();
        let pooled = relay.on(|| {
            let mut client = dhcp::Client::new([10, 20, 0, 254].into(), [10, 20, 0, 2].into());
            let offer = client.discover([2, 0, 0, 0, 0, 1]);
            client.request([2, 0, 0, 0, 0, 1], offer.address).address.to_string()
        });
        // The pool is cut, so that its leased address belongs to nobody but its client.
        place.edit("networks.toml", "10.20.0.200-10.20.0.250", "10.20.0.240-10.20.0.250");
        let free = json(&place, &["free", "servers", "-n", "2", "--json", "--control", &control]);
        let [first, second] = [&free[0], &free[1]].map(|address| address.as_str().unwrap().to_owned());
        let squatter = lan.attach("squatter", "52:54:00:ff:00:02");
        squatter.add_address(&format!("{first}/24"));

        let added =
            hostbook(&place, &["add", "new1", "--network", "servers", "--ip", "auto", "--control", &control]);
        assert!(added.code() == 0 && added.err.contains(&format!("{first} is passed over")), "{added:?}");
        let new = json(&place, &["show", "new1", "--json"]);
        assert_eq!(new[0]["nics"][0]["ip"][0], second);

        let all = json(&place, &["free", "servers", "-n", "200", "--json", "--control", &control]);
        let all: Vec<&str> = all.as_array().unwrap().iter().filter_map(|one| one.as_str()).collect();
        assert!(!all.contains(&pooled.as_str()), "{pooled}: {all:?}");
        assert!(
            all.contains(&"10.20.0.203") || all.contains(&"10.20.0.204"),
            "what was of the pool: {all:?}"
        );
    });
}
