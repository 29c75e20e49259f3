//! Which host keys are trusted.

use super::target::{Ran, Target, ran};

/// A target that the inventory calls `web1`, with these lines in its entry, and ssh with these known hosts.
fn push(target: &Target, entry: &str, known_hosts: &str) -> Ran {
    let inventory = target.dir.join("inventory");
    std::fs::create_dir_all(inventory.join("config/manifest")).unwrap();
    let text = "[site]\nnameservers = [\"ns1.example.net\"]\n[zone.\"lab.test\"]\n[network.lan]\nzone = \"lab.test\"\n\
                ipv4 = \"10.20.0.0/24\"\n[host.web1]\nnetwork = \"lan\"\n";
    std::fs::write(inventory.join("lab.toml"), format!("{text}{entry}\n")).unwrap();
    std::fs::write(inventory.join("config/manifest/init"), "__file /srv/a\n").unwrap();
    std::fs::write(target.dir.join("known_hosts"), known_hosts).unwrap();
    ran(target.command("push").arg("-i").arg(&inventory).arg("web1"))
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
    let print = |key: &str| {
        std::fs::write(target.dir.join("shown.pub"), key).unwrap();
        let shown = std::process::Command::new("ssh-keygen")
            .args(["-r", "web1", "-f"])
            .arg(target.dir.join("shown.pub"))
            .output()
            .unwrap();
        let lines = String::from_utf8(shown.stdout).unwrap();
        let data: Vec<&str> =
            lines.lines().filter_map(|line| line.split_once("SSHFP ")).map(|(_, data)| data).collect();
        format!("sshfp = {data:?}")
    };
    push(&target, &print(&key), &format!("target {other}")).ends(0);
    let wrong = push(&target, &print(&other), &format!("target {key}")).ends(1);
    assert!(told(&wrong), "{}", wrong.stdout);
    let unknown = push(&target, "", "").ends(1);
    assert!(told(&unknown), "a key that nobody knows is not trusted: {}", unknown.stdout);
    push(&target, "", &format!("target {key}")).ends(0);
}
