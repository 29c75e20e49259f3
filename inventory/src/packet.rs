//! Packets as clients send them, given to dhcpd's core, and its replies read.
//!
//! What `explain` and `plan` say of DHCP is what the core answers here. It is asked with the leases that a
//! running dhcpd tells of, and none where nobody can be asked.

use std::borrow::Cow;
use std::net::{Ipv4Addr, SocketAddrV4};

use daemon::metrics::CountedReason;
use dhcpd::code;
use dhcpd::core::{
    CLIENT_PORT, Core, FIXED_OCTETS, Input, Link, Now, Options, Outcome, Outputs, Packet, Reason, Record,
    SERVER_PORT, State,
};
use dhcpd::view::{DhcpView, MatchView};
use inventory_core::mac::MacAddr;

use crate::explain::{Arch, Packet as Said};

/// Index of the interface that the packet comes in by.
const INTERFACE: u32 = 1;

/// A client that asks.
#[derive(Clone, Debug)]
pub(crate) struct Client<'a> {
    pub(crate) mac: MacAddr,
    /// Client identifier (option 61), whole value.
    pub(crate) id: Option<Box<[u8]>>,
    pub(crate) said: &'a Said,
    /// The server's address on the client's link, or facing the relay agent.
    pub(crate) server: Ipv4Addr,
    /// HTTP port of the boot service.
    pub(crate) boot_port: u16,
}

impl Client<'_> {
    /// The reply of dhcpd's core that knows of `leases`; else why there is none.
    pub(crate) fn ask(&self, view: &DhcpView, leases: &[Record], unix_ms: i64) -> Result<Vec<u8>, String> {
        let mut now = Now { monotonic_ms: 0, unix_ms };
        let mut core =
            Core::recover((1..).zip(leases.iter().cloned()), None, now).with_boot(Some(self.boot_port));
        let mut out = Outputs::default();
        let link = Link { index: INTERFACE, addresses: vec![self.server], mtu: 1500 };
        core.handle(&Input::Links(vec![link]), now, view, &mut out);
        let from = match self.said.relay {
            Some(relay) => SocketAddrV4::new(relay, SERVER_PORT),
            None => SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, CLIENT_PORT),
        };
        let bytes = Cow::Owned(self.discover());
        let destination = self.said.relay.map(|_| self.server);
        let packet = Packet { bytes, interface: INTERFACE, from, destination };
        core.handle(&Input::Packet(packet), now, view, &mut out);
        let outcome = out.transactions().last().map(|transaction| transaction.outcome);
        // An address of a pool is offered once its probe has met silence.
        if let (Some(Outcome::Unanswered(_)), [_, ..], Some(due)) = (outcome, out.probes(), core.deadline()) {
            now.monotonic_ms = due;
            core.handle(&Input::Tick, now, view, &mut out);
        }
        match (out.replies().next(), outcome) {
            (Some((_, octets)), _) => Ok(octets.to_vec()),
            (None, Some(Outcome::Unanswered(reason) | Outcome::Refused(reason))) => {
                Err(reason.label().to_owned())
            }
            (None, _) => Err("nothing".to_owned()),
        }
    }

    /// A DHCPDISCOVER that asks for every option there is.
    fn discover(&self) -> Vec<u8> {
        let none = Ipv4Addr::UNSPECIFIED;
        let mut octets = header(none, self.said.relay.unwrap_or(none), self.mac);
        let mut option = |code: u8, data: &[u8]| push_option(&mut octets, code, data);
        option(code::MESSAGE_TYPE, &[1]);
        option(code::MAX_MESSAGE_SIZE, &1500_u16.to_be_bytes());
        if let Some(id) = &self.id {
            option(code::CLIENT_ID, id);
        }
        let arch = self.said.arch;
        let vendor_class = self.said.vendor_class.clone().or_else(|| Some(arch?.vendor_class()));
        let ipxe = arch.filter(|arch| *arch == Arch::Ipxe).map(|_| "iPXE".to_owned());
        let user_class = self.said.user_class.clone().or(ipxe);
        for (code, class) in [(code::VENDOR_CLASS, vendor_class), (code::USER_CLASS, user_class)] {
            if let Some(class) = class {
                option(code, class.as_bytes());
            }
        }
        if let Some(arch) = arch {
            option(code::CLIENT_ARCHITECTURE, &arch.number().to_be_bytes());
        }
        let all: Vec<u8> = (1..=254).filter(|code| !NOT_ASKED.contains(code)).collect();
        option(code::PARAMETER_REQUEST_LIST, &all);
        if let Some(port) = &self.said.port {
            let mut data = Vec::new();
            let ids =
                [(code::RELAY_CIRCUIT_ID, Some(port)), (code::RELAY_REMOTE_ID, self.said.remote_id.as_ref())];
            for (suboption, id) in ids {
                if let Some(id) = id
                    && let Ok(length) = u8::try_from(id.len())
                {
                    data.extend([suboption, length]);
                    data.extend_from_slice(id.as_bytes());
                }
            }
            option(code::RELAY_AGENT, &data);
        }
        octets.push(code::END);
        octets
    }
}

/// The fixed fields of a request.
fn header(ciaddr: Ipv4Addr, giaddr: Ipv4Addr, mac: MacAddr) -> Vec<u8> {
    let mut octets = vec![1, 1, 6, u8::from(!giaddr.is_unspecified()), 0x68, 0x62, 0, 1, 0, 0, 0, 0];
    octets.extend(ciaddr.octets());
    octets.extend([0; 8]);
    octets.extend(giaddr.octets());
    octets.extend(mac.0);
    octets.resize(FIXED_OCTETS - MAGIC.len(), 0);
    octets.extend(MAGIC);
    octets
}

