//! `__hostbook` and `__vm`: servers of this suite, and machines that the inventory places on a host.
//!
//! What starts machines for real is tested in namespaces, in `integration-tests`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use super::target::{Ran, Target, ran};

const PROGRAMS: [&str; 4] = ["hostbook", "hostbook-config", "hostbook-dhcpd", "hostbook-dnsd"];

/// A directory of this side with programs of these names.
fn programs(target: &Target, names: &[&str]) -> PathBuf {
    let programs = target.dir.join("programs");
    fs::create_dir(&programs).unwrap();
    for name in names {
        fs::write(programs.join(name), format!("#!/bin/sh\necho {name}\n")).unwrap();
    }
    programs
}

#[test]
fn a_server_gets_programs_units_and_settings_and_what_is_new_only() {
    let target = Target::start("server");
    let programs = programs(&target, &PROGRAMS);
    let init = format!(
        "__hostbook --prefix /opt/hostbook --programs '{}' --inventory '/srv/inventory.git#main' \
         --dhcpd-options '--interface eth1'\n",
        programs.display()
    );
    let files = [("manifest/init", init.as_str())];
    let plan = target.run("plan", &files, &["--json"]).ends(3);
    assert!(!target.path("/opt/hostbook").exists());
    let push = target.run("push", &files, &["--json"]).ends(0);
    super::cdist::misses_nothing(&plan, &push);
    for name in PROGRAMS {
        let path = format!("/opt/hostbook/bin/{name}");
        assert_eq!(target.text(&path), format!("#!/bin/sh\necho {name}\n"));
        assert_eq!(target.path(&path).metadata().unwrap().permissions().mode() & 0o777, 0o755);
    }
    for service in ["dhcpd", "dnsd"] {
        let unit = format!("/etc/systemd/system/hostbook-{service}.service");
        let start = format!("\nExecStart=/opt/hostbook/bin/hostbook-{service} ");
        assert!(target.text(&unit).contains(&start), "{}", target.text(&unit));
        let wanted = format!("/etc/systemd/system/multi-user.target.wants/hostbook-{service}.service");
        assert!(target.path(&wanted).symlink_metadata().is_ok(), "it is enabled");
    }
    let settings = target.text("/etc/default/hostbook");
    assert!(settings.contains("HOSTBOOK_INVENTORY=\"/srv/inventory.git#main\"\n"), "{settings}");
    assert!(settings.contains("HOSTBOOK_DHCPD_OPTIONS=\"--interface eth1\"\n"), "{settings}");
    assert_eq!(target.text("/srv/inventory.git/HEAD"), "ref: refs/heads/main\n");
    assert!(target.text("/etc/passwd").contains("\nhostbook:"));

    for other in ["hostbook-hooks.service", "hostbook-audit.service", "hostbook-audit.timer"] {
        assert!(!target.path(&format!("/etc/systemd/system/{other}")).exists(), "{other} was not asked for");
    }

    let again = target.run("push", &files, &["--json"]).ends(0);
    assert_eq!(again.objects("changed"), Vec::<String>::new());
    fs::write(programs.join("hostbook"), "#!/bin/sh\necho newer\n").unwrap();
    let newer = target.run("push", &files, &["--json"]).ends(0);
    assert_eq!(newer.objects("changed"), ["__hostbook"]);
    assert_eq!(target.text("/opt/hostbook/bin/hostbook"), "#!/bin/sh\necho newer\n");
    let code = newer.host()["objects"][0]["code_local"].as_str().unwrap().to_owned();
    assert_eq!(code.lines().count(), 1, "only what differs is copied: {code}");
}

