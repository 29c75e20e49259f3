//! One slip of the pen gives one finding, wherever in a good inventory it happens.

use inventory_core::diag;
use inventory_core::parse::KEYS;

use crate::support::{Files, Shared, good_inventories, outcome};

/// What it is called, and how it spoils key and value.
type Slip = (&'static str, fn(&str, &str) -> String);

/// Ways to spoil the line `key = value`.
const SLIPS: [Slip; 4] = [
    ("a key that is not known", |key, value| format!("{key}x ={value}")),
    ("a value of a type that nothing takes", |key, _| format!("{key} = 7.5")),
    ("no equals sign", |key, value| format!("{key} {value}")),
    ("no value", |key, _| format!("{key} =")),
];

/// Lines of `text` that give a key of the format its value, all on that line: their numbers from 0.
fn lines(text: &str) -> Vec<(usize, &str, &str)> {
    let mut found = Vec::new();
    let mut within = false;
    for (number, line) in text.lines().enumerate() {
        let toggles = line.matches("\"\"\"").count() % 2 == 1;
        let parts = line.split_once('=').filter(|_| !within && !toggles);
        within ^= toggles;
        let Some((key, value)) = parts else { continue };
        let code = value.split(" #").next().unwrap_or_default().trim_end();
        let whole = code.matches('[').count() == code.matches(']').count() && !code.ends_with('(');
        if whole && KEYS.iter().any(|(_, keys)| keys.contains(&key.trim())) {
            found.push((number, key.trim(), code));
        }
    }
    found
}

fn load(files: &Files) -> Vec<String> {
    let shared = Shared::default();
    for (path, octets) in files {
        shared.write(path, octets.clone());
    }
    let (_, diagnostics) = outcome(shared.loader().load()).unwrap();
    diagnostics.iter().map(diag::short).collect()
}

#[test]
fn one_slip_gives_one_finding_in_any_line_of_a_good_inventory() {
    let mut failures = Vec::new();
    let mut tried = 0;
    for (name, files) in good_inventories() {
        // In the large one, a line here and there: its lines are much alike.
        let step = if name == "institute" { 61 } else { 1 };
        for (index, (path, octets)) in
            files.iter().enumerate().filter(|(_, (path, _))| path.ends_with(".toml"))
        {
            let text = std::str::from_utf8(octets).unwrap();
            for (number, key, value) in lines(text).into_iter().step_by(step) {
                for (slip, spoil) in SLIPS {
                    let spoilt = spoil(key, value);
                    let new: Vec<&str> = text
                        .lines()
                        .enumerate()
                        .map(|(at, line)| if at == number { &*spoilt } else { line })
                        .collect();
                    let mut files = files.clone();
                    files[index].1 = new.join("\n").into_bytes();
                    let found = load(&files);
                    tried += 1;
                    let place = format!("{path}:{}:", number + 1);
                    if found.len() != 1 || !found[0].starts_with(&place) {
                        failures.push(format!("{name}/{place} {slip}: {spoilt}\n  {}", found.join("\n  ")));
                    }
                }
            }
        }
    }
    assert!(failures.is_empty(), "{} of {tried}:\n{}", failures.len(), failures.join("\n"));
    assert!(tried > 1_000, "{tried}");
}
