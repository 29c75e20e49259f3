//! Questions that came together: all are read, then what their answers lie in is fetched into the cache, then they
//! are answered. A look-up by itself waits for memory; many wait at the same time.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::view::{DnsView, ZoneNumber, rtype};

use super::chain::zone_for;
use super::query::{Header, Query, Rejected};
use super::reason::{Answer, Outcome, Reason};
use super::update::OPCODE;
use super::{QueryContext, answer_read};

/// Most questions that are looked ahead for at a time.
pub const BATCH: usize = 64;

/// A message that was read and not answered yet.
#[derive(Clone)]
pub struct Asked {
    read: Result<(Header, Result<Query, Rejected>), Reason>,
    /// The zone of the question's name, once it was looked for: all views of an inventory number zones alike.
    zone: Option<Option<ZoneNumber>>,
}

impl Asked {
    /// Reads a message.
    #[inline]
    pub fn read(message: &[u8]) -> Asked {
        let read = match Header::read(message) {
            None => Err(Reason::Short),
            Some(header) if header.is_response() => Err(Reason::Response),
            Some(header) => Ok((header, Query::read(&header, message))),
        };
        Asked { read, zone: None }
    }

    /// The answer, as [`super::answer`] gives it; `message` is what was read.
    #[inline]
    pub fn answer(
        &mut self,
        view: &DnsView,
        message: &[u8],
        context: QueryContext<'_>,
        out: &mut [u8],
    ) -> Outcome {
        match &mut self.read {
            Ok((header, read)) => answer_read(view, *header, read, message, context, out),
            Err(reason) => Outcome::Dropped(*reason),
        }
    }

    /// Whether it wants something changed, which is for [`super::update`].
    #[inline]
    pub fn is_update(&self) -> bool {
        matches!(&self.read, Ok((header, Err(_))) if header.opcode() == OPCODE)
    }

    /// Whether it asks for a transfer, which over a connection is for [`super::transfer`].
    #[inline]
    pub fn is_transfer(&self) -> bool {
        self.question().is_some_and(|question| matches!(question.qtype, rtype::AXFR | rtype::IXFR))
    }

    /// The servers that are to be asked for what `outcome`, our own reply, leaves open, if the client at `peer` wants
    /// that and may: names in none of our zones, names that we delegate, and where aliases of ours lead. What is
    /// signed is between us and the client.
    pub fn upstream<'v>(
        &self,
        view: &'v DnsView,
        peer: IpAddr,
        outcome: Outcome,
    ) -> Option<&'v Arc<[SocketAddr]>> {
        let is_open = match outcome {
            Outcome::Failed { reason, .. } => reason == Reason::OutsideZones,
            Outcome::Answered { answer, truncated, .. } => {
                matches!(answer, Answer::Referral | Answer::Alias) && !truncated
            }
            Outcome::Dropped(_) => false,
        };
        let Ok((header, Ok(question))) = &self.read else { return None };
        let is_meta = matches!(question.qtype, rtype::AXFR | rtype::IXFR | rtype::ANY);
        if !is_open || !header.wants_recursion() || is_meta || question.signature.is_some() {
            return None;
        }
        view.clients().upstream_of(peer)
    }

    /// Whether the client wants names elsewhere looked up for it: the RD flag.
    pub fn wants_recursion(&self) -> bool {
        self.read.as_ref().is_ok_and(|(header, _)| header.wants_recursion())
    }

    /// The question, if it is one.
    #[inline]
    pub fn question(&self) -> Option<&Query> {
        self.read.as_ref().ok()?.1.as_ref().ok()
    }

    /// The zone that answers the question, if one of ours does.
    #[inline]
    pub fn zone(&self, view: &DnsView) -> Option<ZoneNumber> {
        self.zone
            .unwrap_or_else(|| self.question().and_then(|asked| zone_for(view, &asked.name, asked.qtype)))
    }
}

/// Has what the first [`BATCH`] of the questions will be answered from fetched into the cache. The answers are the
/// same without.
#[inline]
pub fn fetch_ahead(view: &DnsView, asked: &mut [Asked]) {
    let mut hashes = [0; BATCH];
    let mut count = 0;
    for asked in asked {
        let zone = asked.zone(view);
        asked.zone = Some(zone);
        if let (Some(zone), Some(question)) = (zone, asked.question())
            && let Some(place) = hashes.get_mut(count)
        {
            *place = view.place_of(zone, &question.name);
            count += 1;
        }
    }
    view.fetch(hashes.get(..count).unwrap_or(&[]));
}
