//! From a decision to the datagram: which options, and where it goes (RFC 2131, section 4.1).

use std::net::Ipv4Addr;

use super::boot::Booting;
use super::classes::classes;
use super::decision::Grant;
use super::fqdn;
use super::output::{CLIENT_PORT, Destination, Outputs, Reply, SERVER_PORT};
use super::packet::Message;
use super::parameters::Parameters;
use super::place::Place;
use super::reason::{Event, Reason, Refusal};
use super::write::{Fields, Writer, octets_max};
use crate::code;
use crate::view::{NetworkView, Reservation};

/// Values of option 53 that servers send (RFC 2132, section 9.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// BOOTREPLY has no type.
    Boot = 0,
    Offer = 2,
    Ack = 5,
}

const NAK: u8 = 6;

/// What replies to one message have in common.
pub(super) struct Replying<'m, 'a, 'v> {
    pub(super) message: &'m Message<'a>,
    pub(super) place: Place<'v>,
    /// Our address.
    pub(super) server: Ipv4Addr,
    /// HTTP port of the boot service, if there is one.
    pub(super) boot_port: Option<u16>,
    /// Our address, as option 54 says it.
    pub(super) server_id: Ipv4Addr,
}

impl Replying<'_, '_, '_> {
    /// A DHCPOFFER, DHCPACK or BOOTREPLY of an address.
    pub(super) fn grant(&self, kind: Kind, grant: Grant<'_>, out: &mut Outputs) -> Result<(), Reason> {
        // A ciaddr that is not the client's own must not direct the reply anywhere.
        let has = if self.message.ciaddr() == grant.address { grant.address } else { Ipv4Addr::UNSPECIFIED };
        let ciaddr = if kind == Kind::Ack { has } else { Ipv4Addr::UNSPECIFIED };
        let fields =
            Fields { ciaddr, yiaddr: grant.address, siaddr: Ipv4Addr::UNSPECIFIED, broadcast: false };
        let lease = (kind != Kind::Boot).then_some(grant.seconds);
        let destination = self.to_client(has, grant.address);
        let (network, nic) = (grant.network, grant.nic);
        self.with_parameters(kind as u8, fields, lease, network, nic, destination, out)
    }

    /// A DHCPACK with options only (RFC 2131, section 4.3.5): to the client's own address, and without
    /// a lease time.
    pub(super) fn inform(
        &self,
        network: &NetworkView,
        nic: Option<Reservation<'_>>,
        out: &mut Outputs,
    ) -> Result<(), Reason> {
        let ciaddr = self.message.ciaddr();
        let none = Ipv4Addr::UNSPECIFIED;
        let fields = Fields { ciaddr, yiaddr: none, siaddr: none, broadcast: false };
        let destination =
            Destination::Udp { interface: self.interface(), address: ciaddr, port: CLIENT_PORT };
        self.with_parameters(Kind::Ack as u8, fields, None, network, nic, destination, out)
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one datagram, each written once")]
    fn with_parameters(
        &self,
        kind: u8,
        mut fields: Fields,
        lease: Option<u32>,
        network: &NetworkView,
        nic: Option<Reservation<'_>>,
        destination: Destination,
        out: &mut Outputs,
    ) -> Result<(), Reason> {
        let start = out.octets.len();
        let max = octets_max(self.message, self.place.link().mtu);
        let classes = classes(self.message, network, nic.as_ref());
        let booting = Booting {
            message: self.message,
            network,
            nic: nic.as_ref(),
            classes: &classes,
            server: self.server,
            port: self.boot_port,
        };
        let choice = booting.choose();
        let (siaddr, file) = choice.fields();
        fields.siaddr = siaddr;
        let mut writer = Writer::new(&mut out.octets, self.message, fields, max);
        writer.file(file);
        let name = fqdn::answer(self.message, network, nic.as_ref(), fields.yiaddr);
        let fits = self.begin(kind, &mut writer)
            && lease.is_none_or(|seconds| writer.encoded(&lease_options(seconds, network)))
            && writer.encoded(&network.mask)
            && name.is_none_or(|name| writer.option(code::CLIENT_FQDN, &name))
            && self
                .place
                .chosen()
                .is_none_or(|chosen| writer.option(code::SUBNET_SELECTION, &chosen.octets()));
        if !fits {
            writer.abandon();
            return Err(Reason::NoRoom);
        }
        let parameters = Parameters { network, nic, classes: &classes, next: choice.next() };
        let all = parameters.append(self.message, &mut writer);
        writer.finish();
        if !all {
            out.events.push(Event::OptionsLeftOut);
        }
        self.send(start, destination, out);
        Ok(())
    }

    /// A DHCPNAK.
    pub(super) fn refuse(&self, refusal: Refusal, out: &mut Outputs) -> Result<(), Reason> {
        let start = out.octets.len();
        let relayed = !self.message.giaddr().is_unspecified();
        let none = Ipv4Addr::UNSPECIFIED;
        let fields = Fields { ciaddr: none, yiaddr: none, siaddr: none, broadcast: relayed };
        let max = octets_max(self.message, self.place.link().mtu);
        let mut writer = Writer::new(&mut out.octets, self.message, fields, max);
        if !self.begin(NAK, &mut writer) {
            writer.abandon();
            return Err(Reason::NoRoom);
        }
        writer.option(code::MESSAGE, refusal.message().as_bytes());
        writer.finish();
        let destination = self.refusal_to();
        self.send(start, destination, out);
        Ok(())
    }

    /// Message type and server identifier, which every reply has and which come first.
    fn begin(&self, kind: u8, writer: &mut Writer<'_, '_>) -> bool {
        if kind == Kind::Boot as u8 {
            return true;
        }
        let [a, b, c, d] = self.server_id.octets();
        let is_rapid = kind == Kind::Ack as u8 && self.message.kind() == super::packet::Kind::Discover;
        writer.encoded(&[code::MESSAGE_TYPE, 1, kind, code::SERVER_ID, 4, a, b, c, d])
            && (!is_rapid || writer.option(code::RAPID_COMMIT, &[]))
    }

    /// The way to a client that `has` an address, or is about to get `yours`.
    fn to_client(&self, has: Ipv4Addr, yours: Ipv4Addr) -> Destination {
        let interface = self.interface();
        let giaddr = self.message.giaddr();
        if !giaddr.is_unspecified() {
            return Destination::Udp { interface, address: giaddr, port: SERVER_PORT };
        }
        if !has.is_unspecified() {
            return Destination::Udp { interface, address: has, port: CLIENT_PORT };
        }
        match self.message.mac() {
            Some(mac) if !self.message.wants_broadcast() && mac.reject().is_none() => {
                Destination::Link { interface, mac, address: yours }
            }
            _ => Destination::Broadcast { interface },
        }
    }

    /// The way of a DHCPNAK: broadcast, since the client may have no address of this network. A client
    /// behind routers, which asks us directly and whom no broadcast of ours reaches, is told at its
    /// address; the RFC has no word for it.
    fn refusal_to(&self) -> Destination {
        let interface = self.interface();
        let (giaddr, ciaddr) = (self.message.giaddr(), self.message.ciaddr());
        if !giaddr.is_unspecified() {
            Destination::Udp { interface, address: giaddr, port: SERVER_PORT }
        } else if self.place.reaches_by_broadcast(ciaddr) {
            Destination::Broadcast { interface }
        } else {
            Destination::Udp { interface, address: ciaddr, port: CLIENT_PORT }
        }
    }

    fn interface(&self) -> u32 {
        self.place.link().index
    }

    fn send(&self, start: usize, destination: Destination, out: &mut Outputs) {
        let octets = start..out.octets.len();
        out.replies.push(Reply { octets, after: None, source: self.server, destination });
    }
}

/// Lease time (51), renewal (58), rebinding (59): as the network says, where that is within the lease of this
/// client; else after a half and seven eighths of it (RFC 2131, section 4.4.5).
fn lease_options(seconds: u32, network: &NetworkView) -> [u8; 18] {
    let (half, most) = (seconds / 2, seconds - seconds.div_ceil(8));
    let written = network.rebind_seconds.filter(|rebind| *rebind < seconds);
    let rebinding = written.unwrap_or(most);
    // A half is to seven eighths as four is to seven.
    let half = written.map_or(half, |rebind| half.min(rebind / 2 + rebind / 14));
    let renewal = network.renew_seconds.filter(|renew| *renew < rebinding).unwrap_or(half);
    let mut options = [0; 18];
    let all = [(code::LEASE_TIME, seconds), (code::RENEWAL_TIME, renewal), (code::REBINDING_TIME, rebinding)];
    for (option, (code, value)) in options.chunks_exact_mut(6).zip(all) {
        let [a, b, c, d] = value.to_be_bytes();
        option.copy_from_slice(&[code, 4, a, b, c, d]);
    }
    options
}
