//! Transfers: whole zones (AXFR, RFC 5936) and what changed in them (IXFR, RFC 1995).
//!
//! [`open`] decides who gets what; [`Transfer`] then makes the messages one by one, from one view from
//! beginning to end, so that a zone is never in memory as a whole, unless it is signed: then its chain is. Names go
//! in their order, in which copying is cheap; where they are is kept meanwhile. What changed is asked of the
//! caller, who keeps it: see [`Grant::since`].

mod pack;
mod signed;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;

use inventory_core::name::Name;

use crate::view::{DnsView, Walk, WireRecord, Zone, ZoneNumber, rtype};

use super::delta::Delta;
use super::query::{Edns, Header, Query};
use super::reason::{Outcome, Reason};
use super::serial::{UnixSeconds, is_after};
use super::tsig::Session;
use super::{QueryContext, Transport, fail, prepare};
use pack::Pack;
use signed::SignedZone;

/// How many times some names are looked at before others have their turn, if that does not fill a message.
const STEPS: usize = 16;

/// Leave to transfer a zone.
#[derive(Debug)]
pub struct Grant {
    /// The zone.
    pub zone: ZoneNumber,
    /// The serial that the client has, if it asks for what changed since.
    pub since: Option<u32>,
    /// Header and question of the replies.
    head: Vec<u8>,
    edns: Option<Edns>,
    session: Option<Session>,
}

/// What comes of a query for a transfer.
#[derive(Debug)]
pub enum Opened {
    /// One message, in `out`, or none.
    Reply(Outcome),
    /// A transfer.
    Granted(Box<Grant>),
}

/// What a transfer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The whole zone.
    Whole,
    /// What changed.
    Changes,
    /// That nothing changed.
    UpToDate,
}

/// A transfer under way.
#[derive(Debug)]
pub struct Transfer {
    view: Arc<DnsView>,
    kind: Kind,
    source: Source,
    pack: Pack,
}

#[derive(Debug)]
enum Source {
    Walk(Walk),
    Signed(SignedZone),
    Deltas(VecDeque<Delta>),
    /// Nothing but the SOA record at the end.
    End,
    Nothing,
}

/// The next part of a transfer.
#[derive(Debug, PartialEq, Eq)]
pub enum Part {
    /// A message to be sent.
    Message(Vec<u8>),
    /// Nothing so far: to be asked again, when others had their turn.
    Nothing,
    /// It is over.
    End,
    /// It cannot go on: a record does not fit any message.
    Failed,
}

/// Whether a query for a transfer may be answered with the SOA record, the reply to one by UDP (RFC
/// 1995, section 2). Over a connection, [`open`] answers.
pub(super) fn in_datagram(
    view: &DnsView,
    question: &Query,
    context: QueryContext<'_>,
    key: Option<&Name>,
) -> Result<(), Reason> {
    if context.transport == Transport::Udp && question.qtype == rtype::AXFR {
        return Err(Reason::TransferByUdp);
    }
    let zone = zone_of(view, question).ok_or(Reason::TransferOutside)?;
    let by_udp = context.transport == Transport::Udp;
    if by_udp && may_copy(view.zones().zone(zone), context.peer, key) {
        return Ok(());
    }
    Err(Reason::Transfer)
}

/// Whether who asks from `peer`, with a signature by `key`, may copy `zone`.
pub fn may_copy(zone: &Zone, peer: IpAddr, key: Option<&Name>) -> bool {
    zone.secondaries.iter().any(|secondary| secondary.is(peer, key))
}

/// Answers a query for a transfer over a connection. A reply that is no transfer is written to `out`.
pub fn open(view: &DnsView, query: &[u8], context: QueryContext<'_>, out: &mut [u8]) -> Opened {
    let Some(header) = Header::read(query) else { return Opened::Reply(Outcome::Dropped(Reason::Short)) };
    let mut read = Query::read(&header, query);
    prepare(&mut read, context);
    let question = match read {
        Ok(question) => question,
        Err(rejected) => return Opened::Reply(fail(&header, rejected, query, out)),
    };
    let mut session = match question.signature {
        None => None,
        Some(start) => match super::open(&header, &question, query, (context, start), out) {
            Ok(session) => Some(session),
            Err(outcome) => return Opened::Reply(outcome),
        },
    };
    let reason = match grant(view, &question, query, context.peer, session.as_ref()) {
        Ok(mut grant) => {
            grant.session = session;
            return Opened::Granted(Box::new(grant));
        }
        Err(reason) => reason,
    };
    let outcome = fail(&header, question.rejected(reason), query, out);
    let signed = match (&mut session, outcome.octets()) {
        (Some(session), Some(octets)) => {
            let signed = session.sign(out, octets, context.now);
            signed.map_or(Outcome::Dropped(Reason::NoRoom), |octets| outcome.with_octets(octets))
        }
        _ => outcome,
    };
    Opened::Reply(signed)
}

