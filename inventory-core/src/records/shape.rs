//! What the RDATA of each type is made of, in the order of its text and of its wire form.
//!
//! One table serves both directions that data comes from: words of a line (`fields`) and octets of
//! the generic form (`wire`, RFC 3597). A type without an entry is known by the generic form only.

use super::RecordType;

/// One field of RDATA. Words in it name it to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// IPv4 address.
    Ip4,
    /// IPv6 address.
    Ip6,
    /// Integer of 8 bits.
    U8(&'static str),
    /// Integer of 16 bits.
    U16(&'static str),
    /// Integer of 32 bits.
    U32(&'static str),
    /// Time in seconds, 32 bits, units allowed.
    Seconds(&'static str),
    /// DNSSEC algorithm by number or mnemonic (RFC 4034, appendix A.1).
    Algorithm,
    /// Domain name.
    Name(&'static str),
    /// The domain name that the record is there to point to.
    Target(&'static str),
    /// Mail address written as a domain name (RFC 1035, section 8).
    Mailbox(&'static str),
    /// Character string: up to 255 octets, its length in front.
    Text(&'static str),
    /// One or more character strings, to the end.
    Texts,
    /// Property tag: letters and digits, its length in front (RFC 8659, section 4.1).
    Tag,
    /// Text of any length, to the end.
    Rest(&'static str),
    /// Hexadecimal digits, to the end.
    Hex(&'static str),
    /// Base 64, to the end.
    Base64(&'static str),
    /// Service parameters, to the end (RFC 9460, section 2.2).
    ServiceParameters,
    /// Everything that LOC has (RFC 1876).
    Location,
    /// Record type by mnemonic or as `TYPE123`.
    Type,
    /// Record types, to the end, as a bitmap (RFC 4034, section 4.1.2).
    Types,
    /// Moment as `YYYYMMDDHHmmSS` or seconds since 1970 (RFC 4034, section 3.2).
    Moment(&'static str),
    /// Hexadecimal digits in one word, their length in front; `-` for none (RFC 5155, section 3.3).
    Salt,
    /// Base 32 with extended hex alphabet in one word, its length in front (RFC 5155, section 3.3).
    Base32(&'static str),
    /// So many octets as hexadecimal pairs with hyphens between (RFC 7043).
    Pairs(usize, &'static str),
    /// 64 bits as four groups of hexadecimal digits with colons between (RFC 6742).
    Groups(&'static str),
    /// Certificate type by number or mnemonic (RFC 4398, section 2.1).
    CertificateType,
    /// Character strings, to the end; there may be none.
    MoreTexts,
    /// Base 64, to the end; there may be none.
    MaybeBase64(&'static str),
    /// Base 64, to the end; `-` for none.
    DashBase64(&'static str),
    /// What the second octet of the data says: nothing, an address or a name. Its bits that say it.
    Gateway(u8),
    /// Discovery flag and type of a relay, in one octet (RFC 8777, section 4.2).
    Relay,
    /// Address prefixes, to the end; there may be none (RFC 3123).
    Prefixes,
    /// Protocol and services, to the end (RFC 1035, section 3.4.2).
    Services,
    /// Types below 128, to the end (RFC 2535, section 5.2).
    OldTypes,
    /// Algorithm, tag and key of a host (RFC 8005, section 5).
    HostIdentity,
    /// Domain names, to the end; there may be none.
    MoreNames,
    /// Hexadecimal digits with `0x` in front and dots between (RFC 1706, section 7).
    Nsap,
    /// Scheme by number or mnemonic (RFC 9859, section 2).
    Scheme,
}

impl Field {
    /// Whether nothing at all may stand for it.
    pub(super) fn may_be_absent(self) -> bool {
        matches!(
            self,
            ServiceParameters | Types | MoreTexts | MaybeBase64(_) | Prefixes | OldTypes | MoreNames
        )
    }
}

/// The RDATA of one type.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) fields: &'static [Field],
    /// A record of the type as people write it.
    pub(super) example: &'static str,
}

macro_rules! shapes {
    ($($rtype:ident $example:literal $($field:expr),+;)*) => {
        /// What `rtype` is made of; `None` if only its generic form can be read.
        pub(super) fn shape(rtype: RecordType) -> Option<&'static Shape> {
            match rtype {
                $(RecordType::$rtype => {
                    const SHAPE: &Shape = &Shape { fields: &[$($field),+], example: $example };
                    Some(SHAPE)
                })*
                _ => None,
            }
        }

        /// Types with a shape.
        #[cfg(test)]
        pub(super) const SHAPED: &[RecordType] = &[$(RecordType::$rtype),*];
    };
}

use Field::{
    Algorithm, Base32, Base64, CertificateType, DashBase64, Gateway, Groups, Hex, HostIdentity, Ip4, Ip6,
    Location, Mailbox, MaybeBase64, Moment, MoreNames, MoreTexts, Name, Nsap, OldTypes, Pairs, Prefixes,
    Relay, Rest, Salt, Scheme, Seconds, ServiceParameters, Services, Tag, Target, Text, Texts, Type, Types,
    U8, U16, U32,
};

shapes! {
    A "www A 192.0.2.10" Ip4;
    NS "@ NS ns1" Target("name server");
    MD "@ MD mail" Name("mail server");
    MF "@ MF mail" Name("mail server");
    CNAME "ftp CNAME www" Target("canonical name");
    SOA "@ SOA ns1 hostmaster 2024010100 1h 15m 2w 1h"
        Name("primary name server"), Mailbox("contact"), U32("serial"),
        Seconds("refresh"), Seconds("retry"), Seconds("expire"), Seconds("minimum");
    MB "@ MB mail" Name("mail server");
    MG "@ MG friend" Mailbox("mailbox");
    MR "@ MR friend" Mailbox("mailbox");
    WKS "www WKS 192.0.2.10 tcp smtp 80" Ip4, Services;
    PTR "10 PTR www.example.org." Target("name");
    HINFO "www HINFO \"x86-64\" \"Linux\"" Text("CPU"), Text("operating system");
    MINFO "@ MINFO owner errors" Mailbox("responsible mailbox"), Mailbox("mailbox for errors");
    MX "@ MX 10 mail" U16("preference"), Target("mail server");
    TXT "@ TXT \"v=spf1 mx -all\"" Texts;
    RP "@ RP admin.example.org. ." Mailbox("mailbox"), Name("name of a TXT record");
    AFSDB "@ AFSDB 1 afs1" U16("subtype"), Name("server");
    X25 "@ X25 311061700956" Text("PSDN address");
    ISDN "@ ISDN 150862028003217 004" Text("ISDN address"), MoreTexts;
    RT "@ RT 10 relay" U16("preference"), Name("intermediate host");
    NSAP "www NSAP 0x47.0005.80.005a00.0000.0001.e133.ffffff000161.00" Nsap;
    NSAP_PTR "@ NSAP-PTR host" Name("name");
    SIG "@ SIG A 8 2 3600 20300101000000 20200101000000 2642 example.org. c2lnbmF0dXJl"
        Type, Algorithm, U8("number of labels"), Seconds("original TTL"), Moment("expiration"),
        Moment("inception"), U16("key tag"), Name("signer"), Base64("signature");
    KEY "@ KEY 256 3 13 AwEAAa…" U16("flags"), U8("protocol"), Algorithm, Base64("public key");
    PX "@ PX 10 a b" U16("preference"), Name("RFC 822 domain"), Name("X.400 domain");
    GPOS "@ GPOS -32.6882 116.8652 10.0" Text("longitude"), Text("latitude"), Text("altitude");
    AAAA "www AAAA 2001:db8::10" Ip6;
    LOC "@ LOC 52 22 23.000 N 4 53 32.000 E 2.00m" Location;
    NXT "a NXT b A MX NXT" Name("next name"), OldTypes;
    EID "@ EID e32c6f78163a9348" Hex("identifier");
    NIMLOC "@ NIMLOC 32251a030067" Hex("locator");
    SRV "_sip._udp SRV 0 5 5060 pbx" U16("priority"), U16("weight"), U16("port"), Target("server");
    NAPTR "@ NAPTR 100 10 \"S\" \"SIP+D2U\" \"\" _sip._udp"
        U16("order"), U16("preference"), Text("flags"), Text("services"), Text("regular expression"),
        Name("replacement");
    KX "@ KX 10 kx1" U16("preference"), Name("key exchanger");
    CERT "@ CERT PGP 0 0 bXkga2V5" CertificateType, U16("key tag"), Algorithm, Base64("certificate");
    DNAME "old DNAME new.example.org." Target("name");
    SINK "@ SINK 1 0 0 bXkgZGF0YQ==" U8("meaning"), U8("coding"), U8("subcoding"), MaybeBase64("data");
    APL "@ APL 1:192.0.2.0/24 !1:192.0.2.64/28" Prefixes;
    DS "sub DS 60485 8 2 0A1B…" U16("key tag"), Algorithm, U8("digest type"), Hex("digest");
    SSHFP "www SSHFP 4 2 0a1b…" U8("key algorithm"), U8("fingerprint type"), Hex("fingerprint");
    IPSECKEY "38 IPSECKEY 10 1 2 192.0.2.38 AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ=="
        U8("precedence"), U8("gateway type"), U8("algorithm"), Gateway(0xff), MaybeBase64("public key");
    RRSIG "@ RRSIG A 8 2 3600 20300101000000 20200101000000 2642 example.org. c2lnbmF0dXJl"
        Type, Algorithm, U8("number of labels"), Seconds("original TTL"), Moment("expiration"),
        Moment("inception"), U16("key tag"), Name("signer"), Base64("signature");
    NSEC "a NSEC b A MX RRSIG NSEC" Name("next name"), Types;
    DNSKEY "@ DNSKEY 257 3 13 AwEAAa…" U16("flags"), U8("protocol"), Algorithm, Base64("public key");
    DHCID "www DHCID AAIBY2…" Base64("digest");
    NSEC3 "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom NSEC3 1 1 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr A RRSIG"
        U8("hash algorithm"), U8("flags"), U16("iterations"), Salt, Base32("next hash"), Types;
    NSEC3PARAM "@ NSEC3PARAM 1 0 12 aabbccdd" U8("hash algorithm"), U8("flags"), U16("iterations"), Salt;
    TLSA "_443._tcp.www TLSA 3 1 1 0a1b…"
        U8("certificate usage"), U8("selector"), U8("matching type"), Hex("certificate data");
    SMIMEA "@ SMIMEA 3 1 1 0a1b…"
        U8("certificate usage"), U8("selector"), U8("matching type"), Hex("certificate data");
    HIP "www HIP 2 200100107b1a74df365639cc39f1d578 AwEAAbdxyhNuSutc rvs.example.org."
        HostIdentity, MoreNames;
    RKEY "@ RKEY 0 0 13 AwEAAa…" U16("flags"), U8("protocol"), Algorithm, Base64("public key");
    TALINK "@ TALINK a b" Name("previous name"), Name("next name");
    NINFO "@ NINFO \"text\"" Texts;
    CDS "@ CDS 60485 8 2 0A1B…" U16("key tag"), Algorithm, U8("digest type"), Hex("digest");
    CDNSKEY "@ CDNSKEY 257 3 13 AwEAAa…" U16("flags"), U8("protocol"), Algorithm, Base64("public key");
    OPENPGPKEY "@ OPENPGPKEY mQINBF…" Base64("public key");
    CSYNC "@ CSYNC 66 3 A NS AAAA" U32("serial"), U16("flags"), Types;
    ZONEMD "@ ZONEMD 2024010100 1 1 0A1B…" U32("serial"), U8("scheme"), U8("hash algorithm"), Hex("digest");
    SVCB "_dns.resolver SVCB 1 dot alpn=dot port=853" U16("priority"), Name("target"), ServiceParameters;
    HTTPS "@ HTTPS 1 . alpn=h2,h3" U16("priority"), Name("target"), ServiceParameters;
    DSYNC "_dsync DSYNC CDS NOTIFY 5359 scanner" Type, Scheme, U16("port"), Name("target");
    HHIT "@ HHIT gw9/AAAC2w==" Base64("tag");
    BRID "@ BRID owCAgw==" Base64("identifier");
    SPF "@ SPF \"v=spf1 mx -all\"" Texts;
    NID "www NID 10 0014:4fff:ff20:ee64" U16("preference"), Groups("node identifier");
    L32 "www L32 10 10.1.2.0" U16("preference"), Ip4;
    L64 "www L64 10 2001:0db8:1140:1000" U16("preference"), Groups("locator");
    LP "www LP 10 l64" U16("preference"), Name("name of a locator");
    EUI48 "www EUI48 00-00-5e-00-53-2a" Pairs(6, "EUI-48 address");
    EUI64 "www EUI64 00-00-5e-ef-10-00-00-2a" Pairs(8, "EUI-64 address");
    URI "_ftp._tcp URI 10 1 \"ftp://ftp.example.org/\"" U16("priority"), U16("weight"), Rest("URI");
    CAA "@ CAA 0 issue \"letsencrypt.org\"" U8("flags"), Tag, Rest("value");
    AVC "@ AVC \"text\"" Texts;
    DOA "@ DOA 0 1 2 \"\" aHR0cHM6Ly9leGFtcGxlLm9yZy8="
        U32("enterprise"), U32("type"), U8("location"), Text("media type"), DashBase64("data");
    AMTRELAY "@ AMTRELAY 10 0 1 203.0.113.15" U8("precedence"), Relay, Gateway(0x7f);
    RESINFO "@ RESINFO qnamemin" Texts;
    TA "@ TA 60485 8 2 0A1B…" U16("key tag"), Algorithm, U8("digest type"), Hex("digest");
    DLV "@ DLV 60485 8 2 0A1B…" U16("key tag"), Algorithm, U8("digest type"), Hex("digest");
    WALLET "@ WALLET \"BTC\" \"address\"" Texts;
}

/// The octets that a digest of the kind in this RDATA has; `None` if it has no digest, or of a kind
/// that is not registered.
///
/// DS and CDS: IANA "DS RR Type Digest Algorithms". SSHFP: RFC 4255 and 6594. TLSA and SMIMEA: RFC
/// 6698, section 7.4.
pub(super) fn digest_octets(rtype: RecordType, rdata: &[u8]) -> Option<(usize, usize)> {
    let (kind, header, known): (usize, usize, &[(u8, usize)]) = match rtype {
        RecordType::DS | RecordType::CDS | RecordType::TA | RecordType::DLV => {
            (3, 4, &[(1, 20), (2, 32), (3, 32), (4, 48)])
        }
        RecordType::SSHFP => (1, 2, &[(1, 20), (2, 32)]),
        RecordType::TLSA | RecordType::SMIMEA => (2, 3, &[(1, 32), (2, 64)]),
        _ => return None,
    };
    let kind = rdata.get(kind)?;
    let (_, octets) = known.iter().find(|(number, _)| number == kind)?;
    Some((*octets, rdata.len() - header))
}

/// DNSSEC algorithms (IANA "DNS Security Algorithm Numbers").
const ALGORITHMS: &[(&str, u8)] = &[
    ("DELETE", 0),
    ("RSAMD5", 1),
    ("DH", 2),
    ("DSA", 3),
    ("RSASHA1", 5),
    ("DSA-NSEC3-SHA1", 6),
    ("RSASHA1-NSEC3-SHA1", 7),
    ("RSASHA256", 8),
    ("RSASHA512", 10),
    ("ECC-GOST", 12),
    ("ECDSAP256SHA256", 13),
    ("ECDSAP384SHA384", 14),
    ("ED25519", 15),
    ("ED448", 16),
    ("INDIRECT", 252),
    ("PRIVATEDNS", 253),
    ("PRIVATEOID", 254),
];

/// The number of a DNSSEC algorithm.
pub(super) fn algorithm(mnemonic: &str) -> Option<u8> {
    ALGORITHMS.iter().find(|(name, _)| name.eq_ignore_ascii_case(mnemonic)).map(|(_, number)| *number)
}

/// Certificate types (IANA "CERT RR Certificate Types").
const CERTIFICATE_TYPES: &[(&str, u16)] = &[
    ("PKIX", 1),
    ("SPKI", 2),
    ("PGP", 3),
    ("IPKIX", 4),
    ("ISPKI", 5),
    ("IPGP", 6),
    ("ACPKIX", 7),
    ("IACPKIX", 8),
    ("URI", 253),
    ("OID", 254),
];

/// The number of a certificate type.
pub(super) fn certificate_type(mnemonic: &str) -> Option<u16> {
    CERTIFICATE_TYPES.iter().find(|(name, _)| name.eq_ignore_ascii_case(mnemonic)).map(|(_, number)| *number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Finding;
    use crate::name::Name;
    use crate::span::{FileId, Span};

    #[test]
    fn every_example_in_the_table_can_be_read() {
        let origin = Name::parse("example.org", None).unwrap();
        for &rtype in SHAPED {
            let example = shape(rtype).unwrap().example;
            if example.contains('…') {
                continue;
            }
            let mut findings: Vec<Finding> = Vec::new();
            let locate = |from: usize, to: usize| {
                Span::new(FileId(0), u32::try_from(from).unwrap(), u32::try_from(to).unwrap())
            };
            let dialect = super::super::Dialect { soa: true, ..super::super::Dialect::INLINE };
            let records = super::super::parse_with(example, &origin, dialect, &locate, &mut findings);
            assert_eq!(findings, [], "{example}");
            assert_eq!(records[0].rtype, rtype, "{example}");
        }
    }
}
