//! Secrets by reference.

use super::target::Target;

#[test]
fn a_secret_reaches_the_target_and_no_report() {
    let target = Target::start_with("secret", "", "mount -t tmpfs run $R/run; mkdir $R/run/sshd");
    let init = "__file /etc/password --mode 0600 --source - <<EOF
$(hostbook-secret db)
EOF
__line web --file /etc/settings --line secret:web
__key_value bad --file /etc/settings2 --delimiter = --value=secret:web
";
    let files = [("manifest/init", init)];
    let command = "printf it's-%s-hidden";
    let plan = target.run("plan", &files, &["-v", "--secret-command", command]).ends(3);
    let push = target.run("push", &files, &["--json", "--secret-command", command]).ends(0);
    for printed in [&plan.stdout, &plan.stderr, &push.stdout, &push.stderr] {
        assert!(!printed.contains("hidden"), "{printed}");
    }
    assert!(plan.stdout.contains("+***\n"), "{}", plan.stdout);
    assert_eq!(target.text("/etc/password"), "it's-db-hidden\n");
    assert_eq!(target.text("/etc/settings"), "it's-web-hidden\n");
    assert_eq!(target.text("/etc/settings2"), "bad=it's-web-hidden\n");

    let missing = target.run("push", &files, &["--secret-command", "false"]).ends(1);
    assert!(missing.stdout.contains("`false db` ended with"), "{}{}", missing.stdout, missing.stderr);
}

#[test]
fn a_secret_is_masked_where_only_the_end_of_a_long_text_is_shown() {
    let target = Target::start_with("secret-long", "", "mount -t tmpfs run $R/run; mkdir $R/run/sshd");
    // Its tail is in the last 4000 octets, and its head is not.
    let init = "printf 'head %s%3990s\\n' \"$(hostbook-secret db)\" x >&2; exit 1\n";
    let command = ["--secret-command", "printf long-and-hidden-%s"];
    let failed = target.run("push", &[("manifest/init", init)], &["--json", command[0], command[1]]).ends(1);
    assert!(failed.stdout.contains("exit code 1") && failed.stdout.contains("  x"), "{}", failed.stdout);
    assert!(!failed.stdout.contains("hidden") && !failed.stdout.contains("n-db"), "{}", failed.stdout);
}

#[test]
fn a_secret_is_on_no_disk_of_the_target_on_its_way() {
    let init = "__line web --file /etc/settings --line secret:web\n";
    let files = [("manifest/init", init)];
    let secret = ["--secret-command", "printf hidden-%s"];
    let on_disk = Target::start("secret-disk");
    let refused = on_disk.run("push", &files, &secret).ends(1);
    assert!(refused.stdout.contains("no directory in memory, which secrets need,"), "{}", refused.stdout);
    on_disk.run("push", &files, &["--remote-out-path", "/var/tmp", secret[0], secret[1]]).ends(0);
    assert_eq!(on_disk.text("/etc/settings"), "hidden-web\n");

    let target = Target::start("secret-programs");
    let (exec, copy, calls) = target.programs();
    let programs = ["--remote-exec", &exec, "--remote-copy", &copy, secret[0], secret[1]];
    target.run("push", &files, &programs).ends(0);
    assert_eq!(target.text("/etc/settings"), "hidden-web\n");
    let calls = std::fs::read_to_string(calls).unwrap();
    let copies: Vec<&str> = calls.lines().filter(|line| line.starts_with("copy ")).collect();
    assert!(!copies.is_empty() && copies.iter().all(|line| line.contains(":/dev/shm/hostbook-")), "{calls}");
    let name = copies[0].split('/').nth(3).unwrap();
    assert!(!std::path::Path::new("/dev/shm").join(name).exists(), "it is gone at the end");
}