#[test]
fn hooks_and_the_audit_get_their_units_users_and_settings() {
    let target = Target::start("server-hooks");
    let programs = programs(&target, &["hostbook", "hostbook-config"]);
    let init = format!(
        "__hostbook --prefix /opt/hostbook --programs '{}' --service hooks --service audit \
         --hooks-options '--timeout 5m' --audit-options '--tag prod' --audit-metrics /srv/audit.prom\n",
        programs.display()
    );
    let files = [("manifest/init", init.as_str())];
    let plan = target.run("plan", &files, &["--json"]).ends(3);
    let push = target.run("push", &files, &["--json"]).ends(0);
    super::cdist::misses_nothing(&plan, &push);
    for (unit, start) in [("hooks", "hostbook hook follow "), ("audit", "hostbook-config plan --all ")] {
        let text = target.text(&format!("/etc/systemd/system/hostbook-{unit}.service"));
        assert!(text.contains(&format!("\nExecStart=/opt/hostbook/bin/{start}")), "{text}");
    }
    for wanted in
        ["multi-user.target.wants/hostbook-hooks.service", "timers.target.wants/hostbook-audit.timer"]
    {
        let wanted = target.path(&format!("/etc/systemd/system/{wanted}"));
        assert!(wanted.symlink_metadata().is_ok(), "{wanted:?}: it is enabled");
    }
    let settings = target.text("/etc/default/hostbook");
    for line in [
        "HOSTBOOK_INVENTORY=\"/etc/hostbook\"",
        "HOSTBOOK_HOOKS_OPTIONS=\"--timeout 5m\"",
        "HOSTBOOK_AUDIT_OPTIONS=\"--tag prod\"",
        "HOSTBOOK_AUDIT_METRICS=\"/srv/audit.prom\"",
    ] {
        assert!(settings.lines().any(|have| have == line), "`{line}` is not in\n{settings}");
    }
    assert!(target.text("/etc/passwd").contains("\nhostbook-hooks:"));
    let groups = target.text("/etc/group");
    let members = groups.lines().find_map(|line| line.strip_prefix("hostbook:")).unwrap();
    assert!(members.ends_with(":hostbook-hooks"), "{members}");
    assert!(target.path("/etc/hostbook-hooks").is_dir());

    let again = target.run("push", &files, &["--json"]).ends(0);
    assert_eq!(again.objects("changed"), Vec::<String>::new());
    let unknown = target.run("plan", &[("manifest/init", "__hostbook --service dnssd")], &[]).ends(1);
    assert!(
        unknown.stdout.contains("unknown service: dnssd (dhcpd, dnsd, hooks, audit)"),
        "{}",
        unknown.stdout
    );
}

#[test]
fn a_running_timer_starts_again_for_its_own_text_only() {
    let systemctl = "
        mkdir -p run/systemd/system opt/bin
        printf '#!/bin/sh\\necho \"$*\" >>/var/log/systemctl\\ncase $1 in is-*) echo ${1#is-} ;; esac\\n' >opt/bin/systemctl
        chmod 755 opt/bin/systemctl
        echo 'SetEnv PATH=/opt/bin:/usr/sbin:/usr/bin:/sbin:/bin' >>etc/ssh/own_config";
    let target = Target::start_with("server-timer", systemctl, "");
    let programs = programs(&target, &["hostbook", "hostbook-config"]);
    let push = |tag: &str| {
        let init = format!(
            "__hostbook --prefix /opt/hostbook --programs '{}' --service hooks --service audit --audit-options '--tag {tag}'\n",
            programs.display()
        );
        let _ = fs::remove_file(target.path("/var/log/systemctl"));
        target.run("push", &[("manifest/init", init.as_str())], &["--json"]).ends(0);
        let calls = target.text("/var/log/systemctl");
        let calls = calls.lines().filter(|call| !call.starts_with("is-"));
        calls.map(str::to_owned).collect::<Vec<_>>()
    };
    let restarts = ["-q restart hostbook-hooks.service", "-q restart hostbook-audit.timer"];
    assert_eq!(push("a"), ["daemon-reload", restarts[0], restarts[1]]);
    assert_eq!(push("b"), [restarts[0]], "what the timer starts reads its settings itself");
    assert_eq!(push("b"), Vec::<String>::new());
}

