//! From a decision to the datagram: identity associations, options, and the way back.

use std::net::SocketAddrV6;

use super::Status;
use super::assign::{Assigned, Assignment};
use super::auth::Auth;
use super::ia::{IaKind, Lease};
use super::input::Packet;
use super::message::{ADVERTISE, Message, RECONFIGURE, REPLY};
use super::options::Parameters;
use super::output::{CLIENT_PORT, Outputs, Reply, SERVER_PORT};
use super::place::Place;
use super::reason::{Event, Reason};
use super::write::Writer;
use crate::code6;
use crate::view::{NetworkView6, Reservation};

/// Clients that see it wait for no other server (RFC 8415, section 18.2.1).
const PREFERENCE_MAX: u8 = 255;
/// Types of the messages that a client is asked for by a Reconfigure (RFC 8415, section 7.3).
const RENEW: u8 = 5;
const INFORMATION_REQUEST: u8 = 11;

/// What replies to one message have in common.
pub(super) struct Replying<'m, 'a, 'v> {
    pub(super) message: &'m Message<'a>,
    pub(super) packet: &'m Packet<'m>,
    pub(super) place: Place<'v>,
    /// Our DUID.
    pub(super) server: &'m [u8],
    /// HTTP port of the boot service, if there is one.
    pub(super) boot_port: Option<u16>,
    /// The client's key, if it takes a Reconfigure.
    pub(super) auth: Option<Auth>,
    /// Position of the record that the reply waits for.
    pub(super) after: Option<u64>,
}

/// What a client is given.
#[derive(Debug)]
pub(super) struct Give<'v> {
    /// Whether it can use it now.
    pub(super) committed: bool,
    /// Committed without being asked twice.
    pub(super) rapid: bool,
    /// Whether any of it is the inventory's.
    pub(super) reserved: bool,
    /// Where options come from; `None`: there are none.
    pub(super) network: Option<&'v NetworkView6>,
    /// The nic, if it is known.
    pub(super) nic: Option<Reservation<'v>>,
    /// Answers to the identity associations.
    pub(super) assignment: Assignment,
}

impl<'v> Replying<'_, '_, 'v> {
    /// An Advertise, or a Reply, with what the client gets.
    pub(super) fn give(&self, give: &Give<'v>, out: &mut Outputs) -> Result<(), Reason> {
        let kind = if give.committed { REPLY } else { ADVERTISE };
        let answers = &give.assignment.answers;
        let leased = give.assignment.given().filter(|item| item.prefix_len() == 128).map(|item| item.addr());
        let parameters =
            give.network.map(|network| Parameters { leased, ..self.parameters(network, give.nic) });
        self.write(
            kind,
            out,
            |writer| {
                (!give.rapid || writer.option(code6::RAPID_COMMIT, &[]))
                    && (give.committed
                        || !give.reserved
                        || writer.option(code6::PREFERENCE, &[PREFERENCE_MAX]))
                    && answers.iter().all(|assigned| association(writer, assigned))
            },
            parameters.as_ref(),
        )?;
        if answers.iter().any(|assigned| !assigned.withdrawn.is_empty()) {
            out.events.push(Event::Withdrawn);
        }
        Ok(())
    }

    /// A Reply with options only.
    pub(super) fn inform(
        &self,
        network: &'v NetworkView6,
        nic: Option<Reservation<'v>>,
        out: &mut Outputs,
    ) -> Result<(), Reason> {
        self.write(REPLY, out, |_| true, Some(&self.parameters(network, nic)))
    }

