//! Replies read back, strictly: what is not exactly right panics.
//!
//! Shares no code with the writer. Compression pointers must lead backwards to an earlier name, and
//! stand only in the types of RFC 1035 (RFC 3597, section 4). hickory-proto has to understand each
//! message as well.

use hickory_proto::op::Message;
use inventory_core::name::Name;

use crate::view::{ZoneRecord, rtype};

use super::query::ID;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) flags: u16,
    /// With the high bits of the OPT record.
    pub(crate) rcode: u16,
    /// Name as it stands there, type, class.
    pub(crate) question: Option<(Vec<u8>, u16, u16)>,
    pub(crate) answer: Vec<ZoneRecord>,
    pub(crate) authority: Vec<ZoneRecord>,
    pub(crate) additional: Vec<ZoneRecord>,
    /// Payload, version, flags, options.
    pub(crate) edns: Option<(u16, u8, u16, Vec<u8>)>,
    pub(crate) octets: usize,
}

impl Reply {
    pub(crate) fn read(octets: &[u8]) -> Reply {
        let word = |at: usize| u16::from_be_bytes([octets[at], octets[at + 1]]);
        assert_eq!(octets[..2], ID, "the query's id");
        let flags = word(2);
        assert!(flags & 0x8000 != 0, "it is a response");
        let mut reader = Reader { octets, at: 12 };
        let question = (word(4) == 1).then(|| {
            let start = reader.at;
            reader.name(false);
            let name = octets[start..reader.at].to_vec();
            (name, reader.u16(), reader.u16())
        });
        assert!(word(4) <= 1, "{} questions", word(4));
        let mut reply = Reply {
            flags,
            rcode: flags & 15,
            question,
            answer: Vec::new(),
            authority: Vec::new(),
            additional: Vec::new(),
            edns: None,
            octets: octets.len(),
        };
        for _ in 0..word(6) {
            reply.answer.push(reader.record());
        }
        for _ in 0..word(8) {
            reply.authority.push(reader.record());
        }
        for _ in 0..word(10) {
            if octets.get(reader.at..reader.at + 3) == Some(&[0, 0, 41]) {
                assert!(reply.edns.is_none(), "two OPT records");
                reader.at += 3;
                let payload = reader.u16();
                let [extended, version] = reader.u16().to_be_bytes();
                let (flags, length) = (reader.u16(), reader.u16().into());
                reply.rcode |= u16::from(extended) << 4;
                reply.edns = Some((payload, version, flags, reader.take(length).to_vec()));
            } else {
                reply.additional.push(reader.record());
            }
        }
        assert_eq!(reader.at, octets.len(), "octets after the last record");
        Message::from_vec(octets).expect("hickory-proto understands it");
        reply
    }

    pub(crate) fn aa(&self) -> bool {
        self.flags & 0x0400 != 0
    }

    pub(crate) fn tc(&self) -> bool {
        self.flags & 0x0200 != 0
    }

    /// The sections as master-file lines, a space for each line end.
    pub(crate) fn answers(&self) -> Vec<String> {
        self.answer.iter().map(ToString::to_string).collect()
    }

    pub(crate) fn authorities(&self) -> Vec<String> {
        self.authority.iter().map(ToString::to_string).collect()
    }

    pub(crate) fn additionals(&self) -> Vec<String> {
        self.additional.iter().map(ToString::to_string).collect()
    }
}

struct Reader<'m> {
    octets: &'m [u8],
    at: usize,
}

impl Reader<'_> {
    fn take(&mut self, octets: usize) -> &[u8] {
        self.at += octets;
        &self.octets[self.at - octets..self.at]
    }

    fn u16(&mut self) -> u16 {
        u16::from_be_bytes(self.take(2).try_into().unwrap())
    }

    fn u32(&mut self) -> u32 {
        u32::from_be_bytes(self.take(4).try_into().unwrap())
    }

    /// Wire form of the name here, in its case, uncompressed.
    fn name(&mut self, may_point: bool) -> Vec<u8> {
        let mut wire = Vec::new();
        let (mut at, mut end, mut lowest) = (self.at, None, self.at);
        loop {
            let length = self.octets[at];
            match length {
                0 => break,
                1..=63 => {
                    wire.extend_from_slice(&self.octets[at..=at + usize::from(length)]);
                    at += usize::from(length) + 1;
                }
                0xc0.. => {
                    assert!(may_point, "a pointer where none may be");
                    end.get_or_insert(at + 2);
                    at = usize::from(u16::from_be_bytes([length & 0x3f, self.octets[at + 1]]));
                    assert!(at < lowest && at >= 12, "a pointer from {lowest} to {at}");
                    lowest = at;
                }
                other => panic!("a label of {other} octets"),
            }
        }
        wire.push(0);
        assert!(wire.len() <= 255, "a name of {} octets", wire.len());
        self.at = end.unwrap_or(at + 1);
        wire
    }

    fn record(&mut self) -> ZoneRecord {
        let owner = Name::from_wire(&self.name(true)).unwrap();
        let rtype = self.u16();
        let class = if rtype == rtype::TSIG { 255 } else { 1 };
        assert_eq!(self.u16(), class, "class IN, but for a signature");
        let ttl = self.u32();
        let length = usize::from(self.u16());
        let end = self.at + length;
        let mut rdata = Vec::new();
        let before = match rtype {
            rtype::MX => 2,
            rtype::SRV => 6,
            _ => 0,
        };
        let names = match rtype {
            rtype::NS | rtype::CNAME | rtype::PTR | rtype::MX | rtype::DNAME | rtype::SRV => 1,
            rtype::SOA => 2,
            _ => 0,
        };
        rdata.extend_from_slice(self.take(before));
        for _ in 0..names {
            let may_point = !matches!(rtype, rtype::DNAME | rtype::SRV);
            rdata.extend(self.name(may_point));
        }
        let rest = end - self.at;
        rdata.extend_from_slice(self.take(rest));
        assert_eq!(self.at, end, "RDATA of another length than it says");
        ZoneRecord { owner, rtype, ttl, rdata: rdata.into() }
    }
}
