//! Rules of the workspace's source text. Each checker is shown a text that it must refuse, too.

use std::path::{Path, PathBuf};

use integration_tests::rules::{self, Breach, SourceFile};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn every_file_keeps(rule: fn(&SourceFile) -> Vec<Breach>) {
    let files = rules::read_workspace(&root());
    assert!(files.len() > 100, "only {} files were found", files.len());
    let breaches: Vec<String> = files.iter().flat_map(rule).map(|breach| breach.to_string()).collect();
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

#[test]
fn nothing_imports_what_it_must_not() {
    every_file_keeps(rules::forbidden_imports);
}

#[test]
fn no_file_and_no_function_is_too_long() {
    every_file_keeps(rules::too_long);
}

#[test]
fn unsafe_stands_in_its_one_place_only() {
    every_file_keeps(rules::stray_unsafe);
}

#[test]
fn a_forbidden_import_is_found_wherever_it_hides() {
    let refused = [
        ("dnsd/src/core/x.rs", "use std::{fs::{self, File}, io};", 2),
        ("dhcpd/src/core/mod.rs", "fn f() -> Instant { std::time::Instant::now() }", 1),
        ("dhcpd/src/core/mod.rs", "use tokio as runtime;", 1),
        ("inventory-core/src/load/mod.rs", "use std::net::{IpAddr, UdpSocket};", 1),
        ("dhcpd/src/shell/mod.rs", "let view = dnsd::view::DnsView::default();", 1),
        ("inventory/src/serve.rs", "use dhcpd::{core, shell::Options};", 1),
        ("daemon/src/udp.rs", "fn f(x: dnsd::view::Name) {}", 1),
    ];
    for (path, text, count) in refused {
        let breaches = rules::forbidden_imports(&SourceFile::new(path, text));
        assert_eq!(breaches.len(), count, "{path}: {text}: {breaches:?}");
    }
    let allowed = [
        ("dnsd/src/core/x.rs", "// use std::fs;\nlet text = \"use tokio;\"; use std::time::Instant;"),
        ("dnsd/src/core/x.rs", "#[cfg(test)] mod tests { use std::fs; }"),
        ("dnsd/src/shell/mod.rs", "use std::fs; use tokio::net::UdpSocket;"),
        ("inventory-core/src/source/dir.rs", "use std::fs;"),
        ("inventory/src/serve.rs", "use dhcpd::core; let dnsd = dnsd(args);"),
    ];
    for (path, text) in allowed {
        assert_eq!(rules::forbidden_imports(&SourceFile::new(path, text)), [], "{path}: {text}");
    }
}

#[test]
fn a_long_file_and_a_long_function_are_found_and_their_tests_not_counted() {
    let body = |lines: usize| "    let x = '}';\n".repeat(lines);
    let function = |lines: usize| format!("fn f() {{\n{}}}\n", body(lines - 2));
    let breaches = |text: &str| rules::too_long(&SourceFile::new("dnsd/src/x.rs", text)).len();
    assert_eq!((breaches(&function(70)), breaches(&function(71))), (0, 1));
    let file = |lines| "use x;\n".repeat(lines);
    assert_eq!((breaches(&file(400)), breaches(&file(401))), (0, 1));
    let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", function(200));
    assert_eq!(breaches(&(file(400) + &tests)), 0);
}

#[test]
fn a_stray_unsafe_is_found_even_in_tests() {
    let breaches = |path: &str, text: &str| rules::stray_unsafe(&SourceFile::new(path, text)).len();
    assert_eq!(breaches("dnsd/src/x.rs", "#[cfg(test)] mod tests { fn f() { unsafe { g() } } }"), 1);
    assert_eq!(breaches("dnsd/src/x.rs", "/* unsafe */ let x = \"unsafe\"; let unsafely = 1;"), 0);
    assert_eq!(breaches("daemon/src/sys/mod.rs", "unsafe fn f() {}"), 0);
}
