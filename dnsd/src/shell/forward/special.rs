//! Names that no server elsewhere is asked for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::LazyLock;

use hickory_resolver::proto::op::{Message, Query, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, AAAA};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};

/// Seconds that what is said of them lives.
const TTL: u32 = 3600;
/// Names below these do not exist in the DNS: RFC 6761, section 6.4; RFC 7686, section 2; RFC 6762, section 22.1.
const NOWHERE: [&str; 3] = ["invalid.", "onion.", "local."];
const LOCALHOST: &str = "localhost.";
/// Reverse names of private and link-local addresses (RFC 6303, section 4).
const PRIVATE: [&str; 7] = [
    "10.in-addr.arpa.",
    "168.192.in-addr.arpa.",
    "254.169.in-addr.arpa.",
    "127.in-addr.arpa.",
    "0.in-addr.arpa.",
    "d.f.ip6.arpa.",
    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa.",
];

/// The same as names.
static SPECIAL: LazyLock<Special> = LazyLock::new(|| {
    let names = |texts: &[&str]| texts.iter().filter_map(|text| Name::from_ascii(text).ok()).collect();
    let blocks = (16..32).map(|octet| format!("{octet}.172.in-addr.arpa."));
    let links = ["8", "9", "a", "b"].into_iter().map(|digit| format!("{digit}.e.f.ip6.arpa."));
    let private: Vec<String> = PRIVATE.into_iter().map(str::to_owned).chain(blocks).chain(links).collect();
    let private: Vec<&str> = private.iter().map(String::as_str).collect();
    Special { localhost: names(&[LOCALHOST]), nowhere: names(&NOWHERE), private: names(&private) }
});

struct Special {
    localhost: Vec<Name>,
    nowhere: Vec<Name>,
    private: Vec<Name>,
}

/// The answer to a question about such a name; `None`: it is to be asked for. Who has a private address may know
/// the names of others.
pub(super) fn answer(query: &Query, servers: &[SocketAddr]) -> Option<Message> {
    let name = query.name();
    let is_within = |zones: &[Name]| zones.iter().any(|zone| zone.zone_of(name));
    let mut message = Message::query();
    if is_within(&SPECIAL.localhost) {
        // RFC 6761, section 6.3.
        let address = match query.query_type() {
            RecordType::A => Some(RData::A(A(Ipv4Addr::LOCALHOST))),
            RecordType::AAAA => Some(RData::AAAA(AAAA(Ipv6Addr::LOCALHOST))),
            _ => None,
        };
        message.add_answers(address.map(|address| Record::from_rdata(name.clone(), TTL, address)));
        return Some(message);
    }
    let is_kept = is_within(&SPECIAL.private) && !servers.iter().all(|server| is_private(server.ip()));
    if !is_kept && !is_within(&SPECIAL.nowhere) {
        return None;
    }
    message.metadata.response_code = ResponseCode::NXDomain;
    Some(message)
}

fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_private() || v4.is_loopback() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_loopback() || v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(name: &str, rtype: RecordType, server: &str) -> Option<(ResponseCode, usize)> {
        let query = Query::query(Name::from_ascii(name).unwrap(), rtype);
        let message = answer(&query, &[server.parse().unwrap()])?;
        Some((message.metadata.response_code, message.answers.len()))
    }

    #[test]
    fn names_of_this_machine_and_of_nobody_are_asked_for_nowhere() {
        let public = "9.9.9.9:53";
        for name in ["localhost.", "x.localhost."] {
            assert_eq!(said(name, RecordType::A, public), Some((ResponseCode::NoError, 1)));
            assert_eq!(said(name, RecordType::AAAA, public), Some((ResponseCode::NoError, 1)));
            assert_eq!(said(name, RecordType::MX, public), Some((ResponseCode::NoError, 0)));
        }
        for name in ["x.invalid.", "onion.", "printer.local."] {
            assert_eq!(said(name, RecordType::A, public), Some((ResponseCode::NXDomain, 0)), "{name}");
        }
        for name in ["www.example.", "localhost.example.", "locals.", "8.8.8.8.in-addr.arpa."] {
            assert_eq!(said(name, RecordType::PTR, public), None, "{name}");
        }
    }

    #[test]
    fn reverse_names_of_private_addresses_go_to_private_servers_only() {
        for name in [
            "5.0.0.10.in-addr.arpa.",
            "1.1.16.172.in-addr.arpa.",
            "1.1.31.172.in-addr.arpa.",
            "1.1.168.192.in-addr.arpa.",
            "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.e.f.ip6.arpa.",
            "c.d.f.ip6.arpa.",
        ] {
            assert_eq!(
                said(name, RecordType::PTR, "9.9.9.9:53"),
                Some((ResponseCode::NXDomain, 0)),
                "{name}"
            );
            for server in ["10.0.0.53:53", "[fd00::53]:53", "[::ffff:192.168.1.1]:53"] {
                assert_eq!(said(name, RecordType::PTR, server), None, "{name} at {server}");
            }
        }
        assert_eq!(said("1.1.32.172.in-addr.arpa.", RecordType::PTR, "9.9.9.9:53"), None);
    }
}
