//! Whole master files and what they include.

use std::collections::BTreeMap;

use super::*;

/// Files in memory, by name; their number is their place.
struct Texts(BTreeMap<&'static str, String>);

impl Files for Texts {
    fn open(&mut self, path: &str, _: FileId) -> Result<(FileId, String), Unopened> {
        let place = self.0.keys().position(|name| *name == path);
        match (place, self.0.get(path)) {
            (Some(place), Some(text)) => Ok((FileId(u32::try_from(place).unwrap()), text.clone())),
            _ => Err(Unopened { rule: Rule::MissingFile, message: format!("no `{path}`"), help: "" }),
        }
    }
}

fn master(files: &[(&'static str, &str)]) -> (Vec<Record>, Vec<Finding>) {
    let mut texts = Texts(files.iter().map(|(name, text)| (*name, (*text).to_owned())).collect());
    let mut findings = Vec::new();
    let (file, text) = texts.open("main", FileId(0)).unwrap();
    let records = read_master(file, &text, &name("example.org"), &mut texts, &mut findings);
    (records, findings)
}

/// Owner, TTL, type and data of each record.
#[track_caller]
fn lines(files: &[(&'static str, &str)]) -> Vec<String> {
    let (records, findings) = master(files);
    assert_eq!(findings, []);
    records
        .iter()
        .map(|record| {
            let ttl = record.ttl.map_or("-".to_owned(), |ttl| ttl.to_string());
            format!("{} {ttl} {} {}", record.owner, record.rtype, present(record.rtype, &record.rdata))
        })
        .collect()
}

#[test]
fn missing_fields_are_those_of_the_line_before() {
    let text = "www 300 IN A 192.0.2.1\n IN A 192.0.2.2\n\t600 A 192.0.2.3\n A 192.0.2.4\nmail A 192.0.2.5\n";
    assert_eq!(
        lines(&[("main", text)]),
        [
            "www.example.org 300 A 192.0.2.1",
            "www.example.org 300 A 192.0.2.2",
            "www.example.org 600 A 192.0.2.3",
            "www.example.org 600 A 192.0.2.4",
            "mail.example.org 600 A 192.0.2.5"
        ]
    );
}

#[test]
fn directives_hold_until_the_next_of_their_kind() {
    let text = "a A 192.0.2.1\n$TTL 1h\na 7 A 192.0.2.9\na A 192.0.2.2\n$ORIGIN sub\na 60 A 192.0.2.3\n$ORIGIN deep\n@ A 192.0.2.4\n\
                $ORIGIN example.org.\n$TTL 5m\n@ A 192.0.2.5\n";
    assert_eq!(
        lines(&[("main", text)]),
        [
            "a.example.org - A 192.0.2.1",
            "a.example.org 7 A 192.0.2.9",
            "a.example.org 3600 A 192.0.2.2",
            "a.sub.example.org 60 A 192.0.2.3",
            "deep.sub.example.org 3600 A 192.0.2.4",
            "example.org 300 A 192.0.2.5"
        ]
    );
}

#[test]
fn parentheses_quotes_escapes_and_comments_are_those_of_rfc_1035() {
    let text = "@ SOA ns1 host\\.master ( 1 ; serial\n 2 3\n4 5 ) ; end\n\
                t TXT \"a;b(c\" d\\;e ( \"f\"\n) \\# \n\\@ A 192.0.2.1\n\\065b A 192.0.2.2\n; the end";
    assert_eq!(
        lines(&[("main", text)]),
        [
            "example.org - SOA ns1.example.org. host\\.master.example.org. 1 2 3 4 5",
            "t.example.org - TXT \"a;b(c\" \"d;e\" \"f\" \"#\"",
            "\\@.example.org - A 192.0.2.1",
            "ab.example.org - A 192.0.2.2"
        ]
    );
}

#[test]
fn line_ends_of_any_kind_and_none_at_the_end_are_fine() {
    for text in [
        "a A 192.0.2.1\r\nb A 192.0.2.2",
        "a A 192.0.2.1\n\n \n;\nb A 192.0.2.2\n",
        "\na A 192.0.2.1\n\t\nb A 192.0.2.2",
    ] {
        assert_eq!(lines(&[("main", text)]), ["a.example.org - A 192.0.2.1", "b.example.org - A 192.0.2.2"]);
    }
}

#[test]
fn included_files_stand_in_their_place_and_leave_nothing_behind() {
    let main = "$TTL 60\na A 192.0.2.1\n$INCLUDE one\n A 192.0.2.3\n$INCLUDE \"two\" sub\nb A 192.0.2.5\n";
    let one = " A 192.0.2.2\n$ORIGIN elsewhere.test.\n$TTL 99\nx A 192.0.2.9\n";
    assert_eq!(
        lines(&[("main", main), ("one", one), ("two", "@ A 192.0.2.4\nc CNAME @\n")]),
        [
            "a.example.org 60 A 192.0.2.1",
            "a.example.org 60 A 192.0.2.2",
            "x.elsewhere.test 99 A 192.0.2.9",
            "a.example.org 60 A 192.0.2.3",
            "sub.example.org 60 A 192.0.2.4",
            "c.sub.example.org 60 CNAME sub.example.org.",
            "b.example.org 60 A 192.0.2.5"
        ]
    );
}

#[test]
fn mistakes_in_included_files_are_there_and_hide_nothing() {
    let (records, findings) = master(&[
        ("main", "a A 192.0.2.1\n$INCLUDE one\n$INCLUDE none\n$INCLUDE\nb A 1.2.3\n"),
        ("one", "c A 192.0.2.2\nd A none\n"),
    ]);
    assert_eq!(records.len(), 2);
    let places: Vec<(FileId, Rule)> = findings.iter().map(|one| (one.span.file, one.rule)).collect();
    let (main, one, wrong) = (FileId(0), FileId(1), Rule::InvalidRecord);
    assert_eq!(places, [(one, wrong), (main, Rule::MissingFile), (main, wrong), (main, wrong)]);
}

#[test]
fn circles_and_crowds_of_inclusions_end() {
    let (_, findings) = master(&[("main", "$INCLUDE main\n")]);
    assert_eq!(findings.len(), 1);
    let (_, findings) = master(&[("main", &"$INCLUDE main\n".repeat(10))]);
    assert!(findings.iter().any(|finding| finding.message.contains("more than 1000 files")));
}

#[test]
fn files_say_what_they_say_without_being_told_of_pitfalls() {
    let text = "www.example.org A 192.0.2.1\nt TXT v=spf1 -all;comment\na.*.b A 192.0.2.2\n";
    assert_eq!(
        lines(&[("main", text)]),
        [
            "www.example.org.example.org - A 192.0.2.1",
            "t.example.org - TXT \"v=spf1\" \"-all\"",
            "a.*.b.example.org - A 192.0.2.2"
        ]
    );
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in "([a-z@*.\\\\\"();$ \t\n0-9]|\\$INCLUDE main|IN|A |TXT |SOA |\\PC){0,80}") {
        master(&[("main", &text)]);
    }
}
