//! Tables of options, and what they become.

use proptest::prelude::*;

use super::*;
use crate::span::FileId;

mod mistakes;

fn read(family: Family, text: &str) -> (Vec<DhcpOption>, Vec<Finding>) {
    let mut findings = Vec::new();
    let tree = crate::toml::parse(text, FileId(0), &mut findings);
    assert_eq!(findings, [], "{text}");
    let options = read_options(family, tree.root(), &mut findings);
    (options, findings)
}

fn at(text: &str, span: Span) -> &str {
    &text[usize::try_from(span.start).unwrap()..usize::try_from(span.end).unwrap()]
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Checks that `text` is one option of `code` with the octets `data`.
#[track_caller]
fn good(family: Family, text: &str, code: u16, data: &str) {
    let (options, findings) = read(family, text);
    assert_eq!(findings, [], "{text}");
    assert_eq!(options.len(), 1, "{text}");
    assert_eq!((options[0].code, hex(&options[0].data)), (code, data.replace([' ', '\n'], "")), "{text}");
}

/// Checks that `text` has exactly one mistake, at `place`, whose message and help hold `words`.
#[track_caller]
fn wrong(family: Family, text: &str, rule: Rule, place: &str, words: &str) {
    let (options, findings) = read(family, text);
    assert_eq!(findings.len(), 1, "{text}: {findings:#?}");
    assert_eq!(options, [], "{text}");
    let finding = &findings[0];
    assert_eq!((finding.rule, at(text, finding.span)), (rule, place), "{text}: {}", finding.message);
    let said = format!("{} | {} | {}", finding.message, finding.label, finding.help.as_deref().unwrap_or(""));
    assert!(said.contains(words), "{text}: {said}");
}

#[track_caller]
fn invalid(text: &str, place: &str, words: &str) {
    wrong(Family::V4, text, Rule::InvalidOption, place, words);
}

#[test]
fn every_kind_of_dhcpv4_becomes_its_known_octets() {
    for (text, code, data) in [
        ("swap-server = '10.20.0.3'", 16, "0a140003"),
        ("ntp-servers = '10.20.0.3'", 42, "0a140003"),
        ("routers = ['10.20.0.1', '10.20.0.2']", 3, "0a140001 0a140002"),
        ("policy-filter = ['10.0.0.0/8', '192.0.2.1/32']", 21, "0a000000 ff000000 c0000201 ffffffff"),
        ("static-routes = '10.30.0.9 via 10.20.0.1'", 33, "0a1e0009 0a140001"),
        // RFC 3442, page 3: the descriptors of 0.0.0.0/0, 10/8, 10.0.0/24, 10.17/16, 10.27.129/24, 10.229.0.128/25.
        (
            "classless-static-routes = ['0.0.0.0/0 via 10.20.0.2', 'default via 10.20.0.2', '10.0.0.0/8 via 10.20.0.1', \
             '10.0.0.0/24 via 0.0.0.0', '10.17.0.0/16  via  10.20.0.1', '10.27.129.0/24 via 10.20.0.1', \
             '10.229.0.128/25 via 10.20.0.1', '10.198.122.47/32 via 10.20.0.1']",
            121,
            "00 0a140002 00 0a140002 08 0a 0a140001 18 0a0000 00000000 10 0a11 0a140001 18 0a1b81 0a140001 \
             19 0ae50080 0a140001 20 0ac67a2f 0a140001",
        ),
        ("ms-classless-static-routes = '10.0.0.0/8 via 10.20.0.1'", 249, "08 0a 0a140001"),
        ("dhcp4o6-source-address = '2001:db8::3'", 109, "20010db8000000000000000000000003"),
        ("default-ip-ttl = 64", 23, "40"),
        ("interface-mtu = 9000", 26, "2328"),
        ("time-offset = -3600", 2, "fffff1f0"),
        ("path-mtu-plateau-table = [68, 1500]", 25, "0044 05dc"),
        ("arp-cache-timeout = 4294967295", 35, "ffffffff"),
        ("v6-only-preferred = '30m'", 108, "00000708"),
        ("ip-forwarding = true", 19, "01"),
        ("ip-forwarding = false", 19, "00"),
        ("root-path = '10.20.0.3:/srv'", 17, "31302e32302e302e333a2f737276"),
        ("tftp-server-name = '0x41'", 66, "30783431"),
        ("domain-name = 'Lab.Example.org.'", 15, "6c61622e6578616d706c652e6f7267"),
        ("uap-servers = ['http://a', 'http://b']", 98, "687474703a2f2f61 20 687474703a2f2f62"),
        ("v4-sztp-redirect = ['ab', 'c']", 143, "0002 6162 0001 63"),
        ("v4-access-domain = 'a.example'", 213, "0161 076578616d706c65 00"),
        ("sip-ua-cs-domains = ['a.b', 'b']", 141, "01610162 00 0162 00"),
        (
            "domain-search = ['eng.apple.com', 'marketing.apple.com']",
            119,
            "03656e67 056170706c65 03636f6d 00 096d61726b6574696e67 c004",
        ),
        ("sip-servers = ['10.20.0.3', '10.20.0.4']", 120, "01 0a140003 0a140004"),
        ("sip-servers = 'a.b'", 120, "00 01610162 00"),
        ("posix-timezone = 'CET-1CEST'", 100, "4345542d3143455354"),
        ("captive-portal = 'https://a/'", 114, "68747470733a2f2f612f"),
        ("vendor-encapsulated-options = { 241 = 'ip:10.20.0.3', 6 = 'u8:8' }", 43, "060108 f1040a140003"),
        ("vendor-encapsulated-options = '06:01:08'", 43, "060108"),
        (
            "vivso-suboptions = { 4491 = { 1 = 'u8:5' }, 9 = { 2 = '0xaa' } }",
            125,
            "00000009 03 0201aa 0000118b 03 010105",
        ),
        ("42 = '10.20.0.3'", 42, "0a140003"),
        ("ntp-servers = '0x0a140003'", 42, "0a140003"),
    ] {
        good(Family::V4, text, code, data);
    }
}

#[test]
fn every_kind_of_dhcpv6_becomes_its_known_octets() {
    for (text, code, data) in [
        ("dns-servers = '2001:db8::3'", 23, "20010db8000000000000000000000003"),
        (
            "domain-search = ['lab.example', 'example']",
            24,
            "036c6162 076578616d706c65 00 076578616d706c65 00",
        ),
        ("bootfile-url = 'http://a/'", 59, "687474703a2f2f612f"),
        ("bootfile-param = ['a=b', 'c']", 60, "0003 613d62 0001 63"),
        ("ntp-server = '2001:db8::3'", 56, "0001 0010 20010db8000000000000000000000003"),
        ("ntp-server = 'ff05::101'", 56, "0002 0010 ff050000000000000000000000000101"),
        ("ntp-server = 'ntp.b'", 56, "0003 0007 036e7470 0162 00"),
        ("information-refresh-time = '1d'", 32, "00015180"),
        ("sol-max-rt = 3600", 82, "00000e10"),
        ("s46-priority = [94, 96]", 111, "005e 0060"),
        ("vendor-opts = { 4491 = { 300 = 'u8:5', 2 = 'text:x' } }", 17, "0000118b 0002 0001 78 012c 0001 05"),
        ("65000 = 'u16:258'", 65000, "0102"),
    ] {
        good(Family::V6, text, code, data);
    }
}

#[test]
fn servers_of_one_option_each_stand_one_after_the_other() {
    let (options, findings) = read(
        Family::V6,
        "vendor-opts = { 9 = { 1 = '0x01' }, 8 = { 1 = '0x02' } }\nntp-server = ['::2', '::1']\n",
    );
    assert_eq!(findings, []);
    let all: Vec<(u16, String)> = options.iter().map(|option| (option.code, hex(&option.data))).collect();
    assert_eq!(
        all,
        [
            (17, "00000008 00010001 02".replace(' ', "")),
            (17, "00000009 00010001 01".replace(' ', "")),
            (56, format!("00010010{:032x}", 2)),
            (56, format!("00010010{:032x}", 1)),
        ]
    );
}

#[test]
fn octets_say_what_they_hold() {
    for (value, data) in [
        ("'0a:00:FF'", "0a00ff"),
        ("'0x0a00fF'", "0a00ff"),
        ("'text:Grüße: 1'", "4772c3bcc39f653a2031"),
        ("'ip:10.20.0.3'", "0a140003"),
        ("'ip:2001:db8::3'", "20010db8000000000000000000000003"),
        ("['u8:5', 'u16:5', 'u32:5', '01:02']", "05 0005 00000005 0102"),
        ("'name:a.b'", "01610162 00"),
    ] {
        good(Family::V4, &format!("224 = {value}"), 224, data);
    }
    invalid("224 = 5", "5", "`\"u8:5\"`");
    invalid("224 = '10'", "'10'", "does not say");
    invalid("224 = 'hello'", "'hello'", "does not say");
    invalid("224 = 'ab:c'", "'ab:c'", "does not say");
    invalid("224 = 'zz:00'", "'zz:00'", "does not say");
    invalid("224 = ''", "''", "no octets");
    invalid("224 = '0x'", "'0x'", "whole octets");
    invalid("224 = '0xabc'", "'0xabc'", "whole octets");
    invalid("224 = 'text:'", "", "is not text");
    invalid("224 = 'ip:10.20.0'", "10.20.0", "is not an address");
    invalid("224 = 'u8:256'", "256", "whole number of that size");
    invalid("224 = 'u16:+1'", "+1", "whole number of that size");
    invalid("224 = 'name:a..b'", "a..b", "is not a domain name");
    invalid("224 = ['0x01', 2.5]", "2.5", "this is a number");
    invalid("224 = true", "true", "this is `true`");
    invalid("ntp-servers = '0x0a1'", "'0x0a1'", "whole octets");
}

#[test]
fn options_come_by_code_whatever_the_order_of_the_text() {
    let (options, findings) = read(Family::V4, "224 = '0x01'\nrouters = '10.0.0.1'\n150 = '10.0.0.2'\n");
    assert_eq!(findings, []);
    assert_eq!(options.iter().map(|option| option.code).collect::<Vec<_>>(), [3, 150, 224]);
}

#[test]
fn every_example_of_the_table_can_be_read() {
    for family in [Family::V4, Family::V6] {
        for def in table(family).iter().filter(|def| def.reserved.is_none()) {
            let (options, findings) = read(family, &format!("{} = {}", def.name, def.kind.example()));
            // Bounds are the one thing that an example for a kind cannot know.
            let bounded = |finding: &Finding| finding.message.contains("out of bounds");
            assert!(!options.is_empty() || findings.iter().all(bounded), "{}: {findings:#?}", def.name);
            assert!(options.iter().all(|option| option.code == def.code));
        }
    }
}

fn values() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        "[ -~äé]{0,12}",
        "(0x|text:|ip:|u8:|u16:|u32:|name:)?[0-9a-f:. /viad]{0,20}",
        prop::sample::select(vec!["10.0.0.1", "::1", "10.0.0.0/8 via 10.0.0.1", "a.b", "30m", "0a:0b"])
            .prop_map(str::to_owned),
    ]
    .prop_map(|text| format!("'{}'", text.replace('\'', "")));
    let scalar = prop_oneof![
        text,
        any::<i64>().prop_map(|n| n.to_string()),
        (-5_i64..300).prop_map(|n| n.to_string()),
        any::<bool>().prop_map(|b| b.to_string()),
        Just("1.5".to_owned()),
        Just("2024-01-01".to_owned()),
    ];
    scalar.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(", "))),
            (0_u32..70_000, inner).prop_map(|(key, value)| format!("{{ {key} = {value} }}")),
        ]
    })
}

