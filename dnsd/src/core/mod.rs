//! Answering: one message in, at most one out.
//!
//! [`answer`] is a pure function of a view and a message (RFC 1034, section 4.3.2). No sockets, files,
//! clocks or randomness, so that the same call gives the same answer in production, in tests and under
//! a fuzzer. A hostile message is never a panic and never an `Err`: it gets a reply or is dropped, and
//! either has a [`Reason`].
//!
//! Decisions where servers differ: ANY gets one RRset (RFC 8482), of 512 octets at most in a datagram; answers
//! are minimal, without the zone's NS records beside them; CNAME chains are followed through all zones of
//! ours.
//!
//! Transfers have many messages and are not answered here but in [`transfer`]; who asks for one in a
//! datagram gets the SOA record, and comes back over a connection.

#![deny(clippy::indexing_slicing, clippy::too_many_lines, clippy::wildcard_enum_match_arm)]

mod ahead;
mod chain;
pub mod cookie;
pub mod delta;
pub mod dnssec;
mod extra;
mod find;
mod header;
pub mod identity;
mod kind;
mod lifetime;
pub mod limit;
mod message;
mod names;
pub mod notify;
mod prove;
mod query;
mod reason;
pub mod serial;
pub mod transfer;
pub mod tsig;
pub mod update;

#[cfg(test)]
mod tests;

pub use ahead::{Asked, BATCH, fetch_ahead};
pub use header::{OPT_OCTETS, Options, UDP_PAYLOAD, padding_after};
pub use kind::Kind;
pub use lifetime::lifetime;
pub use query::{Edns, HEADER_OCTETS, Header, Query, Rejected};
pub use reason::{Answer, Outcome, Reason, rcode};

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use crate::view::{DnsView, rtype};

use chain::Resolution;
use header::Flags;
use identity::{Identity, option};
use limit::{Limiter, Verdict};
use message::Message;
use serial::UnixSeconds;
use tsig::{Keyring, Session, Signature};

/// Most octets of a UDP reply to a query without EDNS (RFC 1035, section 4.2.1).
const PLAIN_PAYLOAD: u16 = 512;

/// How a query came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// In a datagram: replies are small.
    Udp,
    /// Over a connection: replies have up to 65,535 octets.
    Tcp,
    /// Over an encrypted connection: the same, and padded for who asks for that.
    Encrypted,
}

/// What is known of a query beside its octets.
#[derive(Clone, Copy, Debug)]
pub struct QueryContext<'k> {
    /// How it came.
    pub transport: Transport,
    /// From where.
    pub peer: IpAddr,
    /// When.
    pub now: UnixSeconds,
    /// The secrets that it may be signed with.
    pub keys: Option<&'k Keyring>,
    /// What the server says of itself.
    pub identity: Option<&'k Identity>,
    /// What counts answers, and the time that has passed since it began.
    pub limiter: Option<(&'k Limiter, Duration)>,
}

impl QueryContext<'_> {
    /// A query of nobody at no time, where that makes no difference.
    pub const fn anonymous(transport: Transport) -> QueryContext<'static> {
        QueryContext {
            transport,
            peer: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            now: UnixSeconds(0),
            keys: None,
            identity: None,
            limiter: None,
        }
    }
}

/// Answers `query` from `view`.
///
/// The reply is written to the start of `out`, never beyond its end; 65,535 octets are enough for any,
/// [`UDP_PAYLOAD`] for any over UDP.
pub fn answer(view: &DnsView, query: &[u8], context: QueryContext<'_>, out: &mut [u8]) -> Outcome {
    let mut asked = Asked::read(query);
    asked.answer(view, query, context, out)
}

fn answer_read(
    view: &DnsView,
    header: Header,
    read: &mut Result<Query, Rejected>,
    query: &[u8],
    context: QueryContext<'_>,
    out: &mut [u8],
) -> Outcome {
    prepare(read, context);
    let Some(limiter) = context.limiter.filter(|_| is_counted(view, read, context)) else {
        return reply(view, &header, read, query, context, out);
    };
    // A signature costs more than all else: it is made for an answer that is sent.
    let first = without_signatures(view, read);
    let outcome = reply(view, &header, first.as_ref().unwrap_or(read), query, context, out);
    match (judge(read, (context, limiter), view, outcome), first) {
        (Verdict::Send, None) => outcome,
        (Verdict::Send, Some(_)) => reply(view, &header, read, query, context, out),
        (verdict, _) => withhold(&header, read, query, verdict, out),
    }
}

