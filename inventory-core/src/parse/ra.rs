//! `ra` of a network: `true`, `false`, or a table of what router advertisements say.

use ipnet::Ipv6Net;

use super::addresses;
use super::read::{self, Findings, refuse};
use crate::diag::Rule;
use crate::model::RouterAdvertisement;
use crate::toml::{Kind, Value};

pub(super) const KEYS: &[&str] = &["lifetime", "mtu", "slaac", "pref64"];

/// Longest lifetime of a default router (RFC 4861, section 6.2.1).
const LIFETIME_MAX: u32 = 9000;
/// Smallest packet that every link of IPv6 passes on (RFC 8200, section 5).
const MTU_MIN: u32 = 1280;
/// Lengths that a NAT64 prefix can have (RFC 6052, section 2.2).
const PREF64_LENGTHS: [u8; 6] = [32, 40, 48, 56, 64, 96];

/// What is announced; `Some(None)`: nothing.
pub(super) fn read(value: Value<'_, '_>, findings: Findings<'_>) -> Option<Option<RouterAdvertisement>> {
    let mut ra = RouterAdvertisement { lifetime: None, mtu: None, slaac: None, pref64: None };
    let table = match value.kind() {
        Kind::Boolean(on) => return Some(on.then_some(ra)),
        Kind::Table(table) => table,
        _ => return read::wrong_type(value, "`true`, `false` or a table", findings),
    };
    for entry in table.entries() {
        match entry.key() {
            "lifetime" => {
                let seconds = read::field(entry, findings, |v, f| read::seconds(v, 0, LIFETIME_MAX, f));
                ra.lifetime = seconds.get().and_then(|seconds| u16::try_from(*seconds).ok());
            }
            "mtu" => {
                let mtu = read::field(entry, findings, |v, f| read::number(v, MTU_MIN, u16::MAX.into(), f));
                ra.mtu = mtu.get().copied();
            }
            "slaac" => ra.slaac = read::field(entry, findings, read::boolean).get().copied(),
            "pref64" => ra.pref64 = read::field(entry, findings, pref64).get().copied(),
            _ => read::unknown_key(entry, "`ra`", KEYS, findings),
        }
    }
    Some(Some(ra))
}

fn pref64(value: Value<'_, '_>, findings: Findings<'_>) -> Option<Ipv6Net> {
    let prefix = addresses::ipv6_net(value, findings)?;
    if PREF64_LENGTHS.contains(&prefix.prefix_len()) {
        return Some(prefix);
    }
    let why = format!("`{prefix}` has a length that no NAT64 prefix has (RFC 6052)");
    let help = "lengths are 32, 40, 48, 56, 64 and 96, as in `64:ff9b::/96`";
    refuse(Rule::InvalidPrefix, value, why, help, findings)
}
