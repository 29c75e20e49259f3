//! Every mistake, with the words that it points at.

use super::*;

#[test]
fn unknown_options_get_the_nearest_name() {
    let unknown = |text, place, words| wrong(Family::V4, text, Rule::UnknownOption, place, words);
    unknown("ntp-server = '10.0.0.1'", "ntp-server", "did you mean `ntp-servers`?");
    unknown("\"Routers\" = '10.0.0.1'", "\"Routers\"", "did you mean `routers`?");
    unknown("domain_search = 'a'", "domain_search", "did you mean `domain-search`?");
    unknown("bootfile-url = 'http://a'", "bootfile-url", "it is option 59 of DHCPv6");
    unknown("no-such-thing-at-all = 1", "no-such-thing-at-all", "or by number");
    unknown("0 = '0x00'", "0", "1 to 254");
    unknown("255 = '0x00'", "255", "1 to 254");
    unknown("99999999999999999999999 = '0x00'", "99999999999999999999999", "1 to 254");
    unknown("042 = '10.0.0.1'", "042", "DHCPv4 has no option `042`");
    wrong(Family::V6, "65536 = '0x00'", Rule::UnknownOption, "65536", "1 to 65535");
}

#[test]
fn what_hostbook_sets_itself_cannot_be_written() {
    for family in [Family::V4, Family::V6] {
        for def in table(family).iter().filter(|def| def.reserved.is_some()) {
            for key in [def.name.to_owned(), def.code.to_string()] {
                let text = format!("{key} = '0x00'");
                wrong(family, &text, Rule::InvalidOption, &key, def.reserved.unwrap());
            }
        }
    }
    for code in [1, 50, 51, 52, 53, 54, 55, 57, 58, 59, 61, 81, 82] {
        assert!(by_code(Family::V4, code).unwrap().reserved.is_some(), "{code}");
    }
    for code in [1, 2, 3, 5, 6, 9, 13, 14, 18, 25, 39] {
        assert!(by_code(Family::V6, code).unwrap().reserved.is_some(), "{code}");
    }
}

#[test]
fn one_option_under_two_names_is_said_with_both_places() {
    let text = "ntp-servers = '10.0.0.1'\n42 = '10.0.0.2'\n";
    let (options, findings) = read(Family::V4, text);
    assert_eq!(options.len(), 1);
    assert_eq!(findings.len(), 1);
    assert_eq!((findings[0].rule, at(text, findings[0].span)), (Rule::DefinedTwice, "42"));
    assert_eq!(at(text, findings[0].others[0].0), "ntp-servers");
}

#[test]
fn mistakes_in_addresses_and_routes_are_pointed_at() {
    invalid("routers = '10.0.0'", "'10.0.0'", "is not an address");
    invalid("routers = ['10.0.0.1', 'gw']", "'gw'", "is not an address");
    invalid("routers = '::1'", "'::1'", "is not an IPv4 address");
    invalid("routers = []", "[]", "an empty list");
    invalid("routers = 10", "10", "takes IPv4 addresses, and this is a number");
    invalid("swap-server = ['10.0.0.1']", "['10.0.0.1']", "takes an IPv4 address, and this is a list");
    wrong(
        Family::V6,
        "dns-servers = '10.0.0.1'",
        Rule::InvalidOption,
        "'10.0.0.1'",
        "is not an IPv6 address",
    );
    wrong(Family::V6, "dns-servers = 'x'", Rule::InvalidOption, "'x'", "is not an address");
    wrong(Family::V6, "ntp-server = '10.0.0.1'", Rule::InvalidOption, "'10.0.0.1'", "is not an IPv6 address");
    invalid("policy-filter = '10.0.0.1/8'", "'10.0.0.1/8'", "write `10.0.0.0/8`");
    invalid("policy-filter = '10.0.0.0'", "'10.0.0.0'", "is not an IPv4 prefix");
    invalid("static-routes = '0.0.0.0 via 10.0.0.1'", "'0.0.0.0 via 10.0.0.1'", "`routers`");
    invalid("static-routes = '10.0.0.0/8 via 10.0.0.1'", "10.0.0.0/8", "is not an address");
    let routes = |route: &str| format!("classless-static-routes = ['{route}']");
    invalid(&routes("10.0.0.0/8"), "'10.0.0.0/8'", "is not a route");
    invalid(&routes("10.0.0.0/33 via 10.0.0.1"), "10.0.0.0/33", "is not an IPv4 prefix");
    invalid(&routes(" 10.0.0.1/8  via 10.0.0.1"), "10.0.0.1/8", "has host bits set");
    invalid(&routes("10.0.0.0/8 via  gw "), "gw", "is not an address");
    invalid(&routes("10.0.0.0/8 via 10.0.0.1 metric 1"), "10.0.0.1 metric 1", "is not an address");
}