/// Says what goes into the OPT record of the reply.
fn prepare(read: &mut Result<Query, Rejected>, context: QueryContext<'_>) {
    let edns = match read {
        Ok(question) => &mut question.edns,
        Err(rejected) => &mut rejected.edns,
    };
    if let Some(edns) = edns {
        edns.padding &= context.transport == Transport::Encrypted;
        if let Some(identity) = context.identity {
            identity.answer(edns, &context);
        }
    }
    if let Err(rejected) = read {
        rejected.judge_cookie(context.identity.is_some());
    }
}

fn reply(
    view: &DnsView,
    header: &Header,
    read: &Result<Query, Rejected>,
    query: &[u8],
    context: QueryContext<'_>,
    out: &mut [u8],
) -> Outcome {
    match read {
        Ok(question) => match question.signature {
            None => respond(view, header, question, query, (context, None), out),
            Some(start) => signed(view, header, question, query, (context, start), out),
        },
        Err(rejected) => fail(header, *rejected, query, out),
    }
}

/// Whether the reply counts: one by UDP to who is in no network of ours and did not show that his address is his own.
fn is_counted(view: &DnsView, read: &Result<Query, Rejected>, context: QueryContext<'_>) -> bool {
    let edns = read.as_ref().map_or_else(|rejected| rejected.edns, |question| question.edns);
    let proven = edns.is_some_and(|edns| edns.proven);
    view.clients().limit > 0
        && !proven
        && context.transport == Transport::Udp
        && !view.clients().are_own(context.peer)
}

/// The same question without the wish for signatures, if it has that and its zone is signed.
fn without_signatures(view: &DnsView, read: &Result<Query, Rejected>) -> Option<Result<Query, Rejected>> {
    let question = read.as_ref().ok().filter(|_| view.signing().is_on())?;
    let edns = question.edns.filter(|edns| edns.dnssec_ok && question.signature.is_none())?;
    view.signing().zone(chain::zone_for(view, &question.name, question.qtype)?)?;
    Some(Ok(Query { edns: Some(Edns { dnssec_ok: false, ..edns }), ..question.clone() }))
}

