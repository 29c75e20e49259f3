//! The crate `toml` as the oracle: both must agree on what is valid and on the tree.
//!
//! Where we differ by design: nesting beyond [`MAX_DEPTH`](super::MAX_DEPTH) and what the oracle takes
//! for a number without decoding it (beyond 64 bits, `0x`, `1_0<tab>3`) are refused here. The oracle
//! lets an entry between braces go on over lines before its value; the specification does not.

use ::toml::de::{DeTable, DeValue};
use proptest::prelude::*;

use super::{Kind, Table, Value, parse};
use crate::diag::Finding;
use crate::span::FileId;

fn read(text: &str) -> (super::Tree<'_>, Vec<Finding>) {
    let mut findings = Vec::new();
    let tree = parse(text, FileId(0), &mut findings);
    (tree, findings)
}

/// What both trees are written as: one line for each value, keys in order.
fn ours(table: Table<'_, '_>, path: &str, out: &mut Vec<String>) {
    out.push(format!("{path} table"));
    let mut seen = 0;
    for entry in table.entries() {
        seen += 1;
        let path = format!("{path}.{:?}", entry.key());
        let again = table.get(entry.key()).expect("what is listed is found");
        assert_eq!(again.key_span(), entry.key_span());
        value(entry.value(), &path, out);
    }
    assert_eq!(table.is_empty(), seen == 0);
}

fn value(value: Value<'_, '_>, path: &str, out: &mut Vec<String>) {
    let span = value.span();
    let at = format!("{path} {}..{}", span.start, span.end);
    match value.kind() {
        Kind::String(text) => out.push(format!("{at} string {text:?}")),
        Kind::Integer(number) => out.push(format!("{at} integer {number}")),
        Kind::Float(number) => out.push(format!("{at} float {:x}", number.to_bits())),
        Kind::Boolean(truth) => out.push(format!("{at} boolean {truth}")),
        Kind::Datetime(text) => out.push(format!("{at} datetime {text}")),
        Kind::Table(table) => ours(table, path, out),
        Kind::Array(array) => {
            out.push(format!("{path} list of {}", array.len()));
            for (n, item) in array.items().enumerate() {
                self::value(item, &format!("{path}[{n}]"), out);
            }
        }
    }
}

fn theirs(table: &DeTable<'_>, path: &str, text: &str, out: &mut Vec<String>) {
    out.push(format!("{path} table"));
    for (key, value) in table {
        their_value(value.get_ref(), value.span(), &format!("{path}.{:?}", key.get_ref()), text, out);
    }
}

fn their_value(
    value: &DeValue<'_>,
    span: std::ops::Range<usize>,
    path: &str,
    text: &str,
    out: &mut Vec<String>,
) {
    let at = format!("{path} {}..{}", span.start, span.end);
    match value {
        DeValue::String(text) => out.push(format!("{at} string {text:?}")),
        DeValue::Integer(number) => {
            let number = i64::from_str_radix(number.as_str(), number.radix());
            out.push(format!("{at} integer {}", number.map_or(UNDECODED.to_owned(), |n| n.to_string())));
        }
        DeValue::Float(number) => {
            let number: f64 = number.as_str().parse().unwrap();
            out.push(format!("{at} float {:x}", number.to_bits()));
        }
        DeValue::Boolean(truth) => out.push(format!("{at} boolean {truth}")),
        DeValue::Datetime(_) => out.push(format!("{at} datetime {}", &text[span])),
        DeValue::Table(table) => theirs(table, path, text, out),
        DeValue::Array(array) => {
            out.push(format!("{path} list of {}", array.len()));
            for (n, item) in array.iter().enumerate() {
                their_value(item.get_ref(), item.span(), &format!("{path}[{n}]"), text, out);
            }
        }
    }
}

/// Stands for an integer of the oracle's that is none.
const UNDECODED: &str = "undecoded";

