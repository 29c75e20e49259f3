//! On a link between two machines: broadcasts, clients without an address, the list of interfaces.

use super::*;
use crate::interfaces::interfaces;

/// A server's and a client's namespace with a cable between them: `srv` with 10.9.0.1/24 here, `cli`
/// without an address there.
fn cable() -> (Namespace, Namespace, Interface, Interface) {
    let here = Namespace::current();
    run("ip link add srv type veth peer name cli");
    let there = Namespace::new();
    here.enter();
    run(&format!("ip link set cli netns {}", there.path()));
    run("ip address add 10.9.0.1/24 dev srv");
    run("ip link set srv up");
    there.enter();
    run("ip link set cli up");
    let client = running("cli");
    here.enter();
    let server = running("srv");
    (here, there, server, client)
}

#[test]
fn a_broadcast_tells_its_interface_and_is_answered_by_broadcast_out_of_it() {
    in_network_namespace(|| {
        let (here, there, srv, _) = cable();
        let options = Options {
            device: Some("srv".to_owned()),
            broadcast: true,
            ..Options::new(address("0.0.0.0:67"))
        };
        let server = bind(&options).unwrap();
        there.enter();
        let client = bind(&Options {
            device: Some("cli".to_owned()),
            broadcast: true,
            ..Options::new(address("0.0.0.0:68"))
        })
        .unwrap();
        let (mut requests, mut replies) = (RecvBatch::new(4, 1500), SendBatch::new(4, 1500));
        client.send_to(b"DISCOVER", "255.255.255.255:67").unwrap();
        here.enter();

        assert_eq!(receive(&server, &mut requests), 1);
        let request = requests.get(0).unwrap();
        assert_eq!(request.from, address("0.0.0.0:68"));
        assert_eq!(request.to, Some(IpAddr::V4(Ipv4Addr::BROADCAST)));
        assert_eq!(request.local, Some("10.9.0.1".parse().unwrap()));
        assert_eq!(request.interface, srv.index);

        replies.buffer().unwrap()[..5].copy_from_slice(b"OFFER");
        let route = Route { source: request.local, interface: srv.index };
        assert!(replies.commit(5, address("255.255.255.255:68"), route));
        assert_eq!(failures(replies.send(&server, Wait::Never)), []);
        assert_eq!(receive(&client, &mut requests), 1);
        let reply = requests.get(0).unwrap();
        assert_eq!((reply.bytes, reply.from), (&b"OFFER"[..], address("10.9.0.1:67")));
    });
}

#[test]
fn a_packet_socket_reaches_a_machine_by_its_hardware_address_and_its_kernel_accepts_the_sums() {
    in_network_namespace(|| {
        let (here, there, srv, cli) = cable();
        there.enter();
        // A client that accepts its address the moment it is offered; it answers no ARP before.
        run("ip address add 10.9.0.50/24 dev cli");
        let client = client("10.9.0.50:68");
        here.enter();
        let sender = open_packet_socket().unwrap();
        let (from, to) =
            (SocketAddrV4::new([10, 9, 0, 1].into(), 67), SocketAddrV4::new([10, 9, 0, 50].into(), 68));
        let mac = cli.mac.unwrap();
        sender.send_udp(srv.index, mac, from, to, b"odd").unwrap();
        let mut buffer = [0; 2000];
        let (count, source) = client.recv_from(&mut buffer).unwrap();
        assert_eq!((&buffer[..count], source), (&b"odd"[..], SocketAddr::V4(from)));

        let mut batch = SendBatch::new(4, 300 + UDP_FRAME_OVERHEAD);
        for byte in 0..4 {
            batch.buffer().unwrap()[..300].fill(byte);
            assert!(batch.commit_udp_frame(300, srv.index, mac, from, to));
        }
        assert_eq!(batch.send(&sender, Wait::Never).sent, 4);
        for byte in 0..4 {
            assert_eq!(client.recv(&mut buffer).unwrap(), 300);
            assert_eq!(buffer[..300], [byte; 300]);
        }

        assert_eq!(sender.send_udp(srv.index, mac, from, to, &[0; 1473]), Err(SendFailure::TooLong));
        assert_eq!(sender.send_udp(srv.index, mac, from, to, &[0; 70_000]), Err(SendFailure::TooLong));
        assert_eq!(sender.send_udp(4242, mac, from, to, b"x"), Err(SendFailure::NoInterface));
        run("ip link set srv down");
        assert_eq!(sender.send_udp(srv.index, mac, from, to, b"x"), Err(SendFailure::NoInterface));
    });
}

#[test]
fn interfaces_are_listed_with_all_their_addresses_also_the_labelled_ones() {
    in_network_namespace(|| {
        let (_here, _there, srv, cli) = cable();
        run("ip address add 10.9.1.1/28 dev srv label srv:old");
        run("ip -6 address add 2001:db8::1/64 dev srv nodad");
        run("ip link set srv mtu 1400");
        run("ip link set srv address 02:00:00:00:00:01");
        let now = interface("srv");
        assert_eq!(now.ipv4, [([10, 9, 0, 1].into(), 24), ([10, 9, 1, 1].into(), 28)]);
        assert!(now.ipv6.contains(&("2001:db8::1".parse().unwrap(), 64)), "{now:?}");
        assert_eq!((now.mtu, now.mac), (1400, Some([2, 0, 0, 0, 0, 1])));
        assert!(now.up && now.running && now.broadcast && !now.loopback);
        assert_eq!(now.index, srv.index);
        assert!(interfaces().unwrap().iter().all(|interface| !interface.name.contains(':')));
        assert_ne!(cli.mac, srv.mac);
        run("ip link set srv down");
        assert!(!interface("srv").up);
    });
}
