//! Writing a reply: whole RRsets, names compressed (RFC 1035, section 4.1.4), never beyond the limit.
//!
//! What does not fit is taken back as a whole; whether that makes the reply a truncated one is for
//! the caller to say.

mod signed;
mod soa;

use crate::view::{DnsView, Labels, Rdata, Rrset, ZoneNumber, rtype};

use super::dnssec::Subject;
use super::header::{Flags, write_opt};
use super::names::{Case, NameTable};
use super::query::{Edns, HEADER_OCTETS, Header, Query};
use super::serial::UnixSeconds;

/// Class IN as on the wire.
const CLASS_IN: [u8; 2] = [0, 1];
/// A pointer to the question's name.
pub(super) const QUESTION_NAME: u16 = 12;
/// Offsets that fit a pointer are below this.
const POINTER_MAX: usize = 0x4000;

/// Which section a record goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Answer,
    Authority,
    Additional,
}

/// Who a record belongs to.
#[derive(Clone, Copy)]
pub(super) struct Owner<'a> {
    stands: Stands<'a>,
    /// The name in two parts as the zone has it, perhaps a wildcard, if what it owns is the zone's.
    in_zone: Option<[&'a [u8]; 2]>,
}

/// How an owner is written.
#[derive(Clone, Copy)]
enum Stands<'a> {
    /// As the name at this offset of the message.
    At(u16),
    /// As this name in wire form.
    Name(&'a [u8]),
}