/// Holds both readings of `text` against each other. Whether it was valid.
fn agree(text: &str) -> bool {
    let (tree, findings) = read(text);
    let mut ours_out = Vec::new();
    ours(tree.root(), "", &mut ours_out);
    ours_out.sort();
    let oracle = DeTable::parse(text);
    let differs_by_design = findings.first().is_some_and(|finding| {
        let message = &finding.message;
        let entry_over_lines = message.ends_with("has no value")
            || message == "a value is missing after `=`"
            || message == "a key is missing at the end of the line";
        message.contains("levels deep")
            || entry_over_lines && text[..finding.span.start as usize].contains('{')
    });
    match oracle {
        Ok(table) => {
            let mut theirs_out = Vec::new();
            theirs(table.get_ref(), "", text, &mut theirs_out);
            theirs_out.sort();
            if findings.is_empty() {
                assert_eq!(ours_out, theirs_out, "\n{text}");
                return true;
            }
            let undecoded = theirs_out.iter().any(|line| line.ends_with(UNDECODED));
            assert!(differs_by_design || undecoded, "only we refuse:\n{text}\n{findings:#?}");
            false
        }
        Err(error) => {
            assert!(!findings.is_empty(), "only the oracle refuses:\n{text}\n{error}");
            false
        }
    }
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "[a-d]",
        2 => "[a-zA-Z0-9_-]{1,9}",
        1 => "\"[a-d. ]{0,3}\"",
        1 => "'[a-d\\\\. ]{0,3}'",
        1 => Just(r#""\u0061""#.to_owned()),
    ]
}

fn keys() -> impl Strategy<Value = String> {
    let dot = prop_oneof![8 => Just("."), 1 => Just(" . "), 1 => Just("\t.")];
    (key(), prop::collection::vec((dot, key()), 0..3))
        .prop_map(|(first, more)| more.into_iter().fold(first, |all, (dot, key)| all + dot + &key))
}

fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "\"[a-z0-9.:é ]{0,12}\"",
        2 => "'[a-z0-9.:\\\\ ]{0,12}'",
        2 => r#""([a-f]|\\[btnfre"\\]|\\u00e9|\\x41|\\U0001F600){0,6}""#,
        1 => "\"\"\"\n?(\r\n|[a-c \"]|\\\\\n  |\\\\t){0,8}[a-c]\"{0,2}\"\"\"",
        1 => "'''\n?(\r\n|\n|[a-c '\\\\]){0,8}[a-c]'{0,2}'''",
        3 => "[+-]?(0|[1-9][0-9]{0,20}|[1-9](_[0-9]){0,4})",
        1 => "0x[0-9a-fA-F]{1,8}|0o[0-7]{1,4}|0b[01]{1,9}",
        1 => "[+-]?(0|[1-9][0-9]{0,4})(\\.[0-9]{1,4})?([eE][+-]?[0-9]{1,2})?",
        1 => "[+-]?(inf|nan)",
        2 => "true|false",
        1 => "[12][0-9]{3}-[01][0-9]-[0-3][0-9]([Tt ][0-2][0-9]:[0-6][0-9](:[0-6][0-9](\\.[0-9]{1,11})?)?(Z|z|[+-][0-2][0-9]:[0-6][0-9])?)?",
        1 => "[0-2][0-9]:[0-6][0-9](:[0-6][0-9](\\.[0-9]{1,4})?)?",
    ]
}

fn any_value() -> impl Strategy<Value = String> {
    let gap = || prop_oneof![6 => Just(""), 3 => Just(" "), 1 => Just("\n  "), 1 => Just(" # note\r\n"), 1 => Just("\r\n")];
    scalar().prop_recursive(3, 12, 4, move |inner| {
        let items = prop::collection::vec((gap(), inner.clone(), gap()), 0..4);
        let entries = prop::collection::vec((gap(), keys(), inner, gap()), 0..4);
        prop_oneof![
            (items, any::<bool>(), gap()).prop_map(|(items, comma, gap)| {
                let items: Vec<String> = items.iter().map(|(a, item, b)| format!("{a}{item}{b}")).collect();
                let comma = if comma && !items.is_empty() { "," } else { "" };
                format!("[{}{comma}{gap}]", items.join(","))
            }),
            (entries, any::<bool>(), gap()).prop_map(|(entries, comma, gap)| {
                let entries: Vec<String> =
                    entries.iter().map(|(a, key, value, b)| format!("{a}{key} = {value}{b}")).collect();
                let comma = if comma && !entries.is_empty() { "," } else { "" };
                format!("{{{}{comma}{gap}}}", entries.join(","))
            }),
        ]
    })
}

