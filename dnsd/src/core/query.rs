//! Reading a query: RFC 1035, section 4.1, and its OPT record, RFC 6891, section 6.1.
//!
//! Decides whether a message is a question that can be looked up. Never looks at any data.

use crate::view::{Labels, name_hash, rtype};

use super::cookie::{Cookie, Shown};
use super::header::Options;
use super::identity::option;
use super::reason::Reason;

/// Octets of a header.
pub const HEADER_OCTETS: usize = 12;
/// Class IN.
const CLASS_IN: u16 = 1;

/// A header, its counts apart.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    /// Message id as on the wire.
    pub id: [u8; 2],
    /// Flags as on the wire.
    pub flags: u16,
    /// Numbers of questions, answers, authority and additional records.
    pub counts: [u16; 4],
}

/// A question that can be looked up.
#[derive(Clone)]
pub struct Query {
    /// The name.
    pub name: Labels,
    /// Number of the type.
    pub qtype: u16,
    /// Offset of the first octet after the question.
    pub question_end: usize,
    /// What its OPT record says, if it has one.
    pub edns: Option<Edns>,
    /// Offset of the TSIG record, if it has one.
    pub signature: Option<usize>,
}

/// What an OPT record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edns {
    /// Most octets of a UDP reply.
    pub payload: u16,
    /// Whether DNSSEC records are welcome: the DO flag, given back as it came.
    pub dnssec_ok: bool,
    /// The cookie that came with it.
    pub cookie: Option<Cookie>,
    /// Whether the server's name is asked for.
    pub nsid: bool,
    /// Whether the reply is to be padded.
    pub padding: bool,
    /// Whether the cookie shows that the client has the address that it has it from.
    pub proven: bool,
    /// Options of the reply.
    pub reply: Options,
}

/// A message that gets an error for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Why.
    pub reason: Reason,
    /// Offset of the first octet after the question, if it could be read.
    pub question_end: Option<usize>,
    /// What its OPT record says, if one could be read.
    pub edns: Option<Edns>,
}

impl Rejected {
    /// Says what a cookie without question gets, once it was looked at; the error that it would be without,
    /// where there are no cookies.
    pub(super) fn judge_cookie(&mut self, has_cookies: bool) {
        if self.reason != Reason::CookieAsked {
            return;
        }
        let wrong = self.edns.is_some_and(|edns| {
            !edns.proven && edns.cookie.is_some_and(|cookie| cookie.server != Shown::Nothing)
        });
        if !has_cookies {
            self.reason = Reason::QuestionCount;
        } else if wrong {
            self.reason = Reason::CookieWrong;
        }
    }
}

impl Header {
    /// Reads the header; `None` if the message is shorter.
    #[inline]
    pub fn read(message: &[u8]) -> Option<Header> {
        let (&[id0, id1, f0, f1, qd0, qd1, an0, an1, ns0, ns1, ar0, ar1], _) =
            message.split_first_chunk::<HEADER_OCTETS>()?;
        let counts = [[qd0, qd1], [an0, an1], [ns0, ns1], [ar0, ar1]].map(u16::from_be_bytes);
        Some(Header { id: [id0, id1], flags: u16::from_be_bytes([f0, f1]), counts })
    }

    /// Whether it is a response (QR).
    #[inline]
    pub fn is_response(&self) -> bool {
        self.flags & 0x8000 != 0
    }

    /// Whether names are to be looked up elsewhere (RD).
    #[inline]
    pub fn wants_recursion(&self) -> bool {
        self.flags & 0x0100 != 0
    }

    /// The kind of message.
    #[inline]
    pub fn opcode(&self) -> u16 {
        self.flags >> 11 & 15
    }
}

impl Query {
    /// A number that stands for what is asked.
    pub(super) fn digest(&self) -> u64 {
        name_hash(self.qtype.into(), self.name.as_wire())
    }

    /// What is rejected for `reason`.
    pub(super) fn rejected(&self, reason: Reason) -> Rejected {
        Rejected { reason, question_end: Some(self.question_end), edns: self.edns }
    }

    /// Reads the rest of a message with this header.
    ///
    /// Records other than OPT are passed over, whatever they are: an IXFR query has a SOA record.
    ///
    /// # Errors
    /// Says which error is the answer.
    #[inline]
    pub fn read(header: &Header, message: &[u8]) -> Result<Query, Rejected> {
        let reject = |reason| Rejected { reason, question_end: None, edns: None };
        let [questions, ..] = header.counts;
        if header.opcode() != 0 || questions != 1 {
            return Err(without_question(header, message));
        }
        let octets = message.get(HEADER_OCTETS..).ok_or(reject(Reason::Question))?;
        let name = Labels::read(octets).map_err(|_| reject(Reason::Question))?;
        let question_end = HEADER_OCTETS + name.as_wire().len() + 4;
        let fixed = message.get(question_end - 4..question_end).and_then(|fixed| fixed.first_chunk::<4>());
        let &[t0, t1, c0, c1] = fixed.ok_or(reject(Reason::Question))?;
        let reject = |reason, edns| Rejected { reason, question_end: Some(question_end), edns };

        let mut records = Records::after(question_end, message);
        match records.read(header) {
            Ok(()) => {}
            Err(Reason::Options) => return Err(reject(Reason::Options, None)),
            Err(reason) => return Err(reject(reason, records.edns())),
        }
        let edns = records.edns();
        if records.has_other_version() {
            return Err(reject(Reason::EdnsVersion, edns));
        }
        if u16::from_be_bytes([c0, c1]) != CLASS_IN {
            return Err(reject(Reason::Class, edns));
        }
        let signature = records.signature;
        Ok(Query { name, qtype: u16::from_be_bytes([t0, t1]), question_end, edns, signature })
    }
}

