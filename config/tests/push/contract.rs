//! The contract with scripts: variables, files, messages, the emulator's errors.

use super::target::Target;

/// A type whose scripts show what they see, and that changes a file on the target.
const PROBE: &[(&str, &str)] = &[
    ("type/__probe/parameter/required", "text"),
    ("type/__probe/parameter/optional", "mode"),
    ("type/__probe/parameter/optional_multiple", "option"),
    ("type/__probe/parameter/boolean", "loud"),
    ("type/__probe/parameter/default/mode", "0644\n"),
    ("type/__probe/explorer/is", "cat \"/$__object_id\" 2>/dev/null || :"),
    (
        "type/__probe/explorer/seen",
        "echo \"$__object_name $__object_fq $__type_explorer $__explorer $__target_host\"; \"$__explorer/own\"; cat \"$__object/parameter/text\"",
    ),
    (
        "type/__probe/gencode-remote",
        "
text=$(cat \"$__object/parameter/text\")
[ \"$(cat \"$__object/explorer/is\")\" != \"$text\" ] || exit 0
echo \"changed $text\" >>\"$__messages_out\"
echo \"cat >'/$__object_id' <<'EOF'\"
echo \"$text\"
echo EOF
echo 'echo \"$__object_id ${__target_host-unset}\" >>/seen'
",
    ),
    ("explorer/own", "#!/bin/sh\necho own explorer"),
];

fn with<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut files = PROBE.to_vec();
    files.extend_from_slice(more);
    files
}

#[test]
fn scripts_find_the_variables_and_files_of_the_contract() {
    let target = Target::start("contract");
    let init = "
env | grep '^__' | cut -d= -f1 | sort | tr '\\n' ' ' >\"$OUT/init\"
cat \"$__global/explorer/own\" >\"$OUT/explorer\"
echo stdin | __probe /a --text 'x y' --option 1 --option 'two words' --loud
object=$__global/object/__probe/a/$__cdist_object_marker
cat \"$object/parameter/mode\" \"$object/parameter/option\" \"$object/stdin\" >\"$OUT/files\"
test -f \"$object/parameter/loud\" && ! test -s \"$object/parameter/loud\"
cat \"$__global/typeorder\" >\"$OUT/typeorder\"
";
    let files = with(&[
        ("manifest/init", init),
        (
            "type/__probe/manifest",
            "env | grep -c '^__type=' >\"$OUT/type\"; cat \"$__object/explorer/seen\" >>\"$OUT/type\"",
        ),
    ]);
    let conf = target.conf(&files);
    let out = target.dir.join("out");
    std::fs::create_dir(&out).unwrap();
    super::target::ran(target.command("push").arg("-c").arg(conf).arg("t1").env("OUT", &out)).ends(0);
    let read = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
    for variable in [
        "__cdist_manifest",
        "__cdist_object_marker",
        "__cdist_type_base_path",
        "__explorer",
        "__files",
        "__global",
        "__inventory",
        "__manifest",
        "__messages_in",
        "__messages_out",
        "__remote_copy",
        "__remote_exec",
        "__target_fqdn",
        "__target_host",
        "__target_host_tags",
        "__target_hostname",
    ] {
        assert!(
            read("init").split(' ').any(|name| name == variable),
            "{variable} is not set: {}",
            read("init")
        );
    }
    assert_eq!(read("explorer"), "own explorer\n");
    assert_eq!(read("files"), "0644\n1\ntwo words\nstdin\n");
    assert_eq!(read("typeorder"), "__probe/a\n");
    let seen = read("type");
    assert!(seen.starts_with("1\n__probe/a __probe/a/.cdist-"), "{seen}");
    assert!(seen.ends_with(" t1\nown explorer\nx y\n"), "{seen}");
    assert_eq!(target.text("/a"), "x y\n");
    assert_eq!(target.text("/seen"), "a unset\n");
    assert_eq!(target.leftovers(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn messages_reach_what_comes_after() {
    let target = Target::start("messages");
    let files = with(&[
        ("manifest/init", "__probe /a --text one\nrequire=__probe/a __probe /b --text two\n"),
        (
            "type/__probe/gencode-local",
            "cat \"$__messages_in\" >\"$__object/in\"; echo \": $(cat \"$__messages_in\" | tr '\\n' ';')\"",
        ),
    ]);
    let ran = target.run("push", &files, &["--json"]).ends(0);
    let host = ran.host();
    let code = |at: usize| host["objects"][at]["code_local"].as_str().unwrap().to_owned();
    assert_eq!((code(0), code(1)), (": \n".to_owned(), ": __probe/a:changed one;\n".to_owned()));
}

#[test]
fn errors_of_the_emulator_reach_the_manifest() {
    let target = Target::start("emulator");
    let init = "
__probe /a 2>\"$OUT\" || echo \"code $?\" >>\"$OUT\"
__probe /a --text 1
__probe /a --text 2 2>>\"$OUT\" || echo \"code $?\" >>\"$OUT\"
CDIST_OVERRIDE=1 __probe /a --text 3
require=__nothing/x __probe /b --text 1
";
    let conf = target.conf(&with(&[("manifest/init", init)]));
    let out = target.dir.join("said");
    let ran =
        super::target::ran(target.command("push").arg("-c").arg(conf).arg("t1").env("OUT", &out)).ends(1);
    let said = std::fs::read_to_string(out).unwrap();
    assert!(said.contains("usage: __probe --text TEXT"), "{said}");
    assert!(said.contains("the following arguments are required: --text\ncode 2\n"), "{said}");
    assert!(said.contains("object `__probe/a` already exists with conflicting parameters: `--text` has another value\ncode 1\n"), "{said}");
    assert!(
        ran.stdout.contains("requirement `__nothing/x`: type `__nothing` does not exist"),
        "{}",
        ran.stdout
    );
    assert!(!target.path("/a").exists(), "a manifest that fails changes nothing");
}

#[test]
fn a_failure_stops_what_requires_it_and_the_rest_goes_on() {
    let target = Target::start("failure");
    let files = with(&[
        ("type/__bad/gencode-remote", "echo 'echo why >&2; exit 4'"),
        ("manifest/init", "__bad x\nrequire=__bad/x __probe /a --text 1\n__probe /b --text 2\n"),
    ]);
    let ran = target.run("push", &files, &["--json"]).ends(1);
    assert_eq!(ran.objects("failed"), ["__bad/x"]);
    assert_eq!(ran.objects("blocked"), ["__probe/a"]);
    assert_eq!(ran.objects("changed"), ["__probe/b"]);
    assert_eq!(ran.host()["objects"][0]["reason"], "code-remote: exit code 4\nwhy");
    assert_eq!(target.text("/b"), "2\n");
}

#[test]
fn a_circle_of_requirements_is_told_before_anything_changes() {
    let target = Target::start("circle");
    let init = "__probe /free --text 1\nrequire=__probe/b __probe /a --text 1\nrequire=__probe/a __probe /b --text 1\n";
    let ran = target.run("push", &with(&[("manifest/init", init)]), &[]).ends(1);
    assert!(
        ran.stdout
            .contains("requirements go in a circle: `__probe/a` requires `__probe/b` requires `__probe/a`"),
        "{}",
        ran.stdout
    );
    assert!(!target.path("/free").exists());
}

#[test]
fn code_local_reaches_the_target_by_the_remote_programs() {
    let target = Target::start("remote");
    let code = "
cat <<'EOF'
$__remote_exec $__target_host 'echo \"$0 ran\" >/ran; exit 7' || [ $? = 7 ]
printf 'a\\0b' >\"$__object/file\"
chmod 750 \"$__object/file\"
$__remote_exec $__target_host mkdir /dir
$__remote_copy \"$__object/file\" $__target_host:/copied
$__remote_copy \"$__object/file\" \"$__target_host:/dir\"
$__remote_exec $__target_host 'cat >/from-file' <\"$__object/file\"
printf streamed | $__remote_exec $__target_host 'cat >/streamed'
$__remote_copy -r \"$__object/parameter\" $__target_host:/tree
! $__remote_copy \"$__object/file\" $__target_host:/no/such/place 2>\"$__object/said\"
grep -q /no/such/place \"$__object/said\"
EOF
";
    let files = [
        ("type/__far/gencode-local", code),
        ("type/__far/parameter/optional", "a"),
        ("manifest/init", "__far x --a b"),
    ];
    target.run("push", &files, &[]).ends(0);
    for (path, text) in [
        ("/copied", "a\0b"),
        ("/dir/file", "a\0b"),
        ("/from-file", "a\0b"),
        ("/streamed", "streamed"),
        ("/tree/a", "b\n"),
    ] {
        assert_eq!(target.text(path), text, "{path}");
    }
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(target.path("/copied")).unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o750);
}

#[test]
fn programs_instead_of_ssh_are_called_as_cdist_calls_them() {
    let target = Target::start("programs");
    let (exec, copy, calls) = target.programs();
    let files = with(&[
        ("manifest/init", "__probe /a --text one\n"),
        (
            "type/__probe/gencode-local",
            "echo 'test ! -e /a || exit 0; '$__remote_exec $__target_host touch /touched",
        ),
    ]);
    let ran = target.run("push", &files, &["--json", "--remote-exec", &exec, "--remote-copy", &copy]).ends(0);
    assert_eq!(ran.objects("changed"), ["__probe/a"]);
    assert_eq!(target.text("/a"), "one\n");
    assert!(target.path("/touched").exists());
    assert_eq!(target.leftovers(), Vec::<std::path::PathBuf>::new());
    let calls = std::fs::read_to_string(calls).unwrap();
    assert_eq!(calls.matches("copy ").count(), 3, "one per batch: {calls}");
    assert!(calls.starts_with("exec t1 t1 mkdir -m 700 /var/lib/hostbook-"), "{calls}");
}

#[test]
fn what_scripts_write_is_shown_where_more_is_asked_for() {
    let target = Target::start("wrote");
    let files = [
        ("type/__talk/explorer/x", "echo found; echo explored >&2"),
        ("type/__talk/manifest", "echo defined >&2"),
        ("type/__talk/gencode-remote", "echo 'echo told; echo done >&2'; echo generated >&2"),
        ("manifest/init", "echo hello; echo careful >&2\n__talk x"),
    ];
    let quiet = target.run("push", &files, &[]).ends(0);
    assert!(!quiet.stdout.contains("wrote"), "{}", quiet.stdout);
    let shown = target.run("push", &files, &["-v"]).ends(0).stdout;
    let init = "\n  init wrote:\n    hello\n    careful\n";
    let object = "    explorer x wrote:\n      explored\n    manifest wrote:\n      defined\n    gencode-remote wrote:\n      \
                  generated\n    code-remote wrote:\n      told\n      done\n";
    assert!(shown.contains(init) && shown.contains(object), "{shown}");
    let json = target.run("push", &files, &["--json"]).ends(0).host();
    assert_eq!(
        json["output"][0],
        serde_json::json!({ "script": "init", "stdout": "hello", "stderr": "careful" })
    );
    // Why a script failed has its errors already.
    let failing =
        [("type/__talk/manifest", "echo defined; echo broken >&2; exit 1"), ("manifest/init", "__talk x")];
    let shown = target.run("push", &failing, &["-v"]).ends(1).stdout;
    assert_eq!((shown.matches("broken").count(), shown.matches("defined").count()), (1, 1), "{shown}");
}

#[test]
fn a_type_that_is_not_there_is_told_with_the_one_that_is_near() {
    let target = Target::start("near");
    for (files, place) in [
        (&[("manifest/init", "__fiel /srv/a")][..], "initial manifest"),
        (&[("type/__more/manifest", "__fiel /srv/a"), ("manifest/init", "__more x")], "manifest: "),
    ] {
        let told = target.run("push", files, &[]).ends(1).stdout;
        assert!(told.contains(place), "{told}");
        assert!(told.contains("there is no type `__fiel`; did you mean `__file`?"), "{told}");
    }
}
