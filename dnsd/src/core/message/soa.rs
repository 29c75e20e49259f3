//! Writing SOA records: derived ones are kept in a form whose names need only pointers filled in.

use crate::core::dnssec::{Covered, Subject};
use crate::core::names::Case;
use crate::core::query::Query;
use crate::view::{DnsView, Labels, ZoneNumber, rtype, set_serial};

use super::{Message, Owner, Section};

impl Message<'_> {
    /// Writes the SOA record of `zone`. `apex`: where the zone's name stands in the question.
    #[inline]
    pub(in crate::core) fn soa(
        &mut self,
        section: Section,
        view: &DnsView,
        number: ZoneNumber,
        apex: Option<usize>,
        query: &Query,
    ) -> bool {
        let mark = self.mark();
        let apex = apex.and_then(|apex| u16::try_from(apex).ok());
        let written = match apex {
            Some(apex) => self.soa_below(section, view, number, apex, query),
            None => self.soa_plain(section, view, number, query),
        };
        self.count(section, 1);
        let fits = written.is_some() && self.sign_soa(section, view, number, apex, query);
        if !fits {
            self.go_back(mark);
        }
        fits
    }

    fn soa_below(
        &mut self,
        section: Section,
        view: &DnsView,
        number: ZoneNumber,
        apex: u16,
        query: &Query,
    ) -> Option<usize> {
        let soa = &view.zones().zone(number).soa;
        self.head(Owner::at(apex), rtype::SOA, soa.ttl_in(section == Section::Authority), query)?;
        let length_at = self.skip(2)?;
        let at = self.at;
        self.put(&soa.compressed)?;
        let rdata = self.out.get_mut(at..self.at)?;
        soa.finish(rdata, u16::try_from(at).ok()?, apex, view.serial(number));
        self.close(length_at)
    }

    fn soa_plain(
        &mut self,
        section: Section,
        view: &DnsView,
        number: ZoneNumber,
        query: &Query,
    ) -> Option<usize> {
        let zone = view.zones().zone(number);
        let ttl = zone.soa.ttl_in(section == Section::Authority);
        self.head(Owner::name(zone.name.as_wire()), rtype::SOA, ttl, query)?;
        let length_at = self.skip(2)?;
        let primary = Labels::read(&zone.soa.plain).ok()?;
        let rest = zone.soa.plain.get(primary.as_wire().len()..)?;
        let contact = Labels::read(rest).ok()?;
        self.name(zone.soa.plain.get(..primary.as_wire().len())?, Case::Exact, query)?;
        self.name(rest.get(..contact.as_wire().len())?, Case::Exact, query)?;
        let mut numbers = *rest.last_chunk::<20>()?;
        set_serial(&mut numbers, view.serial(number));
        self.put(&numbers)?;
        self.close(length_at)
    }

    fn sign_soa(
        &mut self,
        section: Section,
        view: &DnsView,
        number: ZoneNumber,
        apex: Option<u16>,
        query: &Query,
    ) -> bool {
        if !self.signs(view, number) {
            return true;
        }
        let zone = view.zones().zone(number);
        let name = zone.name.as_wire();
        let Some((names, numbers)) = zone.soa.plain.split_last_chunk::<20>() else { return false };
        let mut numbers = *numbers;
        set_serial(&mut numbers, view.serial(number));
        let rdatas = std::iter::once([names, &numbers[..]]);
        let covered = Covered { owner: [name, &[]], rtype: rtype::SOA, ttl: zone.soa.ttl, rdatas };
        let owner = apex.map_or(Owner::name(name), Owner::at);
        let ttl = zone.soa.ttl_in(section == Section::Authority);
        self.sign(section, owner, &covered, (Subject::Record, ttl), view, (number, query))
    }
}
