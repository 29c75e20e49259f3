//! The standard types.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::cdist::misses_nothing;
use super::target::{Ran, Target};
use super::tree::{difference, tree};

/// A manifest of nearly all of them.
const INIT: &str = include_str!("own/init.sh");

/// What they find in the target's root.
const MAKE: &str = "
printf 'old 1\\nkeep\\nswap 2\\nold 3' >etc/lines
printf '#cdist:__block/out\\nx\\n#/cdist:__block/out\\nrest\\n' >etc/lines2
printf 'size=9\\ngone = 1\\n' >etc/settings
mkdir -p var/lib/dpkg/info var/lib/dpkg/updates
cp /var/lib/dpkg/status var/lib/dpkg/
touch srv/gone
";

#[test]
fn standard_types_do_what_they_say_and_nothing_the_second_time() {
    let target = Target::start_with("own", MAKE, "");
    let files = [("manifest/init", INIT)];
    let whole = || tree(&target.root, &["proc", "dev"], true);
    let before = whole();
    let plan = target.run("plan", &files, &["--json"]).ends(3);
    assert_eq!(difference(&before, &whole()), Vec::<String>::new(), "a plan changes no octet and no time");
    let push = target.run("push", &files, &["--json"]).ends(0);
    misses_nothing(&plan, &push);
    same_code(&plan, &push);
    check(&target);
    let pushed = whole();
    let again = target.run("push", &files, &["--json"]).ends(0);
    assert_eq!(difference(&pushed, &whole()), Vec::<String>::new(), "nor does a push with nothing to do");
    assert_eq!(again.objects("changed"), Vec::<String>::new());
    assert_eq!(
        again.host()["round_trips"],
        3,
        "the system, all objects, what __ssh_authorized_keys is made of"
    );
    assert_eq!(target.leftovers(), Vec::<PathBuf>::new());
}

/// Of objects that the plan was sure of, the push ran the very code that it showed.
fn same_code(plan: &Ran, push: &Ran) {
    let (told, came) = (plan.host(), push.host());
    let objects = told["objects"].as_array().unwrap().iter().filter(|object| object["result"] == "changed");
    let mut compared = 0;
    for object in objects {
        let name = &object["object"];
        let same = came["objects"].as_array().unwrap().iter().find(|other| other["object"] == *name).unwrap();
        assert_eq!(object["code_remote"], same["code_remote"], "{name}");
        compared += 1;
    }
    assert!(compared > 10, "only {compared} objects");
}

#[test]
fn standard_types_work_with_the_tools_of_busybox() {
    let make = format!(
        "{MAKE}
mkdir opt/busybox
for tool in $(/bin/busybox --list); do ln -s /bin/busybox opt/busybox/$tool; done
ln -sf /bin/false opt/busybox/cksum
rm -f opt/busybox/adduser opt/busybox/addgroup opt/busybox/deluser opt/busybox/delgroup opt/busybox/dpkg*
echo 'SetEnv PATH=/opt/busybox:/usr/sbin:/usr/bin:/sbin:/bin' >>etc/ssh/own_config
"
    );
    let target = Target::start_with("busybox", &make, "");
    let files = [("manifest/init", INIT)];
    target.run("push", &files, &["--json"]).ends(0);
    check(&target);
    let again = target.run("push", &files, &["--json"]).ends(0);
    assert_eq!(again.objects("changed"), Vec::<String>::new());
}

