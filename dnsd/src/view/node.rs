//! How a node of the tree of names lies in memory, for reading. [`super::draft`] writes it.
//!
//! ```text
//! node    flags 1 | RRsets 1 | key length 1 | zone 3, names only | children 4, if flagged | key | RRsets
//! RRset   type 2 | TTL 4 | records 2 | octets of the records 2 | records       (type and TTL as on the wire)
//! record  length 2 | RDATA
//! ```
//!
//! The key of a name is its labels below the zone's apex; that of an address in a derived reverse
//! zone is the address itself, a third of the octets of its name. RDATA is wire form, but a name
//! that is all of the RDATA (PTR, CNAME, NS, DNAME) may end in `0xC0` and a zone's number in place of
//! that zone's name: most names of an inventory lie in few zones.

#![deny(clippy::indexing_slicing)]

use super::zone::{ZoneIndex, ZoneNumber};

/// Numbers of the record types that answers depend on.
pub mod rtype {
    /// IPv4 address.
    pub const A: u16 = 1;
    /// Name server.
    pub const NS: u16 = 2;
    /// Canonical name.
    pub const CNAME: u16 = 5;
    /// Start of authority.
    pub const SOA: u16 = 6;
    /// Pointer.
    pub const PTR: u16 = 12;
    /// Mail exchange.
    pub const MX: u16 = 15;
    /// Text.
    pub const TXT: u16 = 16;
    /// Database of AFS.
    pub const AFSDB: u16 = 18;
    /// Route through another host.
    pub const RT: u16 = 21;
    /// IPv6 address.
    pub const AAAA: u16 = 28;
    /// Service.
    pub const SRV: u16 = 33;
    /// Rule that leads to a service.
    pub const NAPTR: u16 = 35;
    /// Key exchange.
    pub const KX: u16 = 36;
    /// Redirection of a subtree.
    pub const DNAME: u16 = 39;
    /// EDNS pseudo record.
    pub const OPT: u16 = 41;
    /// Delegation signer.
    pub const DS: u16 = 43;
    /// SSH host key's fingerprint.
    pub const SSHFP: u16 = 44;
    /// Signature of an RRset.
    pub const RRSIG: u16 = 46;
    /// The next name, and the types of this one.
    pub const NSEC: u16 = 47;
    /// Key of a zone.
    pub const DNSKEY: u16 = 48;
    /// Certificate of a TLS server.
    pub const TLSA: u16 = 52;
    /// Who has a name by DHCP.
    pub const DHCID: u16 = 49;
    /// The DS record that a zone wants its parent to have.
    pub const CDS: u16 = 59;
    /// The same as a key.
    pub const CDNSKEY: u16 = 60;
    /// Service binding.
    pub const SVCB: u16 = 64;
    /// The same for HTTPS.
    pub const HTTPS: u16 = 65;
    /// Transaction signature pseudo record.
    pub const TSIG: u16 = 250;
    /// Incremental transfer.
    pub const IXFR: u16 = 251;
    /// Transfer.
    pub const AXFR: u16 = 252;
    /// Any type.
    pub const ANY: u16 = 255;
    /// Who may issue certificates.
    pub const CAA: u16 = 257;
}

/// Two low bits of the flags: what the key is.
pub(crate) const KIND_MASK: u8 = 3;
pub(crate) const KIND_NAME: u8 = 0;
pub(crate) const KIND_V4: u8 = 1;
pub(crate) const KIND_V6: u8 = 2;
/// Names exist right below this one.
pub(crate) const HAS_CHILDREN: u8 = 1 << 2;
/// A delegation: NS records below the apex.
pub(crate) const CUT: u8 = 1 << 3;
/// Has a DNAME record.
pub(crate) const REDIRECT: u8 = 1 << 4;
/// Below a delegation or a DNAME.
pub(crate) const OCCLUDED: u8 = 1 << 5;

/// First octet of a zone's number within a name.
pub(crate) const ZONE_MARK: u8 = 0xc0;

/// What a node is found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key<'v> {
    /// Labels below the apex of a zone; none at the apex.
    Name(ZoneNumber, &'v [u8]),
    /// An address in a derived reverse zone.
    V4(u32),
    /// An address in a derived reverse zone.
    V6(u128),
}

/// A name with data, or an empty non-terminal.
#[derive(Clone, Copy, Debug)]
pub struct Node<'v> {
    flags: u8,
    rrsets: u8,
    children: u32,
    key: Key<'v>,
    body: &'v [u8],
}

/// Records of one owner and type.
#[derive(Clone, Copy, Debug)]
pub struct Rrset<'v> {
    /// Type and TTL as on the wire.
    head: [u8; 6],
    count: u16,
    records: &'v [u8],
}