fn line() -> impl Strategy<Value = String> {
    let blank = || prop_oneof![5 => Just(""), 2 => Just(" "), 1 => Just("\t ")];
    let after = || prop_oneof![6 => Just(""), 1 => Just(" # é"), 1 => Just("  ")];
    prop_oneof![
        6 => (blank(), keys(), blank(), any_value(), after()).prop_map(|(a, key, b, value, c)| format!("{a}{key}{b}={b}{value}{c}")),
        3 => (blank(), keys(), after()).prop_map(|(a, keys, c)| format!("{a}[{a}{keys}{a}]{c}")),
        1 => (blank(), keys(), after()).prop_map(|(a, keys, c)| format!("[[{a}{keys}{a}]]{c}")),
        1 => after().prop_map(str::to_owned),
    ]
}

fn document() -> impl Strategy<Value = String> {
    (prop::collection::vec((line(), prop_oneof![4 => Just("\n"), 1 => Just("\r\n")]), 0..12), any::<bool>())
        .prop_map(|(lines, mark)| {
            let text: String = lines.into_iter().map(|(line, end)| line + end).collect();
            if mark { format!("\u{feff}{text}") } else { text }
        })
}

/// Changes at most a few characters of a document.
fn mutated() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[\\[\\]{}=,.\"'#\\\\:\n\r \ta-d0-9_+-]",
        1 => any::<char>().prop_map(String::from),
        1 => prop::sample::select(vec!["\"\"\"", "'''", "\r\n", "[[", "]]", "<<<<<<< a\n", "=======\n", " = ", "\\u", "\u{0}"])
            .prop_map(str::to_owned),
    ];
    (document(), prop::collection::vec((any::<prop::sample::Index>(), 0_usize..3, piece), 1..4)).prop_map(
        |(mut text, changes)| {
            for (place, cut, piece) in changes {
                let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
                let at = place.index(places.len());
                let end = places[(at + cut).min(places.len() - 1)];
                text.replace_range(places[at]..end, &piece);
            }
            text
        },
    )
}

/// Holds that each character of each string is found in the text as itself or as its escape.
fn check_parts(value: Value<'_, '_>, text: &str) {
    match value.kind() {
        Kind::Table(table) => table.entries().for_each(|entry| check_parts(entry.value(), text)),
        Kind::Array(array) => array.items().for_each(|item| check_parts(item, text)),
        Kind::String(string) => {
            for (at, c) in string.char_indices() {
                let span = value.string_part(at, at + c.len_utf8());
                let raw = &text[span.start as usize..span.end as usize];
                if raw.starts_with('\\') && raw.len() > 1 {
                    let escaped = format!("x = \"{raw}\"");
                    let decoded = DeTable::parse(&escaped).unwrap();
                    let decoded = decoded.get_ref().get("x").unwrap().get_ref().as_str().map(str::to_owned);
                    assert_eq!(decoded, Some(c.to_string()), "in {text}");
                } else {
                    assert_eq!(raw, c.to_string(), "in {text}");
                }
            }
            let span = value.string_part(0, string.len());
            assert!(value.span().start <= span.start && span.end <= value.span().end);
        }
        Kind::Integer(_) | Kind::Float(_) | Kind::Boolean(_) | Kind::Datetime(_) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_read_the_same_from_documents(text in document()) {
        agree(&text);
    }

    #[test]
    fn every_character_of_a_string_is_found_in_the_text(text in any_value()) {
        let text = format!("x = {text}");
        let (tree, findings) = read(&text);
        if findings.is_empty() {
            check_parts(tree.root().get("x").unwrap().value(), &text);
        }
    }

    #[test]
    fn both_refuse_the_same_documents_with_slips(text in mutated()) {
        agree(&text);
    }

    #[test]
    fn no_text_makes_it_panic_and_findings_stay_few(text in "\\PC{0,60}|[\\[\\]{}=,.\"'#\\\\:<>\n\r \ta-b0-1_-]{0,80}") {
        agree(&text);
        let (_, findings) = read(&text);
        prop_assert!(findings.len() <= 120);
        for finding in findings {
            prop_assert!(finding.span.start <= finding.span.end && finding.span.end as usize <= text.len());
            prop_assert!(text.is_char_boundary(finding.span.start as usize));
            prop_assert!(text.is_char_boundary(finding.span.end as usize));
        }
    }
}
