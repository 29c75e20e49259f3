//! `docs/reference/inventory.md`: every key is in it, its examples are right, and its tables of options are
//! those of the code.

use std::fmt::Write as _;
use std::fs;

use inventory_core::options::{Family, OptionDef, table};
use inventory_core::parse::{KEYS, parse_file};
use inventory_core::span::FileId;

use super::{hold, page};

const BEGIN: &str = "<!-- options of ";
const END: &str = "<!-- end of options -->";

fn row(def: &OptionDef) -> String {
    let names: Vec<String> =
        std::iter::once(def.name).chain(def.also.iter().copied()).map(|name| format!("`{name}`")).collect();
    let rfc = if def.rfc == 0 { String::new() } else { def.rfc.to_string() };
    match def.reserved {
        Some(why) => format!("| {} | {} | *not written: {why}* | | {rfc} |\n", def.code, names.join(", ")),
        None => format!(
            "| {} | {} | {} | `{}` | {rfc} |\n",
            def.code,
            names.join(", "),
            def.kind.describe(),
            def.kind.example()
        ),
    }
}

#[test]
fn the_tables_of_options_are_those_of_the_code() {
    let text = fs::read_to_string(page("inventory.md")).unwrap();
    let mut wanted = String::new();
    for (index, part) in text.split(BEGIN).enumerate() {
        if index == 0 {
            wanted.push_str(part);
            continue;
        }
        let family = if part.starts_with("DHCPv4") { Family::V4 } else { Family::V6 };
        let _ = write!(wanted, "{BEGIN}{} -->\n\n| number | name | takes | example | RFC |\n", family.name());
        wanted.push_str("| --- | --- | --- | --- | --- |\n");
        wanted.extend(table(family).iter().map(row));
        let (_, rest) = part.split_once(END).expect("the table has its end");
        let _ = write!(wanted, "\n{END}{rest}");
    }
    assert_eq!(text.matches(BEGIN).count(), 2);
    hold("inventory.md", &wanted);
}

#[test]
fn every_key_has_its_row_and_no_other_has_one() {
    let text = fs::read_to_string(page("inventory.md")).unwrap();
    for (kind, keys) in KEYS {
        let marker = format!("<!-- keys of {kind} -->\n");
        let (_, section) = text.split_once(&marker).unwrap_or_else(|| panic!("no {marker}"));
        let rows = section.trim_start().lines().take_while(|line| line.starts_with('|')).skip(2);
        let mut documented: Vec<&str> =
            rows.map(|row| row.trim_start_matches("| `").split('`').next().unwrap_or_default()).collect();
        documented.sort_unstable();
        let mut known = keys.to_vec();
        known.sort_unstable();
        assert_eq!(documented, known, "keys of {kind}");
    }
}

#[test]
fn every_example_of_the_page_is_read_without_a_finding() {
    let text = fs::read_to_string(page("inventory.md")).unwrap();
    let examples: Vec<&str> =
        text.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(examples.len() > 6);
    for example in examples {
        let mut findings = Vec::new();
        parse_file(example, FileId(0), &mut findings);
        assert!(findings.is_empty(), "{example}\n{findings:?}");
    }
}

#[test]
fn every_option_takes_the_value_that_is_its_example() {
    for (family, key) in [(Family::V4, "options"), (Family::V6, "options6")] {
        for def in table(family).iter().filter(|def| def.reserved.is_none()) {
            let text = format!("[host.a]\n{key}.{} = {}\n", def.name, def.kind.example());
            let mut findings = Vec::new();
            parse_file(&text, FileId(0), &mut findings);
            assert!(findings.is_empty(), "{text}\n{findings:?}");
        }
    }
}
