//! Strange ids, large values, strange logins.

use super::target::{Target, ran};

/// A type that writes its parameter into the file that its id names.
const PUT: &[(&str, &str)] = &[
    ("type/__put/parameter/required", "text"),
    ("type/__put/explorer/sum", "cksum <\"/$__object_id\" 2>/dev/null || :"),
    (
        "type/__put/gencode-remote",
        "[ \"$(cat \"$__object/explorer/sum\")\" = \"$(cksum <\"$__object/parameter/text\")\" ] || echo 'cat \"$__object/parameter/text\" >\"/$__object_id\"'",
    ),
];

fn with(init: &str) -> Vec<(&str, &str)> {
    [PUT, &[("manifest/init", init)]].concat()
}

#[test]
fn ids_with_blanks_quotes_newlines_and_unicode_are_what_they_are() {
    let target = Target::start("ids");
    let init = "__put '/tmp/a b' --text 1
__put \"/tmp/it's \\\"so\\\" \\$HOME \\`x\\`\" --text 2
__put '/tmp/two
lines' --text 3
__put /tmp/grüße-日本 --text \"ä'
b\"
__put '/tmp/-n *' --text 5
";
    target.run("push", &with(init), &[]).ends(0);
    for (path, text) in [
        ("a b", "1"),
        ("it's \"so\" $HOME `x`", "2"),
        ("two\nlines", "3"),
        ("grüße-日本", "ä'\nb"),
        ("-n *", "5"),
    ] {
        assert_eq!(target.text(&format!("/tmp/{path}")), format!("{text}\n"));
    }
    let again = target.run("push", &with(init), &["--json"]).ends(0);
    assert_eq!(again.objects("unchanged").len(), 5);
}

#[test]
fn a_value_of_ten_megabytes_gets_there() {
    let target = Target::start("large");
    // An argument cannot be longer than 128 KiB on Linux: such a value comes by a type's default.
    let value = "0123456789abcde'".repeat(10 << 16);
    let mut files = with("__big x");
    files.extend([
        ("type/__big/parameter/optional", "text"),
        ("type/__big/parameter/default/text", value.as_str()),
        ("type/__big/explorer/size", "wc -c <\"$__object/parameter/text\""),
        (
            "type/__big/gencode-remote",
            "echo 'cp \"$__object/parameter/text\" /big'; echo \"# $(cat \"$__object/explorer/size\")\"",
        ),
    ]);
    target.run("push", &files, &[]).ends(0);
    assert_eq!(target.text("/big").len(), value.len() + 1);
    assert_eq!(target.leftovers().len(), 0);
}

#[test]
fn a_c_shell_as_login_shell_and_a_login_that_talks_do_not_matter() {
    let shells = "
sed -i 's|^root:.*|root:x:0:0:root:/root:/bin/tcsh|' etc/passwd
printf 'echo welcome; echo \"many lines\"\\n' >root/.cshrc
printf 'echo welcome\\n' >root/.bashrc
";
    assert!(std::path::Path::new("/bin/tcsh").exists(), "install tcsh");
    let target = Target::start_with("csh", shells, "");
    target.run("push", &with("__put /a --text 1"), &[]).ends(0);
    assert_eq!(target.text("/a"), "1\n");
    assert_eq!(target.leftovers().len(), 0);
}

#[test]
fn a_host_that_cannot_be_reached_fails_with_the_words_of_ssh() {
    let target = Target::start("dead");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let conf = target.conf(&with("__put /a --text 1"));
    let config = std::fs::read_to_string(target.ssh_config()).unwrap();
    std::fs::write(target.ssh_config(), format!("Host dead\n Port {port}\n{config}")).unwrap();
    let ran = ran(target.command("push").arg("-c").arg(conf).args(["dead", "t1"])).ends(1);
    assert!(ran.stdout.contains("failed: no connection: ssh: connect to host 127.0.0.1"), "{}", ran.stdout);
    assert!(ran.stdout.contains("2 hosts: 1 changed, 1 failed"), "{}", ran.stdout);
    assert_eq!(target.text("/a"), "1\n");
}
