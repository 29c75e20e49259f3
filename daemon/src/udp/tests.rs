use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use super::*;
use crate::explain::Explain;
use crate::interfaces::{Interface, interfaces};
use crate::metrics::CountedReason;
use crate::testing::{Namespace, in_network_namespace, run};

mod link;

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn server(at: &str) -> UdpSocket {
    bind(&Options::new(address(at))).unwrap()
}

/// A client with its own port, whose receives end with an error instead of never.
fn client(at: &str) -> UdpSocket {
    let socket = UdpSocket::bind(address(at)).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    socket
}

fn interface(name: &str) -> Interface {
    interfaces().unwrap().into_iter().find(|interface| interface.name == name).unwrap()
}

/// Waits for the link: until the kernel has noticed it, packets are dropped without a word.
fn running(name: &str) -> Interface {
    loop {
        let found = interface(name);
        if found.running {
            return found;
        }
        std::thread::yield_now();
    }
}

/// Adds an IPv6 address to `lo` and waits until packets for it are taken in: even without duplicate address
/// detection the kernel makes the route a moment later.
fn add_ipv6(address: &str) {
    run(&format!("ip -6 address add {address}/128 dev lo nodad"));
    let route = format!("local {address} ");
    loop {
        let table = std::process::Command::new("ip").args(["-6", "route", "show", "table", "local"]).output();
        if String::from_utf8_lossy(&table.unwrap().stdout).contains(&route) {
            return;
        }
        std::thread::yield_now();
    }
}

/// Waits until something can be read, then reads it all.
fn receive(socket: &UdpSocket, batch: &mut RecvBatch) -> usize {
    let stop = crate::stop::Stop::new().unwrap();
    let woken = stop.token().wait(socket, Some(Duration::from_secs(30))).unwrap();
    assert_eq!(woken, crate::stop::Woken::Readable);
    batch.receive(socket, Wait::Never).unwrap()
}

fn failures(report: SendReport) -> Vec<(&'static str, u32)> {
    report.failures().map(|(failure, count)| (failure.label(), count)).collect()
}

/// Asks `asked` on a wildcard socket and returns where the echo comes from.
fn echo_from(server: &UdpSocket, client: &UdpSocket, asked: SocketAddr) -> SocketAddr {
    let (mut requests, mut replies) = (RecvBatch::new(4, 512), SendBatch::new(4, 512));
    client.send_to(b"question", asked).unwrap();
    assert_eq!(receive(server, &mut requests), 1);
    let request = requests.get(0).unwrap();
    assert_eq!(request.bytes, b"question");
    assert_eq!(request.to, Some(asked.ip()));
    assert_eq!(request.local, Some(asked.ip()));
    assert_eq!(request.from, client.local_addr().unwrap());
    assert_eq!(request.interface, interface("lo").index);
    replies.buffer().unwrap()[..6].copy_from_slice(b"answer");
    assert!(replies.commit(6, request.from, request.reply_route()));
    assert_eq!(replies.send(server, Wait::Never).sent, 1);
    let mut buffer = [0; 16];
    let (count, from) = client.recv_from(&mut buffer).unwrap();
    assert_eq!(&buffer[..count], b"answer");
    from
}

#[test]
fn an_ipv4_answer_comes_from_the_address_that_was_asked() {
    let server = server("0.0.0.0:0");
    let port = server.local_addr().unwrap().port();
    let client = client("127.0.0.1:0");
    for ip in ["127.0.0.2", "127.0.0.3", "127.0.0.1"] {
        let asked = SocketAddr::new(ip.parse().unwrap(), port);
        assert_eq!(echo_from(&server, &client, asked), asked);
    }
}

#[test]
fn an_ipv6_answer_comes_from_the_address_that_was_asked() {
    in_network_namespace(|| {
        add_ipv6("fd00::2");
        add_ipv6("fd00::3");
        let six = server("[::]:5300");
        let client = client("[::1]:0");
        for ip in ["fd00::2", "fd00::3", "::1"] {
            let asked = SocketAddr::new(ip.parse().unwrap(), 5300);
            assert_eq!(echo_from(&six, &client, asked), asked);
        }
        // The IPv4 wildcard is free beside the IPv6 one.
        server("0.0.0.0:5300");
    });
}