    fn parameters(&self, network: &'v NetworkView6, nic: Option<Reservation<'v>>) -> Parameters<'v> {
        Parameters::new((self.message, self.packet), self.place.link(), (network, nic), self.boot_port)
    }

    /// A Reply with a status.
    pub(super) fn say(&self, status: Status, assigned: &[Assigned], out: &mut Outputs) -> Result<(), Reason> {
        let fill = |writer: &mut Writer<'_>| {
            writer.option(code6::STATUS_CODE, &status.data())
                && assigned.iter().all(|assigned| association(writer, assigned))
        };
        self.write(REPLY, out, fill, None)
    }

    fn write(
        &self,
        kind: u8,
        out: &mut Outputs,
        fill: impl FnOnce(&mut Writer<'_>) -> bool,
        parameters: Option<&Parameters<'_>>,
    ) -> Result<(), Reason> {
        let start = out.octets.len();
        let mut writer = Writer::new(&mut out.octets, self.message, kind, self.place.link().mtu);
        let client = self.message.duid()?;
        let fits = client.is_none_or(|client| writer.option(code6::CLIENT_ID, client))
            && writer.option(code6::SERVER_ID, self.server)
            && fill(&mut writer);
        if !fits {
            writer.abandon();
            return Err(Reason::NoRoom);
        }
        let all = parameters.is_none_or(|parameters| {
            parameters.append(self.message, &mut writer) & self.tell_key(kind, &mut writer)
        });
        writer.finish();
        out.events.push(if kind == ADVERTISE { Event::Advertise } else { Event::Reply });
        if !all {
            out.events.push(Event::OptionsLeftOut);
        }
        self.send(start, out);
        Ok(())
    }

    /// Tells a client that takes a Reconfigure that it may get one, and in a Reply the key (RFC 8415,
    /// sections 18.3.9, 18.3.10 and 20.4.1).
    fn tell_key(&self, kind: u8, writer: &mut Writer<'_>) -> bool {
        self.auth.is_none_or(|auth| {
            writer.option(code6::RECONFIGURE_ACCEPT, &[])
                && (kind == ADVERTISE || writer.option(code6::AUTH, &auth.telling()))
        })
    }

    /// A Reconfigure: the client is to renew, or to ask for options if it has asked for those only.
    pub(super) fn reconfigure(&self, options_only: bool, out: &mut Outputs) -> Result<(), Reason> {
        let (Some(auth), Some(client)) = (self.auth, self.message.duid()?) else {
            return Err(Reason::NoClientId);
        };
        let start = out.octets.len();
        let mut writer = Writer::unasked(&mut out.octets, self.message, RECONFIGURE, self.place.link().mtu);
        let wanted = if options_only { INFORMATION_REQUEST } else { RENEW };
        let fits = writer.option(code6::CLIENT_ID, client)
            && writer.option(code6::SERVER_ID, self.server)
            && writer.option(code6::RECONFIGURE_MESSAGE, &[wanted])
            && writer.option(code6::AUTH, &auth.unsigned());
        if !fits {
            writer.abandon();
            return Err(Reason::NoRoom);
        }
        auth.sign(writer.message());
        writer.finish();
        out.events.push(Event::Reconfigure);
        self.send(start, out);
        Ok(())
    }

    /// Has the datagram sent that begins at `start`.
    fn send(&self, start: usize, out: &mut Outputs) {
        let (source, to) = (self.packet.destination.filter(|to| !to.is_multicast()), self.way_back());
        let octets = start..out.octets.len();
        let (after, interface) = (self.after, self.packet.interface);
        out.replies.push(Reply { octets, after, source, interface, to });
    }

    /// To whom it came from, at the port that clients or relay agents hear; at another one if the
    /// relay agent says so (RFC 8357, section 5.3).
    fn way_back(&self) -> SocketAddrV6 {
        let mut to = self.packet.from;
        match self.message.relays.first() {
            None => to.set_port(CLIENT_PORT),
            Some(relay) if relay.options.has(code6::RELAY_PORT) => {}
            Some(_) => to.set_port(SERVER_PORT),
        }
        to
    }
}

impl Status {
    /// Data of a status option: the code, and words for the client's log.
    fn data(self) -> Vec<u8> {
        let words = match self {
            Status::Success => "success",
            Status::NoAddresses => "there is no address for this machine",
            Status::NoBinding => "this is not known to belong to this machine",
            Status::NotOnLink => "this address is not good here",
            Status::UseMulticast => "send to ff02::1:2",
            Status::NoPrefixes => "there is no prefix for this machine",
        };
        let mut data = (self as u16).to_be_bytes().to_vec();
        data.extend_from_slice(words.as_bytes());
        data
    }
}

/// Appends an identity association.
fn association(writer: &mut Writer<'_>, assigned: &Assigned) -> bool {
    let mut data = assigned.id.to_be_bytes().to_vec();
    if assigned.kind != IaKind::Ta {
        let (t1, t2) = assigned.given.map_or((0, 0), |(_, seconds)| timers(seconds));
        data.extend_from_slice(&t1.to_be_bytes());
        data.extend_from_slice(&t2.to_be_bytes());
    }
    if let Some((item, seconds)) = assigned.given {
        let lease = Lease { address: item.addr(), prefix_len: item.prefix_len() };
        push_lease(&mut data, assigned.kind, lease, seconds);
    }
    for lease in &assigned.withdrawn {
        push_lease(&mut data, assigned.kind, *lease, 0);
    }
    if let Some(status) = assigned.status {
        crate::view::push_option6(&mut data, code6::STATUS_CODE, &status.data());
    }
    writer.option(assigned.kind.code(), &data)
}

/// Appends an address or a prefix. It is preferred as long as it is valid: an address that is only
/// valid serves nobody who has no other.
fn push_lease(data: &mut Vec<u8>, kind: IaKind, lease: Lease, seconds: u32) {
    let lifetimes = [seconds.to_be_bytes(), seconds.to_be_bytes()].concat();
    let address = lease.address.octets();
    if kind == IaKind::Pd {
        let option = [&lifetimes[..], &[lease.prefix_len], &address].concat();
        crate::view::push_option6(data, code6::IA_PREFIX, &option);
    } else {
        crate::view::push_option6(data, code6::IA_ADDRESS, &[&address[..], &lifetimes].concat());
    }
}

/// When to ask this server, and when anybody: after a half and four fifths (RFC 8415, section 21.4).
fn timers(seconds: u32) -> (u32, u32) {
    if seconds == u32::MAX { (seconds, seconds) } else { (seconds / 2, seconds - seconds.div_ceil(5)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_are_a_half_and_four_fifths_and_infinity_has_none() {
        assert_eq!(timers(3600), (1800, 2880));
        assert_eq!(timers(60), (30, 48));
        assert_eq!(timers(u32::MAX - 1), (2_147_483_647, 3_435_973_835));
        assert_eq!(timers(u32::MAX), (u32::MAX, u32::MAX));
    }
}
