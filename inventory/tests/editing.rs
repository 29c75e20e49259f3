//! The verbs that edit, as an operator runs them: real processes on real files.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use inventory_core::load::{Loaded, Loader};
use inventory_core::model::Snapshot;
use inventory_core::source::Directory;
use inventory_core::watch::{Wake, Waker, Watcher};

const SITE: &str = r#"# The site.
[site]
nameservers = ["ns1.lab.example.org"] # ours
contact     = "hostmaster@lab.example.org"

[zone."lab.example.org"]
# what is no host
records = """
@     MX 10 hv1
_ssh._tcp.hv1  SRV 0 0 22 hv1.lab.example.org.
"""

[network.servers] # the rack
zone    = "lab.example.org"
ipv4    = "10.20.0.0/24"
gateway = "10.20.0.1"
pool    = "10.20.0.200-10.20.0.250"

[boot.debian12]
kernel = "debian12/linux"
"#;

const HOSTS: &str = r#"# Hardware.

[host.ns1]
network = "servers"
ip      = "10.20.0.2"

# The big one.
[host.hv1]
network = "servers"
mac     = "0c:c4:7a:00:00:01"
ip      = "10.20.0.5" # rack 3
memory  = "64 GiB"
"#;

const VMS: &str = r#"# Virtual machines.

[host.web1] # the first
network = "servers"
mac     = "52:54:00:aa:00:11"
ip      = "10.20.0.11"
tags    = [
    "web", # serves
]
vmhost  = "hv1"
"#;

/// An inventory in a directory of its own.
struct Lab(PathBuf);

