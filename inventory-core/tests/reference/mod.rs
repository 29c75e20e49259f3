//! The pages of `docs/reference`: what follows from the code is written into them by these tests
//! (`BLESS=1`), the rest by people; a page that is behind the code fails.

mod diagnostics;
mod inventory;

use std::fs;
use std::path::{Path, PathBuf};

fn page(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference").join(name)
}

/// Holds the page to `wanted`, or makes it so.
fn hold(name: &str, wanted: &str) {
    let path = page(name);
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, wanted).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    let differs = found.lines().zip(wanted.lines()).position(|(a, b)| a != b);
    let line = differs.unwrap_or_else(|| found.lines().count().min(wanted.lines().count())) + 1;
    assert!(
        found == wanted,
        "docs/reference/{name} is behind the code from line {line} on: run this test with BLESS=1 and read the diff"
    );
}

/// What a heading is called in a link to it.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || *c == '-' || *c == ' ');
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

#[test]
fn every_link_of_the_pages_leads_somewhere() {
    for name in ["inventory.md", "diagnostics.md"] {
        let text = fs::read_to_string(page(name)).unwrap();
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| link.contains(".md") || link.starts_with('#')) {
            let (file, to) = link.split_once('#').unwrap_or((link, ""));
            let target = fs::read_to_string(page(if file.is_empty() { name } else { file }));
            let target = target.unwrap_or_else(|_| panic!("{name} links to {file}, which is not there"));
            let mut headings = target.lines().filter(|line| line.starts_with('#'));
            let found =
                to.is_empty() || headings.any(|line| anchor(line.trim_start_matches('#').trim()) == to);
            assert!(found, "{name} links to {link}: no such heading");
        }
    }
}
