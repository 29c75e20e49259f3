//! Every mistake of one record, with the words that it points at.

use super::*;

#[test]
fn mistakes_in_front_of_the_data_are_pointed_at() {
    wrong("x CNAM www", "CNAM", "did you mean `CNAME`?");
    wrong("x 10 20 A 10.0.0.1", "20", "the TTL stands twice");
    wrong("x IN IN A 10.0.0.1", "IN", "the class stands twice");
    wrong("x CH TXT a", "CH", "only the class `IN`");
    wrong("x CLASS3 TXT a", "CLASS3", "only the class `IN`");
    wrong("x 2147483648 A 10.0.0.1", "2147483648", "above 2147483647 seconds");
    wrong("x 1y A 10.0.0.1", "1y", "is no record type");
    wrong("x 10.0.0.1", "10.0.0.1", "NAME [TTL] TYPE DATA");
    wrong("x ANY 1", "ANY", "no type of data");
    wrong("x TYPE0 \\# 0", "TYPE0", "no type of data");
    wrong("x ALIAS www", "ALIAS", "`A` and `AAAA`");
    wrong("x \"A\" 10.0.0.1", "\"A\"", "is no record type");
    wrong("x", "x", "no record type behind it");
    wrong("x 300", "300", "no record type behind it");
    wrong("MX 10 mail", "MX", "write `@` in front");
    wrong("A 10.0.0.1", "A", "write `@` in front");
    wrong("TXT \"a\"", "TXT", "write `@` in front");
    wrong("@ A 10.0.0.1\n www A 10.0.0.2", "www", "remove the white space in front");
    wrong("$TTL 1x", "1x", "is no TTL");
    wrong("$TTL 99999999999", "99999999999", "is above");
    wrong("$TTL", "$TTL", "takes a time");
    wrong("$TTL 1h 2h", "2h", "more than `$TTL` takes");
    wrong("$ORIGN lab", "$ORIGN", "did you mean `$ORIGIN`?");
    wrong("$FOO", "$FOO", "is no directive");
}

#[test]
fn mistakes_in_names_are_pointed_at() {
    let long = "a".repeat(64);
    wrong(&format!("{long} A 10.0.0.1"), &long, "longer than 63 octets");
    wrong("a..b A 10.0.0.1", "a..b", "empty label");
    wrong("\"www\" A 10.0.0.1", "\"www\"", "without quotation marks");
    wrong("münchen A 10.0.0.1", "ü", "xn--");
    wrong("x MX 10 10.0.0.1", "10.0.0.1", "is an address");
    wrong("x MX 10 10.0.0.1.", "10.0.0.1.", "is an address");
    wrong("x NS 2001:db8::1", "2001:db8::1", "is an address");
    wrong("x MX 10 mail.example.org", "mail.example.org", "means `mail.example.org.example.org`");
    wrong("x.Example.org A 10.0.0.1", "x.Example.org", "write `x.Example.org.` with a dot");
    wrong("*x A 10.0.0.1", "*x", "a whole label");
    wrong("x.* A 10.0.0.1", "x.*", "a whole label");
    wrong("x RP admin@example.org .", "admin@example.org", "`admin.example.org.`");
    good("x MX 10 mail.example.org.example.org.");
    good("\\*x A 10.0.0.1");
}

