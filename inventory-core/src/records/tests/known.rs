//! Every type against its known octets.
//!
//! The octets of SVCB and HTTPS are those of RFC 9460, appendix D, those of LOC follow RFC 1876,
//! section 3; the others were put together from the formats in their RFCs.

use super::*;

/// Lines without their owner, and their data in hexadecimal digits.
const WIRE: &[(&str, &str)] = &[
    ("A 192.0.2.10", "c000020a"),
    ("AAAA 2001:db8::10", "20010db8000000000000000000000010"),
    ("NS ns1", "036e7331076578616d706c65036f726700"),
    ("CNAME www.example.net.", "03777777076578616d706c65036e657400"),
    ("DNAME new", "036e6577076578616d706c65036f726700"),
    ("PTR Host.Example.NET.", "04486f7374074578616d706c65034e455400"),
    ("MX 10 mail", "000a046d61696c076578616d706c65036f726700"),
    ("MX 0 .", "000000"),
    ("SRV 0 5 5060 pbx", "0000000513c403706278076578616d706c65036f726700"),
    ("TXT \"v=spf1 mx -all\"", "0e763d73706631206d78202d616c6c"),
    (r#"TXT a "b c" "" \"\065\; ; d"#, "016103622063000322413b"),
    ("TXT \"a;b\"\"c\"", "03613b620163"),
    ("SPF \"v=spf1 -all\"", "0b763d73706631202d616c6c"),
    ("HINFO \"x86-64\" Linux", "067838362d3634054c696e7578"),
    ("CAA 0 issue \"le.org; v=1\"", "000569737375656c652e6f72673b20763d31"),
    ("CAA 128 iodef mailto:a@b.c", "8005696f6465666d61696c746f3a6140622e63"),
    ("SSHFP 1 1 123456789abcdef67890123456789abcdef67890", "0101123456789abcdef67890123456789abcdef67890"),
    (
        "TLSA 3 1 1 d2abde240d7cd3ee6b4b28c54df034b9 7983A1D16E8A410E4561CB106618E971",
        "030101d2abde240d7cd3ee6b4b28c54df034b97983a1d16e8a410e4561cb106618e971",
    ),
    (
        "NAPTR 100 10 S SIP+D2U \"!^.*$!sip:info@example.com!\" _sip._udp",
        "0064000a0153075349502b4432551b215e2e2a24217369703a696e666f406578616d706c652e636f6d21\
         045f736970045f756470076578616d706c65036f726700",
    ),
    (
        "DS 60485 RSASHA256 1 2BB183AF5F22588179A53B0A98631FAD1A292118",
        "ec4508012bb183af5f22588179a53b0a98631fad1a292118",
    ),
    (
        "CDS 60485 8 1 2BB183AF5F22588179A53B0A98631FAD1A292118",
        "ec4508012bb183af5f22588179a53b0a98631fad1a292118",
    ),
    ("URI 10 1 \"ftp://a/\"", "000a00016674703a2f2f612f"),
    ("RP admin.example.org. .", "0561646d696e076578616d706c65036f72670000"),
    ("AFSDB 1 afs1", "00010461667331076578616d706c65036f726700"),
    ("KX 10 kx1", "000a036b7831076578616d706c65036f726700"),
    ("LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m", "000016138b3cf018810cbce0009895b8"),
    ("LOC 42 21 54 N 71 06 18 W -24m 30m", "0033161389172dd070be15f000988d20"),
    ("LOC 0 S 180 W 42849672.95m 90000000m 1m 1m", "009912128000000059604e00ffffffff"),
    ("DNSKEY 257 3 ECDSAP256SHA256 Zm9vYmFy Zm8=", "0101030d666f6f626172666f"),
    ("CDNSKEY 257 3 8 Zm9v", "01010308666f6f"),
    ("OPENPGPKEY Zm9v", "666f6f"),
    (
        "DHCID AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=",
        "000201636fc0b8271c82825bb1ac5c41cf5351aa69b4febd94e8f17cdb95000da48c40",
    ),
    ("SMIMEA 3 1 0 aabb", "030100aabb"),
    // RFC 9460, appendix D.
    ("HTTPS 0 foo.example.com.", "000003666f6f076578616d706c6503636f6d00"),
    ("SVCB 1 .", "000100"),
    ("SVCB 16 foo.example.com. port=53", "001003666f6f076578616d706c6503636f6d00000300020035"),
    ("SVCB 1 foo.example.com. key667=hello", "000103666f6f076578616d706c6503636f6d00029b000568656c6c6f"),
    (
        r#"SVCB 1 foo.example.com. key667="hello\210qoo""#,
        "000103666f6f076578616d706c6503636f6d00029b000968656c6c6fd2716f6f",
    ),
    (
        "SVCB 1 foo.example.com. ( ipv6hint=\"2001:db8::1,2001:db8::53:1\" )",
        "000103666f6f076578616d706c6503636f6d00000600\
         2020010db800000000000000000000000120010db8000000000000000000530001",
    ),
    (
        "SVCB 16 foo.example.org. ( alpn=h2,h3-19 mandatory=ipv4hint,alpn ipv4hint=192.0.2.1 )",
        "001003666f6f076578616d706c65036f72670000000004000100040001000902683205\
         68332d313900040004c0000201",
    ),
    (
        r#"SVCB 16 foo.example.org. alpn="f\\\\oo\\,bar,h2""#,
        "001003666f6f076578616d706c65036f7267000001000c08665c6f6f2c626172026832",
    ),
    (
        r"SVCB 16 foo.example.org. alpn=f\\\092oo\092,bar,h2",
        "001003666f6f076578616d706c65036f7267000001000c08665c6f6f2c626172026832",
    ),
    (
        "HTTPS 1 . no-default-alpn port=8443 alpn=h2 ech=AAFh tls-supported-groups=29,23",
        "0001000001000302683200020000000300 0220fb0005000300016100090004001d0017",
    ),
    (
        "SVCB 1 . alpn=dot dohpath=/q{?dns} ohttp",
        "00010000010004 03646f74 00070008 2f717b3f646e737d 00080000",
    ),
    // RFC 4034, section 3.3, 4.3; RFC 5155, appendix A; RFC 4398; RFC 7477; RFC 6742; RFC 7043; RFC 8976.
    (
        "RRSIG A 5 3 86400 20030322173103 20030220173103 2642 example.com. oJB1W6WNGv+ldvQ3WDG0",
        "00010503000151803e7c9dd73e5510d70a52076578616d706c6503636f6d00a090755ba58d1affa5\
         76f4375831b4",
    ),
    (
        "NSEC host.example.com. ( A MX RRSIG NSEC TYPE1234 )",
        "04686f7374076578616d706c6503636f6d000006400100000003041b000000000000000000000000\
         000000000000000000000000000020",
    ),
    (
        "NSEC3 1 1 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr MX DNSKEY NS SOA NSEC3PARAM RRSIG",
        "0101000c04aabbccdd14174eb2409fe28bcb4887a1836f957f0a8425e27b000722010000000290",
    ),
    ("NSEC3PARAM 1 0 12 aabbccdd", "0100000c04aabbccdd"),
    ("NSEC3PARAM 1 0 0 -", "0100000000"),
    ("NSEC Example.ORG.", "074578616d706c65034f524700"),
    ("CERT PGP 0 0 Zm9v", "0003000000666f6f"),
    ("CERT 65534 7 RSASHA256 Zm9v", "fffe000708666f6f"),
    ("KEY 256 3 5 Zm9v", "01000305666f6f"),
    ("SIG A 5 2 60 19700101000100 60 1 . Zm9v", "00010502 0000003c 0000003c 0000003c 0001 00 666f6f"),
    ("CSYNC 66 3 A NS AAAA", "00000042 0003 0004 60000008"),
    ("NID 10 0014:4fff:ff20:ee64", "000a00144fffff20ee64"),
    ("L32 10 10.1.2.0", "000a0a010200"),
    ("L64 10 2001:0DB8:1140:1000", "000a20010db811401000"),
    ("LP 10 l64.example.com.", "000a036c3634076578616d706c6503636f6d00"),
    ("EUI48 00-00-5e-00-53-2a", "00005e00532a"),
    ("EUI64 00-00-5e-ef-10-00-00-2a", "00005eef1000002a"),
    ("ZONEMD 2018031500 1 1 ( FEBE3D4C E2EC2FFA )", "7848b78c 01 01 febe3d4ce2ec2ffa"),
    ("MINFO a b.example.net.", "0161076578616d706c65036f72670001 62076578616d706c65036e657400"),
    ("X25 311061700956", "0c333131303631373030393536"),
    ("ISDN 150862028003217 004", "0f31353038363230323830303332313703303034"),
    ("ISDN 150862028003217", "0f313530383632303238303033323137"),
    ("RT 10 relay", "000a0572656c6179076578616d706c65036f726700"),
    ("PX 10 a.b. c.d.", "000a01610162000163016400"),
    ("GPOS -32.6882 116.8652 10.0", "082d33322e36383832083131362e383635320431302e30"),
    ("TALINK a. b.", "016100016200"),
    (
        "DLV 60485 8 1 2BB183AF5F22588179A53B0A98631FAD1A292118",
        "ec4508012bb183af5f22588179a53b0a98631fad1a292118",
    ),
    // RFC 3123, section 5; RFC 4025, section 3.2; RFC 8777, section 4.3; RFC 8005, section 6; RFC 1706, section 7.
    ("APL 1:192.168.32.0/21 !1:192.168.38.0/28", "00011503c0a820 00011c83c0a826"),
    (
        "APL 1:224.0.0.0/4 2:FF00:0:0:0:0:0:0:0/8 2:::/0 1:1.2.3.4/32",
        "00010401e0 00020801ff 00020000 00012004 01020304",
    ),
    ("APL", ""),
    ("IPSECKEY 10 1 2 192.0.2.38 Zm9v", "0a0102c0000226666f6f"),
    ("IPSECKEY 10 0 2 . Zm9v", "0a0002666f6f"),
    ("IPSECKEY 10 3 2 Gw.example.com. Zm9v", "0a0302024777076578616d706c6503636f6d00666f6f"),
    ("IPSECKEY 10 2 0 2001:db8::1", "0a020020010db8000000000000000000000001"),
    ("AMTRELAY 10 0 1 203.0.113.15", "0a01cb00710f"),
    ("AMTRELAY 10 1 2 2001:db8::15", "0a8220010db8000000000000000000000015"),
    ("AMTRELAY 128 1 3 amtrelays.example.com.", "808309616d7472656c617973076578616d706c6503636f6d00"),
    ("AMTRELAY 10 1 0 .", "0a80"),
    (
        "HIP 2 200100107B1A74DF365639CC39F1D578 Zm9v rvs1.example.com. rvs2",
        "10 02 0003 200100107b1a74df365639cc39f1d578 666f6f 0472767331076578616d706c6503636f6d00\
         0472767332076578616d706c65036f726700",
    ),
    ("HIP 2 2001 Zm9v", "020200032001666f6f"),
    ("WKS 10.0.0.1 TCP telnet smtp 0 ftp 8", "0a000001 06 80800540"),
    ("WKS 10.0.0.1 17", "0a00000111"),
    ("NSAP 0x47.0005.80.005a00.0000.0001.e133.ffffff000161.00", "47000580005a0000000001e133ffffff00016100"),
    ("NXT big.example.com. A MX SIG NXT", "03626967076578616d706c6503636f6d00 40010082"),
    ("EID e32c6f78 163a9348", "e32c6f78163a9348"),
    ("NIMLOC 32251a030067", "32251a030067"),
    ("SINK 1 2 3", "010203"),
    ("DOA 1234567890 1234567890 1 image/gif Zm9v", "499602d2 499602d2 01 09696d6167652f676966 666f6f"),
    ("DOA 0 1 2 \"\" -", "00000000 00000001 02 00"),
    ("DSYNC CDS NOTIFY 5359 a.", "003b 01 14ef 016100"),
    ("BRID Zm9v", "666f6f"),
    // RFC 3597, section 5.
    (r"TYPE65280 \# 4 0a000001", "0a000001"),
    (r"TYPE65280 \# 0", ""),
    (r"A \# 4 0A00 0001", "0a000001"),
    (r"TYPE15 \# 5 000a 014D 00 ; names as they are written", "000a014d00"),
];

#[test]
fn every_type_becomes_its_known_octets() {
    for (line, octets) in WIRE {
        let records = good(&format!("x {line}"));
        assert_eq!(records.len(), 1, "{line}");
        assert_eq!(hex(&records[0].rdata), octets.replace(' ', ""), "{line}");
        let mnemonic = line.split(' ').next().unwrap();
        assert_eq!(Some(records[0].rtype), RecordType::from_mnemonic(mnemonic));
    }
}

#[test]
fn the_generic_form_of_every_type_gives_the_same_record() {
    for (line, _) in WIRE {
        let plain = good(&format!("x {line}")).remove(0);
        let text = format!("x TYPE{} \\# {} {}", plain.rtype.0, plain.rdata.len(), hex(&plain.rdata));
        let generic = good(&text).remove(0);
        assert_eq!(
            (generic.rtype, &generic.rdata, &generic.target),
            (plain.rtype, &plain.rdata, &plain.target),
            "{line}"
        );
    }
}

#[test]
fn every_type_reads_back_from_what_is_shown() {
    for (line, _) in WIRE {
        let record = good(&format!("x {line}")).remove(0);
        let shown = present(record.rtype, &record.rdata);
        let again = good(&format!("x {} {shown}", record.rtype)).remove(0);
        assert_eq!((again.rtype, &again.rdata), (record.rtype, &record.rdata), "{line} as {shown}");
    }
    for (line, shown) in [
        ("TXT \"a\\\"b\\\\\\200\" c", r#""a\"b\\\200" "c""#),
        ("NSEC3PARAM 1 0 0 -", "1 0 0 -"),
        ("CAA 0 issue ca.example", r#"0 issue "ca.example""#),
        ("CAA \\# 2 0000", "\\# 2 0000"),
        ("NSEC3 \\# 8 0100000c02aabb00", "\\# 8 0100000c02aabb00"),
        ("MX 10 Mail", "10 Mail.example.org."),
        (
            "LOC 42 21 54 N 71 06 18 W -24m 30m",
            "42 21 54.000 N 71 6 18.000 W -24.00m 30.00m 10000.00m 10.00m",
        ),
        (
            r#"SVCB 16 a. alpn="f\\\\oo\\,bar,h2" ipv4hint=192.0.2.1 mandatory=alpn port=53 key667="\210q""#,
            r#"16 a. mandatory=alpn alpn="f\\\\oo\\,bar,h2" port=53 ipv4hint=192.0.2.1 key667="\210q""#,
        ),
        ("HTTPS 1 . alpn=h2 no-default-alpn", r#"1 . alpn="h2" no-default-alpn"#),
        ("APL 1:224.0.0.0/4 !2:FF00::/8", "1:224.0.0.0/4 !2:ff00::/8"),
        ("WKS 10.0.0.1 tcp smtp", "10.0.0.1 6 25"),
        ("TYPE65280 \\# 2 abcd", "\\# 2 abcd"),
        (
            "RRSIG A 5 3 86400 20030322173103 20030220173103 2642 a. oJB1",
            "A 5 3 86400 20030322173103 20030220173103 2642 a. oJB1",
        ),
    ] {
        let record = good(&format!("x {line}")).remove(0);
        assert_eq!(present(record.rtype, &record.rdata), shown);
    }
}

proptest! {
    #[test]
    fn any_data_of_any_type_reads_back_from_what_is_shown(
        rtype in prop_oneof![1_u16..128, 256_u16..264, any::<u16>()],
        octets in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let rtype = RecordType(rtype);
        let generic = format!("x {rtype} \\# {} {}", octets.len(), hex(&octets));
        let (records, _) = read(&generic, Dialect { pitfalls: false, soa: true, ..Dialect::INLINE });
        if let Some(record) = records.first() {
            let shown = format!("x {rtype} {}", present(rtype, &record.rdata));
            let (again, findings) = read(&shown, Dialect { pitfalls: false, soa: true, ..Dialect::INLINE });
            prop_assert_eq!(findings, vec![], "{}", &shown);
            prop_assert_eq!(&again[0].rdata, &record.rdata, "{}", &shown);
        }
    }
}
