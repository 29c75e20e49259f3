//! The form of RDATA by which records are compared and signed (RFC 4034, section 6.2).
//!
//! Names in it keep the case that they are written in, on the wire and in texts. Two records that differ
//! in that alone are one (RFC 2181, section 5).

use std::borrow::Cow;

use super::shape::{Field, shape};
use super::{Record, RecordType, wire};

/// `rdata` with its names in lower case, for the types where DNSSEC wants that (RFC 4034, section 6.2, as
/// RFC 6840, section 5.1, amends it); all others are compared as they stand.
pub fn canonical(rtype: RecordType, rdata: &[u8]) -> Cow<'_, [u8]> {
    let Some(shape) = shape(rtype).filter(|_| has_lower_case_names(rtype)) else {
        return Cow::Borrowed(rdata);
    };
    let mut out = Cow::Borrowed(rdata);
    let mut at = 0;
    for field in shape.fields {
        let Some(octets) = rdata.get(at..).and_then(|rest| wire::octets_of(*field, rest, rdata).ok()) else {
            break;
        };
        let end = at + octets.len();
        let is_name = matches!(field, Field::Name(_) | Field::Mailbox(_) | Field::Target(_));
        if is_name && octets.iter().any(u8::is_ascii_uppercase) {
            // Length octets are below `A`, so that this changes labels only.
            out.to_mut()[at..end].make_ascii_lowercase();
        }
        at = end;
    }
    out
}

/// The type that a signature covers, if `rtype` is that of signatures. Signatures of one owner are as many
/// RRsets as they cover types, each with the TTL of what it signs (RFC 4034, section 3).
pub fn covered_type(rtype: RecordType, rdata: &[u8]) -> Option<RecordType> {
    let covered =
        rdata.first_chunk::<2>().filter(|_| [RecordType::RRSIG, RecordType::SIG].contains(&rtype))?;
    Some(RecordType(u16::from_be_bytes(*covered)))
}

impl Record {
    /// The type that it covers, if it is a signature.
    pub fn covers(&self) -> Option<RecordType> {
        covered_type(self.rtype, &self.rdata)
    }

    /// Whether both say the same of whatever owner they have.
    pub fn has_data_of(&self, other: &Record) -> bool {
        self.rtype == other.rtype
            && canonical(self.rtype, &self.rdata) == canonical(other.rtype, &other.rdata)
    }
}

fn has_lower_case_names(rtype: RecordType) -> bool {
    matches!(
        rtype,
        RecordType::NS
            | RecordType::MD
            | RecordType::MF
            | RecordType::CNAME
            | RecordType::SOA
            | RecordType::MB
            | RecordType::MG
            | RecordType::MR
            | RecordType::PTR
            | RecordType::MINFO
            | RecordType::MX
            | RecordType::RP
            | RecordType::AFSDB
            | RecordType::RT
            | RecordType::SIG
            | RecordType::PX
            | RecordType::NXT
            | RecordType::NAPTR
            | RecordType::KX
            | RecordType::SRV
            | RecordType::DNAME
            | RecordType::RRSIG
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_lower_case_and_nothing_else() {
        for (rtype, rdata, expected) in [
            (RecordType::MX, &b"\x41\x42\x04Mail\0"[..], &b"\x41\x42\x04mail\0"[..]),
            (RecordType::SRV, b"AAAAAA\x01S\0", b"AAAAAA\x01s\0"),
            (RecordType::TXT, b"\x01T", b"\x01T"),
            (RecordType::NAPTR, b"\0\0\0\0\x01S\0\0\x01R\0", b"\0\0\0\0\x01S\0\0\x01r\0"),
            (RecordType::NXT, b"\x01N\0\x40", b"\x01n\0\x40"),
            (RecordType::NSEC, b"\x01N\0\0\x01\x40", b"\x01N\0\0\x01\x40"),
            (RecordType::CNAME, b"\x01N", b"\x01N"),
        ] {
            assert_eq!(&*canonical(rtype, rdata), expected, "{rtype}");
        }
    }
}
