//! What a reply of DHCPv4 says, field by field, and the differences that are known.

use std::net::Ipv4Addr;

use integration_tests::message::{Ask, DISCOVER, INFORM, REQUEST};

use super::compare::{Fields, REPLY};
use super::talk::Heard;

type Difference<'a> = super::compare::Difference<'a, Ask>;

/// What a reply says.
pub(super) fn fields(heard: Option<&Heard>) -> Fields {
    let Some(Heard { reply, mac, address, port }) = heard else { return Fields::new() };
    let address_at = |at: usize| Ipv4Addr::from(reply.at::<4>(at)).to_string();
    let kind = ["BOOTREPLY", "", "OFFER", "", "", "ACK", "NAK"].get(usize::from(reply.kind()));
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).trim_end_matches('\0').to_owned();
    let mut fields: Fields = [
        (REPLY, (*kind.unwrap_or(&"?")).to_owned()),
        ("hardware", format!("{:?}", reply.at::<2>(1))),
        ("hops", reply.at::<1>(3)[0].to_string()),
        ("secs", format!("{:?}", reply.at::<2>(8))),
        ("flags", format!("{:02x?}", reply.at::<2>(10))),
        ("ciaddr", address_at(12)),
        ("yiaddr", address_at(16)),
        ("siaddr", address_at(20)),
        ("giaddr", address_at(24)),
        ("chaddr", format!("{:02x?}", reply.at::<16>(28))),
        ("sname", text(&reply.at::<64>(44))),
        ("file", text(&reply.at::<128>(108))),
        ("to", format!("{address}:{port}")),
        ("to hardware", format!("{mac:02x?}")),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    let shown = |code: u8, data: &[u8]| match code {
        12 | 14 | 15 | 56 => text(data),
        _ => data.iter().map(|octet| format!("{octet:02x}")).collect(),
    };
    let options = reply.options.iter().filter(|(code, _)| **code != 53);
    fields.extend(options.map(|(code, data)| (format!("option {code}"), shown(*code, data))));
    fields
}

/// The word that explains a difference, as `docs/reference/dhcp-differences.md` has it.
pub(super) fn word(difference: &Difference<'_>) -> Option<&'static str> {
    let Difference { ask, field, ours, theirs, all: [our, _] } = *difference;
    let kind = our.get(REPLY).map_or("", String::as_str);
    Some(match field {
        REPLY => return answered(ask, ours, theirs),
        "to hardware" => "frame",
        "hops" if ours == "0" => "hops",
        "flags" if kind == "NAK" => "nak-flag",
        "to" if kind == "NAK" => "nak-to",
        "option 56" if kind == "NAK" && theirs.is_empty() => "nak-message",
        "to" if ask.own().is_some_and(|own| theirs == format!("{own}:68")) => "ciaddr",
        "to" | "yiaddr" => return chosen(ask, ours, theirs),
        "giaddr" | "option 1" | "option 12" if ask.kind() == Some(INFORM) && theirs.len() < ours.len() => {
            "inform"
        }
        "option 81" => "fqdn",
        "option 12" if ask.has(81) => "fqdn",
        "option 61" if ask.has(52) && theirs.is_empty() => "overload",
        "option 12" if ask.has(52) && theirs.is_empty() => "overload",
        "option 12" if ask.has(12) && ours.is_empty() => "own-name",
        "option 54" if ask.has(82) => "override",
        "option 3" | "option 6" | "option 12" | "option 15" if ours.is_empty() && ask.has(55) => "unasked",
        _ if field.starts_with("option ") && theirs.is_empty() && !ask.has(55) => "no-list",
        "option 224" if ours.is_empty() && ask.has(57) => "size",
        _ => return None,
    })
}

/// One gives another address than the other.
fn chosen(ask: &Ask, ours: &str, theirs: &str) -> Option<&'static str> {
    let host = |text: &str| text.split(':').next()?.rsplit('.').next()?.parse::<u8>().ok();
    let (ours, theirs) = (host(ours)?, host(theirs)?);
    let pool = 100..=103;
    match ask.kind() {
        Some(DISCOVER) if ask.has(52) && theirs == 100 => Some("overload"),
        Some(DISCOVER) if ours == 11 && pool.contains(&theirs) => Some("declined-host"),
        Some(DISCOVER | REQUEST) if ours == 100 && theirs == 101 => Some("same-again"),
        _ => None,
    }
}

/// One answers what the other does not, or refuses what the other gives.
fn answered(ask: &Ask, ours: &str, theirs: &str) -> Option<&'static str> {
    Some(match (ask.kind(), ours, theirs) {
        (Some(REQUEST), "ACK", "NAK") => "known-host",
        (Some(REQUEST), "", "ACK") if !ask.has(50) && ask.own().is_none() => "no-address",
        (Some(REQUEST), "NAK", "ACK") if ask.has(54) => "not-offered",
        (Some(REQUEST), "NAK", "") if ask.has(54) => "not-offered",
        (Some(REQUEST), "NAK" | "", "ACK") if ask.own().is_some() => "unknown-lease",
        (Some(REQUEST), "NAK", "") if ask.is_unicast() => "asked-itself",
        (Some(_), "", "OFFER") if ask.hardware_octets() > 16 => "hardware",
        (Some(DISCOVER), "ACK", "OFFER") if ask.has(80) => "rapid-commit",
        (None, "", "BOOTREPLY") => "bootp",
        _ => return None,
    })
}
