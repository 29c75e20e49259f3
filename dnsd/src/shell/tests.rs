//! The shell on real sockets of the loopback interface, and the way of a snapshot into service.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use daemon::metrics::Registry;

use super::counters::DnsCounters;
use super::server::{Server, Sockets};
use super::service::Service;
use crate::core::rcode;
use crate::testing::{Ask, Reply, view};
use crate::view::{DnsView, rtype};

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(20);

struct Running {
    server: Server,
    service: Arc<Service>,
    counters: Arc<DnsCounters>,
    addresses: Vec<SocketAddr>,
}

fn start(view: DnsView) -> Running {
    let service = Service::new(view, None);
    let counters = Arc::new(DnsCounters::new(&mut Registry::default()));
    let listen = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    let sockets = Sockets::open(&listen.map(|ip| SocketAddr::new(ip, 0)), 2).unwrap();
    let addresses = sockets.addresses().to_vec();
    let server = Server::start(sockets, &service, &counters, None).unwrap();
    Running { server, service, counters, addresses }
}

fn udp(to: SocketAddr) -> UdpSocket {
    let local: IpAddr = if to.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() };
    let socket = UdpSocket::bind((local, 0)).unwrap();
    socket.connect(to).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

fn ask_udp(socket: &UdpSocket, ask: &Ask) -> Reply {
    socket.send(&ask.octets()).unwrap();
    let mut reply = [0; 2048];
    let octets = socket.recv(&mut reply).unwrap();
    Reply::read(&reply[..octets])
}

fn tcp(to: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&u16::try_from(message.len()).unwrap().to_be_bytes()[..], message].concat()
}

fn read_reply(stream: &mut TcpStream) -> Reply {
    let mut length = [0; 2];
    stream.read_exact(&mut length).unwrap();
    let mut reply = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut reply).unwrap();
    Reply::read(&reply)
}

#[track_caller]
fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::yield_now();
    }
}

fn traffic(running: &Running, event: &str) -> u64 {
    running.counters.to_json()["traffic"][event].as_u64().unwrap_or(0)
}

fn address_of(n: u8) -> DnsView {
    view(&format!("[zone.\"lab.example\"]\nrecords = 'x 0 A 192.0.2.{n}'\n"))
}

#[test]
fn how_long_answers_take_is_known_by_transport() {
    let running = start(view("[zone.\"lab.example\"]\n"));
    let address = running.addresses[0];
    let (socket, ask) = (udp(address), Ask::new("ns1.lab.example", rtype::A));
    ask_udp(&socket, &ask);
    ask_udp(&socket, &ask);
    let mut stream = tcp(address);
    stream.write_all(&framed(&ask.octets())).unwrap();
    read_reply(&mut stream);
    // A reply is here before it is counted.
    let count = |way: &str| running.counters.to_json()["latencies"][way]["count"].as_u64();
    until("three answers to be counted", || (count("udp"), count("tcp")) == (Some(2), Some(1)));
    assert_eq!(count("tls"), None);
}

#[test]
fn both_families_and_both_transports_answer() {
    let running = start(address_of(1));
    for address in &running.addresses {
        let reply = ask_udp(&udp(*address), &Ask::new("x.lab.example", rtype::A));
        assert_eq!(reply.answers(), ["x.lab.example. 0 IN A 192.0.2.1"]);
        let mut stream = tcp(*address);
        stream.write_all(&framed(&Ask::new("nothing.lab.example", rtype::A).octets())).unwrap();
        assert_eq!(read_reply(&mut stream).rcode, rcode::NXDOMAIN);
    }
    until("counted", || traffic(&running, "udp-sent") == 2 && traffic(&running, "tcp-received") == 2);
}

#[test]
fn a_reply_leaves_from_the_address_that_was_asked() {
    let service = Service::new(address_of(1), None);
    let counters = DnsCounters::new(&mut Registry::default());
    let sockets = Sockets::open(&["0.0.0.0:0".parse().unwrap()], 1).unwrap();
    let port = sockets.addresses()[0].port();
    let _server = Server::start(sockets, &service, &counters, None).unwrap();
    for last in [1, 2, 77] {
        let asked = SocketAddr::new(Ipv4Addr::new(127, 0, 0, last).into(), port);
        // A connected socket sees nothing from anywhere else.
        let reply = ask_udp(&udp(asked), &Ask::new("x.lab.example", rtype::A));
        assert_eq!(reply.rcode, rcode::NOERROR);
    }
}

