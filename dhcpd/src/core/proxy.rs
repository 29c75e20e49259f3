//! ProxyDHCP: what a machine boots, told beside another server that gives it its address.
//!
//! A DHCPDISCOVER of firmware or iPXE is answered by a DHCPOFFER without an address (PXE 2.1, section 2.2.4),
//! which the machine joins with that of the other server. Firmware that asks once more, at port 4011 and
//! from the address that it has got, gets the same as a DHCPACK. Whoever is told nothing gets no answer.

use std::net::{Ipv4Addr, SocketAddrV4};

use super::Core;
use super::boot::Booting;
use super::classes::classes;
use super::identify::{Identified, identify};
use super::output::{Destination, Outcome, Outputs, Reply, SERVER_PORT};
use super::packet::{Kind, Message};
use super::place::Place;
use super::reason::{Event, Reason};
use super::write::{Fields, Writer, octets_max};
use crate::boot::Stage;
use crate::code;
use crate::view::{NetworkView, Reservation};

const OFFER: u8 = 2;
const ACK: u8 = 5;
const PXE_CLIENT: &[u8] = b"PXEClient";
const HTTP_CLIENT: &[u8] = b"HTTPClient";
/// Option 43: load the boot file that this reply names, ask no boot server first (PXE 2.1, table 2-1, tag 6).
const BOOT_FILE_AT_ONCE: [u8; 4] = [6, 1, 8, code::END];

impl Core {
    /// Answers a message where another server gives the addresses; `None`: this is no such place, or no
    /// message of a machine that starts. `asker` is who asks at port 4011.
    pub(super) fn proxy(
        &self,
        message: &Message<'_>,
        place: &Place<'_>,
        asker: Option<SocketAddrV4>,
        out: &mut Outputs,
    ) -> Option<Result<Outcome, Reason>> {
        let at_4011 =
            asker.is_some() && matches!(message.kind(), Kind::Request | Kind::Inform | Kind::Discover);
        if !at_4011 && message.kind() != Kind::Discover {
            return None;
        }
        let network = place.networks().find(|network| network.proxy)?;
        Some(self.tell_boot(message, place, network, asker, out))
    }

    fn tell_boot(
        &self,
        message: &Message<'_>,
        place: &Place<'_>,
        network: &NetworkView,
        asker: Option<SocketAddrV4>,
        out: &mut Outputs,
    ) -> Result<Outcome, Reason> {
        let nic = known(message, place, network)?;
        if asker.is_some_and(|asker| !network.has_host(*asker.ip())) {
            return Err(Reason::NoNetwork);
        }
        let stage = Booting::stage(message).ok_or(Reason::DhcpOff)?;
        let server = place.server_id(Some(network));
        let classes = classes(message, network, nic.as_ref());
        let booting =
            Booting { message, network, nic: nic.as_ref(), classes: &classes, server, port: self.boot_port };
        let choice = booting.choose();
        let file =
            choice.file().ok_or(if nic.is_some() { Reason::DhcpOff } else { Reason::UnknownMachine })?;

        let (siaddr, field) = choice.fields();
        let none = Ipv4Addr::UNSPECIFIED;
        let relayed = !message.giaddr().is_unspecified();
        let fields = Fields { ciaddr: message.ciaddr(), yiaddr: none, siaddr, broadcast: relayed };
        let start = out.octets.len();
        let mut writer = Writer::new(&mut out.octets, message, fields, octets_max(message, place.link().mtu));
        writer.file(field);
        let kind = if asker.is_some() { ACK } else { OFFER };
        let class = if matches!(stage, Stage::Http(_)) { HTTP_CLIENT } else { PXE_CLIENT };
        let uuid = message.options.get(code::CLIENT_UUID).filter(|uuid| uuid.len() == 17);
        let fits = writer.option(code::MESSAGE_TYPE, &[kind])
            && writer.option(code::SERVER_ID, &server.octets())
            && writer.option(code::VENDOR_CLASS, class)
            && writer.option(code::BOOT_FILE, file.as_bytes())
            && (!matches!(stage, Stage::Pxe(_)) || writer.option(code::VENDOR_OPTIONS, &BOOT_FILE_AT_ONCE))
            && uuid.is_none_or(|uuid| writer.option(code::CLIENT_UUID, &uuid));
        if !fits {
            writer.abandon();
            return Err(Reason::NoRoom);
        }
        writer.finish();
        let interface = place.link().index;
        let destination = match asker {
            Some(asker) => Destination::Boot { interface, address: *asker.ip(), port: asker.port() },
            None if relayed => Destination::Udp { interface, address: message.giaddr(), port: SERVER_PORT },
            None => Destination::Broadcast { interface },
        };
        let octets = start..out.octets.len();
        out.replies.push(Reply { octets, after: None, source: server, destination });
        out.events.push(Event::ProxyOffer);
        Ok(Outcome::Informed(network.id))
    }
}

/// The host of the inventory that asks, if it is one; why it gets no answer.
fn known<'v>(
    message: &Message<'_>,
    place: &Place<'v>,
    network: &NetworkView,
) -> Result<Option<Reservation<'v>>, Reason> {
    match identify(message, place) {
        Some(Identified { nic, .. }) if !nic.is_served() => Err(Reason::NotServed),
        Some(Identified { nic, .. }) if !nic.has_dhcp() => Err(Reason::DhcpOff),
        Some(Identified { nic, network: home, .. }) => Ok((home.id == network.id).then_some(nic)),
        None => Ok(None),
    }
}
