//! Relay agents that ask for many leases at once (RFC 6926), over TCP.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream, UdpSocket};

use integration_tests::isolated::isolated;
use integration_tests::message::{Ask, Message};
use integration_tests::net::{Lan, Machine};
use integration_tests::place::Place;
use integration_tests::programs::{Daemon, Launch};
use integration_tests::run::{PATIENCE, wait_for, wait_until};

const SERVER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
const AGENT: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 254);
/// Relay id and remote id.
const BEHIND: &[u8] = b"\x0c\x02r1\x02\x03sw1";
const CLIENTS: u8 = 40;
const SITE: &str = r#"
[site]
nameservers = ["ns1.bulk.test"]
contact = "hostmaster@bulk.test"
[zone."bulk.test"]
[network.lab]
zone = "bulk.test"
ipv4 = "10.77.0.0/22"
pool = "10.77.1.0-10.77.2.255"
probe = false
leasequery = "10.77.0.254"
[host.ns1]
network = "lab"
ip = "10.77.0.1"
[host.web]
network = "lab"
mac = "02:00:00:00:00:aa"
ip = "10.77.0.11"
"#;

struct Lab {
    place: Place,
    lan: Lan,
    dhcpd: Daemon,
    agent: Machine,
}

impl Lab {
    fn new() -> Lab {
        let place = Place::empty();
        place.save("site.toml", SITE);
        let lan = Lan::new("lan0", &["10.77.0.1/22"]);
        let dhcpd = Launch::dhcpd(&place).args(&["--interface", "lan0"]).start();
        let agent = lan.attach("agent", "02:00:00:00:0a:0a");
        agent.add_address("10.77.0.254/22");
        Lab { place, lan, dhcpd, agent }
    }

    /// Has so many clients behind the agent lease addresses.
    fn join(&self, clients: u8) {
        let socket = self.agent.on(|| UdpSocket::bind((AGENT, 67)).unwrap());
        socket.connect((SERVER, 67)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let reply = |ask: Ask| {
            socket.send(&ask.option(82, BEHIND).relayed(AGENT, SERVER).octets()).unwrap();
            let mut buffer = [0; 1500];
            let octets = socket.recv(&mut buffer).unwrap();
            Message::read_reply(&buffer[..octets]).unwrap()
        };
        for n in 0..clients {
            let mac = [2, 0, 0, 0, 1, n];
            let offered = reply(Ask::discover(mac)).yiaddr();
            assert_eq!(reply(Ask::selecting(mac, offered, SERVER)).kind(), 5);
        }
    }

    fn connect(&self) -> Connection {
        let stream = wait_for("the port", || self.agent.on(|| TcpStream::connect((SERVER, 67)).ok()));
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Connection(stream)
    }

    fn counted(&self, event: &str) -> u64 {
        self.dhcpd.status()["counters"]["bulk"][event].as_u64().unwrap_or(0)
    }
}

struct Connection(TcpStream);

impl Connection {
    fn send(&mut self, octets: &[u8]) {
        self.0.write_all(&u16::try_from(octets.len()).unwrap().to_be_bytes()).unwrap();
        self.0.write_all(octets).unwrap();
    }

    fn receive(&mut self) -> Message {
        let mut length = [0; 2];
        self.0.read_exact(&mut length).unwrap();
        let mut octets = vec![0; usize::from(u16::from_be_bytes(length))];
        self.0.read_exact(&mut octets).unwrap();
        Message::read_reply(&octets).unwrap()
    }

    /// The whole answer, and how it ended.
    fn ask(&mut self, ask: Ask) -> (Vec<Message>, Option<u8>) {
        self.send(&ask.xid(7).octets());
        let mut told = Vec::new();
        loop {
            let message = self.receive();
            assert_eq!(message.xid(), 7);
            if message.kind() == 15 {
                return (told, message.options.get(&151).map(|data| data[0]));
            }
            told.push(message);
        }
    }

    /// Whether the other side closes it without a word.
    fn ends(mut self) -> bool {
        self.0.read(&mut [0; 1]).is_ok_and(|octets| octets == 0)
    }
}

/// A question that names no card.
fn question() -> Ask {
    Ask::new(14, [0; 6])
}

#[test]
fn an_agent_learns_all_leases_and_those_of_its_own_and_others_learn_nothing() {
    isolated(|| {
        let lab = Lab::new();
        lab.join(CLIENTS);
        let mut connection = lab.connect();
        for by in [b"\x0c\x02r1", &b"\x02\x03sw1"[..]] {
            let (told, status) = connection.ask(question().option(82, by));
            let addresses: Vec<Ipv4Addr> = told.iter().map(Message::ciaddr).collect();
            let expected: Vec<Ipv4Addr> = (0..CLIENTS).map(|n| Ipv4Addr::new(10, 77, 1, n)).collect();
            assert_eq!((addresses, status), (expected, None));
            assert!(told.iter().all(|message| message.kind() == 13 && message.options[&82] == BEHIND));
        }
        let (all, status) = connection.ask(question());
        assert_eq!((all.len(), status), (513, None), "both halves of the pool, and the host");
        assert_eq!(all.iter().filter(|message| message.kind() == 13).count(), usize::from(CLIENTS) + 1);
        let (one, _) = connection.ask(Ask::new(14, [2, 0, 0, 0, 0, 0xaa]));
        assert_eq!(one.iter().map(Message::ciaddr).collect::<Vec<_>>(), [Ipv4Addr::new(10, 77, 0, 11)]);
        let (nothing, malformed) = connection.ask(Ask::new(10, [0; 6]));
        assert_eq!((nothing.len(), malformed), (0, Some(3)));
        let counts = ["connection", "query", "told", "done", "bad-query"].map(|event| lab.counted(event));
        assert_eq!(counts, [1, 4, 2 * u64::from(CLIENTS) + 513 + 1, 4, 1]);

        let stranger = lab.lan.attach("stranger", "02:00:00:00:0b:0b");
        stranger.add_address("10.77.0.253/22");
        let stream = stranger.on(|| TcpStream::connect((SERVER, 67)).unwrap());
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        assert!(Connection(stream).ends());
        assert_eq!(lab.counted("refused"), 1);
    });
}

#[test]
fn an_agent_has_a_few_connections_which_end_with_its_right_to_ask() {
    isolated(|| {
        let lab = Lab::new();
        let mut held: Vec<Connection> = (0..4).map(|_| lab.connect()).collect();
        assert!(lab.connect().ends());
        assert_eq!(lab.counted("too-many"), 1);
        held[3].send(b"no message");
        assert!(held.pop().unwrap().ends());
        wait_until("its place", || lab.connect().ask(question()).1.is_none());
        lab.place.edit("site.toml", "leasequery = \"10.77.0.254\"", "");
        for connection in held {
            assert!(connection.ends());
        }
        wait_until("the port to be closed", || lab.agent.on(|| TcpStream::connect((SERVER, 67))).is_err());
    });
}