/// One record's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rdata<'v> {
    /// Octets as on the wire.
    Plain(&'v [u8]),
    /// A name: labels, then the name of a zone.
    InZone(&'v [u8], ZoneNumber),
}

impl<'v> Node<'v> {
    /// Reads the node that `octets` start with.
    pub(crate) fn read(octets: &'v [u8]) -> Option<Node<'v>> {
        let (&[flags, rrsets, length], mut rest) = octets.split_first_chunk::<3>()?;
        let mut zone = ZoneNumber(0);
        if flags & KIND_MASK == KIND_NAME {
            let (number, tail) = rest.split_first_chunk::<3>()?;
            (zone, rest) = (ZoneNumber::from_octets(*number), tail);
        }
        let mut children = 0;
        if flags & HAS_CHILDREN != 0 {
            let (count, tail) = rest.split_first_chunk::<4>()?;
            (children, rest) = (u32::from_le_bytes(*count), tail);
        }
        let (key, body) = rest.split_at_checked(usize::from(length))?;
        let key = match flags & KIND_MASK {
            KIND_V4 => Key::V4(u32::from_le_bytes(key.try_into().ok()?)),
            KIND_V6 => Key::V6(u128::from_le_bytes(key.try_into().ok()?)),
            _ => Key::Name(zone, key),
        };
        Some(Node { flags, rrsets, children, key, body })
    }

    /// What it is found by.
    pub fn key(&self) -> Key<'v> {
        self.key
    }

    /// How many names exist right below it, where that is counted: not at an apex.
    pub(crate) fn children(&self) -> u32 {
        self.children
    }

    /// Whether it has no records: an empty non-terminal (RFC 8499, section 7).
    pub fn is_empty(&self) -> bool {
        self.rrsets == 0
    }

    /// Whether it is a delegation, below one or below a DNAME: an answer may have to come from above.
    #[inline]
    pub fn is_special(&self) -> bool {
        self.flags & (CUT | OCCLUDED) != 0
    }

    /// Whether a delegation or a DNAME is above it.
    pub fn is_occluded(&self) -> bool {
        self.flags & OCCLUDED != 0
    }

    /// Whether it delegates (RFC 1034, section 4.2.1).
    pub fn is_cut(&self) -> bool {
        self.flags & CUT != 0
    }

    /// Whether it has a DNAME record (RFC 6672).
    pub fn is_redirect(&self) -> bool {
        self.flags & REDIRECT != 0
    }

    /// Its RRsets, by type; those of signatures by the type that they cover as well.
    pub fn rrsets(&self) -> impl Iterator<Item = Rrset<'v>> + use<'v> {
        let mut rest = self.body;
        (0..self.rrsets).map_while(move |_| {
            let (rrset, tail) = Rrset::read(rest)?;
            rest = tail;
            Some(rrset)
        })
    }

    /// Its RRset of type `rtype`; of signatures the first.
    #[inline]
    pub fn rrset(&self, rtype: u16) -> Option<Rrset<'v>> {
        self.rrsets().find(|rrset| rrset.rtype() == rtype)
    }

    /// Octets that its RRsets take in memory.
    pub(crate) fn body(&self) -> &'v [u8] {
        let octets = self.rrsets().map(|rrset| RRSET_HEAD + rrset.records.len()).sum();
        self.body.get(..octets).unwrap_or(&[])
    }

    /// Its flags and its number of RRsets, to write it again.
    pub(crate) fn head(&self) -> (u8, u8) {
        (self.flags, self.rrsets)
    }
}

/// Octets of an RRset before its records.
pub(crate) const RRSET_HEAD: usize = 10;

impl<'v> Rrset<'v> {
    #[inline]
    fn read(octets: &'v [u8]) -> Option<(Rrset<'v>, &'v [u8])> {
        let (head, rest) = octets.split_first_chunk::<6>()?;
        let (&[c0, c1, o0, o1], rest) = rest.split_first_chunk::<4>()?;
        let length = usize::from(u16::from_le_bytes([o0, o1]));
        let (records, rest) = rest.split_at_checked(length)?;
        Some((Rrset { head: *head, count: u16::from_le_bytes([c0, c1]), records }, rest))
    }

    /// Number of the type.
    #[inline]
    pub fn rtype(&self) -> u16 {
        let [high, low, ..] = self.head;
        u16::from_be_bytes([high, low])
    }

    /// Seconds.
    #[inline]
    pub fn ttl(&self) -> u32 {
        let [_, _, a, b, c, d] = self.head;
        u32::from_be_bytes([a, b, c, d])
    }

    /// Number of records, at least one.
    #[inline]
    pub fn count(&self) -> u16 {
        self.count
    }

    /// The records' data, in canonical order (RFC 4034, section 6.3).
    #[inline]
    pub fn rdatas(&self) -> impl Iterator<Item = Rdata<'v>> + Clone + use<'v> {
        let mut rest = self.records;
        let names = holds_one_name(self.rtype());
        std::iter::from_fn(move || {
            let (length, tail) = rest.split_first_chunk::<2>()?;
            let (octets, tail) = tail.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
            rest = tail;
            if names && let Some((labels, &[ZONE_MARK, a, b, c])) = octets.split_last_chunk::<4>() {
                return Some(Rdata::InZone(labels, ZoneNumber::from_octets([a, b, c])));
            }
            Some(Rdata::Plain(octets))
        })
    }
}

impl Rdata<'_> {
    /// Appends the octets as on the wire, uncompressed.
    pub fn expand(&self, zones: &ZoneIndex, out: &mut Vec<u8>) {
        match self {
            Rdata::Plain(octets) => out.extend_from_slice(octets),
            Rdata::InZone(labels, zone) => {
                out.extend_from_slice(labels);
                out.extend_from_slice(zones.wire(*zone));
            }
        }
    }
}

/// Whether RDATA of this type is one name and nothing else.
#[inline]
pub(crate) fn holds_one_name(rtype: u16) -> bool {
    matches!(rtype, rtype::NS | rtype::CNAME | rtype::PTR | rtype::DNAME)
}
