//! What clients could do to the name server and to others through it, and what it does about that.

use std::collections::HashSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use integration_tests::isolated::isolated;
use integration_tests::place::Place;
use integration_tests::programs::{Daemon, Launch};
use integration_tests::run::{PATIENCE, sh, wait_until};

const SERVER: &str = "127.0.0.11";
/// Addresses of foreign networks on the loopback interface.
const FLOODER: &str = "198.51.100.7";
const NEIGHBOUR: &str = "198.51.100.8";
const OTHERS: &str = "203.0.113.9";
/// Answers a second that a foreign network gets.
const LIMIT: u64 = 100;

fn start(place: &Place, limit: u64) -> Daemon {
    for address in [FLOODER, NEIGHBOUR, OTHERS] {
        sh(&format!("ip address add {address}/32 dev lo"));
    }
    place.save(
        "site.toml",
        &format!(
            "[site]\nnameservers = [\"ns1.lab.example.org\"]\nrate-limit = {limit}\n[zone.\"lab.example.org\"]\n\
             [network.lan]\nzone = \"lab.example.org\"\nipv4 = \"10.20.0.0/24\"\n\
             [host.ns1]\nnetwork = \"lan\"\nip = \"10.20.0.2\"\n"
        ),
    );
    Launch::dnsd(place).args(&["--listen", SERVER, "--workers", "2"]).start()
}

/// A query for the address of `ns1`.
fn query(id: u16) -> Vec<u8> {
    let [high, low] = id.to_be_bytes();
    [&[high, low, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0][..], b"\x03ns1\x03lab\x07example\x03org\0\0\x01\0\x01"]
        .concat()
}

fn socket(from: &str) -> UdpSocket {
    let socket = UdpSocket::bind((from, 0)).unwrap();
    socket.connect((SERVER, 53)).unwrap();
    socket
}

fn memory(daemon: &Daemon) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Asks at ten times the limit for some seconds from several ports; returns the answers with records that
/// came, the longest replies, and how long it took.
fn flood(others: impl Fn() + Sync) -> (u64, usize, Duration) {
    let sockets: Vec<UdpSocket> = (0..8).map(|_| socket(FLOODER)).collect();
    sockets.iter().for_each(|socket| socket.set_nonblocking(true).unwrap());
    let (began, mut answers, mut longest) = (Instant::now(), 0, 0);
    let mut buffer = [0; 1500];
    std::thread::scope(|scope| {
        let asking = scope.spawn(&others);
        let mut number = 0;
        while !asking.is_finished() || number < 3 * 10 * LIMIT {
            // At the pace of ten times the limit, whatever the machine does in between.
            if number > u64::try_from(began.elapsed().as_millis()).unwrap() * 10 * LIMIT / 1000 {
                std::thread::yield_now();
                continue;
            }
            number += 1;
            let socket = &sockets[usize::try_from(number).unwrap() % sockets.len()];
            let _ = socket.send(&query(u16::try_from(number % 60_000).unwrap()));
            for socket in &sockets {
                while let Ok(octets) = socket.recv(&mut buffer) {
                    answers += u64::from(buffer[7] > 0);
                    longest = longest.max(octets);
                }
            }
        }
    });
    (answers, longest, began.elapsed())
}

#[test]
fn a_flood_from_one_network_at_ten_times_the_limit_hurts_nobody_else() {
    isolated(|| {
        let place = Place::empty();
        let dnsd = start(&place, LIMIT);
        let before = memory(&dnsd);
        let (answers, longest, took) = flood(|| {
            let other = socket(OTHERS);
            other.set_read_timeout(Some(PATIENCE)).unwrap();
            let mut reply = [0; 1500];
            for id in 1..=150 {
                other.send(&query(id)).unwrap();
                let octets = other.recv(&mut reply).unwrap();
                assert!(octets > 40 && reply[7] == 1, "query {id}: {:?}", &reply[..octets]);
                // Below the limit of that network.
                std::thread::sleep(Duration::from_millis(1000 / LIMIT + 5));
            }
        });
        let most = LIMIT * (took.as_secs() + 2);
        println!("{answers} answers in {took:?}, at most {most}; memory {before} to {} KiB", memory(&dnsd));
        assert!(answers <= most, "{answers} answers in {took:?}");
        assert!(longest < 100);
        let failures = dnsd.status()["counters"]["failures"].clone();
        let (slips, drops) =
            (failures["rate-slip"].as_u64().unwrap(), failures["rate-drop"].as_u64().unwrap());
        assert!(slips > LIMIT && slips.abs_diff(drops) <= 1 + slips / 10, "{failures}");
        assert!(memory(&dnsd) < before + 4096, "memory grew from {before} to {} KiB", memory(&dnsd));
        // Who is really there, in the flooded network, gets his answer: by a cookie, or by TCP.
        let said = sh(&format!("dig @{SERVER} -b {NEIGHBOUR} +tries=5 +time=2 ns1.lab.example.org"));
        assert!(said.contains("10.20.0.2") && said.contains("(good)"), "{said}");
        let said = sh(&format!(
            "dig @{SERVER} -b {NEIGHBOUR} +nocookie +tries=9 +time=1 +short ns1.lab.example.org"
        ));
        assert!(said.contains("10.20.0.2"), "{said}");
    });
}

