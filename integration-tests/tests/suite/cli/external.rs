//! `hostbook X` runs `hostbook-X`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use integration_tests::place::Place;
use integration_tests::programs::program;
use integration_tests::run::run;

#[test]
fn another_command_is_run_with_its_words_and_its_exit_code() {
    let place = Place::empty();
    let script = place.path().join("hostbook-greet");
    fs::write(&script, "#!/bin/sh\nprintf '<%s>' \"$@\"\nexit 42\n").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = program("hostbook");
    let path = std::env::var("PATH").unwrap();
    command.args(["greet", "--all", "two words"]).env("PATH", format!("{path}:{}", place.path().display()));
    let ran = run(command);
    assert_eq!((ran.code(), ran.out.as_str()), (42, "<--all><two words>"));
    // A daemon beside the tool needs no search path.
    let mut command = program("hostbook");
    command.args(["dnsd", "--version"]).env("PATH", "/nowhere");
    let ran = run(command);
    assert!(ran.code() == 0 && ran.out.starts_with("hostbook-dnsd "), "{ran:?}");
}

#[test]
fn a_command_that_is_nowhere_is_code_1_and_says_what_was_looked_for() {
    let mut command = program("hostbook");
    command.args(["fly", "me"]);
    let ran = run(command);
    assert_eq!((ran.code(), ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("`fly` is no command") && ran.err.contains("`hostbook-fly`"), "{}", ran.err);
}