fn check(target: &Target) {
    let status = |path: &str| target.path(path).metadata().unwrap();
    assert_eq!(target.text("/srv/tree/script"), "#!/bin/sh\necho \"it's\"\n");
    let script = status("/srv/tree/script");
    assert_eq!((script.permissions().mode() & 0o7777, script.uid()), (0o755, 65534));
    assert_eq!(status("/srv/tree").permissions().mode() & 0o7777, 0o750);
    assert_eq!(std::fs::read(target.path("/srv/tree/binary")).unwrap(), b"a\0b\x01\xff%s\n");
    assert_eq!(status("/srv/tree/hard").ino(), status("/srv/tree/binary").ino());
    assert_eq!(std::fs::read_link(target.path("/srv/tree/link")).unwrap(), Path::new("script"));
    assert!(!target.path("/srv/gone").exists());
    assert_eq!(target.text("/etc/greeting"), "zero\nit's one line\nsecond \\1 & line\n");
    assert_eq!(target.text("/etc/lines"), "keep\nswapped\n");
    assert_eq!(target.text("/etc/lines2"), "rest\n#cdist:__block/numbers\n1\n2\n#/cdist:__block/numbers\n");
    assert_eq!(target.text("/etc/settings"), "# why\nsize = 10\nPort 22\n");
    assert!(target.text("/etc/passwd").contains("carol:x:1235:1234:Carol:/home/carol:/bin/sh\n"));
    assert!(
        target.text("/etc/group").lines().any(|line| line.starts_with("audio:") && line.ends_with("carol"))
    );
    let keys = "/home/carol/.ssh/authorized_keys";
    assert_eq!(target.text(keys), "no-pty ssh-ed25519 AAAAone first\nno-pty ssh-ed25519 AAAAtwo second\n");
    assert_eq!((status(keys).uid(), status(keys).permissions().mode() & 0o7777), (1235, 0o600));
    assert_eq!(target.text("/etc/hostname"), "own\n");
    assert_eq!(
        std::fs::read_link(target.path("/etc/localtime")).unwrap(),
        Path::new("/usr/share/zoneinfo/Europe/Zurich")
    );
    assert_eq!(target.text("/etc/motd"), "welcome\n");
    assert!(target.text("/etc/default/locale").contains("LANG=C.UTF-8\n"));
    assert!(target.text("/etc/hosts").ends_with("192.0.2.1 db db.example.org sql # hostbook:db\n"));
}

#[test]
fn a_plan_shows_what_would_change_in_files_line_by_line() {
    let target =
        Target::start_with("diff", "printf 'a\\nb\\n' >etc/text; printf 'x = 1\\n' >etc/settings", "");
    let init = "printf 'a\\nc\\n' | __file /etc/text --source -\n__key_value x --file /etc/settings --delimiter ' = ' --value 2\n";
    let plan = target.run("plan", &[("manifest/init", init)], &[]).ends(3);
    for part in [
        "    --- /etc/text (now)\n    +++ /etc/text (then)\n    @@ -1,2 +1,2 @@\n     a\n    -b\n    +c\n",
        "    -x = 1\n    +x = 2\n",
    ] {
        assert!(plan.stdout.contains(part), "{}", plan.stdout);
    }
    assert_eq!(target.text("/etc/text"), "a\nb\n");
}

#[test]
fn two_edits_of_one_file_in_one_run_are_both_there() {
    let target = Target::start("edits");
    let init = "__line a --file /etc/both --line a\n__line b --file /etc/both --line b\n";
    target.run("push", &[("manifest/init", init)], &[]).ends(0);
    assert_eq!(target.text("/etc/both"), "a\nb\n");
}

#[test]
fn every_standard_type_passes_shellcheck_and_has_a_manual() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut scripts = Vec::new();
    for kind in std::fs::read_dir(root.join("types")).unwrap() {
        let kind = kind.unwrap().path();
        if kind.file_name().unwrap().to_str().unwrap().starts_with('.') {
            continue;
        }
        assert!(kind.join("man.rst").is_file(), "{} has no manual", kind.display());
        for part in ["manifest", "gencode-local", "gencode-remote", "files/apply"] {
            scripts.extend(Some(kind.join(part)).filter(|path| path.is_file()));
        }
        for part in ["explorer", "files"] {
            let Ok(listing) = std::fs::read_dir(kind.join(part)) else { continue };
            let files = listing.map(|entry| entry.unwrap().path());
            let is_script =
                |path: &PathBuf| part == "explorer" || path.extension().is_some_and(|end| end == "sh");
            scripts.extend(files.filter(is_script));
        }
    }
    scripts.extend(std::fs::read_dir(root.join("explorers")).unwrap().map(|entry| entry.unwrap().path()));
    scripts.extend(["agent.sh", "functions.sh"].map(|name| root.join("src/shell").join(name)));
    assert!(scripts.len() > 60);
    let checked = Command::new("shellcheck")
        .args(["-s", "sh", "-e", "SC2154,SC2016,SC1091"])
        .args(&scripts)
        .output()
        .unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
}
