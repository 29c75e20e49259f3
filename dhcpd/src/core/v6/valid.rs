//! What a message must and must not have to be answered (RFC 8415, section 16).

use super::input::Packet;
use super::message::{Kind, Message};
use super::reason::Reason;
use crate::code6;

/// Whether a message says which server is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    Always,
    Never,
    Perhaps,
}

impl Naming {
    /// Whether messages of this type do.
    pub(super) fn of(kind: Kind) -> Naming {
        match kind {
            Kind::Request | Kind::Renew | Kind::Release | Kind::Decline => Naming::Always,
            Kind::Solicit | Kind::Confirm | Kind::Rebind => Naming::Never,
            Kind::InformationRequest | Kind::Other(_) => Naming::Perhaps,
        }
    }
}

/// Whether the message is one for the server with this DUID.
pub(super) fn valid(message: &Message<'_>, server: &[u8]) -> Result<(), Reason> {
    if matches!(message.kind(), Kind::Other(_)) {
        return Err(Reason::MessageType);
    }
    let client = message.duid()?;
    let named = message.options.get(code6::SERVER_ID);
    match (Naming::of(message.kind()), named) {
        (Naming::Never, Some(_)) => return Err(Reason::ServerIdPresent),
        (Naming::Always, None) => return Err(Reason::NoServerId),
        (Naming::Always | Naming::Never | Naming::Perhaps, _) => {}
    }
    if client.is_none() && message.kind() != Kind::InformationRequest {
        return Err(Reason::NoClientId);
    }
    if named.is_some_and(|named| named != server) { Err(Reason::OtherServer) } else { Ok(()) }
}

/// Whether a client sent it to our own address. RFC 9915 has taken the option out that permitted it; a
/// client of RFC 8415 is told so.
pub(super) fn is_unicast(message: &Message<'_>, packet: &Packet<'_>) -> bool {
    message.relays.is_empty() && packet.destination.is_some_and(|to| !to.is_multicast())
}
