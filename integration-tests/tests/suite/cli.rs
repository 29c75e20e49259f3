//! `hostbook`, as operators and their scripts call it.

mod answers;
mod auto;
mod check;
mod demo;
mod external;
mod hooks;
mod list;
mod push;
mod serve;
mod status;
mod takeover;
mod who;

use integration_tests::place::Place;
use integration_tests::programs::program;
use integration_tests::run::{Ran, run};
use serde_json::Value;

/// `hostbook ARGS… -i` the inventory of `place`.
fn hostbook(place: &Place, args: &[&str]) -> Ran {
    let mut command = program("hostbook");
    command.args(args).arg("-i").arg(place.inventory()).env_remove("HOSTBOOK_INVENTORY");
    run(command)
}

/// What it printed, when it must succeed.
fn printed(place: &Place, args: &[&str]) -> String {
    let ran = hostbook(place, args);
    assert_eq!(ran.code(), 0, "{ran:?}");
    assert!(!ran.out.contains('\x1b'), "colour without a terminal: {}", ran.out);
    ran.out
}

fn json(place: &Place, args: &[&str]) -> Value {
    serde_json::from_str(&printed(place, args)).unwrap()
}

/// The first words of each line but the heading.
fn first_words(table: &str) -> Vec<&str> {
    table.lines().skip(1).map(|line| line.split_whitespace().next().unwrap_or_default()).collect()
}

/// A slip: two hosts with one MAC.
fn slip(place: &Place) {
    place.edit("hosts/web.toml", "mac    = \"52:54:00:aa:00:12\"", "mac    = \"52:54:00:aa:00:11\"");
}