#[test]
fn a_full_batch_comes_in_one_call_and_goes_out_in_one() {
    let server = server("127.0.0.1:0");
    let to = server.local_addr().unwrap();
    let client = client("127.0.0.1:0");
    for number in 0..70_u8 {
        client.send_to(&[number, 0xaa], to).unwrap();
    }
    let (mut requests, mut replies) = (RecvBatch::new(100, 512), SendBatch::new(100, 512));
    assert_eq!(receive(&server, &mut requests), MAX_BATCH);
    for request in requests.iter() {
        replies.buffer().unwrap()[..2].copy_from_slice(request.bytes);
        assert!(replies.commit(2, request.from, request.reply_route()));
    }
    let report = replies.send(&server, Wait::Never);
    assert_eq!((report.sent, report.blocked, replies.len()), (MAX_BATCH, false, 0));
    for number in 0..64 {
        let mut buffer = [0; 8];
        assert_eq!(client.recv(&mut buffer).unwrap(), 2);
        assert_eq!(buffer[..2], [number, 0xaa]);
    }
    assert_eq!(receive(&server, &mut requests), 6);
    assert_eq!(requests.iter().map(|request| request.bytes[0]).collect::<Vec<_>>(), [64, 65, 66, 67, 68, 69]);
    assert_eq!(requests.receive(&server, Wait::Never).unwrap(), 0);
    assert!(requests.is_empty() && requests.get(0).is_none());
}

#[test]
fn a_blocking_socket_waits_for_one_datagram_and_not_for_a_full_batch() {
    let options = Options { nonblocking: false, ..Options::new(address("127.0.0.1:0")) };
    let server = bind(&options).unwrap();
    let to = server.local_addr().unwrap();
    let waiting = std::thread::spawn(move || {
        let mut batch = RecvBatch::new(MAX_BATCH, 512);
        batch.receive(&server, Wait::ForOne).unwrap()
    });
    client("127.0.0.1:0").send_to(b"x", to).unwrap();
    assert_eq!(waiting.join().unwrap(), 1);
}

#[test]
fn a_datagram_longer_than_the_buffer_is_flagged_and_the_next_one_whole() {
    let server = server("127.0.0.1:0");
    let to = server.local_addr().unwrap();
    let client = client("127.0.0.1:0");
    for length in [512, 513, 0, 3] {
        client.send_to(&vec![7; length], to).unwrap();
    }
    let mut batch = RecvBatch::new(8, 512);
    assert_eq!(receive(&server, &mut batch), 4);
    let seen: Vec<_> = batch.iter().map(|datagram| (datagram.bytes.len(), datagram.truncated)).collect();
    assert!(batch.payloads().eq(batch.iter().map(|datagram| datagram.bytes)));
    assert_eq!(seen, [(512, false), (512, true), (0, false), (3, false)]);
}

#[test]
fn a_datagram_that_cannot_be_sent_is_counted_and_the_others_go_out() {
    in_network_namespace(|| {
        let server = server("0.0.0.0:5300");
        let client = client("127.0.0.1:0");
        let good = client.local_addr().unwrap();
        let own = Route::default();
        let no_such_interface = Route { source: None, interface: 4242 };
        let mut batch = SendBatch::new(MAX_BATCH, 65_535);
        for (number, (length, to, route)) in [
            (1, address("192.0.2.1:53"), own), // no route: only loopback exists here
            (1, good, own),
            (65_535, good, own),                    // longer than a UDP datagram can be
            (1, address("127.255.255.255:9"), own), // broadcast without permission
            (1, good, own),
            (1, address("127.0.0.1:0"), own),
            (1, good, no_such_interface),
            (1, address("192.0.2.1:53"), own),
            (1, good, own),
        ]
        .into_iter()
        .enumerate()
        {
            batch.buffer().unwrap()[0] = u8::try_from(number).unwrap();
            assert!(batch.commit(length, to, route));
        }
        let report = batch.send(&server, Wait::Never);
        assert_eq!((report.sent, report.blocked), (3, false));
        let expected =
            [("unreachable", 2), ("forbidden", 1), ("too-long", 1), ("bad-address", 1), ("no-interface", 1)];
        assert_eq!(failures(report), expected);
        for number in [1, 4, 8] {
            let mut buffer = [0; 8];
            assert_eq!((client.recv(&mut buffer).unwrap(), buffer[0]), (1, number));
        }

        // An address that this machine has lost meanwhile; kernels differ in what they call it.
        let lost = Route { source: Some("192.0.2.7".parse().unwrap()), interface: 0 };
        assert!(batch.commit(1, good, lost) && batch.commit(1, good, own));
        let report = batch.send(&server, Wait::Never);
        assert!(report.sent == 1 && matches!(failures(report)[..], [("bad-address" | "unreachable", 1)]));
    });
}

