//! Reading an update (RFC 2136, section 2): a zone, prerequisites, changes. Names are given back in lower case
//! and whole.

use inventory_core::name::Name;

use crate::core::query::{HEADER_OCTETS, Header};
use crate::view::{Labels, rtype};

/// Classes that are used (RFC 2136, section 1.3).
const IN: u16 = 1;
const NONE: u16 = 254;
const ANY: u16 = 255;
/// Most pointers in a name: as many as it can have labels (RFC 1035, section 2.3.4).
const POINTERS_MAX: usize = 127;

/// An update as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// The zone that it is about.
    pub zone: Name,
    /// What has to hold.
    pub prerequisites: Vec<Prerequisite>,
    /// What is to be done then, in this order.
    pub changes: Vec<Change>,
}

/// Something that has to hold (RFC 2136, section 2.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prerequisite {
    /// The name has records.
    NameInUse(Name),
    /// It has none.
    NameNotInUse(Name),
    /// It has records of this type.
    RrsetExists(Name, u16),
    /// It has none of this type.
    RrsetDoesNotExist(Name, u16),
    /// Among its records of this type is this one, and all of them are listed this way.
    RrsetHas(Name, u16, Box<[u8]>),
}

/// A change (RFC 2136, section 2.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Adds a record: type, TTL, data.
    Add(Name, u16, u32, Box<[u8]>),
    /// Takes this record away.
    Delete(Name, u16, Box<[u8]>),
    /// Takes all records of a type away.
    DeleteRrset(Name, u16),
    /// Takes all records of the name away.
    DeleteName(Name),
}

/// One record of a message.
struct Record {
    owner: Name,
    rtype: u16,
    class: u16,
    ttl: u32,
    rdata: Box<[u8]>,
}

/// Reads records from the left.
struct Reader<'m> {
    message: &'m [u8],
    at: usize,
}

impl Update {
    /// Reads an update, and where its signature starts, if it has one. `None`: it is malformed.
    pub(super) fn read(header: &Header, message: &[u8]) -> Option<(Update, Option<usize>)> {
        let [zones, prerequisites, changes, additional] = header.counts;
        let mut reader = Reader { message, at: HEADER_OCTETS };
        let zone = reader.name()?;
        let [rtype, class] = [reader.word()?, reader.word()?];
        if zones != 1 || rtype != rtype::SOA || class != IN {
            return None;
        }
        let prerequisites = (0..prerequisites).map(|_| reader.prerequisite()).collect::<Option<_>>()?;
        let changes = (0..changes).map(|_| reader.change()).collect::<Option<_>>()?;
        let mut signature = None;
        for left in (0..additional).rev() {
            let start = reader.at;
            if reader.pass()? == rtype::TSIG {
                signature = (left == 0).then_some(Some(start))?;
            }
        }
        (reader.at == message.len()).then_some((Update { zone, prerequisites, changes }, signature))
    }
}

impl Reader<'_> {
    fn prerequisite(&mut self) -> Option<Prerequisite> {
        let Record { owner, rtype, class, ttl, rdata } = self.record()?;
        if ttl != 0 || class != IN && !rdata.is_empty() {
            return None;
        }
        Some(match (class, rtype) {
            (ANY, rtype::ANY) => Prerequisite::NameInUse(owner),
            (NONE, rtype::ANY) => Prerequisite::NameNotInUse(owner),
            (ANY, _) => Prerequisite::RrsetExists(owner, rtype),
            (NONE, _) => Prerequisite::RrsetDoesNotExist(owner, rtype),
            (IN, _) => Prerequisite::RrsetHas(owner, rtype, rdata),
            _ => return None,
        })
    }

    fn change(&mut self) -> Option<Change> {
        let Record { owner, rtype, class, ttl, rdata } = self.record()?;
        let is_meta = (128..=255).contains(&rtype);
        match class {
            IN if !is_meta => Some(Change::Add(owner, rtype, ttl, rdata)),
            NONE if !is_meta && ttl == 0 => Some(Change::Delete(owner, rtype, rdata)),
            ANY if ttl != 0 || !rdata.is_empty() => None,
            ANY if rtype == rtype::ANY => Some(Change::DeleteName(owner)),
            ANY if !is_meta => Some(Change::DeleteRrset(owner, rtype)),
            _ => None,
        }
    }

    /// The next record. Names that are all of the data are made whole; others must be.
    fn record(&mut self) -> Option<Record> {
        let owner = self.name()?;
        let [rtype, class] = [self.word()?, self.word()?];
        let ttl = u32::from(self.word()?) << 16 | u32::from(self.word()?);
        let length = usize::from(self.word()?);
        let end = self.at.checked_add(length)?;
        let octets = self.message.get(self.at..end)?;
        let rdata: Box<[u8]> = if rtype == rtype::PTR && !octets.is_empty() {
            let target = self.name()?;
            (self.at == end).then(|| target.as_wire().into())?
        } else {
            octets.into()
        };
        self.at = end;
        Some(Record { owner, rtype, class, ttl, rdata })
    }

    /// Passes over a record; its type.
    fn pass(&mut self) -> Option<u16> {
        self.name()?;
        let rtype = self.word()?;
        self.at = self.at.checked_add(6)?;
        let length = usize::from(self.word()?);
        self.at = self.at.checked_add(length)?;
        (self.at <= self.message.len()).then_some(rtype)
    }

    fn word(&mut self) -> Option<u16> {
        let octets = self.message.get(self.at..)?.first_chunk::<2>()?;
        self.at += 2;
        Some(u16::from_be_bytes(*octets))
    }

    /// The next name. A pointer leads backwards, so that this ends, and there are no more of them than labels could be:
    /// a message that nobody has signed yet costs no more.
    fn name(&mut self) -> Option<Name> {
        let mut wire = Vec::new();
        let (mut at, mut after, mut pointers) = (self.at, None, 0..POINTERS_MAX);
        loop {
            match *self.message.get(at)? {
                0 => break,
                length @ 1..=63 => {
                    wire.extend_from_slice(self.message.get(at..=at + usize::from(length))?);
                    at += usize::from(length) + 1;
                }
                high @ 0xc0.. => {
                    let low = *self.message.get(at + 1)?;
                    let target = usize::from(u16::from_be_bytes([high & 0x3f, low]));
                    after.get_or_insert(at + 2);
                    at = (target < at).then_some(target).filter(|_| pointers.next().is_some())?;
                }
                _ => return None,
            }
            if wire.len() > 254 {
                return None;
            }
        }
        self.at = after.unwrap_or(at + 1);
        wire.push(0);
        Name::from_wire(Labels::read(&wire).ok()?.as_wire())
    }
}
