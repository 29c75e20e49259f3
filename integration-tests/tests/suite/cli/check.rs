//! `hostbook check`: three formats, exit codes, where the inventory is.

use integration_tests::place::Place;
use integration_tests::programs::program;
use integration_tests::run::run;
use serde_json::{Value, json};

use super::{hostbook, printed, slip};

#[test]
fn a_good_inventory_is_code_0_and_counts_what_is_there() {
    let place = Place::lab();
    let ran = hostbook(&place, &["check"]);
    assert_eq!((ran.code(), ran.out.as_str()), (0, ""));
    assert!(ran.err.starts_with("fine: 6 hosts, 2 networks, "), "{}", ran.err);
}

#[test]
fn a_mistake_is_code_65_and_one_line_where_no_terminal_is() {
    let place = Place::lab();
    slip(&place);
    for args in [&["check"][..], &["check", "--format", "short"]] {
        let ran = hostbook(&place, args);
        assert_eq!((ran.code(), ran.err.as_str()), (65, "1 error\n"));
        assert_eq!(ran.out.lines().count(), 1, "{}", ran.out);
        let start = "hosts/web.toml:12:10: error[HB040]: MAC address 52:54:00:aa:00:11 is used twice";
        assert!(ran.out.starts_with(start), "{}", ran.out);
    }
}

#[test]
fn the_format_for_people_shows_the_lines_of_both_places() {
    let place = Place::lab();
    slip(&place);
    let ran = hostbook(&place, &["check", "--format", "human"]);
    assert_eq!(ran.code(), 65);
    for part in ["error[HB040]: ", "--> hosts/web.toml:12:10", "::: hosts/web.toml:5:10", "^^^^", "12 | mac"]
    {
        assert!(ran.out.contains(part), "no `{part}` in\n{}", ran.out);
    }
}

#[test]
fn json_is_one_object_a_line_with_code_and_place_and_nothing_else_is_printed() {
    let place = Place::lab();
    slip(&place);
    place.edit("networks.toml", "ttl = \"1h\"", "ttl = \"1 fortnight\"");
    for args in [&["check", "--json"][..], &["check", "--format", "json"]] {
        let ran = hostbook(&place, args);
        assert_eq!((ran.code(), ran.err.as_str()), (65, ""));
        let found: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let codes: Vec<&str> = found.iter().map(|one| one["code"].as_str().unwrap()).collect();
        assert!(codes.contains(&"HB040") && codes.len() == 2, "{codes:?}");
        let clash = found.iter().find(|one| one["code"] == "HB040").unwrap();
        assert_eq!(
            (&clash["path"], &clash["line"], &clash["column"]),
            (&json!("hosts/web.toml"), &json!(12), &json!(10))
        );
        assert_eq!(clash["others"][0]["line"], 5, "the other place");
    }
}

#[test]
fn every_mistake_is_told_at_once_sorted_by_file_and_line() {
    let place = Place::lab();
    place.edit("hosts/machines.toml", "\"10.20.0.25\"", "\"10.20.1.25\"");
    place.edit("hosts/machines.toml", "[host.pbx]", "[host.pbx]\nnetwrok = \"servers\"");
    slip(&place);
    let ran = hostbook(&place, &["check"]);
    let places: Vec<&str> = ran.out.lines().map(|line| line.split(": ").next().unwrap()).collect();
    let mut sorted = places.clone();
    sorted.sort_unstable();
    assert_eq!((places.len(), &places), (3, &sorted), "{}", ran.out);
    let shown = hostbook(&place, &["check", "--format", "human"]);
    assert!(shown.out.contains("did you mean `network`?"), "{}", shown.out);
}

#[test]
fn the_inventory_is_named_by_option_by_environment_or_is_where_one_is() {
    let place = Place::lab();
    let mut by_environment = program("hostbook");
    by_environment.arg("check").env("HOSTBOOK_INVENTORY", place.inventory());
    let mut here = program("hostbook");
    here.arg("check").env_remove("HOSTBOOK_INVENTORY").current_dir(place.inventory());
    for command in [by_environment, here] {
        let ran = run(command);
        assert!(ran.code() == 0 && ran.err.starts_with("fine: 6 hosts"), "{ran:?}");
    }
}

#[test]
fn an_empty_directory_is_no_inventory_and_a_wrong_command_line_is_code_2() {
    let ran = hostbook(&Place::empty(), &["check"]);
    assert_eq!(ran.code(), 65);
    assert!(ran.out.contains("error[HB003]"), "{}", ran.out);
    let place = Place::lab();
    for args in
        [&["check", "--format", "xml"][..], &["check", "--json", "--format", "short"], &["list", "cows"]]
    {
        assert_eq!(hostbook(&place, args).code(), 2, "{args:?}");
    }
    let mut bare = program("hostbook");
    bare.arg("--help");
    assert!(run(bare).out.contains("65 the inventory has errors"));
    assert!(printed(&place, &["list"]).contains("web1"));
}