#[test]
fn dig_sees_cookies_the_servers_name_and_why_it_is_refused() {
    isolated(|| {
        let place = Place::empty();
        sh("hostname ns-of-the-test");
        let _dnsd = start(&place, LIMIT);
        let other = Place::empty();
        other.save(
            "site.toml",
            "[site]\nnameservers = [\"ns.example.net\"]\n[zone.\"a.example\"]\nallow-query = \"10.0.0.0/8\"\n",
        );
        let _strict = Launch::dnsd(&other).args(&["--listen", "127.0.0.12"]).start();
        let dig = |line: &str| sh(&format!("dig +tries=3 +time=20 {line}"));
        let said = dig(&format!("@{SERVER} +cookie ns1.lab.example.org"));
        assert!(said.contains("COOKIE:") && said.contains("(good)"), "{said}");
        let said = dig("@127.0.0.12 +nsid a.example SOA");
        assert!(said.contains("(\"ns-of-the-test\")"), "{said}");
        assert!(said.contains("EDE: 18 (Prohibited)") && said.contains("REFUSED"), "{said}");
        let said = dig(&format!("@{SERVER} elsewhere.test"));
        assert!(said.contains("EDE: 20 (Not Authoritative)"), "{said}");
        let said = sh(&format!("kdig @{SERVER} +cookie +nsid ns1.lab.example.org"));
        assert!(said.contains("COOKIE:") && said.contains("10.20.0.2"), "{said}");
    });
}

#[test]
fn connections_that_say_nothing_are_closed_and_one_client_has_not_all_of_them() {
    isolated(|| {
        let place = Place::empty();
        let dnsd = start(&place, LIMIT);
        let server: SocketAddr = format!("{SERVER}:53").parse().unwrap();
        let mut silent: Vec<TcpStream> = (0..400).map(|_| TcpStream::connect(server).unwrap()).collect();
        // Half a query is no query.
        for stream in &mut silent {
            let _ = stream.write_all(&[0, 40, 1, 2]);
        }
        let traffic = |what: &str| dnsd.status()["counters"]["traffic"][what].as_u64().unwrap_or(0);
        wait_until("the others are sent away", || traffic("tcp-refused") == 400 - 128);
        let said = sh(&format!("dig @{SERVER} -b {OTHERS} +tcp +tries=1 +short ns1.lab.example.org"));
        assert!(said.contains("10.20.0.2"), "{said}");
        wait_until("the silent ones are closed", || traffic("tcp-idle") == 128);
        let closed: HashSet<usize> =
            (0..silent.len()).filter(|at| matches!(silent[*at].read(&mut [0; 1]), Ok(0) | Err(_))).collect();
        assert_eq!(closed.len(), silent.len());
        let mut again = TcpStream::connect(server).unwrap();
        let message = query(9);
        let framed = [&u16::try_from(message.len()).unwrap().to_be_bytes()[..], &message].concat();
        // Pipelined: all are answered, in order.
        again.write_all(&framed.repeat(50)).unwrap();
        again.set_read_timeout(Some(PATIENCE)).unwrap();
        for _ in 0..50 {
            let mut length = [0; 2];
            again.read_exact(&mut length).unwrap();
            let mut reply = vec![0; u16::from_be_bytes(length).into()];
            again.read_exact(&mut reply).unwrap();
            assert_eq!(reply[7], 1);
        }
    });
}
