//! What clients go through.

use std::net::Ipv4Addr;

use integration_tests::run::{sh, wait_for, wait_until};
use serde_json::Value;

use super::client::{Client, Program, forget};
use super::ear::{Ear, Said};
use super::net::{FAR, FAR_ADDRESS, LAPTOP, Net, SERVER, WEB, WEB_ADDRESS, text};

/// Timers of clients that are to be left alone.
const CALM: &str = "lease = \"1h\"";
/// Timers of clients that are to renew soon and to rebind soon after.
const HASTY: &str = "lease = \"10m\"\nrenew = \"2s\"\nrebind = \"4s\"";
/// Timers of clients that are to renew soon and not to rebind.
const RENEWING: &str = "lease = \"10m\"\nrenew = \"2s\"\nrebind = \"5m\"";

/// Addresses of the pool of this network.
fn is_of_pool(address: Ipv4Addr, second: u8) -> bool {
    let [a, b, c, d] = address.octets();
    (a, b, c) == (10, second, 0) && (200..=250).contains(&d)
}

/// The state of the lease of an address, as the server has it.
fn state_of(net: &Net, address: Ipv4Addr) -> Option<String> {
    let leases = net.dhcpd.ask("leases");
    let lease = leases.as_array().into_iter().flatten().find(|lease| lease["address"] == address.to_string());
    lease.and_then(|lease| lease["state"].as_str()).map(str::to_owned)
}

pub(super) fn on_the_link(program: Program) {
    let net = Net::new(CALM);
    let web = net.machine("web1", WEB);
    let client = Client::start(program, &web);
    assert_eq!(client.address(), WEB_ADDRESS);
    wait_until("the router", || web.router().as_deref() == Some("10.20.0.1"));
    assert_eq!(state_of(&net, WEB_ADDRESS), None, "a reservation is no lease");
    drop(client);
    forget();

    let laptop = net.machine("laptop", LAPTOP);
    let client = Client::start(program, &laptop);
    let address = client.address();
    assert!(is_of_pool(address, 20), "{address}");
    assert_eq!(state_of(&net, address).as_deref(), Some("bound"));
}

pub(super) fn through_a_relay_agent(program: Program) {
    let net = Net::new(RENEWING);
    let behind = net.behind();
    for (name, mac) in [("far1", FAR), ("laptop", LAPTOP)] {
        let machine = behind.lan.attach(name, &text(mac));
        // By the link of the relay agent: the server hears the agent, and later the client itself.
        let ear = Ear::new("lan0", mac);
        let client = Client::start(program, &machine);
        let address = client.address();
        match mac {
            FAR => assert_eq!(address, FAR_ADDRESS),
            _ => assert!(is_of_pool(address, 30), "{address}"),
        }
        // A host may be acknowledged in two messages (RFC 4039).
        ear.wait(Said::Discover, Said::Ack(address));
        client.renew();
        ear.wait(Said::Renew, Said::Ack(address));
        client.crash();
        forget();
    }
}

pub(super) fn renews(program: Program) {
    let net = Net::new(RENEWING);
    for (name, mac) in [("web1", WEB), ("laptop", LAPTOP)] {
        let machine = net.machine(name, mac);
        let ear = Ear::new("lan0", mac);
        let client = Client::start(program, &machine);
        let address = client.address();
        client.renew();
        ear.wait(Said::Renew, Said::Ack(address));
        assert_eq!(client.address(), address);
        assert!(!ear.has_heard(Said::Rebind) && !ear.has_heard(Said::Nak));
        client.crash();
        forget();
    }
}

pub(super) fn rebinds(program: Program) {
    let net = Net::new(if program.heeds_timers() { HASTY } else { "lease = \"1m\"" });
    let machine = net.machine("laptop", LAPTOP);
    let ear = Ear::new("lan0", LAPTOP);
    let client = Client::start(program, &machine);
    let address = client.address();
    // What is for the server goes to nobody; what is for everybody arrives.
    machine.sh(&format!("ip neigh replace {SERVER} lladdr 02:00:00:00:99:99 dev eth0 nud permanent"));
    ear.forget();
    client.renew();
    ear.wait(Said::Rebind, Said::Ack(address));
    assert_eq!(client.address(), address);
    assert!(!ear.has_heard(Said::Discover), "it has not begun anew");
}

pub(super) fn starts_again(program: Program) {
    let net = Net::new(CALM);
    for (name, mac) in [("web1", WEB), ("laptop", LAPTOP)] {
        let machine = net.machine(name, mac);
        let ear = Ear::new("lan0", mac);
        let client = Client::start(program, &machine);
        let address = client.address();
        client.crash();
        ear.forget();
        let client = Client::start(program, &machine);
        assert_eq!(client.address(), address);
        let asked = if program.remembers() { Said::Reboot } else { Said::Select };
        ear.wait(asked, Said::Ack(address));
        assert_eq!(ear.has_heard(Said::Discover), !program.remembers());
        client.crash();
        forget();
    }
}

pub(super) fn gives_back(program: Program) {
    let net = Net::new(CALM);
    let machine = net.machine("laptop", LAPTOP);
    let ear = Ear::new("lan0", LAPTOP);
    let client = Client::start(program, &machine);
    let address = client.address();
    client.release();
    wait_for("the server to have the lease back", || {
        (state_of(&net, address).as_deref() == Some("released")).then_some(())
    });
    assert!(ear.has_heard(Said::Release));
    assert_eq!(machine.addresses(), [] as [&str; 0]);
    // It gets the same again.
    forget();
    machine.sh("ip address flush dev eth0");
    assert_eq!(Client::start(program, &machine).address(), address);
}

pub(super) fn is_moved(program: Program) {
    let net = Net::new(CALM);
    for (name, mac) in [("web1", WEB), ("laptop", LAPTOP)] {
        let machine = net.machine(name, mac);
        let client = Client::start(program, &machine);
        assert!(client.address().octets()[1] == 20);
        client.crash();
        let refused = net.refused("wrong-network");
        sh(&format!("ip link set v-{name} master lan1"));
        let ear = Ear::new("lan1", mac);
        let client = Client::start(program, &machine);
        let address = client.address();
        // A card that is written down for another network is nobody in particular here.
        assert!(is_of_pool(address, 40), "{address}");
        assert_eq!(ear.has_heard(Said::Nak), program.remembers());
        assert_eq!(net.refused("wrong-network") > refused, program.remembers());
        client.crash();
        forget();
    }
    let known_in = |seen: &Value| seen["known_in"] == "lab" && seen["mac"] == text(WEB);
    let status = net.dhcpd.status();
    assert!(status["seen"].as_array().unwrap().iter().any(known_in), "{}", status["seen"]);
}
