//! An edit of the inventory reaches a DHCPv6 client that takes a Reconfigure (RFC 8415, section 18.3.11), over
//! a real link and over a kill of the daemon. No packaged client takes one without configuration, so this is
//! one of our own.

use std::net::{Ipv6Addr, SocketAddrV6, UdpSocket};
use std::time::{Duration, Instant};

use integration_tests::isolated::isolated;
use integration_tests::message6::{
    ADVERTISE, Ask, IA_NA, RECONFIGURE, RENEW, REPLY, REQUEST, Reply, SOLICIT, duid_ll,
};
use integration_tests::net::{Lan, Machine};
use integration_tests::place::Place;
use integration_tests::programs::{Daemon, Launch};
use integration_tests::run::{PATIENCE, wait_until};
use ipnet::Ipv6Net;
use md5::{Digest, Md5};
use nix::sys::signal::Signal;

const INVENTORY: &str = r#"
[site]
nameservers = ["ns1.lab.example.org"]
[zone."lab.example.org"]
records = "ns1 AAAA 2001:db8:20::2"
[network.lab]
zone = "lab.example.org"
ipv6 = "2001:db8:20::/64"
lease = "12h"
[host.web1]
network = "lab"
mac = "52:54:00:aa:00:11"
ip = "2001:db8:20::11"
"#;
const MAC: [u8; 6] = [0x52, 0x54, 0, 0xaa, 0, 0x11];

/// A client that knows its key.
struct Client {
    socket: UdpSocket,
    _machine: Machine,
    servers: SocketAddrV6,
    server: Vec<u8>,
    key: Vec<u8>,
    /// The number of the last message that was signed or told a key.
    number: u64,
    xid: u32,
}

impl Client {
    fn new(lan: &Lan) -> Client {
        let machine = lan.attach("web1", "52:54:00:aa:00:11");
        wait_until("a link-local address", || {
            !machine.sh("ip -6 address show dev eth0 scope link -tentative").is_empty()
        });
        let index = machine.on(|| nix::net::if_::if_nametoindex("eth0").unwrap());
        let socket = machine.on(|| UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 546)).unwrap());
        socket.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        let servers = SocketAddrV6::new("ff02::1:2".parse().unwrap(), 547, 0, index);
        Client { socket, _machine: machine, servers, server: Vec::new(), key: Vec::new(), number: 0, xid: 0 }
    }

    /// Says something until there is a reply of this type.
    fn say(&mut self, ask: &Ask, kind: u8) -> Reply {
        self.xid += 1;
        let ask = ask.clone().option(20, &[]).xid(self.xid);
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            self.socket.send_to(&ask.octets(), self.servers).unwrap();
            if let Some((reply, _)) = self.receive()
                && (reply.kind, reply.xid) == (kind, ask.xid)
            {
                return reply;
            }
        }
        panic!("no reply to {ask:?}");
    }

    fn receive(&self) -> Option<(Reply, Vec<u8>)> {
        let mut buffer = [0; 2048];
        let (length, _) = self.socket.recv_from(&mut buffer).ok()?;
        Some((Reply::read(&buffer[..length])?, buffer[..length].to_vec()))
    }

    /// Takes its address, and the key.
    fn join(&mut self) -> Vec<Ipv6Net> {
        let offer = self.say(&Ask::from(SOLICIT, &duid_ll(MAC)).ia(IA_NA, 1, &[]), ADVERTISE);
        self.server = offer.data(2).unwrap().to_vec();
        let ask = Ask::from(REQUEST, &duid_ll(MAC)).server(&self.server).ia(IA_NA, 1, &offer.given());
        let reply = self.say(&ask, REPLY);
        self.learn(&reply);
        reply.given()
    }

    fn learn(&mut self, reply: &Reply) {
        let auth = reply.data(11).unwrap();
        assert_eq!((&auth[..3], auth[11]), (&[3, 1, 0][..], 1));
        self.key = auth[12..].to_vec();
        self.number = u64::from_be_bytes(auth[3..11].try_into().unwrap());
    }

    fn renew(&mut self, has: &[Ipv6Net]) -> Vec<Ipv6Net> {
        let ask = Ask::from(RENEW, &duid_ll(MAC)).server(&self.server).ia(IA_NA, 1, has);
        let reply = self.say(&ask, REPLY);
        self.learn(&reply);
        reply.given()
    }

    /// Waits for a Reconfigure, and believes it as RFC 8415, sections 16.11 and 20.4.4, wants.
    fn hear(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            assert!(Instant::now() < deadline, "no Reconfigure");
            let Some((message, mut octets)) = self.receive() else { continue };
            if message.kind != RECONFIGURE {
                continue;
            }
            assert_eq!(message.xid, 0);
            assert_eq!(message.data(1), Some(&*duid_ll(MAC)));
            assert_eq!(message.data(2), Some(&*self.server));
            assert_eq!(message.data(19), Some(&[RENEW][..]));
            let auth = message.data(11).unwrap();
            let number = u64::from_be_bytes(auth[3..11].try_into().unwrap());
            assert!(number > self.number, "{number} after {}", self.number);
            self.number = number;
            // The digest is the last that the message has.
            let at = octets.len() - 16;
            octets[at..].fill(0);
            assert_eq!(auth[12..], hmac(&self.key, &octets));
            return;
        }
    }
}

/// RFC 2104 with MD5.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let pad = |octet: u8| (0..64).map(|at| key.get(at).copied().unwrap_or(0) ^ octet).collect::<Vec<u8>>();
    let inner = Md5::digest([pad(0x36), message.to_vec()].concat());
    Md5::digest([pad(0x5c), inner.to_vec()].concat()).to_vec()
}

fn start(place: &Place) -> Daemon {
    Launch::dhcpd(place).args(&["--interface", "lan0"]).start()
}

fn address(host: &str) -> Vec<Ipv6Net> {
    vec![format!("2001:db8:20::{host}/128").parse().unwrap()]
}

#[test]
fn an_edit_reaches_a_client_that_takes_a_reconfigure_long_before_it_would_renew() {
    isolated(|| {
        let lan = Lan::new("lan0", &["2001:db8:20::2/64"]);
        let place = Place::empty();
        place.save("site.toml", INVENTORY);
        let _dhcpd = start(&place);
        let mut client = Client::new(&lan);
        assert_eq!(client.join(), address("11"));
        place.edit("site.toml", "::11\"", "::12\"");
        client.hear();
        assert_eq!(client.renew(&address("11")), address("12"));
    });
}

#[test]
fn an_edit_reaches_it_that_was_made_while_the_daemon_was_killed() {
    isolated(|| {
        let lan = Lan::new("lan0", &["2001:db8:20::2/64"]);
        let place = Place::empty();
        place.save("site.toml", INVENTORY);
        let mut dhcpd = start(&place);
        let mut client = Client::new(&lan);
        client.join();
        wait_until("the client to be written down", || {
            place.state("dhcpd").join("reconfigured.json").exists()
        });
        dhcpd.signal(Signal::SIGKILL);
        dhcpd.wait();
        place.edit("site.toml", "::11\"", "::12\"");
        let _dhcpd = start(&place);
        client.hear();
        assert_eq!(client.renew(&address("11")), address("12"));
    });
}