fn push_option(octets: &mut Vec<u8>, code: u8, data: &[u8]) {
    if let Ok(length) = u8::try_from(data.len()) {
        octets.extend([code, length]);
        octets.extend_from_slice(data);
    }
}

/// Starts the options (RFC 2131, section 3).
const MAGIC: [u8; 4] = [99, 130, 83, 99];

/// What becomes of each bound lease when its client asks to keep it: `Ok` with the address it keeps,
/// `Err` with the word that is counted. In the order of `leases`; those that have ended are left out. A client
/// says what it must have said to be given its address by `given_by`.
pub(crate) fn renewals<'l>(
    view: &DhcpView,
    given_by: &DhcpView,
    leases: &'l [Record],
    unix_ms: i64,
) -> Vec<(&'l Record, Result<(), &'static str>)> {
    let now = Now { monotonic_ms: 0, unix_ms };
    let mut core = Core::recover((1..).zip(leases.iter().cloned()), None, now);
    let mut out = Outputs::default();
    let bound = leases.iter().filter(|lease| lease.state == State::Bound && lease.seconds > 0);
    let mut fates = Vec::new();
    for lease in bound {
        out.clear();
        // Leases of DHCPv6 are asked for otherwise.
        let Ok(own) = Ipv4Addr::try_from(lease.address) else { continue };
        // Whichever address of the network the server has, it is asked there.
        let server =
            view.network_of(own).and_then(|network| network.prefix.hosts().find(|address| *address != own));
        let Some(server) = server else {
            fates.push((lease, Err(Reason::NoNetwork.label())));
            continue;
        };
        let link = Link { index: INTERFACE, addresses: vec![server], mtu: 1500 };
        core.handle(&Input::Links(vec![link]), now, view, &mut out);
        let network = given_by.network_of(own);
        let class =
            network.and_then(|network| network.reserved_for(own)).into_iter().flat_map(MatchView::example);
        let packet = Packet {
            bytes: Cow::Owned(renewal(lease, own, class)),
            interface: INTERFACE,
            from: SocketAddrV4::new(own, CLIENT_PORT),
            destination: Some(server),
        };
        core.handle(&Input::Packet(packet), now, view, &mut out);
        let outcome = out.transactions().last().map(|transaction| transaction.outcome);
        fates.push((
            lease,
            match outcome {
                Some(Outcome::Refused(reason) | Outcome::Unanswered(reason)) => Err(reason.label()),
                _ => Ok(()),
            },
        ));
    }
    fates
}

/// A DHCPREQUEST of a client that wants to keep its address (RFC 2131, section 4.3.2).
fn renewal(lease: &Record, own: Ipv4Addr, class: impl Iterator<Item = (u8, Vec<u8>)>) -> Vec<u8> {
    let none = MacAddr([0; 6]);
    let mut octets = header(own, Ipv4Addr::UNSPECIFIED, lease.mac.unwrap_or(none));
    push_option(&mut octets, code::MESSAGE_TYPE, &[3]);
    if let Some(digits) = lease.client.to_string().strip_prefix("id:") {
        let id: Vec<u8> = digits.split(':').filter_map(|pair| u8::from_str_radix(pair, 16).ok()).collect();
        push_option(&mut octets, code::CLIENT_ID, &id);
    }
    for (code, data) in class {
        push_option(&mut octets, code, &data);
    }
    octets.push(code::END);
    octets
}

/// What no client asks for: it is the frame of the message.
const NOT_ASKED: [u8; 5] = [
    code::MESSAGE_TYPE,
    code::OVERLOAD,
    code::PARAMETER_REQUEST_LIST,
    code::RELAY_AGENT,
    code::MAX_MESSAGE_SIZE,
];

/// A reply, read.
pub(crate) struct Reply<'a> {
    /// The address given.
    pub(crate) address: Ipv4Addr,
    /// Where the next stage is loaded from.
    pub(crate) next_server: Ipv4Addr,
    /// The field `file`.
    pub(crate) file: String,
    options: Options<'a>,
}

impl<'a> Reply<'a> {
    /// `None` if this is no reply.
    pub(crate) fn read(octets: &'a [u8]) -> Option<Reply<'a>> {
        let at =
            |start: usize| Some(Ipv4Addr::from(<[u8; 4]>::try_from(octets.get(start..start + 4)?).ok()?));
        let sname = octets.get(44..108)?.try_into().ok()?;
        let file: &[u8; 128] = octets.get(108..236)?.try_into().ok()?;
        let options = Options::read(octets.get(FIXED_OCTETS..)?, file, sname);
        let overloaded =
            options.get(code::OVERLOAD).is_some_and(|value| value.first().is_some_and(|bits| bits & 1 == 1));
        let text = file.split(|octet| *octet == 0).next().unwrap_or_default();
        let file = if overloaded { String::new() } else { String::from_utf8_lossy(text).into_owned() };
        Some(Reply { address: at(16)?, next_server: at(20)?, file, options })
    }

    /// The options that tell the client something, by code.
    pub(crate) fn options(&self) -> Vec<(u8, Vec<u8>)> {
        let codes = (1..=254).filter(|code| !NOT_ASKED.contains(code));
        codes.filter_map(|code| Some((code, self.options.get(code)?.into_owned()))).collect()
    }
}