/// Counts a reply.
fn judge(
    read: &Result<Query, Rejected>,
    (context, (limiter, now)): (QueryContext<'_>, (&Limiter, Duration)),
    view: &DnsView,
    outcome: Outcome,
) -> Verdict {
    if outcome.octets().is_none() {
        return Verdict::Send;
    }
    let identity = match (outcome, read) {
        (Outcome::Answered { answer: Answer::Records | Answer::Alias, .. }, Ok(question)) => {
            question.digest()
        }
        // Names that do not exist are as many as anybody likes: they all say the same.
        (Outcome::Answered { answer, .. }, _) => answer as u64,
        _ => u64::MAX,
    };
    limiter.judge(context.peer, identity, view.clients().limit, now)
}

/// What there is instead of a reply that is one too many.
fn withhold(
    header: &Header,
    read: &Result<Query, Rejected>,
    query: &[u8],
    verdict: Verdict,
    out: &mut [u8],
) -> Outcome {
    let (edns, end) = match read {
        Ok(question) => (question.edns, question.question_end),
        Err(rejected) => (rejected.edns, rejected.question_end.unwrap_or(HEADER_OCTETS)),
    };
    let room = out.len().saturating_sub(reserved_for(edns.as_ref()));
    let message = Message::start(query, end, room, out).filter(|_| verdict == Verdict::Slip);
    let Some(message) = message else { return Outcome::Dropped(Reason::RateDrop) };
    let ask_for_cookie = edns.is_some_and(|edns| edns.cookie.is_some());
    let rcode = if ask_for_cookie { rcode::BADCOOKIE } else { rcode::NOERROR };
    let octets =
        message.finish(header, Flags { rcode, truncated: !ask_for_cookie, ..Flags::default() }, edns);
    Outcome::Failed { octets, reason: Reason::RateSlip }
}

/// Answers a query that has a signature at this offset (RFC 8945, section 5.3).
fn signed(
    view: &DnsView,
    header: &Header,
    question: &Query,
    query: &[u8],
    (context, start): (QueryContext<'_>, usize),
    out: &mut [u8],
) -> Outcome {
    let limit = room(question, context.transport).min(out.len());
    let Some(out) = out.get_mut(..limit) else { return Outcome::Dropped(Reason::NoRoom) };
    let mut session = match open(header, question, query, (context, start), out) {
        Ok(session) => session,
        Err(outcome) => return outcome,
    };
    let outcome = respond(view, header, question, query, (context, Some(&session)), out);
    let Some(octets) = outcome.octets() else { return outcome };
    match session.sign(out, octets, context.now) {
        Some(octets) => outcome.with_octets(octets),
        None => Outcome::Dropped(Reason::NoRoom),
    }
}

/// Judges the signature of a query; the outcome if it does not hold.
fn open(
    header: &Header,
    question: &Query,
    query: &[u8],
    (context, start): (QueryContext<'_>, usize),
    out: &mut [u8],
) -> Result<Session, Outcome> {
    let Some(signature) = Signature::read(query, start) else {
        return Err(fail(header, question.rejected(Reason::Records), query, out));
    };
    let nobody = Keyring::default();
    let keys = context.keys.unwrap_or(&nobody);
    keys.open(query, &signature, context.now).map_err(|refused| {
        let outcome = fail(header, question.rejected(refused.reason), query, out);
        let octets = outcome.octets().and_then(|at| refused.sign(&signature, out, at, context.now));
        octets.map_or(Outcome::Dropped(Reason::NoRoom), |octets| outcome.with_octets(octets))
    })
}

fn respond(
    view: &DnsView,
    header: &Header,
    question: &Query,
    query: &[u8],
    (context, session): (QueryContext<'_>, Option<&Session>),
    out: &mut [u8],
) -> Outcome {
    let rejected = |reason| question.rejected(reason);
    if matches!(question.qtype, rtype::AXFR | rtype::IXFR)
        && let Err(reason) = transfer::in_datagram(view, question, context, session.map(Session::key))
    {
        return fail(header, rejected(reason), query, out);
    }
    let reserved = reserved_for(question.edns.as_ref()) + session.map_or(0, Session::octets);
    let limit = room(question, context.transport).min(out.len()).saturating_sub(reserved);
    let Some(mut message) = Message::start(query, question.question_end, limit, out) else {
        return Outcome::Dropped(Reason::NoRoom);
    };
    message.sign_at(context.now, question.edns.is_some_and(|edns| edns.dnssec_ok));
    // Who asks for changes in a datagram may have the SOA record.
    let soa = (question.qtype == rtype::IXFR).then(|| Query { qtype: rtype::SOA, ..question.clone() });
    let resolution = chain::resolve(view, soa.as_ref().unwrap_or(question), context.peer, &mut message);
    let (answer, flags) = match resolution {
        Resolution::Answered { answer, authoritative, truncated } => {
            let recursive = view.clients().upstream_of(context.peer).is_some();
            (answer, Flags { authoritative, recursive, truncated, rcode: answer.rcode() })
        }
        Resolution::RedirectTooLong => {
            let flags = Flags { authoritative: true, rcode: rcode::YXDOMAIN, ..Flags::default() };
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
    let mut edns = edns;
    if let (Some(edns), Some(code)) = (&mut edns, reason.extended_error()) {
        edns.reply.push(option::EXTENDED_ERROR, &[&code.to_be_bytes()]);
    }
    let room = out.len().saturating_sub(reserved_for(edns.as_ref()));
    let Some(message) = Message::start(query, end, room, out) else {
        return Outcome::Dropped(Reason::NoRoom);
    };
    let octets = message.finish(header, Flags { rcode, ..Flags::default() }, edns);
    Outcome::Failed { octets, reason }
}

/// Octets of a reply that are kept free for its OPT record.
#[inline]
fn reserved_for(edns: Option<&Edns>) -> usize {
    edns.map_or(0, |edns| OPT_OCTETS + edns.reply.as_octets().len())
}

/// Most octets of the reply. Who asks for ANY in a datagram may be somebody else than it says, and wants much
/// for little: there is no more than in times without EDNS, and the truncated rest is for connections (RFC 8482,
/// section 4.4).
#[inline]
fn room(question: &Query, transport: Transport) -> usize {
    match (transport, question.edns) {
        (Transport::Tcp | Transport::Encrypted, _) => u16::MAX.into(),
        (Transport::Udp, None) => PLAIN_PAYLOAD.into(),
        (Transport::Udp, Some(_)) if question.qtype == rtype::ANY => PLAIN_PAYLOAD.into(),
        (Transport::Udp, Some(edns)) => edns.payload.clamp(PLAIN_PAYLOAD, UDP_PAYLOAD).into(),
    }
}
