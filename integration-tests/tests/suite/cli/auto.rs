//! `--ip auto` beside a running dhcpd: what it has leased and what a machine simply uses are passed over.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use daemon::frame::checksum;
use integration_tests::dhcp;
use integration_tests::isolated::isolated;
use integration_tests::net::Lan;
use integration_tests::place::Place;
use integration_tests::programs::Launch;
use integration_tests::run::sh;
use integration_tests::wire::Wire;

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

#[test]
fn a_firewall_on_the_way_that_refuses_everything_uses_no_address() {
    isolated(|| {
        let lan = Lan::new("lan0", &["10.20.0.2/24"]);
        let firewall = lan.attach("firewall", "52:54:00:ff:00:01");
        firewall.add_address("10.20.0.253/24");
        sh("ip route add 10.30.0.0/24 via 10.20.0.253");
        let place = Place::lab();
        place.save("far.toml", "[network.far]\nzone = \"lab.example.org\"\nipv4 = \"10.30.0.0/24\"\n");
        let _dhcpd = Launch::dhcpd(&place).args(&["--interface", "lan0"]).start();
        let control = place.control("dhcpd").display().to_string();
        let mut wire = firewall.on(|| Wire::open("eth0"));
        let (is_over, refused) = (AtomicBool::new(false), AtomicUsize::new(0));
        let added = thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    let mut refusals = Vec::new();
                    wire.receive(Duration::from_millis(20), |frame| refusals.extend(refusal(frame)));
                    refused.fetch_add(refusals.len(), Ordering::Relaxed);
                    wire.send(&refusals);
                }
            });
            let words = ["add", "far1", "--network", "far", "--ip", "auto", "--control", &control];
            let added = hostbook(&place, &words);
            is_over.store(true, Ordering::Relaxed);
            added
        });
        assert!(added.code() == 0 && !added.err.contains("passed over"), "{added:?}");
        assert_eq!(refused.into_inner(), 1, "the firewall was asked once: {added:?}");
        assert_eq!(json(&place, &["show", "far1", "--json"])[0]["nics"][0]["ip"][0], "10.30.0.1");
    });
}

/// What a firewall at 10.20.0.253 answers to a datagram to 10.30.0.0/24: that its port is unreachable (RFC 792).
fn refusal(frame: &[u8]) -> Option<Vec<u8>> {
    let (ethernet, packet) = frame.split_at_checked(14)?;
    let quoted = packet.get(..28)?;
    if ethernet[12..] != [8, 0] || packet[9] != 17 || packet[16..19] != [10, 30, 0] {
        return None;
    }
    let mut icmp = [&[3, 3, 0, 0, 0, 0, 0, 0], quoted].concat();
    let sum = checksum(&icmp).to_be_bytes();
    icmp[2..4].copy_from_slice(&sum);
    let length = u16::try_from(20 + icmp.len()).unwrap().to_be_bytes();
    let mut header =
        [&[0x45, 0], &length[..], &[0, 0, 0, 0, 64, 1, 0, 0, 10, 20, 0, 253], &packet[12..16]].concat();
    let sum = checksum(&header).to_be_bytes();
    header[10..12].copy_from_slice(&sum);
    Some([&ethernet[6..12], &ethernet[..6], &[8, 0], &header, &icmp].concat())
}
