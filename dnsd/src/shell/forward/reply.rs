//! The question that is passed on, and the reply that comes of it.

use hickory_resolver::net::{DnsError, NetError, NoRecords};
use hickory_resolver::proto::op::{Edns, Message, Query, ResponseCode};
use hickory_resolver::proto::rr::rdata::opt::{EdnsCode, EdnsOption};
use hickory_resolver::proto::rr::{RData, Record};

use super::upstream::Failure;
use crate::core::{Transport, UDP_PAYLOAD, padding_after};

/// Octets of a UDP reply without EDNS (RFC 1035, section 4.2.1).
const PLAIN_PAYLOAD: u16 = 512;
/// Option codes (IANA "DNS EDNS0 Option Codes").
const PADDING: u16 = 12;
const EXTENDED_ERROR: u16 = 15;
/// "No Reachable Authority" and "Network Error" (RFC 8914, sections 4.23 and 4.24).
const NO_REACHABLE: u16 = 22;
const NETWORK_ERROR: u16 = 23;

/// A question of a client.
#[derive(Debug)]
pub(super) struct Asked {
    /// What is asked for elsewhere.
    query: Query,
    /// Our own reply: what frames it, and aliases that lead out of our zones.
    own: Message,
    checking_disabled: bool,
    /// Octets of a reply at most.
    room: usize,
}

impl Asked {
    /// Reads the question and `own`, the reply that leaves it open; `None` if it is none that can be passed on.
    pub(super) fn read(query: &[u8], own: &[u8], transport: Transport) -> Option<Asked> {
        let asked = Message::from_vec(query).ok()?;
        let mut own = Message::from_vec(own).ok()?;
        let mut query = asked.queries.first()?.clone();
        let is_alias = own.metadata.response_code == ResponseCode::NoError && !own.answers.is_empty();
        if is_alias {
            let target = own.answers.iter().rev().find_map(|record| match &record.data {
                RData::CNAME(target) => Some(target.0.clone()),
                _ => None,
            });
            query.set_name(target?);
        } else {
            own.metadata.authoritative = false;
        }
        own.authorities.clear();
        query.set_name(query.name().to_lowercase());
        own.additionals.clear();
        let payload = asked
            .edns
            .as_ref()
            .map_or(PLAIN_PAYLOAD, |edns| edns.max_payload().clamp(PLAIN_PAYLOAD, UDP_PAYLOAD));
        let room = if transport == Transport::Udp { payload } else { u16::MAX };
        let checking_disabled = asked.metadata.checking_disabled;
        Some(Asked { query, own, checking_disabled, room: room.into() })
    }

    pub(super) fn query(&self) -> &Query {
        &self.query
    }

    /// Whether signatures are welcome.
    pub(super) fn dnssec_ok(&self) -> bool {
        self.own.edns.as_ref().is_some_and(|edns| edns.flags().dnssec_ok)
    }

    /// Whether they are not to be checked elsewhere.
    pub(super) fn checking_disabled(&self) -> bool {
        self.checking_disabled
    }

    /// The reply that says what was found out, or that nothing was. Nobody's authority, and nobody has validated it
    /// here (RFC 4035, section 3.2.3).
    pub(super) fn reply(self, found: Result<Message, Failure>) -> Option<Vec<u8>> {
        let mut reply = self.own;
        reply.metadata.recursion_available = true;
        reply.metadata.checking_disabled = self.checking_disabled;
        let is_padded = reply.edns.as_ref().is_some_and(|edns| edns.option(EdnsCode::Padding).is_some());
        if let Some(edns) = &mut reply.edns {
            edns.set_rcode_high(0);
            [PADDING, EXTENDED_ERROR].iter().for_each(|code| edns.options_mut().remove((*code).into()));
        }
        match found {
            Ok(found) => {
                reply.metadata.response_code = found.metadata.response_code;
                reply.add_answers(found.answers);
                reply.add_authorities(found.authorities);
            }
            Err(failure) => {
                reply.metadata.response_code = ResponseCode::ServFail;
                let code = if failure == Failure::TimedOut { NO_REACHABLE } else { NETWORK_ERROR };
                push(&mut reply.edns, EXTENDED_ERROR, code.to_be_bytes().to_vec());
            }
        }
        let octets = reply.to_vec().ok()?;
        if octets.len() > self.room {
            reply.answers.clear();
            reply.authorities.clear();
            reply.metadata.truncation = true;
            return reply.to_vec().ok();
        }
        if !is_padded {
            return Some(octets);
        }
        // The option has four octets beside its data.
        let Some(zeros) = padding_after(octets.len()).checked_sub(4) else { return Some(octets) };
        push(&mut reply.edns, PADDING, vec![0; zeros]);
        reply.to_vec().ok()
    }
}

fn push(edns: &mut Option<Edns>, code: u16, data: Vec<u8>) {
    if let Some(edns) = edns {
        edns.options_mut().insert(EdnsOption::Unknown(code, data));
    }
}

