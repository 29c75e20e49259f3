//! Kinds of numbers, and reasons not to write an option, that both tables use.

use super::kind::{Integer, OptionKind};

pub(super) const U8: OptionKind = at_least(0, 1);
pub(super) const U16: OptionKind = at_least(0, 2);
pub(super) const U16S: OptionKind = OptionKind::IntegerList(Integer { octets: 2, min: 0, max: 0xffff });
pub(super) const I32: OptionKind =
    OptionKind::Integer(Integer { octets: 4, min: i32::MIN as i64, max: i32::MAX as i64 });
pub(super) const SECONDS: OptionKind = OptionKind::Seconds { min: 0, max: u32::MAX };

/// An unsigned number of so many octets.
pub(super) const fn at_least(min: i64, octets: u8) -> OptionKind {
    OptionKind::Integer(Integer { octets, min, max: (1 << (8 * octets)) - 1 })
}

pub(super) const BY_MESSAGE: &str = "hostbook sets it as each message needs it";
pub(super) const BY_CLIENTS: &str = "clients send it, servers do not";
pub(super) const BY_RELAYS: &str = "relay agents send it, servers do not";
pub(super) const LEASE_QUERY: &str = "it belongs to lease queries";
pub(super) const FAILOVER: &str = "it belongs to messages between servers";
pub(super) const INSIDE: &str = "it stands only inside of other options";
pub(super) const BY_LEASE: &str = "it follows from the key `lease`";
pub(super) const NOT_YET: &str = "hostbook does not do what it announces";