#[test]
fn mistakes_in_numbers_and_texts_are_pointed_at() {
    invalid("interface-mtu = 67", "67", "takes 68 to 65535");
    invalid(
        "interface-mtu = '1500'",
        "'1500'",
        "takes a whole number from 68 to 65535, and this is a string",
    );
    invalid("path-mtu-plateau-table = [68, 65536]", "65536", "out of bounds");
    invalid("time-offset = 2147483648", "2147483648", "out of bounds");
    invalid("arp-cache-timeout = -1", "-1", "out of bounds");
    invalid("arp-cache-timeout = '90'", "'90'", "has no unit");
    invalid("arp-cache-timeout = '9999w9999w'", "'9999w9999w'", "out of bounds");
    wrong(Family::V6, "sol-max-rt = 59", Rule::InvalidOption, "59", "takes 60 to 86400");
    invalid("ip-forwarding = 1", "1", "takes `true` or `false`, and this is a number");
    invalid("root-path = ''", "''", "an empty text");
    invalid("root-path = \"ab\\u0000\"", "\\u0000", "U+0000");
    invalid("root-path = ['a']", "['a']", "takes text, and this is a list");
    invalid("uap-servers = ['a b']", " ", "a blank separates");
    invalid(
        &format!("root-path = '{}'", "a".repeat(1201)),
        &format!("'{}'", "a".repeat(1201)),
        "no more than 1200",
    );
}

#[test]
fn mistakes_in_domain_names_are_pointed_at() {
    invalid("domain-search = ['a.b', 'a..b']", "'a..b'", "empty label");
    invalid("domain-search = '.'", "'.'", "is not a domain name");
    invalid("domain-search = 'a b'", " ", "cannot stand in a domain name");
    invalid("domain-search = 'münchen.de'", "ü", "xn--");
    invalid("domain-search = '10.0.0.1'", "'10.0.0.1'", "is not a domain name");
    invalid("domain-name = 'a@b'", "@", "cannot stand in a domain name");
    invalid("sip-servers = ['10.0.0.1', 'a.b']", "'a.b'", "is not an address");
    invalid("sip-servers = ['a.b', '10.0.0.1']", "'10.0.0.1'", "is not a domain name");
}

#[test]
fn mistakes_in_suboptions_are_pointed_at() {
    invalid("vendor-encapsulated-options = {}", "{}", "an empty table");
    invalid("vendor-encapsulated-options = { x = '0x00' }", "x", "is not a suboption's number: 1 to 254");
    invalid("vendor-encapsulated-options = { 255 = '0x00' }", "255", "1 to 254");
    invalid("vendor-encapsulated-options = { 1 = 'no' }", "'no'", "does not say");
    let long = format!("'text:{}'", "a".repeat(256));
    invalid(&format!("vendor-encapsulated-options = {{ 1 = {long} }}"), &long, "255 is the most");
    invalid("vivso-suboptions = { 9 = '0x00' }", "'0x00'", "takes a table of suboptions here");
    invalid("vivso-suboptions = { cisco = { 1 = '0x00' } }", "cisco", "an enterprise number");
    let two = format!("vivso-suboptions = {{ 9 = {{ 1 = 'text:{0}', 2 = 'text:{0}' }} }}", "a".repeat(200));
    invalid(&two, "9", "255 is the most");
    wrong(Family::V6, "vendor-opts = { 9 = { 65536 = '0x00' } }", Rule::InvalidOption, "65536", "1 to 65535");
}

#[test]
fn every_mistake_of_a_table_is_said() {
    let text = "routers = ['a', 'b']\nntp-server = 1\n54 = '10.0.0.1'\ninterface-mtu = 1\nlog-servers = '10.0.0.9'\n";
    let (options, findings) = read(Family::V4, text);
    assert_eq!(
        findings.iter().map(|f| at(text, f.span)).collect::<Vec<_>>(),
        ["'a'", "'b'", "ntp-server", "54", "1"]
    );
    assert_eq!(options.iter().map(|option| option.code).collect::<Vec<_>>(), [7]);
}
