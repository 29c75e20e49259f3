//! What a reply of DHCPv6 says, field by field, and the differences that are known.

use integration_tests::message6::{
    ADVERTISE, Ask, CONFIRM, DECLINE, IA_NA, IA_PD, IA_TA, INFORMATION_REQUEST, REBIND, RELEASE,
    REPLY as REPLY_KIND, REQUEST,
};

use super::talk::Heard;
use crate::suite::kea::compare::{Fields, REPLY};

type Difference<'a> = crate::suite::kea::compare::Difference<'a, Ask>;

/// What a reply says.
pub(super) fn fields(heard: Option<&Heard>) -> Fields {
    let Some(Heard { reply, mac, to, is_named }) = heard else { return Fields::new() };
    let kind = match reply.kind {
        ADVERTISE => "ADVERTISE",
        REPLY_KIND => "REPLY",
        _ => "?",
    };
    let mut fields: Fields = [
        (REPLY, kind.to_owned()),
        ("to", to.to_string()),
        ("to hardware", format!("{mac:02x?}")),
        ("server", is_named.to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    for (n, relay) in reply.relays.iter().enumerate() {
        fields.insert(format!("relay {n}"), format!("{} {} {}", relay.hops, relay.link, relay.peer));
        for (code, data) in &relay.options {
            fields.insert(format!("relay {n} option {code}"), hex(data));
        }
    }
    for ia in reply.ias() {
        let name = format!("ia {} {:x}", ia.code, ia.id);
        let leases = ia.leases.iter().map(|(lease, preferred, valid)| format!("{lease} {preferred} {valid}"));
        fields.insert(format!("{name} leases"), leases.collect::<Vec<_>>().join(", "));
        fields.insert(format!("{name} timers"), format!("{} {}", ia.timers.0, ia.timers.1));
        fields.insert(format!("{name} status"), ia.status.map_or_else(String::new, |code| code.to_string()));
    }
    fields.insert("status".to_owned(), reply.status().map_or_else(String::new, |code| code.to_string()));
    let others = reply.options.iter().filter(|(code, _)| ![2, IA_NA, IA_TA, IA_PD, 13].contains(code));
    for (code, data) in others {
        let value = fields.entry(format!("option {code}")).or_default();
        *value = format!("{value}{}", hex(data));
    }
    fields
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// The word that explains a difference, as `docs/reference/dhcp6-differences.md` has it.
pub(super) fn word(difference: &Difference<'_>) -> Option<&'static str> {
    let Difference { ask, field, ours, theirs, all: [our, _] } = *difference;
    let is_unicast = our.get("status").is_some_and(|status| status == USE_MULTICAST);
    let gives_back = [RELEASE, DECLINE].contains(&ask.kind);
    Some(match field {
        REPLY if ask.kind == INFORMATION_REQUEST && ask.has(IA_NA) => "information-ia",
        REPLY if ours.is_empty() && !ask.relays.is_empty() => "unknown-relay",
        "relay 0 option 37" if theirs.is_empty() => "echo",
        _ if is_unicast => "unicast",
        "option 7" if theirs.is_empty() => "preference",
        "option 39" if ask.has(39) => "name-kept",
        "option 39" if theirs.is_empty() => "name-on-request",
        "status" if gives_back => "release-status",
        _ if ask.kind == CONFIRM && field.starts_with("option ") && ours.is_empty() => "confirm-options",
        _ => return association_word(difference, gives_back),
    })
}

/// The same for a field of an identity association.
fn association_word(difference: &Difference<'_>, gives_back: bool) -> Option<&'static str> {
    let Difference { ask, field, ours, all: [our, _], .. } = *difference;
    let (name, what) = field.strip_prefix("ia ")?.rsplit_once(' ')?;
    let status = our.get(&format!("ia {name} status")).map_or("", String::as_str);
    Some(match (name, what) {
        (_, "status" | "timers") if gives_back && ours.is_empty() => "release-ia",
        _ if ask.kind == REQUEST && status == NOT_ON_LINK => "not-on-link",
        _ if ask.kind == REBIND => "rebind-unknown",
        ("4 1", _) => "temporary",
        ("3 2", _) if status == NO_ADDRESSES => "second-ia",
        ("3 2", "leases") if is_reserved(ours) => "any-iaid",
        ("3 1", "leases") if is_reserved(ours) => "declined-host",
        ("3 1", "leases") => "same-again",
        _ => return None,
    })
}

/// Whether a lease is the first host's of a scenario, and none of the pool.
fn is_reserved(lease: &str) -> bool {
    lease.contains("::11/128 ")
}

/// Status codes (RFC 8415, section 21.13).
const NO_ADDRESSES: &str = "2";
const NOT_ON_LINK: &str = "4";
const USE_MULTICAST: &str = "5";
