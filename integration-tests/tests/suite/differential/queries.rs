//! Random questions about random zones, plain and odd, and the way to ask them.

use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};

use integration_tests::run::PATIENCE;

use super::zones::Zone;
use integration_tests::random::Random;

/// A query, octet by octet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::suite) struct Question {
    pub(in crate::suite) name: String,
    pub(in crate::suite) rtype: u16,
    pub(in crate::suite) class: u16,
    pub(in crate::suite) flags: u16,
    /// Payload, version, flags, options.
    pub(in crate::suite) edns: Option<(u16, u8, u16, Vec<u8>)>,
    pub(in crate::suite) tcp: bool,
}

const TYPES: [u16; 22] =
    [1, 1, 1, 2, 5, 6, 12, 15, 16, 28, 33, 35, 39, 43, 46, 47, 48, 65, 255, 255, 257, 65_280];

impl Question {
    pub(in crate::suite) fn plain(name: &str, rtype: u16) -> Question {
        Question { name: name.to_owned(), rtype, class: 1, flags: 0, edns: None, tcp: false }
    }

    /// One about `zones`, most of them of the ordinary kind.
    pub(super) fn random(random: &mut Random, zones: &[Zone]) -> Question {
        let zone = &zones[random.below(zones.len())];
        let mut name = zone.owners[random.below(zone.owners.len())].clone();
        match random.below(12) {
            0 => name = format!("nothing.{name}"),
            1 => name = format!("a.{name}"),
            2 => name = format!("x.y.{name}"),
            3 => name = format!("*.{name}"),
            4 | 5 => name = name.split_once('.').map_or(name.clone(), |(_, above)| above.to_owned()),
            6 => name = name.replace('*', "star"),
            7 => name = name.to_uppercase(),
            8 => name = zone.apex.clone(),
            9 => name = format!("{}.{name}", "l".repeat(60 + random.below(4))),
            _ => {}
        }
        let mut question = Question::plain(&name, TYPES[random.below(TYPES.len())]);
        question.tcp = random.below(4) == 0;
        question.flags = [0, 0, 0x0100, 0x0110, 0x0030][random.below(5)];
        let sizes = [0, 512, 700, 1232, 1400, 4096, 65_535];
        let size = sizes[random.below(sizes.len())];
        match random.below(8) {
            0..=3 => {}
            4 | 5 => question.edns = Some((size, 0, 0, Vec::new())),
            6 => question.edns = Some((size, 0, 0x8000, Vec::new())),
            _ => question.edns = Some((size, 0, 0, vec![0xfd, 0xe9, 0, 3, 1, 2, 3])),
        }
        match random.below(60) {
            0 => question.class = [3, 4, 254, 255, 0, 99][random.below(6)],
            1 => question.flags |= u16::try_from(1 + random.below(15)).unwrap() << 11,
            2 => question.edns = Some((1232, 1, 0, Vec::new())),
            3 => question.flags |= 0x0480,
            4 => question.edns = Some((1232, 0, 0x4001, Vec::new())),
            _ => {}
        }
        question
    }

    /// Wire form; the id is always the same.
    pub(super) fn octets(&self) -> Vec<u8> {
        let mut octets = vec![0x12, 0x34];
        for word in [self.flags, 1, 0, 0, u16::from(self.edns.is_some())] {
            octets.extend_from_slice(&word.to_be_bytes());
        }
        for label in self.name.trim_end_matches('.').split('.').filter(|label| !label.is_empty()) {
            octets.push(u8::try_from(label.len()).unwrap());
            octets.extend_from_slice(label.as_bytes());
        }
        octets.push(0);
        octets.extend_from_slice(&self.rtype.to_be_bytes());
        octets.extend_from_slice(&self.class.to_be_bytes());
        if let Some((payload, version, flags, options)) = &self.edns {
            octets.extend_from_slice(&[0, 0, 41]);
            octets.extend_from_slice(&payload.to_be_bytes());
            octets.extend_from_slice(&[0, *version]);
            octets.extend_from_slice(&flags.to_be_bytes());
            octets.extend_from_slice(&u16::try_from(options.len()).unwrap().to_be_bytes());
            octets.extend_from_slice(options);
        }
        octets
    }

    /// Whether the name fits into a message.
    pub(super) fn is_sendable(&self) -> bool {
        self.name.len() <= 253
    }
}

/// Asks one server.
pub(in crate::suite) struct Asker {
    address: String,
    socket: UdpSocket,
}

impl Asker {
    pub(in crate::suite) fn new(server: &str) -> Asker {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect((server, 53)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Asker { address: format!("{server}:53"), socket }
    }

    /// The octets of the reply.
    pub(in crate::suite) fn ask(&self, question: &Question) -> Vec<u8> {
        if question.tcp {
            return self.ask_tcp(&question.octets());
        }
        self.socket.send(&question.octets()).unwrap();
        let mut reply = vec![0; 65_535];
        let octets = self
            .socket
            .recv(&mut reply)
            .unwrap_or_else(|error| panic!("{}: {question:?}: {error}", self.address));
        reply.truncate(octets);
        reply
    }

    fn ask_tcp(&self, query: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let length = u16::try_from(query.len()).unwrap().to_be_bytes();
        stream.write_all(&[&length, query].concat()).unwrap();
        let mut length = [0; 2];
        stream.read_exact(&mut length).unwrap();
        let mut reply = vec![0; u16::from_be_bytes(length).into()];
        stream.read_exact(&mut reply).unwrap();
        reply
    }
}
