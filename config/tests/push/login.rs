//! Logins that are not root's.

use super::target::Target;

/// A user `op` who may become root without a password, by either program.
const OPERATOR: &str = "
echo 'op:x:4321:4321::/home/op:/bin/sh' >>etc/passwd
echo 'op:x:4321:' >>etc/group
echo 'op:*:19000:0:99999:7:::' >>etc/shadow
mkdir -p home/op && chown 4321:4321 home/op
mkdir -p etc/sudoers.d
echo 'op ALL=(ALL) NOPASSWD: ALL' >etc/sudoers.d/op
chmod 440 etc/sudoers.d/op
echo 'permit nopass op' >etc/doas.conf
chmod 644 etc/ssh/own_authorized
";

#[test]
fn another_login_becomes_root_by_sudo_or_doas() {
    let target = Target::start_with("become", OPERATOR, "");
    for program in ["sudo", "doas"] {
        let init = format!("__file /etc/by-{program} --mode 0600 --source - <<EOF\n{program}\nEOF\n");
        let files = [("manifest/init", init.as_str())];
        let refused = target.run("push", &files, &["--user", "op", "--json"]).ends(1);
        assert_eq!(refused.objects("failed"), [format!("__file/etc/by-{program}")], "op alone may not");
        let become_root = format!("--become={program}");
        let push = target.run("push", &files, &["--user", "op", &become_root, "--json"]).ends(0);
        assert_eq!(push.host()["processes"], 1);
        let path = target.path(&format!("/etc/by-{program}"));
        let status = std::os::unix::fs::MetadataExt::uid(&path.metadata().unwrap());
        assert_eq!(status, 0, "it is root's");
        target.run("push", &files, &["--user", "op", &become_root, "--json"]).ends(0);
    }
    assert_eq!(target.leftovers(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn the_inventory_says_who_logs_in_and_the_command_line_has_the_last_word() {
    let target = Target::start_with("become-entry", OPERATOR, "");
    let inventory = target.dir.join("inventory");
    std::fs::create_dir_all(inventory.join("config/manifest")).unwrap();
    let text = "[site]\nnameservers = [\"ns1.example.net\"]\n[zone.\"lab.test\"]\n[network.lan]\nzone = \"lab.test\"\n\
                ipv4 = \"10.20.0.0/24\"\n[host.web1]\nnetwork = \"lan\"\nssh-user = \"op\"\n";
    std::fs::write(inventory.join("lab.toml"), text).unwrap();
    let init = "__file /srv/by --source - <<EOF\n$(cat \"$__global/explorer/sudo\")\nEOF\n";
    std::fs::write(inventory.join("config/manifest/init"), init).unwrap();
    std::fs::create_dir(inventory.join("config/explorer")).unwrap();
    std::fs::write(inventory.join("config/explorer/sudo"), "echo \"${SUDO_USER:-nobody} $(id -un)\"\n")
        .unwrap();
    let push = |more: &[&str]| {
        super::target::ran(target.command("push").arg("-i").arg(&inventory).args(more).arg("web1")).ends(0);
        target.text("/srv/by")
    };
    assert_eq!(push(&[]), "op root\n");
    assert_eq!(push(&["--user", "root"]), "nobody root\n");
}

#[test]
fn who_may_not_become_root_is_told_so() {
    let target = Target::start_with("become-not", &format!("{OPERATOR}\nrm etc/sudoers.d/op"), "");
    let files = [("manifest/init", "__file /etc/x\n")];
    let run = target.run("push", &files, &["--user", "op", "--become"]).ends(1);
    assert!(run.stdout.contains("sudo: a password is required"), "{}", run.stdout);
}
