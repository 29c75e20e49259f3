//! Zones: those written down, and the reverse zones that follow from the networks.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::transfer::Secondary;
use crate::name::Name;
use crate::records::Record;
use crate::span::Span;

/// `[site]`: defaults for every zone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Site {
    /// Owner names of the servers, first the primary one.
    pub nameservers: Arc<[Name]>,
    /// Mailbox of who is responsible, as a domain name (RFC 1035, section 3.3.13).
    pub contact: Option<Name>,
    /// First octets of the hardware addresses that the tool makes: one to five, locally administered.
    pub mac_prefix: Option<Box<[u8]>>,
    /// Answers a second that a network may get that say the same; 0: any number.
    pub rate_limit: u32,
    /// Who may copy every zone that says nothing else.
    pub secondaries: Arc<[Secondary]>,
}

/// A zone that dnsd answers for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// The apex.
    pub name: Name,
    /// The header of its table; of the network's table for a derived zone.
    pub span: Span,
    /// What it maps, if it is a reverse zone that nobody wrote down.
    pub derived: Option<Reverse>,
    /// TTL of its records in seconds, where they have none of their own.
    pub ttl: u32,
    /// TTL of negative answers in seconds: the SOA's MINIMUM (RFC 2308, section 4).
    pub negative_ttl: u32,
    /// Its name servers. Derived SOA and NS records have them, the first as MNAME; of a zone with a
    /// master file these are the targets of its NS records. Never empty.
    pub nameservers: Arc<[Name]>,
    /// The SOA's RNAME.
    pub contact: Name,
    /// Records written in the inventory, in the zone, sorted by owner and type.
    pub records: Arc<[Record]>,
    /// A whole master file that the zone is written in, as the inventory names it.
    pub file: Option<Arc<str>>,
    /// The SOA record of that file. Without it, the SOA record is derived.
    pub soa: Option<WrittenSoa>,
    /// Who may copy it.
    pub secondaries: Arc<[Secondary]>,
    /// Who may ask about it; empty: everybody.
    pub allow_query: Arc<[IpNet]>,
    /// Whether it is the catalog of the zones (RFC 9432).
    pub catalog: bool,
    /// What it is signed with while it is served; `None`: it is not.
    pub dnssec: Option<SigningAlgorithm>,
}

/// An algorithm that zones are signed with (IANA "DNS Security Algorithm Numbers").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningAlgorithm {
    /// ECDSA over P-256 with SHA-256, number 13: what every validator knows (RFC 8624).
    EcdsaP256,
    /// Ed25519, number 15.
    Ed25519,
}

/// A SOA record that somebody wrote (RFC 1035, section 3.3.13).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenSoa {
    /// Where it stands.
    pub span: Span,
    /// Seconds that it lives; the zone's TTL if it says none.
    pub ttl: Option<u32>,
    /// MNAME.
    pub primary: Name,
    /// RNAME.
    pub contact: Name,
    /// Both in wire form, in the case that they are written in.
    pub names: Box<[u8]>,
    /// The serial that stands there; the one that is served may be greater.
    pub serial: u32,
    /// Seconds between a secondary's checks.
    pub refresh: u32,
    /// Seconds between its checks when the primary does not answer.
    pub retry: u32,
    /// Seconds after which a secondary without primary stops answering.
    pub expire: u32,
    /// Seconds that a negative answer lives.
    pub minimum: u32,
}

/// What a derived reverse zone maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reverse {
    /// IPv4 addresses: `in-addr.arpa`.
    V4,
    /// IPv6 addresses: `ip6.arpa`.
    V6,
}

impl Site {
    /// Where the site says no limit: what others have, and far above what one client asks.
    pub const RATE_LIMIT_DEFAULT: u32 = 200;
}

impl Zone {
    /// TTL where neither zone nor site says one: one hour.
    pub const TTL_DEFAULT: u32 = 3600;
    /// TTL of negative answers where the zone says none: five minutes, so that a new host is seen soon.
    pub const NEGATIVE_TTL_DEFAULT: u32 = 300;
}

/// The reverse zone of `net`: its enclosing /8, /16 or /24 (RFC 1035, section 3.5). `None` for
/// prefixes shorter than 8, which no zone of ours maps.
pub fn reverse_zone_v4(net: Ipv4Net) -> Option<Name> {
    let labels = usize::from(net.prefix_len().min(24) / 8);
    strip(Name::reverse(Ipv4Addr::from(net.network().to_bits()).into()), 4 - labels, labels)
}

/// The reverse zone of `net`: its enclosing prefix of whole nibbles (RFC 3596, section 2.5). `None`
/// for prefixes shorter than 4.
pub fn reverse_zone_v6(net: Ipv6Net) -> Option<Name> {
    let labels = usize::from(net.prefix_len() / 4).min(31);
    strip(Name::reverse(Ipv6Addr::from(net.network().to_bits()).into()), 32 - labels, labels)
}

/// The names below which the reverse names of `net` lie and no others: one for a prefix of whole nibbles, else two,
/// four or eight of the next longer ones (RFC 3596, section 2.5).
pub fn reverse_names_v6(net: Ipv6Net) -> impl Iterator<Item = Name> {
    let whole = net.prefix_len().next_multiple_of(4);
    net.subnets(whole).into_iter().flatten().filter_map(reverse_zone_v6)
}

/// `name` without its first `count` labels, if `left` address labels are left over and not none.
fn strip(mut name: Name, count: usize, left: usize) -> Option<Name> {
    for _ in 0..count {
        name = name.parent()?;
    }
    (left > 0).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_delegated_at_whole_nibbles() {
        let names = |net: &str| reverse_names_v6(net.parse().unwrap()).map(|name| name.to_string());
        let above = "8.b.d.0.1.0.0.2.ip6.arpa";
        assert_eq!(names("2001:db8:40::/48").collect::<Vec<_>>(), [format!("0.4.0.0.{above}")]);
        assert_eq!(names("2001:db8:40::/47").count(), 2);
        assert_eq!(names("2001:db8:40::/46").count(), 4);
        let eight: Vec<String> = names("2001:db8:48::/45").collect();
        assert_eq!(eight.len(), 8);
        assert_eq!((&*eight[0], &*eight[7]), (&*format!("8.4.0.0.{above}"), &*format!("f.4.0.0.{above}")));
    }

    #[test]
    fn reverse_zones_enclose_their_network_at_whole_labels() {
        for (net, zone) in [
            ("10.20.0.0/24", "0.20.10.in-addr.arpa"),
            ("10.20.4.0/22", "20.10.in-addr.arpa"),
            ("10.20.0.64/26", "0.20.10.in-addr.arpa"),
            ("10.0.0.0/8", "10.in-addr.arpa"),
        ] {
            assert_eq!(reverse_zone_v4(net.parse().unwrap()).unwrap().to_string(), zone, "{net}");
        }
        assert_eq!(reverse_zone_v4("0.0.0.0/4".parse().unwrap()), None);
        for (net, zone) in [
            ("2001:db8:20::/64", "0.0.0.0.0.2.0.0.8.b.d.0.1.0.0.2.ip6.arpa"),
            ("2001:db8::/34", "8.b.d.0.1.0.0.2.ip6.arpa"),
        ] {
            assert_eq!(reverse_zone_v6(net.parse().unwrap()).unwrap().to_string(), zone, "{net}");
        }
    }
}