impl<'a> Owner<'a> {
    /// The name at an offset of the message, of records that are not signed.
    pub(super) fn at(offset: u16) -> Owner<'a> {
        Owner { stands: Stands::At(offset), in_zone: None }
    }

    /// A name in wire form, of records that are not signed.
    pub(super) fn name(wire: &'a [u8]) -> Owner<'a> {
        Owner { stands: Stands::Name(wire), in_zone: None }
    }

    /// The same of records that are signed in a signed zone, which has them at this name.
    pub(super) fn of(self, parts: [&'a [u8]; 2]) -> Owner<'a> {
        Owner { in_zone: Some(parts), ..self }
    }
}

/// A reply as far as it is written.
pub(super) struct Message<'o> {
    out: &'o mut [u8],
    at: usize,
    limit: usize,
    counts: [u16; 3],
    names: NameTable,
    /// Owners of the DNAME records in it. Few replies have any.
    redirects: Vec<Box<[u8]>>,
    /// When it is written, for signatures.
    now: UnixSeconds,
    /// Whether what is signed is to have its signatures.
    with_signatures: bool,
    /// Owners of the NSEC records in it.
    denied: Vec<Box<[u8]>>,
    /// Names that wildcards stood for, of which it is still to be shown that they do not exist.
    expanded: Vec<(ZoneNumber, Labels)>,
}

/// A place to go back to.
#[derive(Clone, Copy)]
struct Mark {
    at: usize,
    counts: [u16; 3],
}

impl<'o> Message<'o> {
    /// Starts a reply of at most `limit` octets with the question of `message`, its case kept.
    /// `None` if there is no room for that.
    #[inline]
    pub(super) fn start(
        message: &[u8],
        question_end: usize,
        limit: usize,
        out: &'o mut [u8],
    ) -> Option<Message<'o>> {
        let limit = limit.min(out.len());
        let head = message.get(..question_end)?;
        out.get_mut(..limit)?.get_mut(..question_end)?.copy_from_slice(head);
        Some(Message {
            out,
            at: question_end,
            limit,
            counts: [0; 3],
            names: NameTable::default(),
            redirects: Vec::new(),
            now: UnixSeconds(0),
            with_signatures: false,
            denied: Vec::new(),
            expanded: Vec::new(),
        })
    }

    /// Says what time it is, and whether from here on records are written with their signatures, as far as their
    /// zones are signed.
    pub(super) fn sign_at(&mut self, now: UnixSeconds, with_signatures: bool) {
        (self.now, self.with_signatures) = (now, with_signatures);
    }

    /// Ends the reply: header and OPT record. Returns its octets.
    ///
    /// RD is given back as it came; AD, CD and Z are never set, as in NSD and Knot, and RA for clients that have a
    /// forwarder.
    #[inline]
    pub(super) fn finish(self, header: &Header, flags: Flags, edns: Option<Edns>) -> usize {
        let Message { out, mut at, counts: [answers, authority, mut additional], .. } = self;
        let questions = u16::from(at > HEADER_OCTETS);
        if let Some(end) = edns.and_then(|edns| write_opt(&edns, flags.rcode, at, out)) {
            at = end;
            additional += 1;
        }
        let words = [flags.word(header), questions, answers, authority, additional];
        if let Some(place) = out.get_mut(2..HEADER_OCTETS) {
            for (place, word) in place.as_chunks_mut::<2>().0.iter_mut().zip(words) {
                *place = word.to_be_bytes();
            }
        }
        at
    }

    /// Writes an RRset. `false`, and nothing is written, if it does not fit.
    #[inline]
    pub(super) fn rrset(
        &mut self,
        section: Section,
        owner: Owner<'_>,
        rrset: &Rrset<'_>,
        view: &DnsView,
        query: &Query,
        zone: ZoneNumber,
    ) -> bool {
        let mark = self.mark();
        for rdata in rrset.rdatas() {
            if self.record(owner, rrset, rdata, view, query, zone).is_none() {
                self.go_back(mark);
                return false;
            }
        }
        self.count(section, rrset.count());
        let fits = self.sign_rrset(section, owner, rrset, view, query, zone);
        if !fits {
            self.go_back(mark);
        }
        fits
    }

    /// Writes the first record of an RRset; returns the offset of its RDATA.
    pub(super) fn first_record(
        &mut self,
        owner: Owner<'_>,
        rrset: &Rrset<'_>,
        view: &DnsView,
        query: &Query,
        zone: ZoneNumber,
    ) -> Option<usize> {
        let mark = self.mark();
        let written =
            rrset.rdatas().next().and_then(|rdata| self.record(owner, rrset, rdata, view, query, zone));
        if written.is_some() {
            self.count(Section::Answer, 1);
        }
        let written = written.filter(|_| self.sign_rrset(Section::Answer, owner, rrset, view, query, zone));
        if written.is_none() {
            self.go_back(mark);
        }
        written
    }

    /// Whether the DNAME record of `owner` is written already.
    pub(super) fn has_redirect(&self, owner: &[u8]) -> bool {
        self.redirects.iter().any(|known| **known == *owner)
    }

    /// Remembers that the DNAME record of `owner` is written.
    pub(super) fn note_redirect(&mut self, owner: &[u8]) {
        self.redirects.push(owner.into());
    }

    /// Writes a record of RDATA that is at hand; returns the offset of its RDATA.
    #[inline]
    pub(super) fn plain(
        &mut self,
        owner: Owner<'_>,
        rtype: u16,
        ttl: u32,
        parts: [&[u8]; 2],
        query: &Query,
    ) -> Option<usize> {
        let mark = self.mark();
        let written = self.try_plain(owner, rtype, ttl, parts, query);
        self.count(Section::Answer, 1);
        if written.is_none() {
            self.go_back(mark);
        }
        written
    }

    /// The same of a record that `zone` has worked out.
    pub(super) fn worked_out(
        &mut self,
        owner: Owner<'_>,
        (rtype, subject): (u16, Subject),
        parts: [&[u8]; 2],
        view: &DnsView,
        query: &Query,
        zone: ZoneNumber,
    ) -> Option<usize> {
        let mark = self.mark();
        let ttl = view.zones().zone(zone).ttl;
        let written = self.plain(owner, rtype, ttl, parts, query);
        let written = written.filter(|_| self.sign_plain(owner, (rtype, subject), parts, view, query, zone));
        if written.is_none() {
            self.go_back(mark);
        }
        written
    }

    fn try_plain(
        &mut self,
        owner: Owner<'_>,
        rtype: u16,
        ttl: u32,
        parts: [&[u8]; 2],
        query: &Query,
    ) -> Option<usize> {
        self.head(owner, rtype, ttl, query)?;
        let length_at = self.skip(2)?;
        for part in parts {
            self.put(part)?;
        }
        self.close(length_at)
    }

    #[inline]
    fn record(
        &mut self,
        owner: Owner<'_>,
        rrset: &Rrset<'_>,
        rdata: Rdata<'_>,
        view: &DnsView,
        query: &Query,
        zone: ZoneNumber,
    ) -> Option<usize> {
        self.head(owner, rrset.rtype(), rrset.ttl(), query)?;
        let length_at = self.skip(2)?;
        match (rdata, rrset.rtype()) {
            // Names in another zone, as in a PTR record, share nothing with the question.
            (Rdata::InZone(labels, other), rtype) if other != zone || rtype == rtype::DNAME => {
                self.put(labels)?;
                self.put(view.zones().wire(other))?;
            }
            (Rdata::InZone(labels, zone), _) => self.name_in(labels, view.zones().wire(zone), query)?,
            (Rdata::Plain(name), rtype::NS | rtype::CNAME | rtype::PTR) => {
                self.name(name, Case::Exact, query)?;
            }
            (Rdata::Plain(octets), rtype::MX) => {
                let (preference, name) = octets.split_at_checked(2)?;
                self.put(preference)?;
                self.name(name, Case::Exact, query)?;
            }
            (Rdata::Plain(octets), _) => self.put(octets)?,
        }
        self.close(length_at)
    }

    /// Writes owner, type, class and TTL.
    #[inline]
    fn head(&mut self, owner: Owner<'_>, rtype: u16, ttl: u32, query: &Query) -> Option<()> {
        let pointer = match owner.stands {
            Stands::At(offset) => 0xc000 | offset,
            Stands::Name(name) => {
                self.name(name, Case::Any, query)?;
                let place = self.room(8)?;
                let ([t, c], rest) = place.as_chunks_mut::<2>().0.split_first_chunk_mut::<2>()?;
                (*t, *c) = (rtype.to_be_bytes(), CLASS_IN);
                rest.as_flattened_mut().copy_from_slice(&ttl.to_be_bytes());
                return Some(());
            }
        };
        let place = self.room(10)?.first_chunk_mut::<10>()?;
        let [[p0, p1], [t0, t1], [c0, c1]] = [pointer.to_be_bytes(), rtype.to_be_bytes(), CLASS_IN];
        let [l0, l1, l2, l3] = ttl.to_be_bytes();
        *place = [p0, p1, t0, t1, c0, c1, l0, l1, l2, l3];
        Some(())
    }

    /// Writes the length of the RDATA that ends here; returns where it starts.
    #[inline]
    fn close(&mut self, length_at: usize) -> Option<usize> {
        let start = length_at + 2;
        let length = u16::try_from(self.at - start).ok()?;
        self.out.get_mut(length_at..start)?.copy_from_slice(&length.to_be_bytes());
        Some(start)
    }

    /// Writes a name, compressed by pointing to what is the same in that case.
    fn name(&mut self, wire: &[u8], case: Case, query: &Query) -> Option<()> {
        self.names.learn_question(&query.name);
        let labels = Labels::read(wire).ok()?;
        let (octets, target) = self.names.shorten(wire, &labels, case, self.out);
        let start = self.at;
        self.put(octets)?;
        match target {
            Some(offset) => self.put(&(0xc000 | offset).to_be_bytes())?,
            None => self.put(&[0])?,
        }
        self.names.learn(octets, start);
        Some(())
    }

    fn name_in(&mut self, labels: &[u8], zone: &[u8], query: &Query) -> Option<()> {
        let mut wire = [0; 255];
        let (first, rest) = wire.split_at_mut_checked(labels.len())?;
        first.copy_from_slice(labels);
        rest.get_mut(..zone.len())?.copy_from_slice(zone);
        self.name(wire.get(..labels.len() + zone.len())?, Case::Exact, query)
    }

    #[inline]
    fn put(&mut self, octets: &[u8]) -> Option<()> {
        self.room(octets.len())?.copy_from_slice(octets);
        Some(())
    }

    #[inline]
    fn skip(&mut self, octets: usize) -> Option<usize> {
        let at = self.at;
        self.room(octets)?;
        Some(at)
    }

    /// The next `octets` octets, if they are within the limit.
    #[inline]
    fn room(&mut self, octets: usize) -> Option<&mut [u8]> {
        let end = self.at + octets;
        if end > self.limit {
            return None;
        }
        let place = self.out.get_mut(self.at..end)?;
        self.at = end;
        Some(place)
    }

    #[inline]
    fn count(&mut self, section: Section, records: u16) {
        let [answers, authority, additional] = &mut self.counts;
        match section {
            Section::Answer => *answers += records,
            Section::Authority => *authority += records,
            Section::Additional => *additional += records,
        }
    }

    #[inline]
    fn mark(&self) -> Mark {
        Mark { at: self.at, counts: self.counts }
    }

    #[inline]
    fn go_back(&mut self, mark: Mark) {
        (self.at, self.counts) = (mark.at, mark.counts);
        self.names.forget_from(mark.at);
    }
}

/// Whether a pointer can reach `offset`.
pub(super) fn pointer_to(offset: usize) -> Option<u16> {
    u16::try_from(offset).ok().filter(|_| offset < POINTER_MAX)
}
