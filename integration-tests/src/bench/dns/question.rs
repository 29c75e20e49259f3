//! Questions whose answers are known, as octets, and the check of an answer.

use std::net::IpAddr;

use inventory_core::name::Name;

use crate::generate::{Host, Plan, mix};

/// Numbers of record types.
pub mod rtype {
    /// IPv4 address.
    pub const A: u16 = 1;
    /// Pointer.
    pub const PTR: u16 = 12;
    /// IPv6 address.
    pub const AAAA: u16 = 28;
    /// Signature.
    pub const RRSIG: u16 = 46;
}

/// A question and what its answer must say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The message, its identifier zero.
    pub octets: Box<[u8]>,
    /// Octets of the question section, from the 12th on.
    pub section: usize,
    /// Its type.
    pub rtype: u16,
    /// The data of the one record; none: the name does not exist.
    pub data: Option<Box<[u8]>>,
    /// Whether signatures are asked for, and wanted.
    pub signed: bool,
}

/// What is wrong with an answer.
pub type Wrong = &'static str;

impl Question {
    /// A question for `name`, with EDNS, as resolvers send it.
    ///
    /// # Panics
    /// It is no name.
    pub fn new(name: &str, rtype: u16, data: Option<Vec<u8>>) -> Question {
        let mut octets = vec![0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1];
        octets.extend_from_slice(Name::parse(name, None).unwrap().as_wire());
        octets.extend_from_slice(&rtype.to_be_bytes());
        octets.extend_from_slice(&[0, 1]);
        let section = octets.len() - HEADER;
        octets.extend_from_slice(&[0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0]);
        Question { octets: octets.into(), section, rtype, data: data.map(Into::into), signed: false }
    }

    /// The same with signatures (DO, RFC 3225).
    #[must_use]
    pub fn signed(mut self) -> Question {
        let flags = self.octets.len() - 4;
        self.octets[flags] |= 0x80;
        self.signed = true;
        self
    }

    /// The four questions about a host: its addresses, and its name by them.
    pub fn about(host: &Host) -> [Question; 4] {
        let name = Name::parse(&host.fqdn, None).unwrap().as_wire().to_vec();
        let reverse = |address: IpAddr| Name::reverse(address).to_string();
        [
            Question::new(&host.fqdn, rtype::A, Some(host.ipv4.octets().to_vec())),
            Question::new(&host.fqdn, rtype::AAAA, Some(host.ipv6.octets().to_vec())),
            Question::new(&reverse(host.ipv4.into()), rtype::PTR, Some(name.clone())),
            Question::new(&reverse(host.ipv6.into()), rtype::PTR, Some(name)),
        ]
    }

    /// Whether `reply` is the answer: the question as it was asked, the code, and the one record. Of signatures it is
    /// only looked whether they are there.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, reply: &[u8]) -> Result<(), Wrong> {
        let header: &[u8; HEADER] = reply.first_chunk().ok_or("no header")?;
        if header[2] & 0x80 == 0 || header[2] & 0x02 != 0 {
            return Err("no whole reply");
        }
        let asked = &self.octets[HEADER..HEADER + self.section];
        if !reply[HEADER..].starts_with(asked) {
            return Err("another question");
        }
        let answers = u16::from_be_bytes([header[6], header[7]]);
        let authority = u16::from_be_bytes([header[8], header[9]]);
        match (&self.data, header[3] & 15) {
            // SOA and NSEC, each with a signature.
            (None, 3) if self.signed && authority < 4 => Err("no signed denial"),
            (None, 3) if answers == 0 => Ok(()),
            (None, _) => Err("an answer for a name that does not exist"),
            (Some(_), code) if code != 0 => Err("an error"),
            (Some(_), _) if answers != 1 + u16::from(self.signed) => Err("not one record"),
            (Some(data), _) => self.check_record(data, reply),
        }
    }

    fn check_record(&self, data: &[u8], reply: &[u8]) -> Result<(), Wrong> {
        let owner = HEADER + self.section;
        let at = skip_name(reply, owner).ok_or("a name cut short")?;
        let fixed: &[u8; 10] =
            reply.get(at..).and_then(|rest| rest.first_chunk()).ok_or("a record cut short")?;
        let points_back = reply[owner..].starts_with(&[0xc0, 12]);
        if !points_back && !reply[owner..at].eq_ignore_ascii_case(&self.octets[HEADER..][..at - owner]) {
            return Err("another owner");
        }
        if u16::from_be_bytes([fixed[0], fixed[1]]) != self.rtype {
            return Err("another type");
        }
        let end = at + 10 + usize::from(u16::from_be_bytes([fixed[8], fixed[9]]));
        let given = reply.get(at + 10..end).ok_or("data cut short")?;
        if given != data && !(self.rtype == rtype::PTR && is_name(reply, at + 10, data)) {
            return Err("other data");
        }
        let next = skip_name(reply, end).and_then(|at| reply.get(at..)?.first_chunk());
        if self.signed && next != Some(&rtype::RRSIG.to_be_bytes()) {
            return Err("no signature");
        }
        Ok(())
    }
}

