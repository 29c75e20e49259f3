//! Packets of real firmware and clients, damaged in every way, against a running daemon: it goes on, counts each, and
//! its log stays short.

use std::fs;
use std::net::{SocketAddr, UdpSocket};

use integration_tests::isolated::isolated;
use integration_tests::net::Lan;
use integration_tests::place::{Place, workspace};
use integration_tests::programs::{Daemon, Launch};
use integration_tests::run::wait_until;

const SITE: &str = r#"
[site]
nameservers = ["ns1.boot.test"]
[zone."boot.test"]
[network.lab]
zone = "boot.test"
ipv4 = "10.77.0.0/24"
ipv6 = "fd77::/64"
pool = "10.77.0.100-10.77.0.120"
probe = false
[host.ns1]
network = "lab"
ip = "10.77.0.1"
"#;
/// Lines that a storm may cost: none by a packet, at most one of each kind of warning a minute.
const LINES_MAX: usize = 10;
/// Packets after which the daemon is waited for, so that no buffer overflows.
const BURST: u64 = 500;

/// Payloads of a family's captured requests.
fn captured(is_v6: bool) -> Vec<Vec<u8>> {
    let files = fs::read_dir(workspace().join("dhcpd/tests/vectors")).unwrap();
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    let is_of_family = |path: &std::path::PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap();
        (name.ends_with('6') || name.ends_with("-v6")) == is_v6
    };
    let texts = paths.iter().filter(|path| is_of_family(path)).map(|path| fs::read_to_string(path).unwrap());
    let mut all: Vec<Vec<u8>> = texts
        .flat_map(|text| {
            let lines = text.lines().filter(|line| !line.starts_with('#'));
            lines.filter_map(|line| octets(line.rsplit(' ').next()?)).collect::<Vec<_>>()
        })
        .collect();
    all.sort();
    all.dedup();
    all
}

fn octets(hex: &str) -> Option<Vec<u8>> {
    let pairs = hex.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// Each packet cut at every octet and with every octet changed.
fn damaged(packets: &[Vec<u8>], mut send: impl FnMut(&[u8])) {
    for packet in packets {
        for at in 0..packet.len() {
            send(&packet[..at]);
            let mut changed = packet.clone();
            changed[at] ^= 0xff;
            send(&changed);
        }
    }
}

fn received(daemon: &Daemon, path: &[&str]) -> u64 {
    let status = daemon.status();
    path.iter().fold(&status, |value, key| &value[*key]).as_u64().unwrap_or(0)
}

fn storm(is_v6: bool, path: &[&str]) {
    let place = Place::empty();
    place.save("site.toml", SITE);
    let lan = Lan::new("lan0", &["10.77.0.1/24", "fd77::1/64"]);
    let dhcpd = Launch::dhcpd(&place).args(&["--interface", "lan0"]).start();
    let machine = lan.attach("machine", "02:00:00:00:00:01");
    machine.add_address("10.77.0.50/24");
    machine.add_address("fd77::50/64");
    let index = machine.sh("ip -o link show eth0 | cut -d: -f1");
    let everybody = format!("[ff02::1:2%{}]:547", index.trim());
    let to: SocketAddr = if is_v6 { &everybody } else { "10.77.0.1:67" }.parse().unwrap();
    let before = dhcpd.log().lines().count();
    let packets = captured(is_v6);
    assert!(packets.len() > 10, "{}", packets.len());
    let mut sent = 0_u64;
    machine.on(|| {
        let socket = UdpSocket::bind(if is_v6 { "[fd77::50]:546" } else { "10.77.0.50:68" }).unwrap();
        damaged(&packets, |octets| {
            socket.send_to(octets, to).unwrap();
            sent += 1;
            if sent.is_multiple_of(BURST) {
                wait_until("the daemon to take them", || received(&dhcpd, path) >= sent);
            }
        });
    });
    wait_until("the daemon to take all", || received(&dhcpd, path) >= sent);
    let status = dhcpd.status();
    assert_eq!(received(&dhcpd, path), sent, "{}", status["counters"]);
    assert!(sent > 5_000, "{sent}");
    let log = dhcpd.log();
    let lines = log.lines().count() - before;
    assert!(lines <= LINES_MAX, "{lines} lines for {sent} packets:\n{log}");
    assert!(!log.contains("panicked"), "{log}");
}

#[test]
fn a_storm_of_damaged_dhcpv4_packets_is_counted_and_costs_few_lines_of_the_log() {
    isolated(|| storm(false, &["counters", "traffic", "received"]));
}

#[test]
fn a_storm_of_damaged_dhcpv6_packets_is_counted_and_costs_few_lines_of_the_log() {
    isolated(|| storm(true, &["dhcpv6", "counters", "traffic", "received"]));
}