impl Lab {
    fn new(name: &str) -> Lab {
        let root = std::env::temp_dir().join(format!("hostbook-editing-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(root.join("hosts")).unwrap();
        fs::write(root.join("site.toml"), SITE).unwrap();
        fs::write(root.join("hosts/machines.toml"), HOSTS).unwrap();
        fs::write(root.join("hosts/vms.toml"), VMS).unwrap();
        Lab(root)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hostbook"));
        command.args(arguments).env("HOSTBOOK_INVENTORY", &self.0).env_remove("VISUAL");
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn fine(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn text(&self, path: &str) -> String {
        fs::read_to_string(self.0.join(path)).unwrap()
    }

    fn load(&self) -> Snapshot {
        match Loader::new(Box::new(Directory::new(&self.0))).load() {
            Loaded::Good { snapshot, .. } => snapshot,
            other => panic!("{other:?}"),
        }
    }

    fn names(&self) -> HashSet<String> {
        self.load().inventory.hosts().map(|host| host.name.fqdn.to_string()).collect()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_new_host_goes_where_its_neighbours_are_and_looks_like_them() {
    let lab = Lab::new("add");
    let said = lab.fine(&[
        "add",
        "web2",
        "--network",
        "servers",
        "--ip",
        "auto",
        "--tag",
        "web,new",
        "--vmhost",
        "hv1",
    ]);
    assert_eq!(said, "hosts/vms.toml:12: added web2.lab.example.org\n");
    let added = "\n[host.web2]\nnetwork = \"servers\"\nip      = \"10.20.0.3\"\ntags    = [\"web\", \"new\"]\nvmhost  = \"hv1\"\n";
    assert_eq!(lab.text("hosts/vms.toml"), format!("{VMS}{added}"));
    assert_eq!(lab.text("hosts/machines.toml"), HOSTS);
}

#[test]
fn a_dry_run_shows_the_difference_and_writes_nothing() {
    let lab = Lab::new("dry");
    let diff = lab.fine(&["set", "web1", "tags+=prod", "--dry-run"]);
    assert!(diff.contains("--- a/hosts/vms.toml\n+++ b/hosts/vms.toml\n"), "{diff}");
    assert!(diff.contains("\n     \"web\", # serves\n+    \"prod\",\n"), "{diff}");
    assert_eq!(lab.text("hosts/vms.toml"), VMS);
}

#[test]
fn what_does_not_pass_the_check_is_not_written_and_its_line_is_shown() {
    let lab = Lab::new("refused");
    for (arguments, code) in [
        (&["set", "web1", "ip=10.20.0.5"][..], "HB041"),
        (&["set", "web1", "ip=10.99.0.5"], "HB050"),
        (&["set", "web1", "memroy=4GiB"], "HB004"),
        (&["add", "x", "--network", "servers", "--boot", "nonsense"], "HB033"),
        (&["rm", "hv1"], "HB034"),
        (&["install", "web1"], "HB058"),
    ] {
        let output = lab.run(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(65), "{arguments:?}: {errors}");
        assert!(errors.contains(code) && errors.contains("nothing is written"), "{arguments:?}: {errors}");
    }
    assert_eq!((lab.text("hosts/vms.toml"), lab.text("hosts/machines.toml")), (VMS.into(), HOSTS.into()));
}

#[test]
fn a_rename_is_followed_by_vmhosts_records_and_name_servers() {
    let lab = Lab::new("rename");
    let routers = "[zone.\"8.b.d.0.1.0.0.2.ip6.arpa\"]\n[network.v6]\nzone = \"lab.example.org\"\nipv6 = \"2001:db8:1::/64\"\n[profile.r]\npd-nameservers = [\"ns.example.net\", \"ns1.lab.example.org\"]\n[host.r1]\nuse = \"r\"\nnetwork = \"v6\"\npd = \"2001:db8:40::/56\"\n[host.r2]\nuse = \"r\"\nnetwork = \"v6\"\npd = \"2001:db8:41::/56\"\n";
    fs::write(lab.0.join("routers.toml"), routers).unwrap();
    lab.fine(&["rename", "hv1", "node1", "--keep"]);
    let said = lab.fine(&["rename", "ns1", "ns"]);
    assert!(
        said.contains("ns1.lab.example.org is now ns.lab.example.org (followed: 2 name servers)"),
        "{said}"
    );
    assert_eq!(lab.text("hosts/vms.toml"), VMS.replace("hv1", "node1"));
    assert_eq!(lab.text("routers.toml"), routers.replace("ns1.lab", "ns.lab"));
    let site =
        SITE.replace("ns1.lab", "ns.lab").replace("10 hv1", "10 node1").replace("hv1.lab", "node1.lab");
    assert_eq!(lab.text("site.toml"), site);
    let machines = HOSTS
        .replace("[host.hv1]", "[host.node1]")
        .replace("# rack 3\n", "# rack 3\nalias   = [\"hv1\"]\n")
        .replace("host.ns1", "host.ns");
    assert_eq!(lab.text("hosts/machines.toml"), machines);
}

#[test]
fn a_second_nic_moves_the_keys_of_the_first_into_a_table_with_their_comments() {
    let lab = Lab::new("nic");
    lab.fine(&["nic", "add", "hv1", "ipmi", "--network", "servers", "--ip", "10.20.0.6"]);
    let text = lab.text("hosts/machines.toml");
    let expected = "[host.hv1]\nmemory  = \"64 GiB\"\n[host.hv1.nic.lan]\nnetwork = \"servers\"\nmac     = \"0c:c4:7a:00:00:01\"\nip      = \"10.20.0.5\" # rack 3\n[host.hv1.nic.ipmi]\nnetwork = \"servers\"\nip      = \"10.20.0.6\"\n";
    assert!(text.ends_with(expected), "{text}");
    lab.fine(&["nic", "rm", "hv1", "ipmi"]);
    assert_eq!(
        lab.load().inventory.hosts().find(|host| host.nics[0].rest.key.is_some()).unwrap().nics.len(),
        1
    );
}

#[test]
fn a_nic_beside_those_of_a_profile_leaves_them_alone_and_one_of_them_is_added_to() {
    let lab = Lab::new("nic-profile");
    let profile = "[profile.node.nic.lan]\nnetwork = \"servers\"\n[profile.node.nic.san]\nnetwork = \"servers\"\n\n[host.n1]\nuse = \"node\"\ncpu = 2\n";
    fs::write(lab.0.join("nodes.toml"), profile).unwrap();
    lab.fine(&["nic", "add", "n1", "ipmi", "--network", "servers", "--ip", "10.20.0.6"]);
    let ipmi = "\n[host.n1.nic.ipmi]\nnetwork = \"servers\"\nip = \"10.20.0.6\"\n";
    let text = lab.text("nodes.toml");
    assert!(text.starts_with(profile) && text.ends_with(ipmi.trim_start()), "{text}");
    // Its network is the profile's.
    lab.fine(&["nic", "add", "n1", "san", "--mac", "52:54:00:00:00:09"]);
    let text = lab.text("nodes.toml");
    assert!(text.contains("[host.n1.nic.san]\nmac = \"52:54:00:00:00:09\"\n"), "{text}");
    let snapshot = lab.load();
    let node = snapshot.inventory.hosts().find(|host| host.nics.len() == 3).unwrap();
    let mut keys: Vec<_> = node.nics.iter().filter_map(|nic| nic.rest.key.as_deref()).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["ipmi", "lan", "san"]);
}

#[test]
fn a_hardware_address_that_was_made_and_is_gone_is_not_made_again() {
    let lab = Lab::new("used");
    let add = ["add", "db1", "--network", "servers", "--mac", "auto"];
    let mac = || lab.load().inventory.hosts().find_map(|host| host.primary().mac.filter(|mac| mac.0[0] == 2));
    let mut had = HashSet::new();
    for _ in 0..3 {
        lab.fine(&add);
        assert!(had.insert(mac().unwrap()), "{had:?}");
        lab.fine(&["rm", "db1"]);
    }
    lab.fine(&add);
    let last = mac().unwrap();
    lab.fine(&["rename", "db1", "db2"]);
    assert_eq!(mac(), Some(last), "a host keeps its address");
    lab.fine(&["set", "db2", "mac=auto"]);
    assert!(had.insert(last) && had.insert(mac().unwrap()));
    let list = lab.text(".used-macs");
    assert!(list.contains(&format!("{last} db2.lab.example.org\n")) && list.lines().count() == 5, "{list}");
}

#[test]
fn retiring_shows_what_goes_before_it_is_written() {
    let lab = Lab::new("retire");
    let said = lab.fine(&["retire", "web1"]);
    for line in [
        "  - web1                     A      3600 10.20.0.11\n",
        "10.20.0.11 -> not served web1.lab.example.org\n",
    ] {
        assert!(said.contains(line), "{said}");
    }
    assert!(lab.text("hosts/vms.toml").contains("\nstate   = \"retired\"\n"));
    assert_eq!(
        lab.fine(&["activate", "web1", "--json"]).matches("retired").count(),
        1,
        "the old line in the diff"
    );
}

#[test]
fn the_editor_gets_the_right_line_and_its_result_is_checked() {
    let lab = Lab::new("editor");
    let script = lab.0.join("editor.sh");
    let write = |sed: &str| {
        fs::write(&script, format!("test \"$1\" = +3 || exit 1\nsed -i '{sed}' \"$2\"\n")).unwrap();
    };
    let editor = format!("sh {}", script.display());
    let edit = || lab.command(&["edit", "web1"]).env("EDITOR", &editor).output().unwrap();
    write("s/10.20.0.11/10.20.0.12/");
    assert!(edit().status.success());
    assert_eq!(lab.text("hosts/vms.toml"), VMS.replace("0.11", "0.12"));
    write("s/10.20.0.12/10.20.99.12/");
    let refused = edit();
    let errors = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(65), "{errors}");
    assert!(errors.contains("HB050") && errors.contains("your text is in `"), "{errors}");
    assert_eq!(lab.text("hosts/vms.toml"), VMS.replace("0.11", "0.12"));
    let kept = errors.split("your text is in `").nth(1).and_then(|rest| rest.split('`').next()).unwrap();
    assert!(fs::read_to_string(kept).unwrap().contains("10.20.99.12"));
    fs::remove_dir_all(Path::new(kept).parent().unwrap()).unwrap();
}

#[test]
fn eight_processes_at_once_get_eight_addresses() {
    let lab = Lab::new("auto");
    let children: Vec<_> = (0..8)
        .map(|number| {
            let name = format!("db{number}");
            let arguments = ["add", &name, "--network", "servers", "--ip", "auto", "--mac", "auto"];
            lab.command(&arguments).spawn().unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let snapshot = lab.load();
    let new: Vec<_> =
        snapshot.inventory.hosts().filter(|host| host.name.fqdn.to_string().starts_with("db")).collect();
    assert_eq!(new.len(), 8);
    let addresses: HashSet<_> = new.iter().flat_map(|host| host.primary().addresses.iter()).collect();
    let macs: HashSet<_> = new.iter().filter_map(|host| host.primary().mac).collect();
    assert_eq!((addresses.len(), macs.len()), (8, 8));
}

/// Follows the inventory as a daemon does, until the watcher is stopped. Returns how many states it saw.
fn follow(root: &Path, mut watcher: Watcher) -> u64 {
    let mut loader = Loader::new(Box::new(Directory::new(root)));
    let mut seen = 0;
    loop {
        match loader.load() {
            Loaded::Good { snapshot, .. } => {
                seen = snapshot.generation;
                assert!(snapshot.inventory.host_count() >= 3);
            }
            Loaded::Unchanged => {}
            // A rename over several files is seen whole, or `vmhost` would name a host that is not there.
            Loaded::Broken { diagnostics } => panic!("a daemon saw {diagnostics:?}"),
        }
        watcher.refresh();
        if watcher.wait() == Wake::Stop {
            return seen;
        }
    }
}

/// Stops the watcher, whatever ends the test.
struct Stop(Waker);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.stop();
    }
}

#[test]
fn two_operators_and_a_script_lose_nothing_and_a_daemon_never_sees_a_part() {
    let lab = Lab::new("together");
    let watcher = Watcher::new(&lab.0);
    let waker = watcher.waker();
    let must = |arguments: &[&str]| {
        let output = lab.run(arguments);
        // As SIGHUP does: a look at once, while the others go on writing.
        waker.look_now();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    let seen = std::thread::scope(|scope| {
        let stop = Stop(waker.clone());
        let daemon = scope.spawn(|| follow(&lab.0, watcher));
        let operators: Vec<_> = ["anna", "ben"]
            .into_iter()
            .map(|who| {
                scope.spawn(move || {
                    for number in 0..6 {
                        must(&["add", &format!("{who}{number}"), "--network", "servers", "--ip", "auto"]);
                        must(&["tag", "add", "web1", &format!("{who}{number}")]);
                    }
                    must(&["rm", &format!("{who}0")]);
                })
            })
            .collect();
        let script = scope.spawn(|| {
            for number in 0..6 {
                must(&["set", "ns1", &format!("cpu={}", number + 1)]);
                // Followed by every virtual machine's `vmhost`, in another file.
                must(&["rename", "0c:c4:7a:00:00:01", &format!("node{number}")]);
                must(&["rename", "0c:c4:7a:00:00:01", "hv1"]);
            }
        });
        for operator in operators {
            operator.join().unwrap();
        }
        script.join().unwrap();
        drop(stop);
        daemon.join().unwrap()
    });
    assert!(seen > 1, "the daemon saw {seen} states");
    let names = lab.names();
    for who in ["anna", "ben"] {
        for number in 1..6 {
            assert!(
                names.contains(&format!("{who}{number}.lab.example.org")),
                "{who}{number} is lost: {names:?}"
            );
        }
        assert!(!names.contains(&format!("{who}0.lab.example.org")));
    }
    let snapshot = lab.load();
    let web1 = snapshot.inventory.hosts().find(|host| !host.tags.is_empty()).unwrap();
    assert_eq!(web1.tags.len(), 13, "{:?}", web1.tags);
    for (path, comments) in [("hosts/vms.toml", 3), ("hosts/machines.toml", 3), ("site.toml", 4)] {
        assert_eq!(lab.text(path).matches("# ").count(), comments, "{}", lab.text(path));
    }
}