#[test]
fn a_new_view_answers_at_once_and_no_answer_mixes_two() {
    let running = start(address_of(1));
    let done = Arc::new(AtomicBool::new(false));
    let asking: Vec<_> = running
        .addresses
        .iter()
        .flat_map(|address| [(*address, false), (*address, true)])
        .map(|(address, over_tcp)| {
            let done = Arc::clone(&done);
            std::thread::spawn(move || {
                let ask = Ask::new("x.lab.example", rtype::A);
                let socket = udp(address);
                let mut stream = tcp(address);
                let (mut last, mut count) = (0, 0);
                while !done.load(Ordering::Relaxed) {
                    let reply = if over_tcp {
                        stream.write_all(&framed(&ask.octets())).unwrap();
                        read_reply(&mut stream)
                    } else {
                        ask_udp(&socket, &ask)
                    };
                    let [.., now] = *reply.answer[0].rdata else { panic!("{reply:?}") };
                    assert!(now >= last, "from {last} back to {now}");
                    (last, count) = (now, count + 1);
                }
                count
            })
        })
        .collect();
    let socket = udp(running.addresses[0]);
    for n in 2..=200 {
        running.service.views.store(Arc::new(address_of(n)));
        let reply = ask_udp(&socket, &Ask::new("x.lab.example", rtype::A));
        assert_eq!(reply.answers(), [format!("x.lab.example. 0 IN A 192.0.2.{n}")]);
    }
    done.store(true, Ordering::Relaxed);
    for thread in asking {
        assert!(thread.join().unwrap() > 0);
    }
    assert_eq!(traffic(&running, "udp-unsent") + traffic(&running, "udp-overflow"), 0);
}

#[test]
fn queries_may_be_sent_without_waiting_and_in_pieces() {
    let running = start(address_of(1));
    let mut stream = tcp(running.addresses[0]);
    let names = ["x.lab.example", "nothing.lab.example", "lab.example", "elsewhere.test"];
    let asks: Vec<Ask> = names.iter().cycle().take(200).map(|name| Ask::new(name, rtype::A)).collect();
    let all: Vec<u8> = asks.iter().flat_map(|ask| framed(&ask.octets())).collect();
    for piece in all.chunks(7) {
        stream.write_all(piece).unwrap();
    }
    for ask in &asks {
        let reply = read_reply(&mut stream);
        assert_eq!(reply.question.unwrap().0, ask.name, "in their order");
    }
}

#[test]
fn a_connection_half_closed_gets_all_its_answers() {
    let running = start(address_of(1));
    let mut stream = tcp(running.addresses[0]);
    let query = framed(&Ask::new("x.lab.example", rtype::A).octets());
    stream.write_all(&query.repeat(50)).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    for _ in 0..50 {
        assert_eq!(read_reply(&mut stream).answer.len(), 1);
    }
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
}

#[test]
fn a_client_that_does_not_read_hinders_nobody() {
    let lines: String = (0..2_000).map(|n| format!("many A 10.1.{}.{}\n", n / 250, n % 250)).collect();
    let running = start(view(&format!("[zone.\"lab.example\"]\nrecords = '''\n{lines}'''\n")));
    let mut deaf = tcp(running.addresses[0]);
    deaf.set_nonblocking(true).unwrap();
    let query = framed(&Ask::new("many.lab.example", rtype::A).octets());
    // Until the daemon reads no more, because nobody takes its answers.
    let mut sent = 0;
    until("the connection is full", || {
        match deaf.write(&query.repeat(1_000)) {
            Ok(octets) => sent += octets,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return sent > 1_000_000,
            Err(error) => panic!("{error}"),
        }
        sent > 50_000_000
    });
    let mut other = tcp(running.addresses[0]);
    other.write_all(&query).unwrap();
    assert_eq!(read_reply(&mut other).answer.len(), 2_000);
    let reply = ask_udp(&udp(running.addresses[0]), &Ask::new("many.lab.example", rtype::A));
    assert!(reply.tc());
}

#[test]
fn a_message_longer_than_any_query_ends_the_connection() {
    let running = start(address_of(1));
    let mut stream = tcp(running.addresses[0]);
    stream.write_all(&[0xff, 0xff, 0, 0]).unwrap();
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
    assert_eq!(traffic(&running, "tcp-too-long"), 1);
}

#[test]
fn what_is_no_query_is_dropped_and_the_next_one_answered() {
    let running = start(address_of(1));
    let socket = udp(running.addresses[0]);
    socket.send(b"").unwrap();
    socket.send(&[0; 11]).unwrap();
    socket.send(&[0xff; 1_500]).unwrap();
    let mut stream = tcp(running.addresses[0]);
    stream.write_all(&framed(&[0; 5])).unwrap();
    let ask = Ask::new("x.lab.example", rtype::A);
    stream.write_all(&framed(&ask.octets())).unwrap();
    assert_eq!(read_reply(&mut stream).answer.len(), 1);
    assert_eq!(ask_udp(&socket, &ask).answer.len(), 1);
    until("counted", || running.counters.to_json()["failures"]["short"] == 3);
    assert_eq!(running.counters.to_json()["failures"]["response"], 1);
}

#[test]
fn the_threads_end_when_the_server_goes() {
    let running = start(address_of(1));
    let address = running.addresses[0];
    let mut open = tcp(address);
    open.write_all(&framed(&Ask::new("x.lab.example", rtype::A).octets())).unwrap();
    assert_eq!(read_reply(&mut open).answer.len(), 1);
    drop(running.server);
    assert_eq!(open.read(&mut [0; 1]).unwrap(), 0, "open connections are closed");
    assert!(TcpStream::connect(address).is_err());
}