const INVENTORY: &str = r#"
[site]
nameservers = ["ns1.example.net"]
[zone."lab.test"]
[network.lan]
zone = "lab.test"
ipv4 = "10.20.0.0/24"
[network.storage]
zone = "lab.test"
ipv4 = "10.21.0.0/24"
bridge = "br1"
[host.hv1]
network = "lan"
ip = "10.20.0.5"
[host.web1]
cpu = 4
memory = "2 GiB"
disk = { root = "40 GiB", data = "1 TiB" }
vmhost = "hv1"
[host.web1.nic.lan]
network = "lan"
mac = "52:54:00:77:00:16"
[host.web1.nic.back]
network = "storage"
mac = "52:54:00:77:00:17"
"#;

/// What a plan for `hv1` with this manifest says.
fn plan(target: &Target, manifest: &str, code: i32) -> Ran {
    on_hv1(target, "plan", manifest, code)
}

/// Runs a command for `hv1` with this manifest.
fn on_hv1(target: &Target, command: &str, manifest: &str, code: i32) -> Ran {
    let inventory = target.dir.join("inventory");
    fs::create_dir_all(inventory.join("config/manifest")).unwrap();
    fs::write(inventory.join("lab.toml"), INVENTORY).unwrap();
    fs::write(inventory.join("config/manifest/init"), manifest).unwrap();
    ran(target.command(command).arg("-i").arg(&inventory).args(["--json", "hv1"])).ends(code)
}

/// The text that an object of a plan would write into a file.
fn text_of(plan: &Ran, object: &str) -> String {
    let host = plan.host();
    let all = host["objects"].as_array().unwrap();
    let found =
        all.iter().find(|o| o["object"] == object).unwrap_or_else(|| panic!("{object} is not in {host}"));
    let diff = found["diff"].as_str().unwrap();
    diff.lines().skip(3).map(|line| format!("{}\n", line.strip_prefix('+').unwrap_or(line))).collect()
}

fn code_of(plan: &Ran, object: &str) -> String {
    let host = plan.host();
    let found = host["objects"].as_array().unwrap().iter().find(|o| o["object"] == object).unwrap().clone();
    found["code_remote"].as_str().unwrap().to_owned()
}

#[test]
fn a_machine_for_qemu_is_what_its_entry_says_and_a_unit_starts_it() {
    let target = Target::start_with("vm-qemu", "mkdir -p run/systemd/system", "");
    let plan = plan(&target, "__vm web1 --as qemu --accel kvm --bridge lan=br-lan\n", 3);
    let script = text_of(&plan, "__file/etc/hostbook/vm/web1");
    for line in [
        "tap hb525400770016 br-lan",
        "tap hb525400770017 br1",
        "set -- \"$@\" -machine q35 -accel kvm -cpu host -smp 4 -m 2048",
        "set -- \"$@\" -device virtio-net-pci,netdev=nic1,mac=52:54:00:77:00:16,bootindex=1",
        "set -- \"$@\" -device virtio-net-pci,netdev=nic2,mac=52:54:00:77:00:17,bootindex=2",
        "set -- \"$@\" -drive file=root.raw,format=raw,if=none,id=disk-root,discard=unmap",
    ] {
        assert!(script.lines().any(|have| have == line), "`{line}` is not in\n{script}");
    }
    let file = target.dir.join("script");
    fs::write(&file, &script).unwrap();
    let checked = Command::new("shellcheck").args(["-s", "sh", "-S", "warning"]).arg(&file).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));

    let unit = target.dir.join("hostbook-vm-web1.service");
    let text = text_of(&plan, "__file/etc/systemd/system/hostbook-vm-web1.service");
    fs::write(&unit, text.replace("/etc/hostbook/vm/web1", "/bin/true")).unwrap();
    let verified = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&unit).output().unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));

    let code = code_of(&plan, "__vm/web1");
    for line in [
        "truncate -s 1099511627776 '/var/lib/hostbook/vm/web1/data.raw'",
        "truncate -s 42949672960 '/var/lib/hostbook/vm/web1/root.raw'",
        "systemctl daemon-reload",
        "systemctl -q enable hostbook-vm-web1.service",
        "systemctl -q start hostbook-vm-web1.service",
    ] {
        assert!(code.lines().any(|have| have == line), "`{line}` is not in\n{code}");
    }
}

