//! `docs/reference/diagnostics.md`: a section for each rule. What it says and how it looks come from the
//! code and the corpus; what to do is written by people, between the two.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;

use inventory_core::diag::Rule;

use super::{hold, page};
use crate::{corpus, load, rendered};

const HEAD: &str = "\
# Diagnostics

What `hostbook check` finds. A code never changes its meaning. An *error* keeps the inventory from being served,
and the last good state stays in force; a *warning* does not. All mistakes are reported at once, and what follows
only from another mistake is not reported.

Each is shown in one of three forms: one line for editors and logs (`hosts/web.toml:14:6: error[HB012]: …`), with
the source as below, or as a JSON object (`--json`) with the same parts. Lines and columns count from 1, columns in
characters. A diagnostic without a line is about the whole file.

The headings and examples on this page are written by a test from the rules and their bad inventories in
`inventory-core/tests/corpus/bad`, where more examples are.
";

const GROUPS: [(&str, &str); 6] = [
    ("HB001", "Reading the files"),
    ("HB010", "Values"),
    ("HB030", "References"),
    ("HB040", "Two things that cannot both be"),
    ("HB050", "Things that do not fit together"),
    ("HB070", "Odd, but served"),
];

/// The text between the sentence of a rule and its example, by code.
fn advice(page: &str) -> HashMap<String, String> {
    let sections = page.split("\n### ").skip(1);
    sections
        .filter_map(|section| {
            let code = section.get(..5)?.to_owned();
            let body = section.split("\n```").next()?;
            let text = body.splitn(3, "\n\n").nth(2).unwrap_or_default();
            Some((code, text.trim().to_owned()))
        })
        .collect()
}

/// What is printed for the first bad inventory of a rule.
fn example(rule: Rule) -> String {
    let cases = corpus("bad");
    let first = cases
        .iter()
        .find(|case| case.file_name().is_some_and(|name| name.to_string_lossy().starts_with(rule.code())))
        .unwrap_or_else(|| panic!("{} has no bad inventory", rule.code()));
    let text = rendered(&load(first).0);
    // The first line is the short form of the same.
    text.split_once('\n').unwrap_or_default().1.trim_end().to_owned()
}

#[test]
fn the_page_of_diagnostics_has_every_rule_as_it_is() {
    let advice = advice(&fs::read_to_string(page("diagnostics.md")).unwrap_or_default());
    let mut text = HEAD.to_owned();
    let mut silent = Vec::new();
    for rule in Rule::ALL {
        if let Some((_, group)) = GROUPS.iter().find(|(code, _)| *code == rule.code()) {
            let _ = write!(text, "\n## {group}\n");
        }
        let (code, slug, what) = (rule.code(), rule.slug(), rule.what());
        let severity = if rule.severity().word() == "error" { "Error" } else { "Warning" };
        let todo = advice.get(code).map_or("", String::as_str);
        if todo.is_empty() {
            silent.push(code);
        }
        let _ = write!(
            text,
            "\n### {code} {slug}\n\n*{severity}.* {what}\n\n{todo}\n\n```text\n{}\n```\n",
            example(*rule)
        );
    }
    hold("diagnostics.md", &text);
    assert_eq!(silent, Vec::<&str>::new(), "the page does not say what to do about these");
}
