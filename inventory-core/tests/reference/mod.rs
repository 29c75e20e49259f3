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
