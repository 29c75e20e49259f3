//! Two replies to one query against each other, and the differences that are known.

use hickory_proto::op::Message;
use hickory_proto::rr::Record;
use inventory_core::records::{RecordType, octets_of_base64, present};

use super::queries::Question;
use super::zones::Zone;

/// A reply in the form in which replies are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) rcode: u16,
    pub(super) aa: bool,
    pub(super) tc: bool,
    pub(super) rd: bool,
    /// Other flags of the header: RA, Z, AD, CD.
    pub(super) others: u16,
    pub(super) opcode: u16,
    pub(super) question: bool,
    /// Version and flags of the OPT record.
    pub(super) edns: Option<(u8, u16)>,
    pub(super) answer: Vec<String>,
    pub(super) authority: Vec<String>,
    pub(super) additional: Vec<String>,
}

impl Said {
    pub(super) fn read(octets: &[u8]) -> Said {
        let message = Message::from_vec(octets).unwrap_or_else(|error| panic!("{error}: {octets:02x?}"));
        let flags = u16::from_be_bytes([octets[2], octets[3]]);
        let edns = message.edns.as_ref();
        let extended = edns.map_or(0, |edns| u16::from(edns.rcode_high()));
        Said {
            rcode: extended << 4 | flags & 15,
            aa: flags & 0x0400 != 0,
            tc: flags & 0x0200 != 0,
            rd: flags & 0x0100 != 0,
            others: flags & 0x00f0,
            opcode: flags >> 11 & 15,
            question: octets[5] == 1,
            edns: edns.map(|edns| (edns.version(), u16::from(edns.flags().dnssec_ok) << 15 | edns.flags().z)),
            answer: lines(&message.answers),
            authority: lines(&message.authorities),
            additional: lines(&message.additionals),
        }
    }
}

/// Records as sorted lines in lower case.
fn lines(records: &[Record]) -> Vec<String> {
    let mut lines: Vec<String> =
        records.iter().map(|record| line(&record.to_string()).to_lowercase()).collect();
    lines.sort();
    lines
}

/// A record's line; hickory shows the name in a DNAME record as octets, which would keep its case.
fn line(text: &str) -> String {
    let name = text.rsplit_once(" DNAME ").and_then(|(head, data)| Some((head, octets_of_base64(data)?)));
    name.map_or_else(
        || text.to_owned(),
        |(head, octets)| format!("{head} DNAME {}", present(RecordType::DNAME, &octets)),
    )
}

/// Whether the two say the same, as far as a client can tell.
pub(super) fn same(ours: &Said, theirs: &Said) -> bool {
    let mut ours = ours.clone();
    let mut theirs = theirs.clone();
    if ours.tc && theirs.tc {
        // What a truncated reply holds is for nobody to use.
        for said in [&mut ours, &mut theirs] {
            said.answer.clear();
            said.authority.clear();
            said.additional.clear();
        }
    }
    ours == theirs
}

