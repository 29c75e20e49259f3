//! A DHCP client of our own that speaks for any number of machines, as a relay agent does: so it needs no
//! raw socket, and every reply comes back to it.

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
        self.next_xid += 1;
        let none = Ipv4Addr::UNSPECIFIED;
        let mut message = Message::new_with_id(self.next_xid, none, none, none, self.own, &mac);
        message.set_flags(Flags::default()).set_hops(1);
        let options = message.opts_mut();
        options.insert(DhcpOption::MessageType(kind));
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

    fn receive(&mut self, xid: u32) -> Reply {
        let (answered, reply) = self.receive_any();
        assert_eq!(answered, xid, "a reply to something else: {reply:?}");
        reply
    }

    fn receive_any(&mut self) -> (u32, Reply) {
        let mut buffer = [0; 2048];
        let length =
            self.socket.recv(&mut buffer).unwrap_or_else(|error| panic!("a message was lost: {error}"));
        let message = Message::decode(&mut Decoder::new(&buffer[..length])).unwrap();
        assert_eq!((message.opcode(), message.giaddr()), (Opcode::BootReply, self.own));
        let host_name = match message.opts().get(OptionCode::Hostname) {
            Some(DhcpOption::Hostname(name)) => Some(name.clone()),
            _ => None,
        };
        let kind = message.opts().msg_type().unwrap();
        (message.xid(), Reply { kind, address: message.yiaddr(), host_name })
    }
}
