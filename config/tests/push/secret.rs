//! Secrets by reference.

use super::target::Target;

#[test]
fn a_secret_reaches_the_target_and_no_report() {
    let target = Target::start("secret");
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
