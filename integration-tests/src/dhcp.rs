//! A DHCP client of our own that speaks for any number of machines, as a relay agent does: so it needs no
//! raw socket, and every reply comes back to it.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

use dhcproto::v4::{DhcpOption, Flags, Message, MessageType, Opcode, OptionCode};
use dhcproto::{Decodable, Decoder, Encodable};

use crate::run::PATIENCE;

/// A reply as a test compares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// OFFER, ACK or NAK.
    pub kind: MessageType,
    /// The address given; unspecified in a NAK.
    pub address: Ipv4Addr,
    /// The host's name, if it was sent.
    pub host_name: Option<String>,
}

/// An offer with all that it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The address given.
    pub address: Ipv4Addr,
    /// Code and octets of each option, by code.
    pub options: BTreeMap<u8, Vec<u8>>,
    /// The field `file`.
    pub file: String,
}

/// Sends one message at a time.
#[derive(Debug)]
pub struct Client {
    socket: UdpSocket,
    own: Ipv4Addr,
    server: Ipv4Addr,
    next_xid: u32,
}

impl Client {
    /// A client at `own`, which must be an address of this machine and in the machines' network, that asks
    /// the server at `server`.
    ///
    /// # Panics
    /// Port 67 of `own` is not to be had.
    pub fn new(own: Ipv4Addr, server: Ipv4Addr) -> Client {
        let socket = UdpSocket::bind((own, 67)).unwrap();
        socket.connect(SocketAddr::from((server, 67))).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Client { socket, own, server, next_xid: 0 }
    }

    /// Sends DISCOVER for `mac` and waits for the OFFER.
    ///
    /// # Panics
    /// There is no reply.
    pub fn discover(&mut self, mac: [u8; 6]) -> Reply {
        let xid = self.send(mac, MessageType::Discover, None);
        self.receive(xid)
    }

    /// Sends REQUEST for an offer of `address` and waits for the ACK or NAK.
    ///
    /// # Panics
    /// There is no reply.
    pub fn request(&mut self, mac: [u8; 6], address: Ipv4Addr) -> Reply {
        let xid = self.send(mac, MessageType::Request, Some(address));
        self.receive(xid)
    }

    /// Sends DISCOVER for `mac` that asks for every option, as firmware with this vendor class and
    /// architecture if any is given, and waits for the OFFER.
    ///
    /// # Panics
    /// There is no reply, or another one.
    pub fn discover_all(&mut self, mac: [u8; 6], firmware: Option<(&str, u16)>) -> Offer {
        let mut message = self.message(mac, MessageType::Discover);
        let options = message.opts_mut();
        options.insert(DhcpOption::MaxMessageSize(1500));
        // 52, 53, 55, 57, 82 are the frame of the message.
        let codes = (1..=254).filter(|code| ![52, 53, 55, 57, 82].contains(code));
        options.insert(DhcpOption::ParameterRequestList(codes.map(OptionCode::from).collect()));
        if let Some((class, architecture)) = firmware {
            options.insert(DhcpOption::ClassIdentifier(class.as_bytes().to_vec()));
            options.insert(DhcpOption::ClientSystemArchitecture(architecture.into()));
        }
        self.socket.send(&message.to_vec().unwrap()).unwrap();
        let octets = self.receive_octets();
        let (message, options) = (&octets[..240], &octets[240..]);
        assert_eq!(message[4..8], self.next_xid.to_be_bytes(), "a reply to something else");
        let options = read_options(options);
        assert_eq!(options[&53], [2], "no offer");
        let file: Vec<u8> = message[108..236].iter().copied().take_while(|octet| *octet != 0).collect();
        let address = Ipv4Addr::from(<[u8; 4]>::try_from(&message[16..20]).unwrap());
        Offer { address, options, file: String::from_utf8(file).unwrap() }
    }

    /// Sends REQUEST as a client that keeps its `address`, and waits for the ACK or NAK.
    ///
    /// # Panics
    /// There is no reply.
    pub fn rebind(&mut self, mac: [u8; 6], address: Ipv4Addr) -> Reply {
        let mut message = self.message(mac, MessageType::Request);
        message.set_ciaddr(address);
        self.socket.send(&message.to_vec().unwrap()).unwrap();
        self.receive(self.next_xid)
    }

    /// Whether DISCOVER for `mac` meets silence. A message that is always answered, a REQUEST to this very
    /// server, follows it: messages are answered in order, so only silence lets its reply come first.
    ///
    /// # Panics
    /// Neither is answered.
    pub fn is_silence(&mut self, mac: [u8; 6]) -> bool {
        let discover = self.send(mac, MessageType::Discover, None);
        let request = self.send(mac, MessageType::Request, Some(self.own));
        let (first, _) = self.receive_any();
        if first == discover {
            self.receive(request);
        }
        first == request
    }

    fn send(&mut self, mac: [u8; 6], kind: MessageType, wanted: Option<Ipv4Addr>) -> u32 {
        let mut message = self.message(mac, kind);
        let options = message.opts_mut();
        let parameters =
            [OptionCode::SubnetMask, OptionCode::Router, OptionCode::Hostname, OptionCode::DomainName];
        options.insert(DhcpOption::ParameterRequestList(parameters.to_vec()));
        if let Some(wanted) = wanted {
            options.insert(DhcpOption::RequestedIpAddress(wanted));
            options.insert(DhcpOption::ServerIdentifier(self.server));
        }
        self.socket.send(&message.to_vec().unwrap()).unwrap();
        self.next_xid
    }

    /// A message that came by this relay agent.
    fn message(&mut self, mac: [u8; 6], kind: MessageType) -> Message {
        self.next_xid += 1;
        let none = Ipv4Addr::UNSPECIFIED;
        let mut message = Message::new_with_id(self.next_xid, none, none, none, self.own, &mac);
        message.set_flags(Flags::default()).set_hops(1);
        message.opts_mut().insert(DhcpOption::MessageType(kind));
        message
    }

    fn receive(&mut self, xid: u32) -> Reply {
        let (answered, reply) = self.receive_any();
        assert_eq!(answered, xid, "a reply to something else: {reply:?}");
        reply
    }

    fn receive_any(&mut self) -> (u32, Reply) {
        let octets = self.receive_octets();
        let message = Message::decode(&mut Decoder::new(&octets)).unwrap();
        assert_eq!((message.opcode(), message.giaddr()), (Opcode::BootReply, self.own));
        let host_name = match message.opts().get(OptionCode::Hostname) {
            Some(DhcpOption::Hostname(name)) => Some(name.clone()),
            _ => None,
        };
        let kind = message.opts().msg_type().unwrap();
        (message.xid(), Reply { kind, address: message.yiaddr(), host_name })
    }

    fn receive_octets(&mut self) -> Vec<u8> {
        let mut buffer = vec![0; 2048];
        let length =
            self.socket.recv(&mut buffer).unwrap_or_else(|error| panic!("a message was lost: {error}"));
        buffer.truncate(length);
        buffer
    }
}

/// Options by code; of one that is split the parts are joined (RFC 3396).
fn read_options(mut rest: &[u8]) -> BTreeMap<u8, Vec<u8>> {
    let mut options: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
    loop {
        match rest {
            [] | [255, ..] => return options,
            [0, after @ ..] => rest = after,
            [code, length, after @ ..] => {
                let (data, after) = after.split_at(usize::from(*length));
                options.entry(*code).or_default().extend(data);
                rest = after;
            }
            [_] => panic!("an option without a length"),
        }
    }
}
