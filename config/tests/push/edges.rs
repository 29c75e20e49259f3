//! Standard types where they could do harm: other people's directories, links, texts that look like something else.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use super::target::{Ran, Target};

/// A user's directory, and what may lie in wait there.
const MAKE: &str = "
echo 'mallory:x:4242:4242::/home/mallory:/bin/sh' >>etc/passwd
echo 'mallory:x:4242:' >>etc/group
mkdir -p home/mallory srv/victim opt/bin var/spool/crontabs
echo victim >srv/victim/file
ln -s /srv/victim home/mallory/directory
ln -s /srv/victim/file home/mallory/link
echo old >home/mallory/nameless
printf 'old\\n' >home/mallory/own
chown -hR 4242:4242 home/mallory
chown 5151:5252 home/mallory/nameless
chmod 640 home/mallory/own
ln -s real etc/link
echo first >etc/real
";

/// Runs a manifest of which every object but those in `bad` must come out well, twice: nothing is left to do then.
fn push(target: &Target, init: &str, bad: &[&str]) -> Ran {
    let files = [("manifest/init", init)];
    let code = i32::from(!bad.is_empty());
    let first = target.run("push", &files, &["--json"]).ends(code);
    let again = target.run("push", &files, &["--json"]).ends(code);
    for run in [&first, &again] {
        assert_eq!(run.objects("failed"), bad, "{}", run.stdout);
    }
    assert_eq!(again.objects("changed"), Vec::<String>::new(), "{}", again.stdout);
    first
}

