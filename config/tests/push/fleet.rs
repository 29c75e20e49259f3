//! Many hosts in one run, and how they are chosen.

use super::target::{Target, ran};

const FILES: &[(&str, &str)] = &[
    ("type/__mark/explorer/is", "[ -e \"/srv/$__target_host\" ] && echo yes || :"),
    (
        "type/__mark/gencode-remote",
        "[ -s \"$__object/explorer/is\" ] || echo \"echo $__target_host_tags >/srv/$__target_host\"",
    ),
    (
        "manifest/init",
        "case ,$__target_host_tags, in *,web,*) cat \"$__inventory/ipv4\" >/dev/null; __mark web ;; esac\n__mark all\n",
    ),
];

const INVENTORY: &str = r#"
[site]
nameservers = ["ns1.lab.example.org"]
contact = "hostmaster@lab.example.org"
[zone."lab.example.org"]
[network.lan]
zone = "lab.example.org"
ipv4 = "10.20.0.0/24"
[host.ns1]
network = "lan"
ip = "10.20.0.2"
state = "planned"
[host.web1]
network = "lan"
ip = "10.20.0.3"
tags = ["web", "prod"]
[host.db1]
network = "lan"
ip = "10.20.0.4"
tags = ["prod"]
[host.new1]
network = "lan"
ip = "10.20.0.5"
state = "retired"
"#;

#[test]
fn hosts_come_from_the_inventory_by_name_tag_and_state() {
    let target = Target::start("inventory");
    let inventory = target.dir.join("inventory");
    std::fs::create_dir_all(inventory.join("config/manifest")).unwrap();
    std::fs::write(inventory.join("lab.toml"), INVENTORY).unwrap();
    for (path, text) in FILES {
        let path = inventory.join("config").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let run = |args: &[&str]| ran(target.command("push").arg("-i").arg(&inventory).arg("--json").args(args));
    let hosts = |ran: &super::target::Ran| -> Vec<String> {
        let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        report["hosts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|host| host["host"].as_str().unwrap().to_owned())
            .collect()
    };
    let web = run(&["--tag", "web"]).ends(0);
    assert_eq!(hosts(&web), ["web1.lab.example.org"]);
    assert_eq!(target.text("/srv/web1.lab.example.org"), "prod,web\n");
    let all = run(&["--all"]).ends(0);
    assert_eq!(
        hosts(&all),
        ["db1.lab.example.org", "web1.lab.example.org"],
        "planned and retired hosts are left out"
    );
    assert_eq!(all.objects("changed"), ["__mark/all"]);
    assert_eq!(hosts(&run(&["--state", "retired"]).ends(0)), ["new1.lab.example.org"]);
    assert_eq!(hosts(&run(&["new1"]).ends(0)), ["new1.lab.example.org"], "a host that is named is meant");

    let unknown = run(&["wep1"]).ends(1);
    assert!(
        unknown.stderr.contains("the inventory has no host `wep1`; did you mean `web1`?"),
        "{}",
        unknown.stderr
    );
    run(&[]).ends(2);
    std::fs::write(inventory.join("lab.toml"), format!("{INVENTORY}\n[host.web1]\n")).unwrap();
    run(&["--all"]).ends(65);
}

/// So many names of one target, one that is dead and one that never answers.
fn fleet(count: usize, parallel: &str) {
    // Every login gets a `/run` of its own, so that one sshd stands for many machines.
    let force = "unshare -m --propagation unchanged sh -c 'mount -t tmpfs own /run && exec $SHELL -c \"$SSH_ORIGINAL_COMMAND\"'";
    let make = format!(
        "echo \"ForceCommand {}\" >>etc/ssh/own_config",
        force.replace('$', "\\$").replace('"', "\\\"")
    );
    let target = Target::start_with("fleet", &make, "");
    let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let hanging = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let config = std::fs::read_to_string(target.ssh_config()).unwrap();
    let port = hanging.local_addr().unwrap().port();
    std::fs::write(
        target.ssh_config(),
        format!("Host dead\n Port {dead}\nHost hanging\n Port {port}\n{config}"),
    )
    .unwrap();
    let conf = target.conf(FILES);
    let names: Vec<String> = (0..count).map(|number| format!("t{number}")).collect();
    let mut run = target.command("push");
    run.arg("-c")
        .arg(&conf)
        .args(["--hosts-parallel", parallel, "--timeout", "20", "dead", "hanging"])
        .args(&names);
    let run = ran(&mut run).ends(1);
    assert!(
        run.stdout.contains(&format!("{} hosts: {count} changed, 2 failed", count + 2)),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("dead: no objects"), "{}", run.stdout);
    let first = run.stdout.lines().next().unwrap().to_owned();
    assert!(!first.starts_with("hanging"), "a hanging host holds nobody up: {first}");
    for name in &names {
        assert!(target.path(&format!("/srv/{name}")).exists(), "{name}");
    }
}

#[test]
fn a_dead_and_a_hanging_host_do_not_hold_up_the_others() {
    fleet(6, "4");
}

#[test]
#[ignore = "takes a minute or more"]
fn two_hundred_hosts_are_done_in_one_run_with_bounded_memory_and_processes() {
    fleet(200, "32");
}
