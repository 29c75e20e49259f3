//! The corpus: every rule has a bad inventory that breaks it and nothing else; the good ones pass.
//!
//! `bad/HB011-multicast.toml` is an inventory of one file, `bad/HB040-two-files/` one of several. What
//! `hostbook check` prints for it stands beside it in `….expected`. To accept changed output, run with
//! `BLESS=1` and read the diff.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot read its files has failed")]

mod reference;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use inventory_core::diag::{self, Diagnostic, Rule};
use inventory_core::load::{Loaded, Loader};
use inventory_core::model::{Host, State};
use inventory_core::source::{Directory, Memory};

/// The inventories of a kind, sorted by name.
fn corpus(kind: &str) -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(kind);
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_none_or(|ext| ext != "expected")).collect();
    cases.sort();
    cases
}

fn load(case: &Path) -> (Vec<Diagnostic>, bool) {
    let mut loader = if case.is_dir() {
        Loader::new(Box::new(Directory::new(case)))
    } else {
        let mut memory = Memory::default();
        memory.write("inventory.toml", fs::read(case).unwrap());
        Loader::new(Box::new(memory))
    };
    match loader.load() {
        Loaded::Good { warnings, .. } => (warnings, true),
        Loaded::Broken { diagnostics } => (diagnostics, false),
        Loaded::Unchanged => unreachable!("a first look is never unchanged"),
    }
}

fn rendered(diagnostics: &[Diagnostic]) -> String {
    let text: String = diagnostics
        .iter()
        .map(|one| format!("{}\n{}\n\n", diag::short(one), diag::terminal(one, false)))
        .collect();
    // Where the corpus lies is nobody's business.
    text.replace(env!("CARGO_MANIFEST_DIR"), "…")
}

#[test]
fn every_bad_inventory_gets_its_one_diagnostic_at_the_right_place() {
    let mut failures = Vec::new();
    for case in corpus("bad") {
        let (diagnostics, _) = load(&case);
        let name = case.file_stem().unwrap().to_string_lossy().into_owned();
        let text = rendered(&diagnostics);
        let expected_path = case.with_file_name(format!("{name}.expected"));
        if std::env::var_os("BLESS").is_some() {
            fs::write(&expected_path, &text).unwrap();
        }
        let expected = fs::read_to_string(&expected_path).unwrap_or_default();
        if text != expected {
            failures.push(format!("{name}: expected\n{expected}\ngot\n{text}"));
        }
        let code = &name[..5];
        if diagnostics.len() != 1 || diagnostics[0].code != code {
            failures.push(format!("{name}: one mistake must give one {code}, got\n{text}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n----\n"));
}

#[test]
fn every_rule_has_a_bad_inventory() {
    let covered: BTreeSet<String> = corpus("bad")
        .iter()
        .map(|case| case.file_name().unwrap().to_string_lossy()[..5].to_owned())
        .collect();
    let missing: Vec<&str> =
        Rule::ALL.iter().map(|rule| rule.code()).filter(|code| !covered.contains(*code)).collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn good_inventories_have_neither_errors_nor_warnings() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let examples = fs::read_dir(examples).unwrap().map(|entry| entry.unwrap().path());
    let cases: Vec<PathBuf> =
        corpus("good").into_iter().chain(examples.filter(|path| path.is_dir())).collect();
    assert!(cases.len() > 10);
    for case in cases {
        let (diagnostics, good) = load(&case);
        assert!(good && diagnostics.is_empty(), "{}:\n{}", case.display(), rendered(&diagnostics));
    }
}

#[test]
fn the_institute_has_three_hundred_hosts_of_every_sort() {
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/good/institute");
    let Loaded::Good { snapshot, .. } = Loader::new(Box::new(Directory::new(case))).load() else {
        unreachable!("good inventories are good");
    };
    let inventory = &snapshot.inventory;
    assert_eq!(inventory.host_count(), 300);
    assert!(inventory.globals.networks.len() >= 9);
    let count = |wanted: &dyn Fn(&Host) -> bool| inventory.hosts().filter(|host| wanted(host)).count();
    assert!(count(&|host| host.vmhost().is_some()) > 70);
    assert!(count(&|host| host.nics.len() > 1) > 100);
    assert!(count(&|host| host.primary().addresses.len() > 1) > 150);
    for state in State::ALL {
        assert!(count(&|host| host.state == state) > 0, "{}", state.word());
    }
}

#[test]
fn an_inventory_with_thirty_mistakes_shows_those_thirty() {
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/thirty");
    let (diagnostics, good) = load(&case);
    assert!(!good);
    // Each mistake is marked in its line by a comment `# HBnnn`; several on one line by several codes.
    let mut marked = Vec::new();
    for entry in fs::read_dir(&case).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        for (index, line) in fs::read_to_string(&path).unwrap().lines().enumerate() {
            let codes = line
                .split("# ")
                .skip(1)
                .flat_map(str::split_whitespace)
                .filter(|word| word.starts_with("HB"));
            marked
                .extend(codes.map(|code| (name.clone(), u32::try_from(index + 1).unwrap(), code.to_owned())));
        }
    }
    marked.sort();
    let mut found: Vec<_> =
        diagnostics.iter().map(|one| (one.place.path.clone(), one.place.line, one.code.clone())).collect();
    found.sort();
    assert_eq!(marked.len(), 30);
    assert_eq!(found, marked, "{}", rendered(&diagnostics));
}