#[test]
fn mistakes_in_data_are_pointed_at() {
    wrong("x A 10.0.0.256", "10.0.0.256", "is not an IPv4 address");
    wrong("x A 2001:db8::1", "2001:db8::1", "of type `AAAA`");
    wrong("x AAAA 10.0.0.1", "10.0.0.1", "of type `A`");
    wrong("x A www", "www", "of type `CNAME`");
    wrong("x A 10.0.0.1/24", "10.0.0.1/24", "leave out the `/`");
    wrong("x A", "A", "ends before its IPv4 address");
    wrong("x A 10.0.0.1 10.0.0.2 y", "10.0.0.2 y", "more than one A record holds");
    wrong("x MX mail", "mail", "whole number from 0 to 65535 |  | such a record is written `@ MX 10 mail`");
    wrong("x MX 10", "10", "the mail server is missing behind this");
    wrong("x SRV 0 5 65536 pbx", "65536", "is no port");
    wrong("x SRV 0 +5 1 pbx", "+5", "is no weight");
    wrong("x CAA 0 is-sue \"le\"", "is-sue", "no property tag");
    wrong("x CAA 256 issue \"le\"", "256", "is no flags");
    wrong("x URI 1 1 \"\"", "\"\"", "the URI is empty");
    wrong("x SSHFP 4 2 aabb", "aabb", "has 32 octets, this one 2");
    wrong("x SSHFP 4 9 aab", "aab", "odd number of digits");
    wrong("x TLSA 3 1 1 aa bb zz", "zz", "no hexadecimal digit");
    wrong("x TLSA 3 1 1 aa bb", "aa bb", "has 32 octets, this one 2");
    wrong("x DS 1 NOALG 2 aa", "NOALG", "is no algorithm");
    wrong("x OPENPGPKEY Zm9 vY", "Zm9 vY", "part of it is missing");
    wrong("x OPENPGPKEY Zm_v", "Zm_v", "no base 64 digit");
}

