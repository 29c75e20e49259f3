//! Which host keys are trusted.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixListener;
use std::process::Command;

use super::target::{Ran, Target, ran};

/// A target that the inventory calls `web1`, with these lines in its entry, and ssh with these known hosts.
fn push(target: &Target, entry: &str, known_hosts: &str) -> Ran {
    ran(&mut prepared(target, entry, known_hosts))
}

/// The same, to be completed and run.
fn prepared(target: &Target, entry: &str, known_hosts: &str) -> Command {
    let inventory = target.dir.join("inventory");
    std::fs::create_dir_all(inventory.join("config/manifest")).unwrap();
    let text = "[site]\nnameservers = [\"ns1.example.net\"]\n[zone.\"lab.test\"]\n[network.lan]\nzone = \"lab.test\"\n\
                ipv4 = \"10.20.0.0/24\"\n[host.web1]\nnetwork = \"lan\"\n";
    std::fs::write(inventory.join("lab.toml"), format!("{text}{entry}\n")).unwrap();
    std::fs::write(inventory.join("config/manifest/init"), "__file /srv/a\n").unwrap();
    std::fs::write(target.dir.join("known_hosts"), known_hosts).unwrap();
    let mut command = target.command("push");
    command.arg("-i").arg(&inventory).arg("web1");
    command
}

/// `sshfp` with the fingerprints of a public key that are of this kind: 1 is SHA-1, 2 is SHA-256.
fn fingerprints(target: &Target, key: &str, kind: u8) -> String {
    std::fs::write(target.dir.join("shown.pub"), key).unwrap();
    let mut show = Command::new("ssh-keygen");
    let shown = show.args(["-r", "web1", "-f"]).arg(target.dir.join("shown.pub")).output().unwrap();
    let lines = String::from_utf8(shown.stdout).unwrap();
    let data = lines.lines().filter_map(|line| line.split_once("SSHFP ")).map(|(_, data)| data);
    let kind = kind.to_string();
    format!("sshfp = {:?}", data.filter(|data| data.split(' ').nth(1) == Some(&kind)).collect::<Vec<_>>())
}

#[test]
fn keys_of_the_inventory_are_trusted_and_no_other_whatever_ssh_knows() {
    let target = Target::start("keys");
    let key = std::fs::read_to_string(target.dir.join("hostkey.pub")).unwrap();
    let other = std::fs::read_to_string(target.dir.join("user.pub")).unwrap();
    let pin = |key: &str| format!("ssh-host-key = \"{}\"", key.trim());
    let told = |ran: &Ran| ran.stdout.contains("Host key verification failed");

    push(&target, &pin(&key), "").ends(0);
    push(&target, &pin(&key), &format!("target {other}")).ends(0);
    assert!(target.path("/srv/a").exists());
    let wrong = push(&target, &pin(&other), &format!("target {key}")).ends(1);
    assert!(told(&wrong), "{}", wrong.stdout);
    let print = |key: &str| fingerprints(&target, key, 2);
    push(&target, &print(&key), &format!("target {other}")).ends(0);
    let wrong = push(&target, &print(&other), &format!("target {key}")).ends(1);
    assert!(told(&wrong), "{}", wrong.stdout);
    let unknown = push(&target, "", "").ends(1);
    assert!(told(&unknown), "a key that nobody knows is not trusted: {}", unknown.stdout);
    assert!(unknown.stdout.contains("its key is not known"), "{}", unknown.stdout);
    let changed = push(&target, "", &format!("target {other}")).ends(1);
    assert!(told(&changed) && changed.stdout.contains("have another key of"), "{}", changed.stdout);
    assert!(!changed.stdout.contains("is not known"), "{}", changed.stdout);
    push(&target, "", &format!("target {key}")).ends(0);
}

/// Gives the server two more keys than its Ed25519 one.
const MORE_KEYS: &str = "
for kind in rsa ecdsa; do
    ssh-keygen -q -t $kind -N '' -f etc/ssh/own_$kind
    echo HostKey /etc/ssh/own_$kind >>etc/ssh/own_config
done
";

