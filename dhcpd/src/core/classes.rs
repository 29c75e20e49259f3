//! Which descriptions of its network a client answers to: `[network.X.match.NAME]`.

use super::packet::Message;
use crate::code;
use crate::view::{NetworkView, OptionBlock, Reservation, Traits};

/// Options of the descriptions that the client of `message` answers to, in the order of the inventory: the
/// first that has an option goes before the others, a host's own before all.
pub(super) fn classes<'v>(
    message: &Message<'_>,
    network: &'v NetworkView,
    nic: Option<&Reservation<'v>>,
) -> Vec<&'v OptionBlock> {
    if network.matches.is_empty() {
        return Vec::new();
    }
    let options = &message.options;
    let [vendor_class, user_class, architectures] =
        [code::VENDOR_CLASS, code::USER_CLASS, code::CLIENT_ARCHITECTURE].map(|code| options.get(code));
    let [circuit_id, remote_id] =
        [code::RELAY_CIRCUIT_ID, code::RELAY_REMOTE_ID].map(|code| options.relay(code));
    let traits = Traits {
        vendor_class: vendor_class.as_deref(),
        user_class: user_class.as_deref(),
        architectures: architectures.as_deref(),
        relay: Some(message.giaddr()).filter(|agent| !agent.is_unspecified()),
        circuit_id: circuit_id.as_deref(),
        remote_id: remote_id.as_deref(),
        tags: nic.map_or(&[], Reservation::tags),
    };
    network.matches.iter().filter(|one| one.holds(&traits)).map(|one| &one.options).collect()
}

/// The encoded option with this code of the first class that has it.
pub(super) fn find<'v>(classes: &[&'v OptionBlock], code: u8) -> Option<&'v [u8]> {
    classes.iter().find_map(|options| options.get(code))
}