/// What is known to differ, by its heading in `docs/reference/dns-differences.md`; `None`: nothing is.
/// `peer`: who differs, and whether NSD, asked before, says the same as we do.
pub(super) fn known(
    question: &Question,
    ours: &Said,
    theirs: &Said,
    (peer, nsd_agrees): (&str, bool),
    zones: &[Zone],
) -> Option<&'static str> {
    if question.class != 1 {
        return is_error(ours, 5, true).then_some("class");
    }
    if ours.opcode != 0 {
        return is_error(ours, 4, false).then_some("opcode");
    }
    let mut without = theirs.clone();
    without.additional.clone_from(&ours.additional);
    let extras = glue(ours) == glue(theirs) && extras_are_of_targets(ours);
    if same(ours, &without) && extras {
        return Some("additional");
    }
    // CD alone may differ, and only where it was asked with.
    without.others = ours.others;
    if same(ours, &without) && extras && ours.others == 0 && theirs.others == question.flags & 0x0010 {
        return Some("flags");
    }
    if question.rtype == 255 && is_any(question, ours, theirs) {
        return Some("any");
    }
    let nothing_fits = ours.tc && ours.answer.is_empty() && ours.authority.is_empty();
    if peer == "nsd" && nothing_fits && is_referral(theirs) && question.name != question.name.to_lowercase() {
        return Some("case");
    }
    if is_glue(ours, theirs, (peer, nsd_agrees)) || is_wild_glue(ours, theirs, zones) {
        return Some("glue");
    }
    // All others are Knot's alone.
    if peer != "knot"
        || !nsd_agrees
        || (ours.aa, ours.rd, ours.others) != (theirs.aa, theirs.rd, theirs.others)
    {
        return None;
    }
    if ours.rcode == 0 && theirs.rcode == 0 && loops(ours, theirs) {
        return Some("loops");
    }
    if leaves_zone(theirs, zones) && theirs.answer.iter().all(|record| ours.answer.contains(record)) {
        return Some("chains");
    }
    // Behind a redirection both have that in their answers.
    let further = ours.answer.len() > theirs.answer.len()
        && theirs.answer.iter().all(|record| ours.answer.contains(record));
    if [46, 47].contains(&question.rtype) && further && has_cname(ours) {
        return Some("signatures");
    }
    if question.rtype == 43 {
        let asked = question.name.to_lowercase();
        if zones.iter().any(|zone| zone.apex == asked) && ours.rcode == 0 && ours.answer.is_empty() {
            return Some("delegation");
        }
        return (has_cname(ours) && ours.answer == theirs.answer).then_some("chains");
    }
    None
}

/// Whether we say nothing but this error.
fn is_error(said: &Said, rcode: u16, question: bool) -> bool {
    let empty = said.answer.is_empty() && said.authority.is_empty() && said.additional.is_empty();
    empty && (said.rcode, said.question, said.aa, said.tc, said.others) == (rcode, question, false, false, 0)
}

/// Whether every additional record is asked for next after one of the answer or the authority.
fn extras_are_of_targets(said: &Said) -> bool {
    let pointing = || said.answer.iter().chain(&said.authority);
    said.additional.iter().all(|extra| {
        let (owner, kind) = (field(extra, 0), field(extra, 3));
        pointing()
            .filter_map(|record| asks_for(record))
            .any(|(name, types)| name == owner && types.contains(&kind))
    })
}

/// The name that a record points to, and the types that are asked for there next.
fn asks_for(record: &str) -> Option<(&str, &'static [&'static str])> {
    let addresses = &["a", "aaaa"][..];
    let last = record.rsplit(' ').next()?;
    Some(match (field(record, 3), field(record, 4), field(record, 5)) {
        ("ns" | "mx" | "srv", ..) => (last, addresses),
        ("naptr", ..) if field(record, 6).trim_matches('"') == "a" => (last, addresses),
        ("naptr", ..) => (last, &["srv"][..]),
        ("https", "0", target) => (target, &["https", "a", "aaaa"][..]),
        ("https", _, ".") => (field(record, 0), addresses),
        ("https", _, target) => (target, addresses),
        _ => return None,
    })
}

/// Whether we answer for all types with one RRset and they with others, or with less room than they take.
fn is_any(question: &Question, ours: &Said, theirs: &Said) -> bool {
    let head = |said: &Said| (said.rcode, said.aa, said.rd, said.opcode, said.question, said.edns);
    let flags = ours.others == 0 && (theirs.others == 0 || theirs.others == question.flags & 0x0010);
    head(ours) == head(theirs)
        && flags
        && (ours.tc || is_one_rrset_of(ours, theirs) && (theirs.tc || ours.authority == theirs.authority))
}

/// Whether we answer with one RRset, whole if they have it as well, of the owner that theirs are of. Behind an
/// alias that follows from a DNAME record there may be more.
fn is_one_rrset_of(ours: &Said, theirs: &Said) -> bool {
    let kind = |record: &String| (field(record, 0).to_owned(), field(record, 3).to_owned());
    let Some(first) = ours.answer.first().map(kind) else { return false };
    let same_kind: Vec<&String> = theirs.answer.iter().filter(|record| kind(record) == first).collect();
    let whole = same_kind.is_empty() || same_kind.into_iter().eq(&ours.answer) || theirs.tc;
    let same_owner = theirs.answer.iter().all(|record| field(record, 0) == first.0);
    let redirected = ours.answer.iter().any(|record| field(record, 3) == "dname");
    redirected || ours.answer.iter().all(|record| kind(record) == first) && whole && same_owner
}

