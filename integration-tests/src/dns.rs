//! A DNS client of our own: one question, one answer, every octet of it looked at.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};

use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, Record, RecordType};

use crate::run::PATIENCE;

/// An answer as a test compares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// NXDOMAIN, or whatever the code is.
    pub code: ResponseCode,
    /// Owner, type and data of each record of the answer section, in order, as text in lower case.
    pub records: Vec<String>,
    /// Serial of the SOA record that a negative answer carries.
    pub serial: Option<u32>,
}

/// Asks one server by UDP, one question at a time.
#[derive(Debug)]
pub struct Client {
    socket: UdpSocket,
    next_id: u16,
}

impl Client {
    /// A client of the server at `address`.
    pub fn new(address: SocketAddr) -> Client {
        let any = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = UdpSocket::bind(any).unwrap();
        socket.connect(address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Client { socket, next_id: 1 }
    }

    /// The answer to one question. It is sent once and never again.
    ///
    /// # Panics
    /// There is none, or one that answers something else.
    pub fn ask(&mut self, name: &str, kind: RecordType) -> Answer {
        self.next_id = self.next_id.wrapping_add(1);
        let query = encode(self.next_id, name, kind);
        self.socket.send(&query).unwrap();
        let mut buffer = [0; 4096];
        let length =
            self.socket.recv(&mut buffer).unwrap_or_else(|error| panic!("{name} {kind}: lost: {error}"));
        read(self.next_id, name, kind, &buffer[..length])
    }
}

/// The answer to one question by TCP.
///
/// # Panics
/// There is none, or one that answers something else.
pub fn ask_tcp(address: SocketAddr, name: &str, kind: RecordType) -> Answer {
    let query = encode(7, name, kind);
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut framed = u16::try_from(query.len()).unwrap().to_be_bytes().to_vec();
    framed.extend(query);
    stream.write_all(&framed).unwrap();
    let mut length = [0; 2];
    stream.read_exact(&mut length).unwrap();
    let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut answer).unwrap();
    read(7, name, kind, &answer)
}

/// The name under which an address is looked up.
pub fn reverse(address: impl Into<IpAddr>) -> String {
    Name::from(address.into()).to_string()
}

/// A question that wants no recursion.
pub fn encode(id: u16, name: &str, kind: RecordType) -> Vec<u8> {
    let mut message = Message::new(id, MessageType::Query, OpCode::Query);
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    message.to_vec().unwrap()
}

fn read(id: u16, name: &str, kind: RecordType, octets: &[u8]) -> Answer {
    let message = Message::from_vec(octets).unwrap();
    let asked = Query::query(Name::from_ascii(name).unwrap(), kind);
    assert_eq!(
        (message.metadata.id, &message.queries[..]),
        (id, &[asked][..]),
        "an answer to something else"
    );
    assert!(!message.metadata.truncation, "{name} {kind} was truncated");
    let serial = |record: &Record| match &record.data {
        RData::SOA(soa) => Some(soa.serial),
        _ => None,
    };
    Answer {
        code: message.metadata.response_code,
        records: message.answers.iter().map(text).collect(),
        serial: message.authorities.iter().find_map(serial),
    }
}

fn text(record: &Record) -> String {
    format!("{} {} {}", record.name, record.record_type(), record.data).to_lowercase()
}
