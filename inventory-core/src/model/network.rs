//! Networks: addresses on a link, and what DHCP tells its clients.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use std::sync::Arc;

use ipnet::{Ipv4Net, Ipv6Net};

use super::{BootId, Match, NetworkId, ZoneId};
use crate::name::Name;
use crate::options::DhcpOption;
use crate::span::Span;

/// Inclusive address range. `first <= last`, both of one family, holds by construction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Range {
    first: IpAddr,
    last: IpAddr,
}

impl Range {
    /// `None` when `first` lies above `last` or the families differ.
    pub fn new(first: IpAddr, last: IpAddr) -> Option<Range> {
        (first.is_ipv4() == last.is_ipv4() && first <= last).then_some(Range { first, last })
    }

    /// Lowest address.
    pub fn first(self) -> IpAddr {
        self.first
    }

    /// Highest address.
    pub fn last(self) -> IpAddr {
        self.last
    }

    /// Whether `address` lies in it.
    pub fn contains(self, address: IpAddr) -> bool {
        self.first.is_ipv4() == address.is_ipv4() && self.first <= address && address <= self.last
    }

    /// Whether any address lies in both.
    pub fn overlaps(self, other: Range) -> bool {
        self.first.is_ipv4() == other.first.is_ipv4() && self.first <= other.last && other.first <= self.last
    }

    /// Number of addresses; saturates at `u128::MAX` for all of IPv6.
    pub fn count(self) -> u128 {
        let number = |address| match address {
            IpAddr::V4(v4) => u128::from(v4.to_bits()),
            IpAddr::V6(v6) => v6.to_bits(),
        };
        (number(self.last) - number(self.first)).saturating_add(1)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}-{}", self.first, self.last)
        }
    }
}

/// A network. At least one of `ipv4` and `ipv6` is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Its name in the inventory.
    pub name: Box<str>,
    /// The header of its table.
    pub span: Span,
    /// The link that it shares with other networks.
    pub link: Option<Box<Link>>,
    /// Zone of the names of its hosts. Without one, a host there must have a quoted FQDN as its key.
    pub zone: Option<ZoneId>,
    /// IPv4 prefix, host bits zero.
    pub ipv4: Option<Ipv4Net>,
    /// IPv6 prefix, host bits zero.
    pub ipv6: Option<Ipv6Net>,
    /// IPv4 router (option 3), inside `ipv4` and outside the pools.
    pub gateway: Option<Ipv4Addr>,
    /// Resolvers for the clients (option 6, option 23 of DHCPv6), in order of preference.
    pub dns: Box<[IpAddr]>,
    /// Addresses for machines nobody has written down, sorted, not overlapping; those of `matches` are among them.
    pub pools: Box<[Range]>,
    /// Addresses never given from a pool, sorted.
    pub exclude: Box<[Range]>,
    /// Prefixes that smaller ones are delegated from (IA_PD), sorted, apart from each other.
    pub pd_pools: Box<[Ipv6Net]>,
    /// Length of the prefixes that are delegated from the pools; not shorter than any of them.
    pub pd_length: u8,
    /// What routers' advertisements say here; `None`: there are none.
    pub ra: Option<Box<RouterAdvertisement>>,
    /// Lease time in seconds, 60 to 4294967294; 4294967295 is "infinite" (RFC 2131, section 3.3).
    pub lease_seconds: u32,
    /// Seconds after which a DHCPv4 client renews (T1); none: a half of its lease.
    pub renew_seconds: Option<u32>,
    /// Seconds after which it rebinds (T2), more than `renew_seconds`; none: seven eighths of its lease.
    pub rebind_seconds: Option<u32>,
    /// DHCPv4 options, sorted by code; without those that follow from the keys above.
    pub options: Box<[DhcpOption]>,
    /// Further DHCPv4 options for some clients; the first that holds goes before the next.
    pub matches: Box<[Match]>,
    /// DHCPv6 options, sorted by code.
    pub options6: Box<[DhcpOption]>,
    /// Whether DHCP serves it at all.
    pub dhcp: bool,
    /// Whether machines are told what to boot beside another DHCP server (PXE 2.1, section 2.2.4).
    pub proxy: bool,
    /// What machines get that nobody has written down.
    pub unknown: Unknown,
    /// Relay agents that may ask who has an address here (RFC 4388).
    pub leasequery: Box<[Ipv4Addr]>,
    /// Whether whoever is elsewhere may ask for an address here (RFC 3011).
    pub subnet_selection: bool,
    /// Where machines load what they boot; the DHCP server that answers them if none.
    pub boot_server: Option<Ipv4Addr>,
    /// The same for machines that boot by IPv6.
    pub boot_server6: Option<Ipv6Addr>,
    /// The bridge on machines that run virtual ones, where it is not called like the network.
    pub bridge: Option<Box<str>>,
    /// Whether machines that ask for a lease that nobody knows are refused; if it does not say, they are
    /// where there is a pool. Off where another DHCP server shares the link.
    pub authoritative: Option<bool>,
    /// Whether DHCP looks if anybody uses an address of a pool before it offers it.
    pub probe: bool,
    /// Classless reverse zone (RFC 2317) that the PTR records of its IPv4 addresses live in.
    pub reverse: Option<Name>,
    /// Where the names go that machines with a lease of its pools give themselves; `None`: nowhere.
    pub dynamic_names: Option<Updates>,
    /// Whose clients alone see its addresses in the DNS: those of networks with the same; `None`: everybody.
    pub view: Option<Box<str>>,
    /// Servers that look up for its clients what is in no zone of ours, in order of preference; none: nobody does.
    pub forward: Arc<[SocketAddr]>,
}

