//! What skonfig, the live fork of cdist, has that cdist has not.

use super::target::{Target, ran};

#[test]
fn manifests_and_generators_may_be_directories_of_scripts() {
    let target = Target::start("skonfig");
    let files = [
        ("manifest/init/20-second", "__many b\n"),
        ("manifest/init/10-first", "__many a\n"),
        ("manifest/init/.not-this", "exit 1\n"),
        ("type/__many/manifest/1", "__leaf \"$__object_id/1\"\n"),
        ("type/__many/manifest/2", "__leaf \"$__object_id/2\"\n"),
        ("type/__many/gencode-local/x", "echo ': here'\n"),
        ("type/__many/gencode-remote/a", "echo 'echo a >>/order'\n"),
        ("type/__many/gencode-remote/b", "echo 'echo b >>/order'\n"),
        ("type/__leaf/gencode-remote", "echo 'echo \"$__object_id\" >>/leaves'\n"),
    ];
    let push = target.run("push", &files, &["--json"]).ends(0);
    assert_eq!(target.text("/leaves"), "a/1\na/2\nb/1\nb/2\n");
    assert_eq!(target.text("/order"), "a\nb\na\nb\n");
    let many = push.host()["objects"]
        .as_array()
        .unwrap()
        .iter()
        .find(|o| o["object"] == "__many/a")
        .unwrap()
        .clone();
    assert_eq!(many["code_local"], ": here\n");
    assert_eq!(many["code_remote"], "echo a >>/order\necho b >>/order\n");
}

#[test]
fn a_script_of_a_directory_that_fails_is_the_last_one() {
    let target = Target::start("skonfig-fails");
    let files = [
        ("manifest/init/1", "__x a\n"),
        ("type/__x/gencode-remote/1", "echo 'touch /1'\n"),
        ("type/__x/gencode-remote/2", "echo 'what is wrong' >&2; exit 3\n"),
        ("type/__x/gencode-remote/3", "touch \"$__global/three\"\necho 'touch /3'\n"),
    ];
    let push = target.run("push", &files, &["--json"]).ends(1);
    assert_eq!(push.objects("failed"), ["__x/a"]);
    let reason = push.host()["objects"][0]["reason"].as_str().unwrap().to_owned();
    assert_eq!(reason, "gencode-remote: exit code 3\nwhat is wrong");
    assert!(!target.path("/1").exists(), "code that is not whole does not run");
}

#[test]
fn sets_of_types_in_the_home_directory_are_found() {
    let target = Target::start("skonfig-sets");
    for (set, text) in [(".skonfig/set/one", "first"), (".skonfig/set/two", "second")] {
        let kind = target.dir.join(format!("{set}/type/__said"));
        std::fs::create_dir_all(&kind).unwrap();
        std::fs::write(kind.join("gencode-remote"), format!("echo 'echo {text} >/said'\n")).unwrap();
    }
    let init = target.dir.join("init");
    std::fs::write(&init, "__said x\n").unwrap();
    ran(target.command("push").arg("--manifest").arg(init).arg("t1")).ends(0);
    assert_eq!(target.text("/said"), "second\n", "sets count in the order of their names");

    // cdist's directory wins over them, and its manifest is the initial one.
    let kind = target.dir.join(".cdist/type/__said");
    std::fs::create_dir_all(&kind).unwrap();
    std::fs::write(kind.join("gencode-remote"), "echo 'echo third >/said'\n").unwrap();
    std::fs::create_dir(target.dir.join(".cdist/manifest")).unwrap();
    std::fs::write(target.dir.join(".cdist/manifest/init"), "__said x\n").unwrap();
    ran(target.command("push").arg("t1")).ends(0);
    assert_eq!(target.text("/said"), "third\n");
}

#[test]
fn the_configuration_file_of_cdist_counts_where_nothing_else_is_said() {
    let target = Target::start("cdist-cfg");
    let conf = target
        .conf(&[("type/__said/gencode-remote", "echo 'echo configured >/said'\n"), ("own", "__said x\n")]);
    let (conf, init) = (conf.display(), conf.join("own"));
    let text =
        format!("[GLOBAL]\nconf_dir = {conf}\ninit_manifest = {}\njobs = -1\nbeta = true\n", init.display());
    std::fs::write(target.dir.join(".cdist.cfg"), text).unwrap();
    ran(target.command("push").arg("t1")).ends(0);
    assert_eq!(target.text("/said"), "configured\n");

    let wrong = target.dir.join("wrong.cfg");
    std::fs::write(&wrong, "[GLOBAL]\njobz = 1\n").unwrap();
    let refused = ran(target.command("push").arg("-g").arg(&wrong).arg("t1")).ends(1);
    assert!(refused.stderr.contains("wrong.cfg:2: there is no key `jobz`"), "{}", refused.stderr);
}