/// Questions about `plan` in an order without order: of a thousand, so many have an answer.
pub fn questions(plan: Plan, hits_of_thousand: u64, most: usize) -> Vec<Question> {
    let chosen = shuffled(plan.hosts).take(most / 4);
    let hosts: Vec<Host> = chosen.map(|number| plan.host(number)).filter(|host| host.served).collect();
    let mut all: Vec<Question> = hosts.iter().flat_map(Question::about).collect();
    for (number, question) in all.iter_mut().enumerate() {
        if mix(number as u64 ^ 0x5eed) % 1000 >= hits_of_thousand {
            let host = &hosts[number / 4];
            *question = Question::new(&format!("no-{}", host.fqdn), rtype::A, None);
        }
    }
    shuffled(all.len()).map(|number| all[number].clone()).collect()
}

/// The numbers below `end`, each once, neighbours far apart.
fn shuffled(end: usize) -> impl Iterator<Item = usize> {
    let mut numbers: Vec<usize> = (0..end).collect();
    numbers.sort_by_key(|number| mix(*number as u64));
    numbers.into_iter()
}

/// Octets of the header.
const HEADER: usize = 12;

fn skip_name(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *message.get(at)? {
            0 => return Some(at + 1),
            length @ 1..=63 => at += usize::from(length) + 1,
            _ => return Some(at + 2),
        }
    }
}

/// Whether the name at `at`, its pointers followed, is `wire`.
fn is_name(message: &[u8], mut at: usize, mut wire: &[u8]) -> bool {
    for _ in 0..256 {
        match message.get(at) {
            Some(0) => return wire == [0],
            Some(&length @ 1..=63) => {
                let end = usize::from(length) + 1;
                let (Some(label), Some(wanted)) = (message.get(at..at + end), wire.get(..end)) else {
                    return false;
                };
                if !label.eq_ignore_ascii_case(wanted) {
                    return false;
                }
                (at, wire) = (at + end, &wire[end..]);
            }
            Some(&high) => {
                let Some(&low) = message.get(at + 1) else { return false };
                at = usize::from(high & 0x3f) << 8 | usize::from(low);
            }
            None => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(question: &Question, code: u8, records: &[u8]) -> Vec<u8> {
        let mut reply = question.octets[..HEADER + question.section].to_vec();
        (reply[2], reply[3], reply[7], reply[11]) = (0x84, code, u8::from(!records.is_empty()), 0);
        reply.extend_from_slice(records);
        reply
    }

    #[test]
    fn only_the_right_answer_is_right() {
        let question = Question::new("a.b", rtype::A, Some(vec![10, 0, 0, 1]));
        let record = [0xc0, 12, 0, 1, 0, 1, 0, 0, 14, 16, 0, 4, 10, 0, 0, 1];
        assert_eq!(question.check(&reply(&question, 0, &record)), Ok(()));
        let mut other = record;
        other[15] = 2;
        assert_eq!(question.check(&reply(&question, 0, &other)), Err("other data"));
        assert_eq!(question.check(&reply(&question, 0, &[])), Err("not one record"));
        assert_eq!(question.check(&reply(&question, 3, &[])), Err("an error"));
        let elsewhere = Question::new("c.b", rtype::A, None);
        assert_eq!(question.check(&reply(&elsewhere, 0, &record)), Err("another question"));
        for cut in 0..record.len() {
            assert!(question.check(&reply(&question, 0, &record[..cut])).is_err());
        }
        assert_eq!(elsewhere.check(&reply(&elsewhere, 3, &[])), Ok(()));
        assert!(elsewhere.check(&reply(&elsewhere, 0, &record)).is_err());
    }

    #[test]
    fn a_signature_is_missed_where_it_is_asked_for() {
        let data = vec![10, 0, 0, 1];
        let [plain, signed] = [false, true].map(|signed| {
            let question = Question::new("a.b", rtype::A, Some(data.clone()));
            if signed { question.signed() } else { question }
        });
        let record = [0xc0, 12, 0, 1, 0, 1, 0, 0, 14, 16, 0, 4, 10, 0, 0, 1];
        let two = |rtype| {
            let mut reply = reply(
                &signed,
                0,
                &[record, [0xc0, 12, 0, rtype, 0, 1, 0, 0, 14, 16, 0, 4, 1, 2, 3, 4]].concat(),
            );
            reply[7] = 2;
            reply
        };
        assert_eq!(signed.check(&two(46)), Ok(()));
        assert_eq!(signed.check(&two(1)), Err("no signature"));
        assert_eq!(signed.check(&reply(&plain, 0, &record)), Err("not one record"));
        assert_eq!(plain.check(&two(46)), Err("not one record"));
        let nothing = Question::new("a.b", rtype::A, None).signed();
        assert_eq!(nothing.check(&reply(&nothing, 3, &[])), Err("no signed denial"));
        assert_eq!(nothing.octets[nothing.octets.len() - 4..], [0x80, 0, 0, 0]);
    }

    #[test]
    fn a_name_is_the_same_with_pointers() {
        let wire = Name::parse("x.b", None).unwrap().as_wire().to_vec();
        let question = Question::new("a.b", rtype::PTR, Some(wire));
        let record = [0xc0, 12, 0, 12, 0, 1, 0, 0, 0, 0, 0, 4, 1, b'X', 0xc0, 14];
        assert_eq!(question.check(&reply(&question, 0, &record)), Ok(()));
    }

    #[test]
    fn of_a_thousand_questions_a_hundred_have_no_answer() {
        let all = questions(Plan { hosts: 2000, seed: 1 }, 900, usize::MAX);
        let misses = all.iter().filter(|question| question.data.is_none()).count();
        assert!((70..130).contains(&(misses * 1000 / all.len())), "{misses} of {}", all.len());
    }
}