fn grant(
    view: &DnsView,
    question: &Query,
    query: &[u8],
    peer: IpAddr,
    session: Option<&Session>,
) -> Result<Grant, Reason> {
    let zone = zone_of(view, question).ok_or(Reason::TransferOutside)?;
    if !may_copy(view.zones().zone(zone), peer, session.map(Session::key)) {
        return Err(Reason::Transfer);
    }
    let since = match question.qtype {
        rtype::IXFR => Some(serial_in(query, question.question_end).ok_or(Reason::Records)?),
        _ => None,
    };
    let head = query.get(..question.question_end).unwrap_or(&[]).to_vec();
    Ok(Grant { zone, since, head, edns: question.edns, session: None })
}

/// The zone whose apex is asked for.
fn zone_of(view: &DnsView, question: &Query) -> Option<ZoneNumber> {
    let zone = view.zones().find(&question.name, question.name.count())?;
    (view.zones().zone(zone).depth == question.name.count()).then_some(zone)
}

/// The serial that the client has: that of the SOA record after the question (RFC 1995, section 3).
fn serial_in(query: &[u8], question_end: usize) -> Option<u32> {
    let octets = query.get(question_end..)?;
    let owner = super::query::name_octets(octets)?;
    let (&[t0, t1, _, _, _, _, _, _, l0, l1], rest) = octets.get(owner..)?.split_first_chunk::<10>()?;
    let rdata = rest.get(..usize::from(u16::from_be_bytes([l0, l1])))?;
    let &[a, b, c, d, ..] = rdata.last_chunk::<20>()?;
    (u16::from_be_bytes([t0, t1]) == rtype::SOA).then_some(u32::from_be_bytes([a, b, c, d]))
}

impl Transfer {
    /// Starts a transfer from `view`, the one that it was granted by. `deltas`: what changed from the
    /// serial that was asked about to that of the view, if that is known. Of a signed zone nothing is: it is
    /// copied as a whole, because signatures are not kept from one edition to the next.
    ///
    /// Cost: a look at all names of the view, and putting those of the zone in order; little for changes.
    pub fn new(view: Arc<DnsView>, grant: Grant, deltas: Option<Vec<Delta>>) -> Transfer {
        let Grant { zone, since, head, edns, session } = grant;
        let current = view.serial(zone);
        let (kind, source) = match (since, deltas) {
            (Some(since), _) if !is_after(current, since) => (Kind::UpToDate, Source::Nothing),
            (Some(_), Some(deltas)) => (Kind::Changes, Source::Deltas(deltas.into())),
            _ if view.signing().zone(zone).is_some() => {
                (Kind::Whole, Source::Signed(SignedZone::new(&view, zone)))
            }
            _ => (Kind::Whole, Source::Walk(Walk::new(&view, zone))),
        };
        let pack = Pack::new(head, view.zones().wire(zone), view.soa(zone), edns, session);
        Transfer { view, kind, source, pack }
    }

    /// What it says.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The serial that the client has afterwards.
    pub fn serial(&self) -> u32 {
        super::delta::serial_of(&self.pack.soa).unwrap_or(0)
    }

    /// The next part, made at `now`.
    pub fn next(&mut self, now: UnixSeconds) -> Part {
        if let Some(message) = self.pack.ready.pop_front() {
            return Part::Message(message);
        }
        if self.pack.is_new() {
            self.pack.push_soa(now);
        }
        match &mut self.source {
            Source::Walk(walk) => {
                let pack = &mut self.pack;
                let more = (0..STEPS).all(|_| {
                    !pack.ready.is_empty() || walk.step(&self.view, |record| pack.push(record, now))
                });
                if !more {
                    self.source = Source::End;
                }
            }
            Source::Signed(signed) => {
                let pack = &mut self.pack;
                match signed.step(&self.view, now, |record| pack.push(WireRecord::from(record), now)) {
                    Some(true) => {}
                    Some(false) => self.source = Source::End,
                    None => return Part::Failed,
                }
            }
            Source::Deltas(deltas) => match deltas.pop_front() {
                Some(delta) => delta.records().for_each(|record| self.pack.push(record, now)),
                None => self.source = Source::End,
            },
            Source::End => {
                self.pack.push_soa(now);
                self.source = Source::Nothing;
            }
            Source::Nothing => {
                if !self.pack.finish(now) {
                    return if self.pack.failed { Part::Failed } else { Part::End };
                }
            }
        }
        match self.pack.ready.pop_front() {
            _ if self.pack.failed => Part::Failed,
            Some(message) => Part::Message(message),
            None => Part::Nothing,
        }
    }
}