/// What becomes of a message that is no query with one question. Its OPT record is answered with ours all
/// the same (RFC 6891, section 6.1.1), if it can be found.
#[cold]
fn without_question(header: &Header, message: &[u8]) -> Rejected {
    let [questions, ..] = header.counts;
    let end = (0..questions).try_fold(HEADER_OCTETS, |end, _| {
        let octets = name_octets(message.get(end..)?)?;
        Some(end + octets + 4)
    });
    let mut records = Records::after(end.unwrap_or(usize::MAX), message);
    let edns = records.read(header).ok().and(records.edns());
    let reason = match edns {
        _ if header.opcode() != 0 => Reason::Opcode,
        Some(_) if records.has_other_version() => Reason::EdnsVersion,
        // Who has no question may ask for a cookie (RFC 7873, section 5.4).
        Some(Edns { cookie: Some(_), .. }) if questions == 0 => Reason::CookieAsked,
        _ => Reason::QuestionCount,
    };
    Rejected { reason, question_end: None, edns }
}

/// The records of a query, read from the left.
struct Records<'m> {
    rest: &'m [u8],
    opt: Option<Opt>,
    /// Octets of the message.
    octets: usize,
    signature: Option<usize>,
}

#[derive(Clone, Copy)]
struct Opt {
    edns: Edns,
    version: u8,
}

impl<'m> Records<'m> {
    #[inline]
    fn after(offset: usize, message: &'m [u8]) -> Records<'m> {
        let rest = message.get(offset..).unwrap_or(&[]);
        Records { rest, opt: None, octets: message.len(), signature: None }
    }

    /// Reads all records that the header counts; nothing may follow them.
    #[inline]
    fn read(&mut self, header: &Header) -> Result<(), Reason> {
        let [_, answers, authority, additional] = header.counts;
        self.pass(u32::from(answers) + u32::from(authority), false)?;
        self.pass(additional.into(), true)?;
        if self.rest.is_empty() { Ok(()) } else { Err(Reason::Records) }
    }

    /// Whether the OPT record is of a version that is not known.
    fn has_other_version(&self) -> bool {
        self.opt.is_some_and(|opt| opt.version > 0)
    }

    fn edns(&self) -> Option<Edns> {
        self.opt.map(|opt| opt.edns)
    }

    /// Passes over `count` records. OPT and TSIG count where they may stand: among the additional
    /// ones, and TSIG as the last (RFC 8945, section 5.1).
    #[inline]
    fn pass(&mut self, count: u32, additional: bool) -> Result<(), Reason> {
        for left in (0..count).rev() {
            let start = self.octets - self.rest.len();
            let owner = name_octets(self.rest).ok_or(Reason::Records)?;
            let (_, rest) = self.rest.split_at_checked(owner).ok_or(Reason::Records)?;
            let (&[t0, t1, c0, c1, _, version, z0, _, l0, l1], rest) =
                rest.split_first_chunk::<10>().ok_or(Reason::Records)?;
            let length = usize::from(u16::from_be_bytes([l0, l1]));
            let (rdata, rest) = rest.split_at_checked(length).ok_or(Reason::Records)?;
            self.rest = rest;
            match u16::from_be_bytes([t0, t1]) {
                rtype::OPT if additional => {
                    if owner != 1 || self.opt.is_some() {
                        return Err(Reason::Options);
                    }
                    // What options of another version look like is not known (RFC 6891, section 6.1.3).
                    let asked = if version == 0 { read_options(rdata) } else { Some(Asked::default()) };
                    let Asked { cookie, nsid, padding } = asked.ok_or(Reason::Options)?;
                    let (payload, dnssec_ok) = (u16::from_be_bytes([c0, c1]), z0 & 0x80 != 0);
                    let reply = Options::default();
                    let edns = Edns { payload, dnssec_ok, cookie, nsid, padding, proven: false, reply };
                    self.opt = Some(Opt { edns, version });
                }
                rtype::OPT => return Err(Reason::Options),
                rtype::TSIG if additional && left == 0 => self.signature = Some(start),
                rtype::TSIG => return Err(Reason::Records),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Octets that the name in front takes, up to a pointer.
#[inline]
pub(super) fn name_octets(octets: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        match *octets.get(at)? {
            0 => return Some(at + 1),
            length @ 1..=63 => at += usize::from(length) + 1,
            0xc0..=0xff => return (at + 2 <= octets.len()).then_some(at + 2),
            _ => return None,
        }
        if at > 254 {
            return None;
        }
    }
}

/// What the options of an OPT record ask for.
#[derive(Default)]
struct Asked {
    /// The first cookie, if there are several.
    cookie: Option<Cookie>,
    nsid: bool,
    padding: bool,
}

/// Reads the options of an OPT record, which fill it exactly (RFC 6891, section 6.1.2).
#[inline]
fn read_options(mut rdata: &[u8]) -> Option<Asked> {
    let mut asked = Asked::default();
    while let Some((&[c0, c1, l0, l1], rest)) = rdata.split_first_chunk::<4>() {
        let (data, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([l0, l1])))?;
        match u16::from_be_bytes([c0, c1]) {
            option::COOKIE if asked.cookie.is_none() => asked.cookie = Some(Cookie::read(data)?),
            option::NSID => asked.nsid = true,
            option::PADDING => asked.padding = true,
            _ => {}
        }
        rdata = rest;
    }
    rdata.is_empty().then_some(asked)
}