/// Where names of leases go (RFC 2136).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Updates {
    /// The key that they are signed with.
    pub key: Name,
    /// The server that takes them.
    pub server: SocketAddr,
}

/// A link that several networks are on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its name in the inventory.
    pub name: Box<str>,
    /// The other networks on it, ascending.
    pub others: Box<[NetworkId]>,
}

/// What router advertisements say that does not follow from other keys (RFC 4861, section 4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouterAdvertisement {
    /// For how many seconds we are a default router; if it does not say, as the kernel forwards or not.
    pub lifetime: Option<u16>,
    /// Largest packet of the link.
    pub mtu: Option<u32>,
    /// Whether machines make themselves addresses; if it does not say, where the prefix has 64 bits.
    pub slaac: Option<bool>,
    /// Prefix that IPv4 addresses are reached by (NAT64, RFC 8781).
    pub pref64: Option<Ipv6Net>,
}

/// What a machine gets that nobody has written down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unknown {
    /// Nothing; it is recorded.
    Ignore,
    /// An address from the pool, if there is one.
    #[default]
    Pool,
    /// An address from the pool and this boot profile.
    Boot(BootId),
}

impl Network {
    /// Lease time where neither network nor host says one.
    pub const LEASE_SECONDS_DEFAULT: u32 = 12 * 3600;

    /// Descriptions of clients that a network may have: more of them would have no pools of their own.
    pub const MATCHES_MAX: u8 = u8::MAX;

    /// Length of delegated prefixes where the network says none: enough for 256 links (RFC 6177).
    pub const PD_LENGTH_DEFAULT: u8 = 56;

    /// The longest lease of DHCPv4 that clients get here which have none of their own, in seconds.
    pub fn lease_seconds_max(&self) -> u32 {
        let some = self.matches.iter().filter_map(|one| one.lease_seconds);
        some.fold(self.lease_seconds, u32::max)
    }

    /// Whether `address` lies in its prefix of that family.
    pub fn contains(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(v4) => self.ipv4.is_some_and(|net| net.contains(&v4)),
            IpAddr::V6(v6) => self.ipv6.is_some_and(|net| net.contains(&v6)),
        }
    }

    /// Owner name of the PTR record of `address`, an address of this network.
    pub fn ptr_owner(&self, address: IpAddr) -> Name {
        if let (Some(zone), IpAddr::V4(v4)) = (&self.reverse, address)
            && let Ok(name) = zone.child(&v4.octets()[3].to_string())
        {
            return name;
        }
        Name::reverse(address)
    }

    /// The pool that gives `address`: one that it lies in, unless it is excluded.
    pub fn pool_of(&self, address: IpAddr) -> Option<Range> {
        let pool = self.pools.iter().copied().find(|pool| pool.contains(address))?;
        (!self.exclude.iter().any(|hole| hole.contains(address))).then_some(pool)
    }
}

/// Whether Linux takes this as the name of a network interface: 1 to 15 octets (`IFNAMSIZ`), no blanks, `/` or `:`.
pub fn is_interface_name(text: &str) -> bool {
    let plain = |octet: u8| octet.is_ascii_graphic() && !matches!(octet, b'/' | b':');
    (1..=15).contains(&text.len()) && text != "." && text != ".." && text.bytes().all(plain)
}
