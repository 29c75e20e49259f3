//! DHCPv6 messages as clients send them, given to dhcpd's core, and its replies read.
//!
//! As `packet` does it for IPv4: what `explain` and `plan` say is what the core answers.

use std::borrow::Cow;
use std::net::{Ipv6Addr, SocketAddrV6};

use daemon::metrics::CountedReason;
use dhcpd::code6;
use dhcpd::core::v6::{CLIENT_PORT, Core, IaKind, Input, Link, Options, Outcome, Outputs, Packet, Reason};
use dhcpd::core::{Leased, Now, Record, State};
use dhcpd::view::DhcpView;
use inventory_core::mac::MacAddr;
use ipnet::Ipv6Net;

/// Index of the interface that the message comes in by.
const INTERFACE: u32 = 1;
/// All DHCPv6 servers of a link (RFC 8415, section 7.1).
const EVERYBODY: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2);
/// Message types (RFC 8415, section 7.3).
const SOLICIT: u8 = 1;
const RENEW: u8 = 5;
/// Options that are asked for: all that there are, and many that there may be.
const CODES_MAX: u16 = 4096;
/// Our DUID, of the type that anybody may make up (RFC 8415, section 11.5).
const SERVER: [u8; 18] = [0, 4, 0x68, 0x62, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

/// A client that asks.
#[derive(Clone, Debug)]
pub(crate) struct Client6 {
    /// Its hardware address, which its link-local address is made of; one that nobody has if none.
    pub(crate) mac: MacAddr,
    /// Its DUID; one of its hardware address if none.
    pub(crate) duid: Option<Box<[u8]>>,
    /// Whether it asks for a prefix, too.
    pub(crate) wants_prefix: bool,
    /// The network that it is in.
    pub(crate) prefix: Ipv6Net,
}

impl Client6 {
    /// The reply to its Solicit by dhcpd's core that knows of `leases`; else why there is none.
    pub(crate) fn ask(
        &self,
        view: &DhcpView,
        leases: &[Record],
        unix_ms: i64,
    ) -> Result<Vec<u8>, &'static str> {
        let now = Now { monotonic_ms: 0, unix_ms };
        let mut core = core(leases, now);
        let mut associations = vec![(IaKind::Na, 1, None)];
        if self.wants_prefix {
            associations.push((IaKind::Pd, 2, None));
        }
        let duid = self.duid.clone().unwrap_or_else(|| duid_of(self.mac));
        let bytes = message(SOLICIT, &duid, &associations);
        let link = link_of(self.prefix);
        let (octets, outcome) = exchange(&mut core, link, &bytes, self.mac, view, now);
        match (octets, outcome) {
            (Some(octets), _) => Ok(octets),
            (None, Some(Outcome::Unanswered(reason) | Outcome::Refused(reason))) => Err(reason.label()),
            (None, _) => Err("nothing"),
        }
    }
}

/// What becomes of each bound lease of DHCPv6 when its client asks to keep it, as
/// [`renewals`](crate::packet::renewals) says it of IPv4.
pub(crate) fn renewals<'l>(
    view: &DhcpView,
    leases: &'l [Record],
    unix_ms: i64,
) -> Vec<(&'l Record, Result<(), &'static str>)> {
    let now = Now { monotonic_ms: 0, unix_ms };
    let mut core = core(leases, now);
    let bound = leases.iter().filter(|lease| lease.state == State::Bound && lease.seconds > 0);
    let mut fates = Vec::new();
    for lease in bound {
        let Leased::V6(item) = lease.address else { continue };
        let (kind, id, duid) = association(lease);
        let network = view.networks6().find(|network| {
            network.prefix.contains(&item) || network.pd_pools.iter().any(|pool| pool.contains(&item))
        });
        let Some(network) = network else {
            fates.push((lease, Err(Reason::NoNetwork.label())));
            continue;
        };
        let bytes = message(RENEW, &duid, &[(kind, id, Some(item))]);
        let mac = lease.mac.unwrap_or(NOBODY);
        let (octets, outcome) = exchange(&mut core, link_of(network.prefix), &bytes, mac, view, now);
        let kept = octets.as_deref().and_then(Reply6::read).is_some_and(|reply| reply.gives(item));
        let word = match outcome {
            Some(Outcome::Unanswered(reason) | Outcome::Refused(reason)) => reason.label(),
            _ => Reason::NothingToGive.label(),
        };
        fates.push((lease, if kept { Ok(()) } else { Err(word) }));
    }
    fates
}

fn core(leases: &[Record], now: Now) -> Core {
    Core::recover(&SERVER, (1..).zip(leases.iter().cloned()), None, now)
}

/// A link of the network with this prefix, on which we have its last address.
fn link_of(prefix: Ipv6Net) -> Link {
    let addresses = vec![Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1), prefix.broadcast()];
    Link { index: INTERFACE, addresses, addresses4: Vec::new(), mtu: 1500 }
}

/// The reply to one message, and what became of it.
fn exchange(
    core: &mut Core,
    link: Link,
    bytes: &[u8],
    mac: MacAddr,
    view: &DhcpView,
    now: Now,
) -> (Option<Vec<u8>>, Option<Outcome>) {
    let mut out = Outputs::default();
    core.handle(&Input::Links(vec![link]), now, view, &mut out);
    let from = SocketAddrV6::new(link_local(mac), CLIENT_PORT, 0, INTERFACE);
    let destination = Some(EVERYBODY);
    let packet = Packet { bytes: Cow::Borrowed(bytes), interface: INTERFACE, from, destination };
    core.handle(&Input::Packet(packet), now, view, &mut out);
    let octets = out.replies().next().map(|(_, octets)| octets.to_vec());
    (octets, out.transactions().last().map(|transaction| transaction.outcome))
}