/// Whether one referral is truncated for want of room, and the other is not.
fn is_glue(ours: &Said, theirs: &Said, (peer, nsd_agrees): (&str, bool)) -> bool {
    let referrals = is_referral(theirs) && is_referral(ours) && ours.tc != theirs.tc;
    let whole = if ours.tc { theirs } else { ours };
    let cut = if ours.tc { ours } else { theirs };
    let within = |a: &[String], b: &[String]| a.iter().all(|record| b.contains(record));
    let all = within(&cut.authority, &whole.authority) && within(&cut.additional, &whole.additional);
    referrals
        && !(glue(ours).is_empty() && glue(theirs).is_empty())
        && (ours.rcode, ours.rd, ours.others, ours.edns)
            == (theirs.rcode, theirs.rd, theirs.others, theirs.edns)
        && match peer {
            // What needs the glue is sent without it.
            "nsd" => ours.tc && within(&ours.authority, &theirs.authority),
            _ => theirs.tc && all && nsd_agrees,
        }
}

/// Whether a referral of theirs has glue, besides all that ours has, of names that nobody wrote.
fn is_wild_glue(ours: &Said, theirs: &Said, zones: &[Zone]) -> bool {
    let is_written = |name: &str| {
        let mut owners = zones.iter().flat_map(|zone| &zone.owners);
        owners.any(|owner| owner.to_lowercase() == name.trim_end_matches('.'))
    };
    let mut more = theirs.additional.iter().filter(|record| !ours.additional.contains(record)).peekable();
    let mut without = theirs.clone();
    without.additional.retain(|record| ours.additional.contains(record));
    // CD alone may differ.
    without.others = ours.others;
    is_referral(ours)
        && more.peek().is_some()
        && same(ours, &without)
        && more.all(|record| !is_written(field(record, 0)))
}

fn is_referral(said: &Said) -> bool {
    !said.aa && said.answer.is_empty() && said.authority.iter().any(|record| field(record, 3) == "ns")
}

/// Whether one is a shorter way through the same CNAME and DNAME records, as where they lead in a circle.
fn loops(ours: &Said, theirs: &Said) -> bool {
    let within = |a: &Said, b: &Said| a.answer.iter().all(|record| b.answer.contains(record));
    let dname = ours.answer.iter().any(|record| field(record, 3) == "dname");
    let to_itself = ours.answer.iter().any(|record| field(record, 0) == field(record, 4));
    (dname || to_itself)
        && ours.authority == theirs.authority
        && (within(ours, theirs) || within(theirs, ours))
}

fn has_cname(said: &Said) -> bool {
    said.answer.iter().any(|record| field(record, 3) == "cname")
}

/// Addresses of servers below the delegation that the reply is.
fn glue(said: &Said) -> Vec<&str> {
    let Some(cut) = said.authority.first().filter(|_| is_referral(said)).map(|record| field(record, 0))
    else {
        return Vec::new();
    };
    let below = |name: &str| name == cut || name.ends_with(&format!(".{cut}"));
    said.additional.iter().map(String::as_str).filter(|record| below(field(record, 0))).collect()
}

/// Whether the last CNAME record leads from one zone to another.
fn leaves_zone(said: &Said, zones: &[Zone]) -> bool {
    let cnames = || said.answer.iter().filter(|record| field(record, 3) == "cname");
    let owned = |name: &str| said.answer.iter().any(|record| field(record, 0) == name);
    let mut ends = cnames().filter(|record| !owned(field(record, 4)));
    ends.any(|record| zone_of(field(record, 0), zones) != zone_of(field(record, 4), zones))
}

/// The longest apex at or above `name`.
fn zone_of<'z>(name: &str, zones: &'z [Zone]) -> Option<&'z str> {
    let name = format!(".{}", name.trim_end_matches('.'));
    let above =
        zones.iter().map(|zone| zone.apex.as_str()).filter(|apex| name.ends_with(&format!(".{apex}")));
    above.max_by_key(|apex| apex.len())
}

/// A word of a record's line: owner, TTL, class, type, data.
fn field(record: &str, place: usize) -> &str {
    record.split(' ').nth(place).unwrap_or("")
}