/// A whole answer of what hickory says of one: that there are no records is one, with what shows it.
pub(super) fn message_of(response: Result<Message, NetError>) -> Result<Message, Failure> {
    match response {
        Ok(message) => Ok(message),
        Err(NetError::Dns(DnsError::NoRecordsFound(none))) => {
            let NoRecords { soa, response_code, authorities, .. } = none;
            let mut message = Message::query();
            message.metadata.response_code = response_code;
            let whole = authorities.map(|records| records.to_vec());
            let soa = soa.map(|soa| vec![soa.into_record_of_rdata()]);
            let records: Vec<Record> = whole.or(soa).unwrap_or_default();
            message.add_authorities(records);
            Ok(message)
        }
        Err(NetError::Timeout | NetError::Io(_) | NetError::NoConnections) => Err(Failure::TimedOut),
        Err(_) => Err(Failure::Failed),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;
    use crate::core::{QueryContext, answer};
    use crate::testing::view;
    use hickory_resolver::proto::rr::rdata::{A, TXT};
    use hickory_resolver::proto::rr::{Name, RecordType};

    const ZONES: &str = "[zone.\"lab.example\"]\nrecords = '''\nout CNAME WWW.Elsewhere.example.\nsub NS ns.elsewhere.example.\n'''\n";

    /// A question, after our own reply to it.
    fn asked(name: &str, transport: Transport, change: impl Fn(&mut Message)) -> Asked {
        let mut query = Message::query();
        query.metadata.recursion_desired = true;
        query.metadata.checking_disabled = true;
        query.add_query(Query::query(Name::from_ascii(name).unwrap(), RecordType::TXT));
        change(&mut query);
        let (query, mut out) = (query.to_vec().unwrap(), [0; 65_535]);
        let peer = IpAddr::V4(Ipv4Addr::new(10, 20, 0, 9));
        let context = QueryContext { peer, ..QueryContext::anonymous(transport) };
        let outcome = answer(&view(ZONES), &query, context, &mut out);
        Asked::read(&query, outcome.reply_in(&out).unwrap(), transport).unwrap()
    }

    fn found(texts: usize) -> Message {
        let mut found = Message::query();
        let text = |n: usize| RData::TXT(TXT::new(vec![format!("{n}{}", "x".repeat(200))]));
        let name = Name::from_ascii("www.elsewhere.example.").unwrap();
        found.add_answers((0..texts).map(|n| Record::from_rdata(name.clone(), 60, text(n))));
        found.add_authorities([Record::from_rdata(name, 60, RData::A(A(Ipv4Addr::LOCALHOST)))]);
        found
    }

    fn with_edns(padded: bool) -> impl Fn(&mut Message) {
        move |query| {
            let mut edns = Edns::new();
            edns.set_max_payload(4096).set_dnssec_ok(true);
            if padded {
                edns.options_mut().insert(EdnsOption::Unknown(PADDING, vec![0; 3]));
            }
            query.set_edns(edns);
        }
    }

    #[test]
    fn what_our_reply_leaves_open_is_asked_for() {
        for (name, wanted) in [
            ("www.elsewhere.example.", "www.elsewhere.example."),
            ("WWW.sub.lab.example.", "www.sub.lab.example."),
            ("out.lab.example.", "www.elsewhere.example."),
        ] {
            let asked = asked(name, Transport::Udp, |_| {});
            assert_eq!(asked.query().name().to_string(), wanted);
            assert!(!asked.dnssec_ok() && asked.checking_disabled());
            let is_alias = name.starts_with("out");
            let reply = Message::from_vec(&asked.reply(Ok(found(1))).unwrap()).unwrap();
            assert_eq!(reply.queries[0].name().to_string(), name);
            assert_eq!(reply.answers.len(), if is_alias { 2 } else { 1 }, "{reply}");
            let head = &reply.metadata;
            assert!(head.recursion_available && head.recursion_desired && head.checking_disabled);
            assert_eq!((head.authoritative, head.response_code), (is_alias, ResponseCode::NoError));
            assert!(reply.edns.is_none());
        }
    }

    #[test]
    fn a_reply_that_is_too_long_is_cut_by_what_the_client_takes() {
        for (transport, has_edns, is_cut) in
            [(Transport::Udp, false, true), (Transport::Udp, true, true), (Transport::Tcp, false, false)]
        {
            let asked = asked("a.elsewhere.example.", transport, |query| {
                if has_edns {
                    with_edns(false)(query);
                }
            });
            let reply = Message::from_vec(&asked.reply(Ok(found(20))).unwrap()).unwrap();
            assert_eq!((reply.metadata.truncation, reply.answers.is_empty()), (is_cut, is_cut));
            assert_eq!(reply.edns.is_some(), has_edns);
        }
    }

    #[test]
    fn where_nobody_answers_it_is_said_why() {
        for (failure, code) in [(Failure::TimedOut, NO_REACHABLE), (Failure::Failed, NETWORK_ERROR)] {
            let octets = asked("a.elsewhere.example.", Transport::Udp, with_edns(false)).reply(Err(failure));
            let reply = Message::from_vec(&octets.unwrap()).unwrap();
            assert_eq!(reply.metadata.response_code, ResponseCode::ServFail);
            let edns = reply.edns.unwrap();
            assert!(edns.flags().dnssec_ok);
            let said: Vec<_> = edns.options().get_all(EXTENDED_ERROR.into());
            assert_eq!(said, [&EdnsOption::Unknown(EXTENDED_ERROR, code.to_be_bytes().to_vec())]);
        }
    }

    #[test]
    fn an_encrypted_reply_is_padded_anew() {
        let octets = |padded: bool, texts: usize| {
            let asked = asked("a.elsewhere.example.", Transport::Encrypted, with_edns(padded));
            asked.reply(Ok(found(texts))).unwrap().len()
        };
        assert_eq!((octets(true, 1), octets(true, 3)), (468, 2 * 468));
        assert!(octets(false, 1) < 468);
    }
}