#[test]
fn mistakes_in_texts_are_pointed_at() {
    let long = "a".repeat(256);
    wrong(&format!("x TXT \"{long}\""), &format!("\"{long}\""), "up to 255");
    wrong(r#"x TXT "a\25b""#, r"\25", "starts no escape");
    wrong(r#"x TXT "a\256""#, r"\256", "starts no escape");
    wrong("x TXT \"abc ; d  \ny A 10.0.0.1", "\"abc ; d", "not closed on its line");
    wrong("x TXT \"say \"hi\"\"", "\"", "in the middle of a word");
    wrong("x TXT a\"b\"", "\"", "in the middle of a word");
    wrong("x TXT a=\"b c\"", "\"", "in the middle of a word");
    wrong("x TXT v=DMARC1; p=none", ";", "starts a comment");
    wrong("x TXT v=spf1 mx -all", "v=spf1 mx -all", "is 3 strings");
    wrong("x TXT", "TXT", "ends before its text");
    wrong("x TXT “a”", "“", "typographic");
    wrong("x\u{a0}A 10.0.0.1", "\u{a0}", "U+00A0");
    wrong("x A 10.0.0.1\u{200b}", "\u{200b}", "invisible");
    wrong("x A 10.0.0.1\u{7}", "\u{7}", "control character");
    good("x TXT v=DMARC1 ; a comment");
}

#[test]
fn mistakes_in_locations_are_pointed_at() {
    wrong("x LOC 91 N 0 E 0m", "N", "between 0 and 90 degrees");
    wrong("x LOC 1 60 N 0 E 0m", "N", "between 0 and 90 degrees");
    wrong("x LOC 1 N 180 0 0.001 W 0m", "W", "between 0 and 180 degrees");
    wrong("x LOC N 0 E 0m", "N", "between 0 and 90 degrees");
    wrong("x LOC 1.5 N 0 E 0m", "1.5", "does not fit into the latitude");
    wrong("x LOC 1 1 1 1 N 0 E 0m", "1", "does not fit into the latitude");
    wrong("x LOC 1 N 0 E", "LOC", "ends before the end of its altitude");
    wrong("x LOC 1 N 0 E high", "high", "no altitude");
    wrong("x LOC 1 N 0 E -100000.01m", "-100000.01m", "lies outside");
    wrong("x LOC 1 N 0 E 0m 90000001m1", "90000001m1", "no size");
    wrong("x LOC 1 N 0 E 0m 100000000m", "100000000m", "the size lies outside");
}

#[test]
fn mistakes_in_service_parameters_are_pointed_at() {
    wrong("x HTTPS 1 . alp=h2", "alp", "did you mean `alpn`?");
    wrong("x HTTPS 1 . key065=a", "key065", "is no parameter");
    wrong("x HTTPS 1 . =a", "=a", "is no parameter");
    wrong("x HTTPS 1 . port=1 port=2", "port=2", "stands twice");
    wrong("x HTTPS 1 . port=65536", "port=65536", "is no port");
    wrong("x HTTPS 1 . port", "port", "is no port");
    wrong("x HTTPS 1 . alpn", "alpn", "empty identifier");
    wrong("x HTTPS 1 . alpn=h2,,h3", "alpn=h2,,h3", "empty identifier");
    wrong("x HTTPS 1 . no-default-alpn", "no-default-alpn", "needs `alpn`");
    wrong("x HTTPS 1 . alpn=h2 no-default-alpn=1", "no-default-alpn=1", "takes no value");
    wrong("x HTTPS 1 . ipv4hint=10.0.0", "ipv4hint=10.0.0", "no IPv4 address");
    wrong("x HTTPS 1 . ipv6hint=10.0.0.1", "ipv6hint=10.0.0.1", "no IPv6 address");
    wrong("x HTTPS 1 . ech=AAJh", "ech=AAJh", "no ECHConfigList");
    wrong("x HTTPS 1 . ech=%", "ech=%", "is not base 64");
    wrong("x HTTPS 1 . mandatory=alpn", "mandatory=alpn", "lists `alpn`, which is not there");
    wrong("x HTTPS 1 . mandatory=mandatory", "mandatory=mandatory", "list of other keys");
    wrong("x HTTPS 1 . port=1 mandatory=port,port", "mandatory=port,port", "lists a key twice");
    wrong("x HTTPS 1 . key3=a", "key3=a", "`port` is not 2 octets");
    wrong("x HTTPS 1 . key65535=a", "key65535=a", "reserved");
    wrong("x HTTPS 0 www alpn=h2", "alpn=h2", "is an alias");
    wrong("x HTTPS 1 . \"alpn=h2\"", "\"alpn=h2\"", "around its value");
    wrong(r"x HTTPS 1 . key667=a\1", r"\1", "starts no escape");
    wrong("x HTTPS www alpn=h2", "www", "is no priority");
}

#[test]
fn data_in_generic_form_is_held_to_its_type() {
    wrong(r"x A \# 3 0a0000", "0a0000", "it ends too early");
    wrong(r"x A \# 5 0a00000101", "0a00000101", "1 octets are left over");
    wrong(r"x MX \# 4 000a c00c", "000a c00c", "cut off, or compressed");
    wrong(r"x TXT \# 2 0561", "0561", "it ends too early");
    wrong(r"x TXT \# 0", "0", "it ends too early");
    wrong(r"x SSHFP \# 4 0101aabb", "0101aabb", "has 20 octets, this one 2");
    wrong(
        r"x HTTPS \# 11 000100 0003 0002 0035 0003",
        "000100 0003 0002 0035 0003",
        "a parameter is cut off",
    );
    wrong(
        r"x HTTPS \# 14 000100 0003 0001 35 0001 0002 0168",
        "000100 0003 0001 35 0001 0002 0168",
        "`port` is not 2",
    );
    wrong(r"x A \# 4 0a00", "4", "the length says 4 octets, but 2 follow");
    wrong(r"x A \# 4 0a0g0000", "0a0g0000", "hexadecimal");
    wrong(r"x A \# ", r"\#", "the length of the data is missing");
    wrong(r"x TYPE65280 \# four", "four", "length in octets");
    wrong(r"x TYPE65280 1 2", "TYPE65280", "generic form only");
    wrong(r"x A6 64 ::1 a", "A6", r"TYPE65280 \# 4 0a000001");
}

#[test]
fn data_above_65535_octets_is_refused() {
    let string = "\"".to_owned() + &"a".repeat(255) + "\" ";
    good(&format!("x TXT {}", string.repeat(255)));
    let (records, findings) = read(&format!("x TXT {}\"\"", string.repeat(256)), Dialect::INLINE);
    assert!(records.is_empty());
    assert_eq!(findings.len(), 1);
    assert!(findings[0].message.contains("65535 is the most"), "{findings:?}");
}