#[test]
fn a_server_is_asked_for_the_key_that_is_pinned_whatever_others_it_has() {
    let target = Target::start_with("more-keys", MORE_KEYS, "");
    let ed25519 = std::fs::read_to_string(target.dir.join("hostkey.pub")).unwrap();
    let own = ["rsa", "ecdsa"].map(|kind| target.text(&format!("/etc/ssh/own_{kind}.pub")));
    for key in own.iter().chain([&ed25519]) {
        push(&target, &fingerprints(&target, key, 2), "").ends(0);
        let bare: Vec<&str> = key.split(' ').take(2).collect();
        push(&target, &format!("ssh-host-key = \"{}\"", bare.join(" ")), "").ends(0);
    }
    let other = std::fs::read_to_string(target.dir.join("user.pub")).unwrap();
    let wrong = push(&target, &fingerprints(&target, &other, 2), "").ends(1);
    assert!(wrong.stdout.contains("Host key verification failed"), "{}", wrong.stdout);
}

#[test]
fn a_host_of_which_only_sha_1_is_known_is_refused_in_words() {
    let target = Target::start("sha-1");
    let key = std::fs::read_to_string(target.dir.join("hostkey.pub")).unwrap();
    let refused = push(&target, &fingerprints(&target, &key, 1), &format!("target {key}")).ends(1);
    for words in ["SHA-1 is not trusted", "`ssh-keygen -r web1", "`ssh-host-key`"] {
        assert!(refused.stdout.contains(words), "`{words}`: {}", refused.stdout);
    }
}

#[test]
fn a_pin_holds_where_the_run_lies_in_a_directory_with_a_blank_and_a_percent_sign() {
    let target = Target::start("blank");
    let key = std::fs::read_to_string(target.dir.join("hostkey.pub")).unwrap();
    let runtime = std::path::PathBuf::from(format!("/dev/shm/a %h run {}", std::process::id()));
    std::fs::create_dir(&runtime).unwrap();
    for pin in [fingerprints(&target, &key, 2), format!("ssh-host-key = {:?}", key.trim())] {
        ran(prepared(&target, &pin, "").env("XDG_RUNTIME_DIR", &runtime)).ends(0);
    }
    std::fs::remove_dir(&runtime).expect("the run's directory was there, and is gone from it");
}

/// A control socket as dhcpd's, which answers every question with `answer`.
fn told_by_dhcpd(target: &Target, answer: String) -> std::path::PathBuf {
    let path = target.dir.join("dhcpd.sock");
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut question = String::new();
            BufReader::new(&stream).read_line(&mut question).unwrap();
            assert_eq!(question, "{\"get\":\"installed\"}\n");
            writeln!(&stream, "{answer}").unwrap();
        }
    });
    path
}

#[test]
fn a_key_that_the_installer_reported_is_expected_where_the_inventory_has_none() {
    let target = Target::start("reported");
    let key = std::fs::read_to_string(target.dir.join("hostkey.pub")).unwrap();
    let other = std::fs::read_to_string(target.dir.join("user.pub")).unwrap();
    let reported = |entry: &str, key: &str, known_hosts: &str| {
        let key = key.trim();
        let hosts =
            format!(r#"[{{"host":"web2.lab.test"}},{{"host":"web1.lab.test","host_keys":["{key}"]}}]"#);
        let socket = told_by_dhcpd(&target, hosts);
        ran(prepared(&target, entry, known_hosts).arg("--control").arg(socket))
    };
    reported("", &key, "").ends(0);
    reported("", &key, &format!("target {other}")).ends(0);
    let pin = format!("ssh-host-key = \"{}\"", key.trim());
    reported(&pin, &other, "").ends(0);
    for (entry, known_hosts, words) in [
        ("", format!("target {key}"), "none of the keys that its installer reported"),
        (
            &format!("ssh-host-key = \"{}\"", other.trim()),
            String::new(),
            "none of the keys that the inventory has",
        ),
    ] {
        let wrong = reported(entry, &other, &known_hosts).ends(1);
        assert!(wrong.stdout.contains("Host key verification failed"), "{}", wrong.stdout);
        assert!(wrong.stdout.contains(words), "{}", wrong.stdout);
    }
    let unknown = reported("", "", "").ends(1);
    assert!(unknown.stdout.contains("its key is not known"), "{}", unknown.stdout);
    assert!(unknown.stdout.contains("`ssh -o HostKeyAlias=web1.lab.test "), "{}", unknown.stdout);
    let nobody = target.dir.join("nobody.sock");
    let unknown = ran(prepared(&target, "", "").arg("--control").arg(&nobody)).ends(1);
    assert!(unknown.stdout.contains("no daemon listens at"), "{}", unknown.stdout);
    ran(prepared(&target, "", &format!("target {key}")).arg("--control").arg(&nobody)).ends(0);
}