#[test]
fn a_full_socket_buffer_keeps_the_rest_in_the_batch() {
    in_network_namespace(|| {
        // Nobody answers ARP for the destination: what is sent stays in the socket's buffer.
        run("ip link add v0 type veth peer name v1");
        run("ip link set v0 up");
        run("ip link set v1 up");
        running("v0");
        run("ip address add 10.9.0.1/24 dev v0");
        let server = server("10.9.0.1:5300");
        socket2::SockRef::from(&server).set_send_buffer_size(0).unwrap(); // the kernel's minimum
        let mut batch = SendBatch::new(MAX_BATCH, 1000);
        while batch.buffer().is_some() {
            assert!(batch.commit(1000, address("10.9.0.2:68"), Route::default()));
        }
        let report = batch.send(&server, Wait::Never);
        assert!(report.blocked && report.sent < MAX_BATCH, "{report:?}");
        assert_eq!(failures(report), []);
        assert_eq!(batch.len(), MAX_BATCH - report.sent);
        assert!(batch.send(&server, Wait::Never).blocked);
        assert_eq!(batch.discard(), MAX_BATCH - report.sent);
        assert!(batch.is_empty());
    });
}

#[test]
fn what_the_kernel_lost_because_we_were_slow_is_known() {
    let options = Options { receive_buffer: 8192, ..Options::new(address("127.0.0.1:0")) };
    let server = bind(&options).unwrap();
    let to = server.local_addr().unwrap();
    let client = client("127.0.0.1:0");
    for _ in 0..100 {
        client.send_to(&[0; 1000], to).unwrap();
    }
    let mut batch = RecvBatch::new(MAX_BATCH, 1024);
    let mut received = 0;
    loop {
        match batch.receive(&server, Wait::Never).unwrap() {
            0 => break,
            count => received += count,
        }
    }
    assert!((1..100).contains(&received), "{received}");
    client.send_to(b"x", to).unwrap();
    assert_eq!(receive(&server, &mut batch), 1);
    assert_eq!(batch.get(0).unwrap().overflow as usize, 100 - received);
}

#[test]
fn a_group_shares_its_port_among_its_members_and_with_nobody_else() {
    let options = Options::new(address("127.0.0.1:0"));
    let group = bind_group(&options, 4).unwrap();
    let at = group[0].local_addr().unwrap();
    assert_eq!(group.iter().map(|member| member.local_addr().unwrap()).collect::<BTreeSet<_>>().len(), 1);

    let again = Options::new(at);
    let error = bind_group(&again, 4).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    assert_eq!(error.to_string(), format!("cannot listen on `{at}` (UDP): address already in use"));
    assert!(error.help().unwrap().contains("ss -ulpn"));
    assert_eq!(bind(&again).unwrap_err().kind(), io::ErrorKind::AddrInUse);

    // Sixty-four ports: that one member gets them all has a chance of 4^-63.
    for _ in 0..64 {
        UdpSocket::bind("127.0.0.1:0").unwrap().send_to(b"x", at).unwrap();
    }
    let mut batch = RecvBatch::new(MAX_BATCH, 512);
    let shares: Vec<usize> = group.iter().map(|member| batch.receive(member, Wait::Never).unwrap()).collect();
    assert_eq!(shares.iter().sum::<usize>(), 64);
    assert!(shares.iter().filter(|share| **share > 0).count() > 1, "{shares:?}");
}

#[test]
fn an_address_or_interface_that_is_not_there_is_named() {
    let error = bind(&Options::new(address("192.0.2.1:5300"))).unwrap_err();
    assert_eq!(error.to_string(), "cannot listen on `192.0.2.1:5300` (UDP): cannot assign requested address");
    let options = Options { device: Some("no-such-if0".to_owned()), ..Options::new(address("0.0.0.0:0")) };
    let error = bind(&options).unwrap_err();
    assert_eq!(error.kind(), io::Error::from_raw_os_error(libc::ENODEV).kind());
    assert!(error.to_string().contains("interface `no-such-if0`"), "{error}");
}
