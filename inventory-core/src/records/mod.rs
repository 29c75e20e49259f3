//! Resource records as people write them: master-file lines (RFC 1035, section 5).
//!
//! Decides what a text says and what is wrong with it. Never looks at the inventory: whether a
//! record's owner lies in its zone, stands twice or beside a CNAME is for the caller to judge.
//!
//! Two things go beyond the standard, because both could only be mistakes otherwise. Text that is
//! indented as a whole counts from the indentation of its first record. And where a legal line
//! nearly always means something else (a name that spells out its zone without the dot at its end,
//! an unquoted `;` in a TXT record), it is refused with a way to say what is meant: see
//! [`Dialect::pitfalls`].
//!
//! One mistake never hides the next: reading goes on at the next record.

mod canonical;
mod codec;
mod directive;
mod entry;
mod fields;
mod gateway;
mod lex;
mod lists;
mod loc;
mod master;
mod names;
mod present;
mod rare;
mod report;
mod rtype;
mod shape;
mod sshfp;
mod svcb;
mod ttl;
mod values;
mod wire;

pub use canonical::{canonical, covered_type};
pub(crate) use codec::from_base64;
pub use master::{Files, Unopened, read_master};
pub(crate) use present::base64;
pub use present::present;
pub use rare::bitmap;
pub use rtype::RecordType;
pub use sshfp::{fingerprint_of, ssh_fingerprint};

use crate::diag::Finding;
use crate::name::Name;
use crate::span::Span;

/// One resource record of class IN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The name it belongs to. A wildcard's first label is `*`.
    pub owner: Name,
    /// Where the owner is written: on an earlier line when the record's own line leaves it out.
    pub owner_span: Span,
    /// Seconds; `None` when neither the record nor a `$TTL` says it: the zone's.
    pub ttl: Option<u32>,
    /// The type.
    pub rtype: RecordType,
    /// The data in wire form, names uncompressed and in the case that they are written in.
    pub rdata: Box<[u8]>,
    /// From the first word of the record to the last.
    pub span: Span,
    /// What a CNAME, NS, PTR, MX, SRV or DNAME record points to.
    pub target: Option<Name>,
    /// Where that stands, if there is a target.
    pub target_span: Option<Span>,
}

/// What a text may say, beyond what every master file may.
///
/// Whole master files are read with the same reader; they have a SOA record and stand as their
/// authors wrote them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// SOA records are read; otherwise they are refused, because hostbook derives them.
    pub soa: bool,
    /// Text that is indented as a whole counts from the indentation of its first record. Otherwise
    /// white space in front always stands for the owner before (RFC 1035, section 5.1).
    pub margin: bool,
    /// A record without TTL and without `$TTL` has the TTL last written (RFC 1035, section 5.1).
    /// Otherwise it has none, and the zone's counts.
    pub last_ttl: bool,
    /// Legal lines that nearly always mean something else are refused.
    pub pitfalls: bool,
}

impl Dialect {
    /// The `records` of a zone in the inventory.
    pub const INLINE: Dialect = Dialect { soa: false, margin: true, last_ttl: false, pitfalls: true };

    /// A whole master file.
    pub const FILE: Dialect = Dialect { soa: true, margin: false, last_ttl: true, pitfalls: false };
}

/// Reads the `records` of a zone.
///
/// Relative names end in `origin`, the zone's name. `locate(from, to)` says where octets `from..to`
/// of `text` stand in their file. Mistakes go to `findings`, all of rule
/// [`InvalidRecord`](crate::diag::Rule::InvalidRecord); the records that are right are returned, in
/// the order of the text.
pub fn parse(
    text: &str,
    origin: &Name,
    locate: &dyn Fn(usize, usize) -> Span,
    findings: &mut Vec<Finding>,
) -> Vec<Record> {
    parse_with(text, origin, Dialect::INLINE, locate, findings)
}

/// Like [`parse`], in a dialect of choice.
pub fn parse_with(
    text: &str,
    origin: &Name,
    dialect: Dialect,
    locate: &dyn Fn(usize, usize) -> Span,
    findings: &mut Vec<Finding>,
) -> Vec<Record> {
    let report = report::Report::new(locate, findings);
    entry::Reader::new(text, origin, dialect, report).read()
}

/// The octets that `text` says in base64 (RFC 4648, section 4), blanks left out; `None` if it is none.
pub fn octets_of_base64(text: &str) -> Option<Vec<u8>> {
    let digits: String = text.split_ascii_whitespace().collect();
    from_base64(&digits).ok()
}

#[cfg(test)]
mod tests;
