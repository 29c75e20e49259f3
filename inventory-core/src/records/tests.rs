//! Whole texts: what they become, and what one mistake in them does to the rest.

mod files;
mod known;
mod mistakes;

use proptest::prelude::*;

use super::*;
use crate::diag::Rule;
use crate::span::FileId;

fn name(text: &str) -> Name {
    Name::parse(text, None).unwrap()
}

/// A span that holds the octets themselves.
fn locate(from: usize, to: usize) -> Span {
    Span::new(FileId(0), u32::try_from(from).unwrap(), u32::try_from(to).unwrap())
}

fn at(text: &str, span: Span) -> &str {
    &text[usize::try_from(span.start).unwrap()..usize::try_from(span.end).unwrap()]
}

fn read(text: &str, dialect: Dialect) -> (Vec<Record>, Vec<Finding>) {
    let mut findings = Vec::new();
    let records = parse_with(text, &name("example.org"), dialect, &locate, &mut findings);
    (records, findings)
}

#[track_caller]
fn good(text: &str) -> Vec<Record> {
    let (records, findings) = read(text, Dialect::INLINE);
    assert_eq!(findings, [], "{text}");
    records
}

/// Checks that `text` has exactly one mistake, at `place`, whose message and help hold `words`.
#[track_caller]
fn wrong(text: &str, place: &str, words: &str) {
    let (_, findings) = read(text, Dialect::INLINE);
    assert_eq!(findings.len(), 1, "{text}: {findings:#?}");
    let finding = &findings[0];
    assert_eq!(finding.rule, Rule::InvalidRecord);
    assert_eq!(at(text, finding.span), place, "{text}: {}", finding.message);
    let said = format!("{} | {} | {}", finding.message, finding.label, finding.help.as_deref().unwrap_or(""));
    assert!(said.contains(words), "{text}: {said}");
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[test]
fn ttl_and_class_come_in_either_order_or_not_at_all() {
    for (text, ttl) in [
        ("x A 10.0.0.1", None),
        ("x 300 A 10.0.0.1", Some(300)),
        ("x 1h30m IN A 10.0.0.1", Some(5400)),
        ("x in 5M a 10.0.0.1", Some(300)),
        ("x CLASS1 A 10.0.0.1", None),
        ("$TTL 2h\nx A 10.0.0.1", Some(7200)),
        ("$TTL 2h\nx 0 A 10.0.0.1", Some(0)),
        ("y 60 A 10.0.0.2\nx A 10.0.0.1", None),
    ] {
        assert_eq!(good(text).pop().unwrap().ttl, ttl, "{text}");
    }
    let master_file = Dialect { last_ttl: true, ..Dialect::INLINE };
    let (records, _) = read("y 60 A 10.0.0.2\nx A 10.0.0.1", master_file);
    assert_eq!(records[1].ttl, Some(60));
}

#[test]
fn owners_are_relative_absolute_blank_or_the_origin() {
    let text = "@ A 10.0.0.1\n  A 10.0.0.2\n\t300 IN A 10.0.0.3\nwww.dev A 10.0.0.4\n*.dev.example.org. A 10.0.0.5\n\
                $ORIGIN lab\nx A 10.0.0.6\n$ORIGIN .\ny.example.org A 10.0.0.7\n\\@ A 10.0.0.8\n";
    let records = good(text);
    let owners: Vec<String> = records.iter().map(|record| record.owner.to_string()).collect();
    assert_eq!(
        owners,
        [
            "example.org",
            "example.org",
            "example.org",
            "www.dev.example.org",
            "*.dev.example.org",
            "x.lab.example.org",
            "y.example.org",
            "\\@"
        ]
    );
    assert_eq!(at(text, records[1].owner_span), "@");
    assert_eq!(at(text, records[2].span), "300 IN A 10.0.0.3");
    assert_eq!(at(text, records[3].owner_span), "www.dev");
}

#[test]
fn parentheses_and_comments_run_over_lines() {
    let text =
        "; a comment\n\n@ (IN ; first\n  MX\n) 10 ( mail ; (not this one\n) ; end\n  TXT \"a;(b\"\r\n\n";
    let records = good(text);
    assert_eq!(records.len(), 2);
    assert_eq!(at(text, records[0].span), "@ (IN ; first\n  MX\n) 10 ( mail");
    assert_eq!(at(text, records[0].target_span.unwrap()), "mail");
    assert_eq!(records[0].target, Some(name("mail.example.org")));
    assert_eq!(&*records[1].rdata, b"\x04a;(b");
}

#[test]
fn text_indented_as_a_whole_counts_from_its_first_record() {
    let text = "\n    ; mail\n    @   MX 10 mail\n        MX 20 mail2\n    www A 10.0.0.1\n  x A 10.0.0.2\n";
    let owners: Vec<String> = good(text).iter().map(|record| record.owner.to_string()).collect();
    assert_eq!(owners, ["example.org", "example.org", "www.example.org", "x.example.org"]);

    let strict = Dialect { margin: false, ..Dialect::INLINE };
    let (_, findings) = read("  @ MX 10 mail", strict);
    assert_eq!(findings[0].message, "the first record has no name in front");
}

#[test]
fn the_targets_are_what_records_point_to() {
    for (text, target) in [
        ("x CNAME WWW", Some("www.example.org")),
        ("x NS ns1.example.net.", Some("ns1.example.net")),
        ("x SRV 0 0 5060 pbx", Some("pbx.example.org")),
        ("x DNAME new", Some("new.example.org")),
        ("x PTR @", Some("example.org")),
        ("x A 10.0.0.1", None),
        ("x TXT www", None),
        ("x HTTPS 1 www", None),
    ] {
        assert_eq!(good(text)[0].target, target.map(name), "{text}");
    }
}

#[test]
fn what_is_derived_elsewhere_is_refused_with_the_reason() {
    wrong("@ SOA ns1 hostmaster 1 2 3 4 5", "SOA", "`file`");
    wrong("$INCLUDE other.zone", "$INCLUDE", "`file`");
    wrong("$GENERATE 1-9 host$ A 10.0.0.$", "$GENERATE", "BIND");
    let (records, findings) =
        read("@ SOA ns1 hostmaster 2024010100 1h 15m 2w 1h", Dialect { soa: true, ..Dialect::INLINE });
    assert_eq!(findings, []);
    assert!(hex(&records[0].rdata).ends_with("78a3f17400000e10000003840012750000000e10"));
}

#[test]
fn open_parentheses_cost_their_own_record_only() {
    let text = "@ TXT ( \"a\"\n        \"b\"\nwww A 10.0.0.1\nmail AAA ::1\n";
    let (records, findings) = read(text, Dialect::INLINE);
    assert_eq!(findings.iter().map(|f| at(text, f.span)).collect::<Vec<_>>(), ["(", "AAA"]);
    assert_eq!(records.iter().map(|r| r.owner.to_string()).collect::<Vec<_>>(), ["www.example.org"]);

    let text = "@ TXT ( \"a )\n   \"b\" )\nwww A 10.0.0.1\n  A 10.0.0.2\n";
    let (records, findings) = read(text, Dialect::INLINE);
    assert_eq!(findings.iter().map(|f| at(text, f.span)).collect::<Vec<_>>(), ["\"a )"]);
    assert_eq!(records.len(), 2);
    wrong("x A 10.0.0.1 )\n", ")", "closes no parenthesis");
}

#[test]
fn many_open_parentheses_do_not_cost_much() {
    let (records, findings) = read(&"x (\n".repeat(20_000), Dialect::INLINE);
    assert!(records.is_empty());
    assert!((1..=20).contains(&findings.len()));
}

#[test]
fn what_depends_on_a_mistake_is_not_said_again() {
    let text = "a..b A 10.0.0.1\n  A 10.0.0.2\n  MX x mail\nok A 10.0.0.3\n$ORIGIN a..b\nrel A 10.0.0.4\nabs. CNAME rel\n\
                abs. A 10.0.0.5\n$ORIGIN good.\nrel A 10.0.0.6\n";
    let (records, findings) = read(text, Dialect::INLINE);
    let places: Vec<&str> = findings.iter().map(|finding| at(text, finding.span)).collect();
    assert_eq!(places, ["a..b", "x", "a..b"]);
    let owners: Vec<String> = records.iter().map(|record| record.owner.to_string()).collect();
    assert_eq!(owners, ["ok.example.org", "abs", "rel.good"]);
}

#[test]
fn every_wrong_number_of_a_record_is_said() {
    let (_, findings) = read("x SRV a b c d..e", Dialect::INLINE);
    assert_eq!(findings.len(), 4, "{findings:#?}");
}

/// Text from the pieces that the grammar is made of.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            " ",
            "  ",
            "\n",
            "\n  ",
            "(",
            ")",
            ";",
            "\"",
            "\\",
            "\\#",
            "@",
            "*",
            ".",
            "$ORIGIN ",
            "$TTL ",
            "IN ",
            "300 ",
            "1h",
            "A ",
            "MX ",
            "TXT ",
            "SRV ",
            "LOC ",
            "HTTPS ",
            "SSHFP ",
            "CAA ",
            "TYPE65280 ",
            "10",
            "10.0.0.1",
            "::1",
            "mail",
            "alpn=",
            "mandatory=",
            "port=1 ",
            "key9=",
            "N ",
            "E ",
            "1m ",
            "=\"",
            "\r\n",
            "\u{a0}",
            "ü",
            "\\200",
            "4 ",
            "0a000001",
            "Zm9v",
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic_and_spans_cut_it_between_characters(text in pieces(), pitfalls: bool, soa: bool) {
        let dialect = Dialect { pitfalls, soa, ..Dialect::INLINE };
        let (records, findings) = read(&text, dialect);
        for span in findings.iter().map(|f| f.span).chain(records.iter().flat_map(|r| [r.span, r.owner_span])) {
            let (from, to) = (usize::try_from(span.start).unwrap(), usize::try_from(span.end).unwrap());
            prop_assert!(text.get(from..to).is_some_and(|part| !part.is_empty()), "{text:?} {span:?}");
        }
        for record in &records {
            prop_assert!(record.rdata.len() <= 65_535);
        }
    }

    #[test]
    fn what_is_read_survives_the_generic_form(text in pieces()) {
        for record in read(&text, Dialect::INLINE).0 {
            let generic = format!("x {} \\# {} {}", record.rtype, record.rdata.len(), hex(&record.rdata));
            prop_assert_eq!(&good(&generic)[0].rdata, &record.rdata);
        }
    }
}