#[test]
fn a_machine_for_libvirt_is_defined_and_started() {
    let target = Target::start("vm-libvirt");
    let plan = plan(&target, "__vm web1 --as libvirt --accel kvm\n", 3);
    let definition = text_of(&plan, "__file/etc/hostbook/vm/web1.xml");
    for part in [
        "<domain type='kvm'>",
        "<name>web1</name>",
        "<memory unit='MiB'>2048</memory>",
        "<vcpu>4</vcpu>",
        "<mac address='52:54:00:77:00:16'/><source bridge='lan'/><model type='virtio'/><boot order='1'/>",
        "<source file='/var/lib/hostbook/vm/web1/root.raw'/><target dev='vda' bus='virtio'/>",
    ] {
        assert!(definition.contains(part), "`{part}` is not in\n{definition}");
    }
    let file = target.dir.join("definition");
    fs::write(&file, &definition).unwrap();
    let parse = "import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])";
    assert!(
        Command::new("python3").args(["-c", parse]).arg(&file).status().unwrap().success(),
        "{definition}"
    );
    let code = code_of(&plan, "__vm/web1");
    assert!(
        code.contains("virsh -q define '/etc/hostbook/vm/web1.xml'\nvirsh -q autostart web1\n"),
        "{code}"
    );
    assert!(code.ends_with("virsh -q start web1\n"), "{code}");
}

/// A virsh with one machine, which takes its time to switch itself off.
const VIRSH: &str = "
mkdir -p opt/bin
cat >opt/bin/virsh <<'EOF'
#!/bin/sh
state=/var/lib/virsh-state
shift
echo \"$*\" >>/var/log/virsh
case $1 in
    dominfo) test -f $state ;;
    domstate)
        cat $state 2>/dev/null || exit 1
        sed -i 's/in shutdown/shut off/' $state
        ;;
    define) test -f $state || echo 'shut off' >$state ;;
    start)
        grep -qx 'shut off' $state || { echo 'Domain is already active' >&2; exit 1; }
        echo running >$state
        ;;
    shutdown) echo 'in shutdown' >$state ;;
esac
EOF
chmod 755 opt/bin/virsh
echo 'SetEnv PATH=/opt/bin:/usr/sbin:/usr/bin:/sbin:/bin' >>etc/ssh/own_config
";

#[test]
fn a_changed_machine_of_libvirt_is_started_again_when_it_has_switched_itself_off() {
    let target = Target::start_with("vm-restart", VIRSH, "");
    on_hv1(&target, "push", "__vm web1 --restart\n", 0);
    assert_eq!(target.text("/var/lib/virsh-state"), "running\n");
    on_hv1(&target, "push", "__vm web1 --restart --memory 1073741824\n", 0);
    let calls = target.text("/var/log/virsh");
    let last = calls.rsplit_once("shutdown web1\n").unwrap().1;
    assert_eq!(last, "domstate web1\ndomstate web1\nstart web1\n", "{calls}");
    assert_eq!(target.text("/var/lib/virsh-state"), "running\n");
}

#[test]
fn a_machine_that_the_inventory_does_not_place_here_is_refused() {
    let target = Target::start("vm-none");
    let run = plan(&target, "__vm web2\n", 1);
    let reason = run.host()["objects"][0]["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("the inventory places no such machine on this host"), "{reason}");
}
