//! Writing signatures, and the records that only signed zones have (RFC 4035, section 3.1).
//!
//! A signature stands right behind what it covers, and goes with it where there is no room: an answer
//! without it would be worth nothing to who asked for it.

use crate::core::dnssec::{ApexSet, Covered, HEAD_OCTETS, Rrsig, SIGNATURE_OCTETS, Subject, ZoneSigner};
use crate::core::query::Query;
use crate::view::{DnsView, Labels, Rdata, Rrset, ZoneNumber, rtype};

use super::{Message, Owner, Section};

impl Message<'_> {
    /// Whether what is written of `zone` is signed.
    #[inline]
    pub(in crate::core) fn signs(&self, view: &DnsView, zone: ZoneNumber) -> bool {
        self.with_signatures && view.signing().zone(zone).is_some()
    }

    /// Signs what was written last, an RRset of the view. `false` if there is no room.
    #[inline]
    pub(super) fn sign_rrset(
        &mut self,
        section: Section,
        owner: Owner<'_>,
        rrset: &Rrset<'_>,
        view: &DnsView,
        query: &Query,
        zone: ZoneNumber,
    ) -> bool {
        let Some(in_zone) = owner.in_zone.filter(|_| self.signs(view, zone)) else { return true };
        let zones = view.zones();
        let rdatas = rrset.rdatas().map(|rdata| match rdata {
            Rdata::Plain(octets) => [octets, &[]],
            Rdata::InZone(labels, zone) => [labels, zones.wire(zone)],
        });
        let covered = Covered { owner: in_zone, rtype: rrset.rtype(), ttl: rrset.ttl(), rdatas };
        self.sign(section, owner, &covered, (Subject::Record, rrset.ttl()), view, (zone, query))
    }

    /// Signs what was written last, a record with the TTL of the zone.
    pub(super) fn sign_plain(
        &mut self,
        owner: Owner<'_>,
        (rtype, subject): (u16, Subject),
        rdata: [&[u8]; 2],
        view: &DnsView,
        query: &Query,
        zone: ZoneNumber,
    ) -> bool {
        let Some(in_zone) = owner.in_zone.filter(|_| self.signs(view, zone)) else { return true };
        let ttl = view.zones().zone(zone).ttl;
        let covered = Covered { owner: in_zone, rtype, ttl, rdatas: std::iter::once(rdata) };
        self.sign(Section::Answer, owner, &covered, (subject, ttl), view, (zone, query))
    }

    /// Writes the signature of `covered`, with the TTL that stands beside what it covers.
    pub(super) fn sign<'a, I>(
        &mut self,
        section: Section,
        owner: Owner<'_>,
        covered: &Covered<'a, I>,
        (subject, ttl): (Subject, u32),
        view: &DnsView,
        (zone, query): (ZoneNumber, &Query),
    ) -> bool
    where
        I: Iterator<Item = [&'a [u8]; 2]> + Clone,
    {
        let Some(signer) = view.signing().zone(zone) else { return true };
        let rrsig = view.signing().rrsig(signer, covered, subject, self.now);
        let written = rrsig.and_then(|rrsig| self.rrsig(owner, &rrsig, ttl, signer, query));
        self.count(section, 1);
        written.is_some()
    }

    /// Writes the records of a zone's keys, signed if that is wanted. `false`, and nothing is written, if
    /// they do not fit.
    pub(in crate::core) fn apex_set(
        &mut self,
        owner: Owner<'_>,
        set: &ApexSet,
        signer: &ZoneSigner,
        view: &DnsView,
        query: &Query,
    ) -> bool {
        let mark = self.mark();
        for rdata in &set.rdatas {
            if self.plain(owner, set.rtype, signer.ttl(), [rdata, &[]], query).is_none() {
                self.go_back(mark);
                return false;
            }
        }
        if !self.with_signatures {
            return true;
        }
        for rrsig in view.signing().key_rrsigs(signer, set, self.now) {
            let written = rrsig.and_then(|rrsig| self.rrsig(owner, &rrsig, signer.ttl(), signer, query));
            if written.is_none() {
                self.go_back(mark);
                return false;
            }
            self.count(Section::Answer, 1);
        }
        true
    }

    /// Writes the DS records of the delegation `cut`, signed. `false`, and nothing is written, if they do not fit.
    pub(in crate::core) fn delegation_signer(
        &mut self,
        cut: &[u8],
        ds: &Rrset<'_>,
        view: &DnsView,
        query: &Query,
        zone: ZoneNumber,
    ) -> bool {
        self.rrset(Section::Authority, Owner::name(cut).of([cut, &[]]), ds, view, query, zone)
    }

    /// Remembers that a wildcard stood for `name`.
    pub(in crate::core) fn note_expansion(&mut self, zone: ZoneNumber, name: Labels) {
        self.expanded.push((zone, name));
    }

    /// The names remembered since this was asked last.
    pub(in crate::core) fn take_expansions(&mut self) -> Vec<(ZoneNumber, Labels)> {
        std::mem::take(&mut self.expanded)
    }

    /// Writes an NSEC record of the zone and its signature to the authority section, once. `false`, and nothing is
    /// written, if it does not fit.
    pub(in crate::core) fn nsec(
        &mut self,
        name: &[u8],
        rdata: [&[u8]; 2],
        subject: Subject,
        view: &DnsView,
        (zone, query): (ZoneNumber, &Query),
    ) -> bool {
        if self.denied.iter().any(|known| **known == *name) {
            return true;
        }
        let mark = self.mark();
        let ttl = view.zones().zone(zone).soa.negative_ttl;
        let owner = Owner::name(name);
        let covered = Covered { owner: [name, &[]], rtype: rtype::NSEC, ttl, rdatas: std::iter::once(rdata) };
        let written = self.try_plain(owner, rtype::NSEC, ttl, rdata, query);
        let section = Section::Authority;
        self.count(section, 1);
        let fits =
            written.is_some() && self.sign(section, owner, &covered, (subject, ttl), view, (zone, query));
        if fits {
            self.denied.push(name.into());
        } else {
            self.go_back(mark);
        }
        fits
    }

    /// Answers with what the question's type says of the NSEC record that `owner` has in the zone, whose data is
    /// `rdata`: itself, with its signature if that is wanted, or the signature alone. `false`, and nothing is
    /// written, if it does not fit.
    pub(in crate::core) fn own_nsec(
        &mut self,
        owner: Owner<'_>,
        rdata: [&[u8]; 2],
        view: &DnsView,
        (zone, query): (ZoneNumber, &Query),
    ) -> bool {
        let Some(in_zone) = owner.in_zone else { return true };
        let mark = self.mark();
        let ttl = view.zones().zone(zone).soa.negative_ttl;
        let covered = Covered { owner: in_zone, rtype: rtype::NSEC, ttl, rdatas: std::iter::once(rdata) };
        let alone = query.qtype == rtype::RRSIG;
        let written = alone || self.plain(owner, rtype::NSEC, ttl, rdata, query).is_some();
        let signature = (Subject::Record, ttl);
        let fits = written
            && (!(alone || self.with_signatures)
                || self.sign(Section::Answer, owner, &covered, signature, view, (zone, query)));
        if !fits {
            self.go_back(mark);
        }
        fits
    }

    fn rrsig(
        &mut self,
        owner: Owner<'_>,
        rrsig: &Rrsig,
        ttl: u32,
        signer: &ZoneSigner,
        query: &Query,
    ) -> Option<usize> {
        const _: () = assert!(HEAD_OCTETS + 255 + SIGNATURE_OCTETS < 512);
        self.head(owner, rtype::RRSIG, ttl, query)?;
        let length_at = self.skip(2)?;
        self.put(&rrsig.head)?;
        self.put(signer.apex().as_wire())?;
        self.put(&rrsig.signature)?;
        self.close(length_at)
    }
}
