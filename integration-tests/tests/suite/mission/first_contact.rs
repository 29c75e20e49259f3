//! First contact after an installation: the host shows a key that its installer reported, or it is not taken for it.

use super::*;

/// A machine that is to be installed; nobody has written down a key of it.
const ENTRY: &str = r#"
[host.web1]
network = "lab"
mac = "52:54:00:77:00:16"
ip = "10.77.0.16"
tags = ["web"]
boot = "memory"
state = "install"
"#;

/// Does as the machine's installer: reports it installed, with this file of public keys.
fn report(keys: &Path) -> String {
    let curl = "curl -sSf --interface 10.77.0.16";
    let url = sh(&format!("{curl} http://10.77.0.1/hostbook/web1.lab.test/file/start.sh"));
    sh(&format!("{curl} --data-binary @{} {}", keys.display(), url.trim()))
}

#[test]
fn a_host_is_known_by_the_keys_that_its_installer_reported() {
    assert!(nix::unistd::geteuid().is_root(), "this test needs root, for the machine's sshd");
    isolated(|| {
        let desk = Desk::new();
        let inventory = desk.place.inventory();
        fs::write(inventory.join("templates/start.sh.j2"), "{{ done_url }}\n").unwrap();
        desk.place.save("web1.toml", ENTRY);
        let _lan = Lan::new("lan0", &["10.77.0.1/24"]);
        let machine = desk.machine("web1", "10.77.0.16");
        let boot = desk.path("boot");
        fs::create_dir(&boot).unwrap();
        let dhcpd = Launch::dhcpd(&desk.place);
        let dhcpd = dhcpd.args(&["--interface", "lan0", "--boot-root", boot.to_str().unwrap()]).start();
        let hostbook = |args: &[&str]| {
            let mut command = program("hostbook");
            succeed({
                command.args(args).arg("--control").arg(desk.place.control("dhcpd"));
                command
            })
        };
        let edit = |args: &[&str]| {
            let before = dhcpd.status()["generation"].as_u64().unwrap();
            hostbook(&[args, &["-i", inventory.to_str().unwrap()]].concat());
            dhcpd.wait_status("the edit", |status| status["generation"].as_u64().unwrap() > before);
        };
        let refused = |words: &str| {
            let push = desk.config("push", "web1");
            assert!(push.code() == 1 && push.out.contains(words), "{words}: {push:?}");
        };

        refused("its key is not known");
        assert!(!machine.root.join("srv/www").exists());
        let own = desk.path("web1.pub");
        assert_eq!(report(&own), "done\n");
        assert_eq!(desk.config("push", "web1").code(), 0);
        assert!(machine.root.join("srv/www/index.html").exists());
        let other = desk.path("metal1.pub");
        assert!(report(&other).contains("other host keys were reported before"));
        assert_eq!(desk.config("push", "web1").code(), 0);

        let print = sh(&format!("ssh-keygen -lf {}", own.display()));
        let listed = hostbook(&["status", "--installed"]);
        assert!(listed.contains(print.split(' ').nth(1).unwrap()), "{listed}");
        edit(&["pin", "web1"]);
        let line = format!("ssh-host-key = \"{}\"\n", desk.with_keys("@web1@").trim_end_matches(" web1"));
        let entry = fs::read_to_string(inventory.join("web1.toml")).unwrap();
        assert!(entry.contains(&line), "{line}{entry}");
        assert_eq!(desk.config("push", "web1").code(), 0);

        edit(&["unset", "web1", "ssh-host-key"]);
        edit(&["set", "web1", "reinstall=2"]);
        assert_eq!(desk.config("push", "web1").code(), 0, "as long as it is not installed again");
        assert_eq!(report(&other), "done\n");
        refused("none of the keys that its installer reported");
    });
}
