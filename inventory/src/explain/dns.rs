//! What DNS answers: queries to dnsd's core, and its replies read.

use dnsd::core::{Outcome, QueryContext, Transport, answer};
use dnsd::view::DnsView;
use inventory_core::name::Name;
use inventory_core::records::{RecordType, present};

/// Types that are asked for: every one but SOA, whose serial is not the inventory's alone. ANY would get one of
/// them (RFC 8482).
fn types() -> impl Iterator<Item = RecordType> {
    let all = (1..=u16::MAX).map(RecordType).filter(|rtype| rtype.mnemonic().is_some() && !rtype.is_meta());
    all.filter(|rtype| *rtype != RecordType::SOA)
}

/// Octets in front of the question.
const HEADER: usize = 12;
/// Flag of replies that are no referrals (RFC 1035, section 4.1.1).
const AUTHORITATIVE: u8 = 4;

/// A record of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) owner: Name,
    pub(super) rtype: RecordType,
    pub(super) ttl: u32,
    /// As a master file says it.
    pub(super) data: String,
}

/// Every record that `name` itself is answered with. Of a chain of CNAMEs only its first link.
pub(super) fn records(view: &DnsView, name: &Name) -> Vec<Record> {
    let mut all: Vec<Record> = Vec::new();
    for rtype in types() {
        let own = ask(view, name, rtype).into_iter().filter(|record| record.owner == *name);
        for record in own {
            if !all.contains(&record) {
                all.push(record);
            }
        }
    }
    all
}

/// The answer section for one question, and a delegation if that is the answer.
fn ask(view: &DnsView, name: &Name, rtype: RecordType) -> Vec<Record> {
    let mut query = vec![0x68, 0x62, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    query.extend_from_slice(name.as_wire());
    query.extend(rtype.0.to_be_bytes());
    query.extend([0, 1]);
    let mut reply = vec![0; usize::from(u16::MAX)];
    let context = QueryContext::anonymous(Transport::Tcp);
    let Outcome::Answered { octets, .. } = answer(view, &query, context, &mut reply) else {
        return Vec::new();
    };
    reply.truncate(octets);
    read(&reply, query.len()).unwrap_or_default()
}

/// The answer section of `message`, whose question ends at `at`; for a referral the name servers.
fn read(message: &[u8], mut at: usize) -> Option<Vec<Record>> {
    let count =
        |section: usize| Some(u16::from_be_bytes(message.get(section..section + 2)?.try_into().ok()?));
    let is_referral = message.get(2)? & AUTHORITATIVE == 0;
    let count = count(6)? + if is_referral { count(8)? } else { 0 };
    let mut records = Vec::new();
    for _ in 0..count {
        let (owner, after) = name_at(message, at)?;
        let fixed: &[u8; 10] = message.get(after..after + 10)?.try_into().ok()?;
        let [t0, t1, _, _, a, b, c, d, l0, l1] = *fixed;
        let rtype = RecordType(u16::from_be_bytes([t0, t1]));
        let start = after + fixed.len();
        let end = start + usize::from(u16::from_be_bytes([l0, l1]));
        let rdata = expanded(message, rtype, start, end)?;
        let owner = Name::from_wire(&owner)?;
        records.push(Record {
            owner,
            rtype,
            ttl: u32::from_be_bytes([a, b, c, d]),
            data: present(rtype, &rdata),
        });
        at = end;
    }
    Some(records)
}

/// The RDATA with its names written in full (RFC 3597, section 4: only types of RFC 1035 compress them).
fn expanded(message: &[u8], rtype: RecordType, start: usize, end: usize) -> Option<Vec<u8>> {
    let (before, names) = match rtype.mnemonic() {
        Some("NS" | "CNAME" | "PTR" | "DNAME" | "MB" | "MD" | "MF" | "MG" | "MR") => (0, 1),
        Some("MINFO") => (0, 2),
        Some("MX") => (2, 1),
        _ => return message.get(start..end).map(<[u8]>::to_vec),
    };
    let mut octets = message.get(start..start + before)?.to_vec();
    let mut at = start + before;
    for _ in 0..names {
        let (name, after) = name_at(message, at)?;
        octets.extend(name);
        at = after;
    }
    Some(octets)
}

/// The name at `at` in wire form, and where it ends there.
fn name_at(message: &[u8], mut at: usize) -> Option<(Vec<u8>, usize)> {
    let (mut name, mut end) = (Vec::new(), None);
    loop {
        let length = *message.get(at)?;
        if length >= 0xc0 {
            let target = usize::from(u16::from_be_bytes([length & 0x3f, *message.get(at + 1)?]));
            end = end.or(Some(at + 2));
            // Pointers lead backwards, so that this ends.
            if target >= at || target < HEADER {
                return None;
            }
            at = target;
            continue;
        }
        let next = at + 1 + usize::from(length);
        name.extend_from_slice(message.get(at..next)?);
        if length == 0 {
            return Some((name, end.unwrap_or(next)));
        }
        at = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITE: &str = r#"
        [site]
        nameservers = ["ns1.lab.example.org"]
        contact = "h@lab.example.org"
        [zone."lab.example.org"]
        records = """
        @ MX 10 mail
        @ MX 20 mail.example.net.
        """
        [network.n]
        zone = "lab.example.org"
        ipv4 = "10.0.0.0/24"
        [host.ns1]
        network = "n"
        ip = "10.0.0.2"
        [host.mail]
        network = "n"
        ip = "10.0.0.3"
        alias = "imap"
    "#;

    fn shown(name: &str) -> Vec<String> {
        let snapshot = inventory_core::load_texts(&[("a.toml", SITE)]).unwrap();
        let view = DnsView::build(&snapshot);
        let records = records(&view, &Name::parse(name, None).unwrap());
        records.iter().map(|record| format!("{} {} {}", record.ttl, record.rtype, record.data)).collect()
    }

    #[test]
    fn answers_are_read_with_their_names_in_full() {
        assert_eq!(shown("mail.lab.example.org"), ["3600 A 10.0.0.3"]);
        assert_eq!(shown("imap.lab.example.org"), ["3600 CNAME mail.lab.example.org."]);
        assert_eq!(shown("3.0.0.10.in-addr.arpa"), ["3600 PTR mail.lab.example.org."]);
        let mut apex = shown("lab.example.org");
        apex.sort();
        let mx = ["3600 MX 10 mail.lab.example.org.", "3600 MX 20 mail.example.net."];
        assert_eq!(apex, [mx[0], mx[1], "3600 NS ns1.lab.example.org."]);
        assert!(shown("nobody.lab.example.org").is_empty());
    }
}
