//! Answering: one message in, at most one out.
//!
//! [`answer`] is a pure function of a view and a message (RFC 1034, section 4.3.2). No sockets, files,
//! clocks or randomness, so that the same call gives the same answer in production, in tests and under
//! a fuzzer. A hostile message is never a panic and never an `Err`: it gets a reply or is dropped, and
//! either has a [`Reason`].
//!
//! Decisions where servers differ: ANY gets one RRset (RFC 8482); answers are minimal, without the
//! zone's NS records beside them; CNAME chains are followed through all zones of ours; transfers are
//! refused so far.

#![deny(clippy::indexing_slicing, clippy::too_many_lines, clippy::wildcard_enum_match_arm)]

mod chain;
mod extra;
mod find;
mod header;
mod message;
mod names;
mod query;
mod reason;
pub mod serial;

#[cfg(test)]
mod tests;

pub use header::{OPT_OCTETS, UDP_PAYLOAD};
pub use query::{Edns, HEADER_OCTETS, Header, Query, Rejected};
pub use reason::{Answer, Outcome, Reason, rcode};

use crate::view::{DnsView, rtype};

use chain::Resolution;
use header::Flags;
use message::Message;

/// Most octets of a UDP reply to a query without EDNS (RFC 1035, section 4.2.1).
const PLAIN_PAYLOAD: u16 = 512;

/// How a query came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// In a datagram: replies are small.
    Udp,
    /// Over a connection: replies have up to 65,535 octets.
    Tcp,
}

/// What is known of a query beside its octets.
#[derive(Clone, Copy, Debug)]
pub struct QueryContext {
    /// How it came.
    pub transport: Transport,
}

/// Answers `query` from `view`.
///
/// The reply is written to the start of `out`, never beyond its end; 65,535 octets are enough for any,
/// [`UDP_PAYLOAD`] for any over UDP.
pub fn answer(view: &DnsView, query: &[u8], context: QueryContext, out: &mut [u8]) -> Outcome {
    let Some(header) = Header::read(query) else { return Outcome::Dropped(Reason::Short) };
    if header.is_response() {
        return Outcome::Dropped(Reason::Response);
    }
    match Query::read(&header, query) {
        Ok(question) => respond(view, &header, &question, query, context, out),
        Err(rejected) => fail(&header, rejected, query, out),
    }
}

fn respond(
    view: &DnsView,
    header: &Header,
    question: &Query,
    query: &[u8],
    context: QueryContext,
    out: &mut [u8],
) -> Outcome {
    let rejected =
        |reason| Rejected { reason, question_end: Some(question.question_end), edns: question.edns };
    match (question.qtype, context.transport) {
        (rtype::AXFR, Transport::Udp) => return fail(header, rejected(Reason::TransferByUdp), query, out),
        (rtype::AXFR | rtype::IXFR, _) => return fail(header, rejected(Reason::Transfer), query, out),
        _ => {}
    }
    let limit = room(question.edns, context.transport).min(out.len());
    let limit = limit.saturating_sub(reserved_for(question.edns));
    let Some(mut message) = Message::start(query, question.question_end, limit, out) else {
        return Outcome::Dropped(Reason::NoRoom);
    };
    let resolution = chain::resolve(view, question, &mut message);
    let (answer, flags) = match resolution {
        Resolution::Answered { answer, authoritative, truncated } => {
            let rcode = if answer == Answer::NoName { rcode::NXDOMAIN } else { rcode::NOERROR };
            (answer, Flags { authoritative, truncated, rcode })
        }
        Resolution::RedirectTooLong => {
            let flags = Flags { authoritative: true, truncated: false, rcode: rcode::YXDOMAIN };
            let octets = message.finish(header, flags, question.edns);
            return Outcome::Failed { octets, reason: Reason::RedirectTooLong };
        }
        Resolution::Failed(reason) => return fail(header, rejected(reason), query, out),
    };
    let octets = message.finish(header, flags, question.edns);
    Outcome::Answered { octets, answer, truncated: flags.truncated }
}

/// Writes an error reply: header, the question if it could be read, OPT if the query had one.
fn fail(header: &Header, rejected: Rejected, query: &[u8], out: &mut [u8]) -> Outcome {
    let Rejected { reason, question_end, edns } = rejected;
    let Some(rcode) = reason.rcode() else { return Outcome::Dropped(reason) };
    let end = question_end.unwrap_or(HEADER_OCTETS);
    // Without its OPT record a BADVERS would read as NOERROR.
    let room = out.len().saturating_sub(reserved_for(edns));
    let Some(message) = Message::start(query, end, room, out) else {
        return Outcome::Dropped(Reason::NoRoom);
    };
    let octets = message.finish(header, Flags { rcode, ..Flags::default() }, edns);
    Outcome::Failed { octets, reason }
}

/// Octets of a reply that are kept free for its OPT record.
#[inline]
fn reserved_for(edns: Option<Edns>) -> usize {
    if edns.is_some() { OPT_OCTETS } else { 0 }
}

/// Most octets of the reply.
#[inline]
fn room(edns: Option<Edns>, transport: Transport) -> usize {
    match (transport, edns) {
        (Transport::Tcp, _) => u16::MAX.into(),
        (Transport::Udp, None) => PLAIN_PAYLOAD.into(),
        (Transport::Udp, Some(edns)) => edns.payload.clamp(PLAIN_PAYLOAD, UDP_PAYLOAD).into(),
    }
}
