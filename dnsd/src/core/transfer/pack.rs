//! The messages of a transfer (RFC 5936, section 2.2): as many records in each as fit.
//!
//! Every message repeats the question, so that owners and names in the zone are compressed by pointing
//! there. Every message is signed.

use std::collections::VecDeque;

use crate::core::header::{OPT_OCTETS, write_opt};
use crate::core::query::{Edns, HEADER_OCTETS};
use crate::core::serial::UnixSeconds;
use crate::core::tsig::Session;
use crate::view::{WireRecord, ZoneRecord, labels_of, rtype};

/// Octets after which a message is full: large enough to be cheap, small enough to be sent in time.
const FULL: usize = 32 * 1024;
/// Octets of any message.
const OCTETS_MAX: usize = 65_535;
/// Class IN.
const CLASS_IN: [u8; 2] = [0, 1];

/// Messages in the making.
#[derive(Debug)]
pub(super) struct Pack {
    /// The zone's SOA record, which begins and ends a transfer.
    pub(super) soa: ZoneRecord,
    /// Messages that are complete.
    pub(super) ready: VecDeque<Vec<u8>>,
    /// Whether a record fits no message.
    pub(super) failed: bool,
    head: Vec<u8>,
    apex: Box<[u8]>,
    edns: Option<Edns>,
    session: Option<Session>,
    message: Vec<u8>,
    answers: u16,
    /// Whether anything was ever pushed.
    begun: bool,
}

impl Pack {
    /// `head`: the query up to the end of its question. `apex`: the zone's name.
    pub(super) fn new(
        mut head: Vec<u8>,
        apex: &[u8],
        soa: ZoneRecord,
        edns: Option<Edns>,
        session: Option<Session>,
    ) -> Pack {
        if let Some([_, _, flags, more, rest @ ..]) = head.first_chunk_mut::<HEADER_OCTETS>() {
            // QR and AA; of what was asked only RD stays. One question, nothing else so far.
            *flags = 0x84 | *flags & 1;
            *more = 0;
            *rest = [0, 1, 0, 0, 0, 0, 0, 0];
        }
        Pack {
            soa,
            ready: VecDeque::new(),
            failed: false,
            message: head.clone(),
            head,
            apex: apex.into(),
            edns,
            session,
            answers: 0,
            begun: false,
        }
    }

    /// Whether nothing was pushed yet.
    pub(super) fn is_new(&self) -> bool {
        !self.begun
    }

    /// Adds the SOA record.
    pub(super) fn push_soa(&mut self, now: UnixSeconds) {
        let soa = self.soa.clone();
        self.push(WireRecord::from(&soa), now);
    }

    /// Adds a record of the zone.
    pub(super) fn push(&mut self, record: WireRecord<'_>, now: UnixSeconds) {
        self.begun = true;
        let start = self.message.len();
        self.write(record);
        if self.message.len() > FULL && self.answers > 0 {
            self.message.truncate(start);
            self.finish(now);
            self.write(record);
        }
        if self.message.len() + self.trailer() > OCTETS_MAX {
            self.failed = true;
        }
        self.answers += 1;
    }

    /// Completes the message; `false` if there is none.
    pub(super) fn finish(&mut self, now: UnixSeconds) -> bool {
        if self.answers == 0 || self.failed {
            return false;
        }
        let mut message = std::mem::replace(&mut self.message, self.head.clone());
        let answers = std::mem::take(&mut self.answers).to_be_bytes();
        let mut additional = 0;
        if let Some(edns) = self.edns.take() {
            let (at, edns) = (message.len(), Edns { padding: false, ..edns });
            message.resize(at + OPT_OCTETS + edns.reply.as_octets().len(), 0);
            additional = write_opt(&edns, 0, at, &mut message).map_or(0, |_| 1);
        }
        if let Some([.., a0, a1, _, _, _, r1]) = message.first_chunk_mut::<HEADER_OCTETS>() {
            ([*a0, *a1], *r1) = (answers, additional);
        }
        if let Some(session) = &mut self.session {
            let at = message.len();
            message.resize(at + session.octets(), 0);
            self.failed |= session.sign(&mut message, at, now).is_none();
        }
        self.ready.push_back(message);
        true
    }

    /// Octets that come after the records.
    fn trailer(&self) -> usize {
        let edns = crate::core::reserved_for(self.edns.as_ref());
        edns + self.session.as_ref().map_or(0, Session::octets)
    }

    fn write(&mut self, record: WireRecord<'_>) {
        self.name(record.owner);
        self.message.extend_from_slice(&record.rtype.to_be_bytes());
        self.message.extend_from_slice(&CLASS_IN);
        self.message.extend_from_slice(&record.ttl.to_be_bytes());
        let length_at = self.message.len();
        self.message.extend_from_slice(&[0, 0]);
        match record.rtype {
            rtype::NS | rtype::CNAME | rtype::PTR => self.name(record.rdata),
            _ => self.message.extend_from_slice(record.rdata),
        }
        let length = u16::try_from(self.message.len() - length_at - 2).unwrap_or(u16::MAX);
        if let Some(place) = self.message.get_mut(length_at..length_at + 2) {
            place.copy_from_slice(&length.to_be_bytes());
        }
    }

    /// Writes a name; one in the zone ends by pointing to the question, which is the apex.
    fn name(&mut self, wire: &[u8]) {
        const QUESTION: [u8; 2] = [0xc0, 12];
        let octets = |head| labels_of(head).map(|label| label.len() + 1).sum::<usize>();
        match wire.strip_suffix(&*self.apex) {
            Some(head) if self.apex.len() > 1 && octets(head) == head.len() => {
                self.message.extend_from_slice(head);
                self.message.extend_from_slice(&QUESTION);
            }
            _ => self.message.extend_from_slice(wire),
        }
    }
}