/// Why an object failed.
fn reason(run: &Ran, object: &str) -> String {
    let host = run.host();
    let all = host["objects"].as_array().unwrap();
    let found = all.iter().find(|one| one["object"] == object).unwrap_or_else(|| panic!("{object}: {host}"));
    found["reason"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn in_other_peoples_directories_no_link_leads_anywhere_else() {
    let target = Target::start_with("links", MAKE, "");
    let init = "
echo new | __file /home/mallory/directory --mode u=rw,go=r --source -
echo new | __file /home/mallory/nameless --source -
__line own --file /home/mallory/own --line more
__line made --file /home/mallory/made --line made
__line link --file /home/mallory/link --line harm
__line trusted --file /etc/link --line second
";
    let run = push(&target, init, &["__line/link"]);
    assert!(reason(&run, "__line/link").contains("in a directory where others may write"), "{}", run.stdout);
    let status = |path: &str| target.path(path).symlink_metadata().unwrap();
    let replaced = status("/home/mallory/directory");
    assert!(replaced.is_file() && replaced.mode() & 0o7777 == 0o644, "the link itself is replaced");
    assert_eq!(target.text("/srv/victim/file"), "victim\n");
    assert_eq!(fs::read_dir(target.path("/srv/victim")).unwrap().count(), 1, "nothing appears where it led");
    assert_eq!(
        (status("/home/mallory/nameless").uid(), status("/home/mallory/nameless").gid()),
        (5151, 5252)
    );
    assert_eq!(target.text("/home/mallory/nameless"), "new\n");
    assert_eq!(target.text("/home/mallory/own"), "old\nmore\n");
    let own = status("/home/mallory/own");
    assert_eq!((own.uid(), own.permissions().mode() & 0o7777), (4242, 0o640), "it keeps owner and mode");
    assert_eq!(target.text("/home/mallory/made"), "made\n");
    assert_eq!(target.text("/etc/real"), "first\nsecond\n");
    assert!(status("/etc/link").is_symlink(), "root's own link is followed");
    let names = fs::read_dir(target.path("/home/mallory")).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(!names.into_iter().any(|name| name.to_string_lossy().starts_with(".hostbook")));
}

#[test]
fn texts_that_look_like_something_else_are_refused_or_written_as_they_are() {
    let make = "
printf 'a\\n#cdist:__block/open\\nb\\nc\\n' >etc/open
printf '10\\nswap=old\\nswap=older\\n' >etc/lines
echo 'carol:x:1235:100:Carol:/:/bin/sh' >>etc/passwd
";
    let target = Target::start_with("texts", make, "");
    let bad = [
        "__block/open",
        "__block/mark",
        "__line/lines",
        "__key_value/lines",
        "__cron/lines",
        "__mount/lines",
        "__sysctl/lines",
    ];
    let init = "
two='x
regex=.'
__block open --file /etc/open --text x
__block mark --file /etc/marks --text 'a
#/cdist:__block/mark'
__line lines --file /etc/never --line \"$two\"
__key_value lines --file /etc/never --delimiter = --value \"$two\"
__cron lines --user root --command \"$two\"
__mount lines --path \"/$two\"
__sysctl lines --value \"$two\"
seq 100000 | __block large --file /etc/large --text -
__line number --file /etc/lines --line 010
require=__line/number __line swap --file /etc/lines --regex '^swap=old' --line swap=new --state replace
__line backslash --file /etc/backslash --line 'a\\nb\\\\c'
__user carol --comment ''
__user dave --comment 'd\\nave'
__mount '/mnt/my disk' --type tmpfs --device none --options size=64k
";
    let run = push(&target, init, &bad);
    assert!(
        reason(&run, "__block/open").contains("has no end: `#/cdist:__block/open` is missing"),
        "{}",
        run.stdout
    );
    assert_eq!(target.text("/etc/open"), "a\n#cdist:__block/open\nb\nc\n");
    assert!(!target.path("/etc/marks").exists() && !target.path("/etc/never").exists());
    for object in bad.into_iter().filter(|object| object.ends_with("/lines")) {
        assert!(reason(&run, object).contains("has more than one line"), "{}", reason(&run, object));
    }
    assert_eq!(target.text("/etc/large").lines().count(), 100_002);
    assert_eq!(target.text("/etc/lines"), "10\nswap=new\n010\n");
    assert_eq!(target.text("/etc/backslash"), "a\\nb\\\\c\n");
    assert!(target.text("/etc/passwd").contains("carol:x:1235:100::/:/bin/sh\n"), "an empty comment is one");
    assert!(target.text("/etc/passwd").contains(":d\\nave:"), "{}", target.text("/etc/passwd"));
    assert!(target.text("/etc/fstab").contains("none /mnt/my\\040disk tmpfs size=64k 0 0\n"));
}

/// A crontab program that keeps files, as the real ones do; for `broken` it cannot read.
const CRONTAB: &str = "
mkdir -p opt/bin var/spool/crontabs
cat >opt/bin/crontab <<'EOF'
#!/bin/sh
file=/var/spool/crontabs/$2
case $3 in
    -l)
        [ \"$2\" != broken ] || { echo 'cannot open the spool' >&2; exit 1; }
        cat \"$file\" 2>/dev/null || { echo \"no crontab for $2\" >&2; exit 1; }
        ;;
    -) cat >\"$file\" ;;
esac
EOF
chmod 755 opt/bin/crontab
cat >var/spool/crontabs/root <<'EOF'
# DO NOT EDIT THIS FILE - edit the master and reinstall.
1 * * * * all # __cron/backup-all
2 * * * * own # __cron/backup
3 * * * * my # __cron/my-backup
4 * * * * other # __cron/backup # other
5 * * * * gone # __cron/gone
MAILTO=root
EOF
echo precious >var/spool/crontabs/broken
echo 'SetEnv PATH=/opt/bin:/usr/sbin:/usr/bin:/sbin:/bin' >>etc/ssh/own_config
";

#[test]
fn a_job_of_cron_is_known_by_its_whole_name() {
    let target = Target::start_with("cron", CRONTAB, "");
    let init = "
__cron backup --user root --command 'echo \"100%\" it'\\''s' --hour 3
__cron gone --user root --command x --state absent
__cron mail --user root --command MAILTO=admin --raw_command
__cron old-mail --user root --command MAILTO=root --raw_command --state absent
__cron first --user nobody --command true --raw @daily
__cron broken --user broken --command true
";
    let run = push(&target, init, &["__cron/broken"]);
    assert!(reason(&run, "__cron/broken").contains("cannot open the spool"), "{}", run.stdout);
    let expected = "1 * * * * all # __cron/backup-all
3 * * * * my # __cron/my-backup
4 * * * * other # __cron/backup # other
* 3 * * * echo \"100%\" it's # __cron/backup
MAILTO=admin
";
    assert_eq!(target.text("/var/spool/crontabs/root"), expected);
    assert_eq!(target.text("/var/spool/crontabs/nobody"), "@daily true # __cron/first\n");
    assert_eq!(target.text("/var/spool/crontabs/broken"), "precious\n");
}

#[test]
fn a_comment_stays_with_its_key() {
    let make = "printf '# why\\nsize = 9\\n# gone\\ngone = 1\\nlast = 1\\n' >etc/settings";
    let target = Target::start_with("comment", make, "");
    let init = "
__key_value size --file /etc/settings --delimiter ' = ' --value 10 --comment '# why'
require=__key_value/size __key_value gone --file /etc/settings --delimiter ' = ' --state absent --comment '# gone'
require=__key_value/gone __key_value new --file /etc/settings --delimiter ' = ' --value 1 --comment '# new'
";
    push(&target, init, &[]);
    assert_eq!(target.text("/etc/settings"), "# why\nsize = 10\nlast = 1\n# new\nnew = 1\n");
}

#[test]
fn keys_of_any_type_and_with_options_of_their_own_are_known() {
    let make = "
echo 'carol:x:1235:100:Carol:/home/carol:/bin/sh' >>etc/passwd
mkdir -p home/carol/.ssh
cat >home/carol/.ssh/authorized_keys <<'EOF'
# by hand
command=\"echo \\\"ssh-rsa AAAAnot a key\\\"\",no-pty ssh-ed25519 AAAAone old
sk-ssh-ed25519@openssh.com AAAAkept kept
future-type-9@example.org AAAAnew old
EOF
chown -R 1235:100 home/carol
";
    let target = Target::start_with("authorized", make, "");
    let init = "__ssh_authorized_keys carol --option no-pty \\
    --key 'ssh-ed25519 AAAAone first' --key 'future-type-9@example.org AAAAnew new' \\
    --key 'from=\"a b\" sk-ecdsa-sha2-nistp256@openssh.com AAAAtoken'
__ssh_authorized_keys root --key 'no key at all'
";
    let run = push(&target, init, &["__ssh_authorized_keys/root"]);
    assert!(
        reason(&run, "__ssh_authorized_keys/root").contains("no public key: no key at all"),
        "{}",
        run.stdout
    );
    let expected = "# by hand
no-pty ssh-ed25519 AAAAone first
sk-ssh-ed25519@openssh.com AAAAkept kept
no-pty future-type-9@example.org AAAAnew new
no-pty,from=\"a b\" sk-ecdsa-sha2-nistp256@openssh.com AAAAtoken
";
    assert_eq!(target.text("/home/carol/.ssh/authorized_keys"), expected);
}
