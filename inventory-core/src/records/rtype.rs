//! Record types: their numbers and mnemonics (IANA "Resource Record (RR) TYPEs").

use std::fmt;

/// A record type, known or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordType(pub u16);

macro_rules! types {
    ($($constant:ident $number:literal $mnemonic:literal;)*) => {
        impl RecordType {
            $(#[doc = concat!("`", $mnemonic, "`, ", stringify!($number), ".")]
            pub const $constant: RecordType = RecordType($number);)*
        }

        /// Every type that has a mnemonic, by number.
        const MNEMONICS: &[(u16, &str)] = &[$(($number, $mnemonic)),*];
    };
}

types! {
    A 1 "A";
    NS 2 "NS";
    MD 3 "MD";
    MF 4 "MF";
    CNAME 5 "CNAME";
    SOA 6 "SOA";
    MB 7 "MB";
    MG 8 "MG";
    MR 9 "MR";
    NULL 10 "NULL";
    WKS 11 "WKS";
    PTR 12 "PTR";
    HINFO 13 "HINFO";
    MINFO 14 "MINFO";
    MX 15 "MX";
    TXT 16 "TXT";
    RP 17 "RP";
    AFSDB 18 "AFSDB";
    X25 19 "X25";
    ISDN 20 "ISDN";
    RT 21 "RT";
    NSAP 22 "NSAP";
    NSAP_PTR 23 "NSAP-PTR";
    SIG 24 "SIG";
    KEY 25 "KEY";
    PX 26 "PX";
    GPOS 27 "GPOS";
    AAAA 28 "AAAA";
    LOC 29 "LOC";
    NXT 30 "NXT";
    EID 31 "EID";
    NIMLOC 32 "NIMLOC";
    SRV 33 "SRV";
    ATMA 34 "ATMA";
    NAPTR 35 "NAPTR";
    KX 36 "KX";
    CERT 37 "CERT";
    A6 38 "A6";
    DNAME 39 "DNAME";
    SINK 40 "SINK";
    OPT 41 "OPT";
    APL 42 "APL";
    DS 43 "DS";
    SSHFP 44 "SSHFP";
    IPSECKEY 45 "IPSECKEY";
    RRSIG 46 "RRSIG";
    NSEC 47 "NSEC";
    DNSKEY 48 "DNSKEY";
    DHCID 49 "DHCID";
    NSEC3 50 "NSEC3";
    NSEC3PARAM 51 "NSEC3PARAM";
    TLSA 52 "TLSA";
    SMIMEA 53 "SMIMEA";
    HIP 55 "HIP";
    NINFO 56 "NINFO";
    RKEY 57 "RKEY";
    TALINK 58 "TALINK";
    CDS 59 "CDS";
    CDNSKEY 60 "CDNSKEY";
    OPENPGPKEY 61 "OPENPGPKEY";
    CSYNC 62 "CSYNC";
    ZONEMD 63 "ZONEMD";
    SVCB 64 "SVCB";
    HTTPS 65 "HTTPS";
    DSYNC 66 "DSYNC";
    HHIT 67 "HHIT";
    BRID 68 "BRID";
    SPF 99 "SPF";
    UINFO 100 "UINFO";
    UID 101 "UID";
    GID 102 "GID";
    UNSPEC 103 "UNSPEC";
    NID 104 "NID";
    L32 105 "L32";
    L64 106 "L64";
    LP 107 "LP";
    EUI48 108 "EUI48";
    EUI64 109 "EUI64";
    NXNAME 128 "NXNAME";
    TKEY 249 "TKEY";
    TSIG 250 "TSIG";
    IXFR 251 "IXFR";
    AXFR 252 "AXFR";
    MAILB 253 "MAILB";
    MAILA 254 "MAILA";
    ANY 255 "ANY";
    URI 256 "URI";
    CAA 257 "CAA";
    AVC 258 "AVC";
    DOA 259 "DOA";
    AMTRELAY 260 "AMTRELAY";
    RESINFO 261 "RESINFO";
    WALLET 262 "WALLET";
    CLA 263 "CLA";
    IPN 264 "IPN";
    TA 32768 "TA";
    DLV 32769 "DLV";
}

impl RecordType {
    /// Reads a mnemonic in any case, or `TYPE123` (RFC 3597, section 5); `None` if it is neither.
    pub fn from_mnemonic(text: &str) -> Option<RecordType> {
        let known = MNEMONICS.iter().find(|(_, mnemonic)| mnemonic.eq_ignore_ascii_case(text));
        if let Some((number, _)) = known {
            return Some(RecordType(*number));
        }
        let (word, digits) = text.split_at_checked(4)?;
        if !word.eq_ignore_ascii_case("TYPE") || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        digits.parse().ok().map(RecordType)
    }

    /// The mnemonic; `None` for types without one.
    pub fn mnemonic(self) -> Option<&'static str> {
        MNEMONICS.iter().find(|(number, _)| *number == self.0).map(|(_, mnemonic)| *mnemonic)
    }

    /// Whether the type names no data that a zone can hold: the question and meta types 128 to 255,
    /// `OPT`, and the reserved 0 and 65535 (RFC 6895, section 3.1).
    pub fn is_meta(self) -> bool {
        matches!(self.0, 0 | 41 | 128..=255 | 65535)
    }

    /// Whether records of the type stand beside a CNAME: those that sign or deny what is there (RFC 4035,
    /// section 2.5; RFC 2181, section 10.1, for the types before them).
    pub fn goes_with_cname(self) -> bool {
        matches!(
            self,
            RecordType::RRSIG | RecordType::NSEC | RecordType::SIG | RecordType::NXT | RecordType::KEY
        )
    }
}

impl fmt::Display for RecordType {
    /// The mnemonic, or `TYPE123`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mnemonic() {
            Some(mnemonic) => f.write_str(mnemonic),
            None => write!(f, "TYPE{}", self.0),
        }
    }
}

/// The mnemonics of types that a zone can hold.
pub(super) fn data_mnemonics() -> impl Iterator<Item = &'static str> {
    MNEMONICS.iter().filter(|(number, _)| !RecordType(*number).is_meta()).map(|(_, mnemonic)| *mnemonic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_reads_back_from_what_it_prints() {
        for number in 0..=u16::MAX {
            let rtype = RecordType(number);
            assert_eq!(RecordType::from_mnemonic(&rtype.to_string()), Some(rtype));
            assert_eq!(RecordType::from_mnemonic(&format!("type{number}")), Some(rtype));
        }
        assert!(MNEMONICS.is_sorted());
    }

    #[test]
    fn case_does_not_count_and_strange_words_are_no_types() {
        assert_eq!(RecordType::from_mnemonic("nsap-ptr"), Some(RecordType::NSAP_PTR));
        assert_eq!(RecordType::from_mnemonic("Aaaa"), Some(RecordType::AAAA));
        for text in ["", "TYPE", "TYPE65536", "TYPE-1", "TYPE+1", "TYPE1x", "AA", "typé1", "TYPé"] {
            assert_eq!(RecordType::from_mnemonic(text), None, "{text}");
        }
    }

    #[test]
    fn question_types_are_meta_and_data_types_are_not() {
        for rtype in [RecordType::ANY, RecordType::AXFR, RecordType::OPT, RecordType::TSIG, RecordType(0)] {
            assert!(rtype.is_meta(), "{rtype}");
        }
        for rtype in [RecordType::A, RecordType::SPF, RecordType::URI, RecordType(65280)] {
            assert!(!rtype.is_meta(), "{rtype}");
        }
    }
}