proptest! {
    #[test]
    fn any_value_of_any_option_is_encoded_or_refused(v6: bool, index: prop::sample::Index, value in values()) {
        let family = if v6 { Family::V6 } else { Family::V4 };
        let writable: Vec<&OptionDef> = table(family).iter().filter(|def| def.reserved.is_none()).collect();
        let def = index.get(&writable);
        let text = format!("{} = {value}", def.code);
        let (options, findings) = read(family, &text);
        prop_assert_eq!(options.is_empty(), !findings.is_empty(), "{}", &text);
        for option in &options {
            prop_assert!(option.code == def.code && option.data.len() <= OPTION_OCTETS_MAX && !option.data.is_empty());
        }
        for finding in &findings {
            let span = usize::try_from(finding.span.start).unwrap()..usize::try_from(finding.span.end).unwrap();
            prop_assert!(text.get(span).is_some(), "{}", &text);
        }
    }

    #[test]
    fn compressed_names_read_back(names in prop::collection::vec("([a-c]{1,2}\\.){0,3}[a-c]", 1..8)) {
        let list = format!("domain-search = {names:?}");
        let (options, findings) = read(Family::V4, &list);
        prop_assert_eq!(findings, []);
        prop_assert_eq!(decompress(&options[0].data), names);
    }
}

/// Reads names with pointers, as clients do (RFC 1035, section 4.1.4).
fn decompress(wire: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    let mut at = 0;
    while at < wire.len() {
        let (mut labels, mut read, mut after) = (Vec::new(), at, None);
        loop {
            let length = usize::from(wire[read]);
            match length {
                0 => {
                    after = after.or(Some(read + 1));
                    break;
                }
                192.. => {
                    after = after.or(Some(read + 2));
                    read = (length - 192) << 8 | usize::from(wire[read + 1]);
                }
                _ => {
                    labels.push(String::from_utf8(wire[read + 1..read + 1 + length].to_vec()).unwrap());
                    read += 1 + length;
                }
            }
        }
        names.push(labels.join("."));
        at = after.unwrap();
    }
    names
}