/// A message that asks for every option there is.
fn message(kind: u8, duid: &[u8], associations: &[(IaKind, u32, Option<Ipv6Net>)]) -> Vec<u8> {
    let mut octets = vec![kind, 0x68, 0x62, 1];
    push(&mut octets, code6::CLIENT_ID, duid);
    if kind == RENEW {
        push(&mut octets, code6::SERVER_ID, &SERVER);
    }
    push(&mut octets, code6::ELAPSED_TIME, &[0, 0]);
    let codes: Vec<u8> =
        (1..=CODES_MAX).filter(|code| !FRAME.contains(code)).flat_map(u16::to_be_bytes).collect();
    push(&mut octets, code6::OPTION_REQUEST, &codes);
    for (kind, id, item) in associations {
        let mut data = id.to_be_bytes().to_vec();
        if *kind != IaKind::Ta {
            data.extend([0; 8]);
        }
        match item {
            Some(item) if *kind == IaKind::Pd => {
                let head = [&[0; 8][..], &[item.prefix_len()], &item.network().octets()].concat();
                push(&mut data, code6::IA_PREFIX, &head);
            }
            Some(item) => push(&mut data, code6::IA_ADDRESS, &[&item.addr().octets()[..], &[0; 8]].concat()),
            None => {}
        }
        push(&mut octets, kind.code(), &data);
    }
    octets
}

fn push(octets: &mut Vec<u8>, code: u16, data: &[u8]) {
    let Ok(length) = u16::try_from(data.len()) else { return };
    octets.extend(code.to_be_bytes());
    octets.extend(length.to_be_bytes());
    octets.extend_from_slice(data);
}

/// The identity association that a lease is of, and the DUID of its client. A host's lease is under its card.
fn association(lease: &Record) -> (IaKind, u32, Box<[u8]>) {
    if let Some((kind, id, duid)) = lease.client.association() {
        return (kind, id, duid.into());
    }
    let kind = match lease.address {
        Leased::V6(item) if item.prefix_len() < 128 => IaKind::Pd,
        _ => IaKind::Na,
    };
    (kind, 1, duid_of(lease.mac.unwrap_or(NOBODY)))
}

/// The DUID of a hardware address (RFC 8415, section 11.4).
fn duid_of(mac: MacAddr) -> Box<[u8]> {
    [&[0, 3, 0, 1][..], &mac.0].concat().into()
}

/// The link-local address that is made of a hardware address (RFC 4291, appendix A).
fn link_local(mac: MacAddr) -> Ipv6Addr {
    let [a, b, c, d, e, f] = mac.0;
    Ipv6Addr::from([0xfe, 0x80, 0, 0, 0, 0, 0, 0, a ^ 2, b, c, 0xff, 0xfe, d, e, f])
}

/// A card that nobody has: of those that anybody may make up.
pub(crate) const NOBODY: MacAddr = MacAddr([2, 0x68, 0x62, 0, 0, 6]);

/// A reply, read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Reply6 {
    /// Addresses and prefixes that are given, with their lifetime in seconds.
    pub(crate) given: Vec<(Ipv6Net, u32)>,
    /// What else the client is told, in the order of the message.
    pub(crate) options: Vec<(u16, Vec<u8>)>,
}

/// What is the frame of the message, and tells the client nothing.
const FRAME: [u16; 9] = [
    code6::CLIENT_ID,
    code6::SERVER_ID,
    code6::IA_NA,
    code6::IA_TA,
    code6::IA_PD,
    code6::PREFERENCE,
    code6::STATUS_CODE,
    code6::RAPID_COMMIT,
    code6::ECHO_REQUEST,
];

impl Reply6 {
    /// `None` if this is no reply.
    pub(crate) fn read(octets: &[u8]) -> Option<Reply6> {
        let options = Options::read(octets.get(4..)?).ok()?;
        let mut reply = Reply6::default();
        for (code, data) in options.iter() {
            match code {
                code6::IA_NA | code6::IA_PD => reply.association(data.get(12..)?)?,
                code6::IA_TA => reply.association(data.get(4..)?)?,
                _ => {}
            }
        }
        let told = options.iter().filter(|(code, _)| !FRAME.contains(code));
        reply.options = told.map(|(code, data)| (code, data.to_vec())).collect();
        Some(reply)
    }

    fn association(&mut self, octets: &[u8]) -> Option<()> {
        for (code, data) in Options::read(octets).ok()?.iter() {
            let number = |at: usize| Some(u32::from_be_bytes(data.get(at..at + 4)?.try_into().ok()?));
            let address =
                |at: usize| Some(Ipv6Addr::from(<[u8; 16]>::try_from(data.get(at..at + 16)?).ok()?));
            match code {
                code6::IA_ADDRESS => self.given.push((address(0)?.into(), number(20)?)),
                code6::IA_PREFIX => {
                    self.given.push((Ipv6Net::new(address(9)?, *data.get(8)?).ok()?, number(4)?));
                }
                _ => {}
            }
        }
        Some(())
    }

    /// Whether the client has `item` from now on.
    fn gives(&self, item: Ipv6Net) -> bool {
        self.given.iter().any(|(given, seconds)| *given == item && *seconds > 0)
    }
}
