//! Queries, well formed and otherwise.

use crate::core::{self, Outcome, QueryContext};
use crate::view::{DnsView, rtype};

use super::{Reply, TCP, UDP, name};

/// A query to be.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) name: Vec<u8>,
    pub(crate) rtype: u16,
    pub(crate) class: u16,
    pub(crate) flags: u16,
    pub(crate) questions: u16,
    /// Payload, version, flags and options of an OPT record.
    pub(crate) edns: Option<(u16, u8, u16, Vec<u8>)>,
    /// Whole records after the OPT record, and how many.
    pub(crate) more: (u16, Vec<u8>),
}

/// Message id of every query.
pub(crate) const ID: [u8; 2] = [0xab, 0xcd];

impl Ask {
    pub(crate) fn new(text: &str, rtype: u16) -> Ask {
        Ask::wire(name(text).as_wire(), rtype)
    }

    pub(crate) fn wire(name: &[u8], rtype: u16) -> Ask {
        Ask {
            name: name.to_vec(),
            rtype,
            class: 1,
            flags: 0,
            questions: 1,
            edns: None,
            more: (0, Vec::new()),
        }
    }

    pub(crate) fn edns(mut self, payload: u16) -> Ask {
        self.edns = Some((payload, 0, 0, Vec::new()));
        self
    }

    pub(crate) fn octets(&self) -> Vec<u8> {
        let additional = u16::from(self.edns.is_some()) + self.more.0;
        let mut octets = ID.to_vec();
        for word in [self.flags, self.questions, 0, 0, additional] {
            octets.extend_from_slice(&word.to_be_bytes());
        }
        if self.questions > 0 {
            octets.extend_from_slice(&self.name);
            octets.extend_from_slice(&self.rtype.to_be_bytes());
            octets.extend_from_slice(&self.class.to_be_bytes());
        }
        if let Some((payload, version, flags, options)) = &self.edns {
            octets.push(0);
            octets.extend_from_slice(&rtype::OPT.to_be_bytes());
            octets.extend_from_slice(&payload.to_be_bytes());
            octets.extend_from_slice(&[0, *version]);
            octets.extend_from_slice(&flags.to_be_bytes());
            octets.extend_from_slice(&u16::try_from(options.len()).unwrap().to_be_bytes());
            octets.extend_from_slice(options);
        }
        octets.extend_from_slice(&self.more.1);
        octets
    }

    pub(crate) fn by(&self, view: &DnsView, context: QueryContext<'_>) -> (Outcome, Option<Reply>) {
        let mut out = vec![0; 65_535];
        let outcome = core::answer(view, &self.octets(), context, &mut out);
        (outcome, outcome.octets().map(|octets| Reply::read(&out[..octets])))
    }

    /// The reply over a connection: no size limits it.
    #[track_caller]
    pub(crate) fn tcp(&self, view: &DnsView) -> Reply {
        self.by(view, TCP).1.expect("a reply")
    }

    /// The reply in a datagram.
    #[track_caller]
    pub(crate) fn udp(&self, view: &DnsView) -> Reply {
        self.by(view, UDP).1.expect("a reply")
    }
}

/// The reply to a question, over a connection.
#[track_caller]
pub(crate) fn ask(view: &DnsView, text: &str, rtype: u16) -> Reply {
    Ask::new(text, rtype).tcp(view)
}
