//! SOA records: derived, or those of a whole master file.
//!
//! Refresh, retry and expire only matter to secondaries; since they are told of changes (RFC 1996),
//! the derived values are those that RIPE-203 recommends for stable zones, with a shorter retry.

#![deny(clippy::indexing_slicing)]

use inventory_core::model::Zone;
use inventory_core::name::Name;

use super::labels::{self, Labels};

/// Seconds between a secondary's checks.
pub const REFRESH: u32 = 86_400;
/// Seconds between its checks when the primary does not answer.
pub const RETRY: u32 = 900;
/// Seconds after which a secondary without primary stops answering.
pub const EXPIRE: u32 = 3_600_000;

/// A zone's SOA record, ready to be copied into answers, but for its serial.
#[derive(Debug)]
pub struct Soa {
    /// Seconds that the record lives, in an answer to a question for it.
    pub ttl: u32,
    /// Seconds that a negative answer lives: the lesser of `ttl` and MINIMUM (RFC 2308, section 5).
    pub negative_ttl: u32,
    /// MNAME, RNAME and the five numbers, the serial zero; nothing compressed.
    pub plain: Box<[u8]>,
    /// The same with both names compressed.
    pub compressed: Box<[u8]>,
    /// Where compression pointers into the apex go in `compressed`, and how far into it they point.
    to_apex: Vec<(usize, u16)>,
    /// Where one to an offset within `compressed` itself goes.
    to_self: Option<(usize, u16)>,
}

/// Where the serial stands, counted from the end of the RDATA.
pub(super) const SERIAL_FROM_END: usize = 20;

impl Soa {
    pub(super) fn new(zone: &Zone) -> Soa {
        let written = zone.soa.as_ref();
        let primary = zone.nameservers.first().map_or(&[0][..], Name::as_wire);
        let names =
            written.map_or_else(|| [primary, zone.contact.as_wire()].concat(), |soa| soa.names.to_vec());
        let primary = Labels::read(&names).map_or(0, |primary| primary.as_wire().len());
        let (primary, contact) = names.split_at_checked(primary).unwrap_or_default();
        let ttl = written.and_then(|soa| soa.ttl).unwrap_or(zone.ttl);
        let mut soa = Soa {
            ttl,
            negative_ttl: ttl.min(zone.negative_ttl),
            plain: [primary, contact, &[0; 20]].concat().into(),
            compressed: Box::default(),
            to_apex: Vec::new(),
            to_self: None,
        };
        let mut octets = Vec::new();
        soa.compress(&mut octets, primary, zone, None);
        soa.compress(&mut octets, contact, zone, Some(primary));
        octets.extend_from_slice(&[0; 20]);
        soa.compressed = octets.into();
        let times = written.map_or([REFRESH, RETRY, EXPIRE], |soa| [soa.refresh, soa.retry, soa.expire]);
        let [refresh, retry, expire] = times;
        let numbers = [refresh, retry, expire, zone.negative_ttl].map(u32::to_be_bytes).concat();
        for octets in [&mut soa.plain, &mut soa.compressed] {
            if let Some(tail) = octets.last_chunk_mut::<16>() {
                tail.copy_from_slice(&numbers);
            }
        }
        soa
    }

    /// Appends `name`, its tail left to a pointer where it is a tail of the apex or of `before`, which
    /// stands at the start of `octets`, in full but for what it shares with the apex.
    fn compress(&mut self, octets: &mut Vec<u8>, name: &[u8], zone: &Zone, before: Option<&[u8]>) {
        let mut here = name;
        while here.len() > 1 {
            let head = name.len() - here.len();
            let pointer_at = octets.len() + head;
            let offset_in = |longer: &[u8]| {
                let offset = longer.len().checked_sub(here.len())?;
                u16::try_from(offset).ok().filter(|_| longer.ends_with(here) && starts_label(longer, offset))
            };
            if let Some(offset) = offset_in(zone.name.as_wire()) {
                self.to_apex.push((pointer_at, offset));
            } else if let Some(offset) = before.and_then(offset_in) {
                self.to_self = Some((pointer_at, offset));
            } else {
                here = labels::parent(here).unwrap_or_default();
                continue;
            }
            octets.extend(name.iter().take(head));
            octets.extend_from_slice(&[0, 0]);
            return;
        }
        octets.extend_from_slice(name);
    }

    /// Seconds between a secondary's checks.
    pub fn refresh(&self) -> u32 {
        self.plain.last_chunk::<16>().map_or(REFRESH, |[a, b, c, d, ..]| u32::from_be_bytes([*a, *b, *c, *d]))
    }

    /// Seconds that the record lives where it stands.
    #[inline]
    pub(crate) fn ttl_in(&self, negative: bool) -> u32 {
        if negative { self.negative_ttl } else { self.ttl }
    }

    /// Fills in serial and pointers of `rdata`, a copy of `compressed` at offset `at` of a message
    /// that has the apex at offset `apex`.
    #[inline]
    pub(crate) fn finish(&self, rdata: &mut [u8], at: u16, apex: u16, serial: u32) {
        let mut put = |place: usize, target: u16| {
            if let Some(octets) = rdata.get_mut(place..place + 2) {
                octets.copy_from_slice(&(0xc000 | target).to_be_bytes());
            }
        };
        for (place, offset) in &self.to_apex {
            put(*place, apex.saturating_add(*offset));
        }
        if let Some((place, offset)) = self.to_self {
            put(place, at.saturating_add(offset));
        }
        set_serial(rdata, serial);
    }
}

/// Whether a label of `name` starts at `offset`.
fn starts_label(name: &[u8], offset: usize) -> bool {
    std::iter::successors(Some(name), |name| labels::parent(name))
        .any(|tail| name.len() - tail.len() == offset)
}

/// Writes `serial` into the RDATA of a SOA record.
#[inline]
pub(crate) fn set_serial(rdata: &mut [u8], serial: u32) {
    if let Some([a, b, c, d, ..]) = rdata.last_chunk_mut::<SERIAL_FROM_END>() {
        [*a, *b, *c, *d] = serial.to_be_bytes();
    }
}
