//! Real firmware boots from our daemons alone: address, loader, script, kernel, files, names.

mod arm64;
mod proxy;

use std::fs;
use std::net::Ipv4Addr;

use integration_tests::bad_cable::BadCable;
use integration_tests::isolated::isolated;
use integration_tests::net::Lan;
use integration_tests::place::Place;
use integration_tests::programs::{Daemon, Launch, program};
use integration_tests::relay::OldRomRelay;
use integration_tests::run::{sh, succeed, wait_for, wait_until};
use integration_tests::vm::{FROM_DISK, Firmware, Running, UUID, Vm, fill_boot_root, write_boot_sector};
use serde_json::Value;

const SITE: &str = r#"
[site]
nameservers = ["ns1.boot.test"]
contact = "hostmaster@boot.test"

[zone."boot.test"]

[network.lab]
zone = "boot.test"
ipv4 = "10.77.0.0/24"
dns = ["10.77.0.1"]
bridge = "lan0"

# Behind a router.
[network.far]
zone = "boot.test"
ipv4 = "10.78.0.0/24"
dns = ["10.77.0.1"]
gateway = "10.78.0.254"

[host.ns1]
network = "lab"
ip = "10.77.0.1"

[boot.test]
kernel = "linux"
initrd = "initrd.gz"
cmdline = "console=ttyS0 quiet panic=-1 file={{ boot_url }}/file/install.sh"
files = { "install.sh" = "templates/install.sh.j2" }
"#;

const INSTALL: &str = "\
echo \"installer: this is {{ host.fqdn }} with {{ host.ip }}\"
echo \"installer: told $(wget -q -O - {{ done_url }})\"
";

const MAC: &str = "52:54:00:77:00:10";

/// A network with the daemons and a machine on it.
struct Lab {
    place: Place,
    lan: Lan,
    dhcpd: Daemon,
    _dnsd: Daemon,
}

impl Lab {
    fn new(hosts: &str) -> Lab {
        let place = Place::empty();
        fs::create_dir(place.inventory().join("templates")).unwrap();
        fs::write(place.inventory().join("templates/install.sh.j2"), INSTALL).unwrap();
        fs::write(place.inventory().join("site.toml"), SITE).unwrap();
        place.save("hosts.toml", hosts);
        let lan = Lan::new("lan0", &["10.77.0.1/24"]);
        let root = place.path().join("boot");
        fill_boot_root(&root);
        let dhcpd = Launch::dhcpd(&place);
        let dhcpd = dhcpd.args(&["--interface", "lan0", "--boot-root", root.to_str().unwrap()]).start();
        let dnsd = Launch::dnsd(&place).args(&["--listen", "10.77.0.1:53"]).start();
        Lab { place, lan, dhcpd, _dnsd: dnsd }
    }

    fn vm(&self, firmware: Firmware) -> Vm {
        Vm::new(&self.lan, "vm1", MAC, firmware)
    }

    /// How often something happened in the boot service.
    fn counted(&self, event: &str) -> u64 {
        self.dhcpd.status()["counters"]["boot"][event].as_u64().unwrap_or(0)
    }

    /// How often a machine was not answered for this reason.
    fn unanswered(&self, reason: &str) -> u64 {
        self.dhcpd.status()["counters"]["unanswered"][reason].as_u64().unwrap_or(0)
    }

    /// Runs `hostbook ARGS…` on the inventory, which asks our dhcpd.
    fn hostbook(&self, args: &[&str]) -> String {
        let mut command = program("hostbook");
        command.args(args);
        if !matches!(args[0], "status") {
            command.arg("-i").arg(self.place.inventory());
        }
        if !matches!(args[0], "vm" | "list") {
            command.arg("--control").arg(self.place.control("dhcpd"));
        }
        succeed(command)
    }

    /// Machines that dhcpd has seen and nobody has written down.
    fn seen(&self) -> Vec<Value> {
        let seen: Value = serde_json::from_str(&self.hostbook(&["status", "--seen", "--json"])).unwrap();
        seen.as_array().unwrap().clone()
    }

    /// Makes an edit by `hostbook` and waits until it is served.
    fn edit(&self, args: &[&str]) {
        let before = self.dhcpd.status()["generation"].as_u64().unwrap();
        self.hostbook(args);
        self.dhcpd.wait_status("the edit", |status| status["generation"].as_u64().unwrap() > before);
    }

    /// Retires vm1: it gets no answer at all, and its own firmware goes on to the disk.
    fn assert_retired(&self, start: impl Fn() -> Running) {
        let answers =
            || ["offer", "ack"].map(|kind| self.dhcpd.status()["counters"]["messages"][kind].clone());
        self.edit(&["retire", "vm1"]);
        let (before, unanswered) = (answers(), self.unanswered("not-served"));
        let running = start();
        wait_until("it to ask", || self.unanswered("not-served") > unanswered);
        wait_until("the disk", || running.console().contains(FROM_DISK));
        assert_eq!(answers(), before);
        assert_eq!((self.counted("script"), self.counted("local-disk")), (1, 1));
    }
}

fn host(state: &str) -> String {
    format!(
        "[host.vm1]\nnetwork = \"lab\"\nmac = \"{MAC}\"\nip = \"10.77.0.16\"\nboot = \"test\"\nstate = \"{state}\"\n"
    )
}

/// What a machine's installer says when all went well.
fn assert_installed(console: &str, address: &str) {
    for line in [
        &*format!("installer: I have {address}"),
        &*format!("installer: name server says Address: {address}"),
        "installer: fetched",
        &*format!("installer: this is vm1.boot.test with {address}"),
        "installer: told done",
        "installer: off",
    ] {
        assert!(console.contains(line), "`{line}` is missing:\n{console}");
    }
}

#[test]
fn a_machine_is_seen_adopted_installed_once_started_from_its_disk_and_retired() {
    isolated(|| {
        let lab = Lab::new("");
        let vm = lab.vm(Firmware::Bios);

        // Nobody has written it down: it gets nothing, and is on a list.
        let running = vm.start();
        let seen = wait_for("the machine to be seen", || lab.seen().pop());
        for (key, value) in [
            ("mac", MAC),
            ("uuid", UUID),
            ("network", "lab"),
            ("architecture", "bios"),
            ("class", "PXEClient:Arch:00000:UNDI:002001"),
        ] {
            assert_eq!(seen[key], value, "{seen}");
        }
        drop(running);
        assert_eq!(lab.counted("script"), 0);

        // One command, and it installs.
        lab.edit(&["adopt", MAC, "vm1", "--ip", "10.77.0.16", "--boot", "test", "--state", "install"]);
        assert_eq!(lab.seen(), [Value::Null; 0], "it is no stranger any more");
        assert_installed(&vm.run(), "10.77.0.16");
        assert_eq!((lab.counted("script"), lab.counted("done")), (1, 1));
        lab.dhcpd.wait_log("installed");

        // The entry still says `install`: the next start goes on to the disk all the same.
        let console = vm.run();
        assert!(console.contains(FROM_DISK) && !console.contains("installer:"), "{console}");
        assert_eq!((lab.counted("script"), lab.counted("local-disk")), (1, 1));

        lab.assert_retired(|| vm.start());
    });
}

#[test]
fn a_pxe_rom_of_a_bios_loads_undionly_by_tftp_and_that_boots_by_its_script() {
    isolated(|| {
        let host = host("install").replace("\"lab\"", "\"far\"").replace("10.77.0.16", "10.78.0.16");
        let lab = Lab::new(&host);
        let far = Lan::new("lan1", &[]);
        let router = far.attach("router", "02:00:00:00:01:fe");
        router.add_address("10.78.0.254/24");
        lab.lan.cable(&router, "eth1", "02:00:00:00:00:fe");
        router.sh("ip address add 10.77.0.254/24 dev eth1 && echo 1 >/proc/sys/net/ipv4/ip_forward");
        sh("ip route add 10.78.0.0/24 via 10.77.0.254 dev lan0");
        let agent = Ipv4Addr::new(10, 78, 0, 254);
        let _relay = OldRomRelay::start(&router, agent, Ipv4Addr::new(10, 77, 0, 1));
        assert_installed(&Vm::new(&far, "vm1", MAC, Firmware::Bios).run(), "10.78.0.16");
        assert_eq!((lab.counted("file"), lab.counted("complete")), (3, 1), "loader, kernel, initrd");
        assert_eq!((lab.counted("script"), lab.counted("done")), (1, 1));
    });
}

#[test]
fn fact_10_a_machine_of_the_line_that_hostbook_vm_prints_lives_like_hardware_without_kvm() {
    isolated(|| {
        sh("[ ! -e /dev/kvm ] || mount --bind /dev/null /dev/kvm");
        fs::create_dir_all("/etc/qemu").unwrap();
        fs::write("/etc/qemu/bridge.conf", "allow lan0\n").unwrap();
        let hardware = "vmhost = \"hv1\"\nmemory = \"512 MiB\"\ndisk = { root = \"1 GiB\" }\n";
        let hv1 = "[host.hv1]\nnetwork = \"lab\"\nip = \"10.77.0.5\"\n";
        let lab = Lab::new(&format!("{}{hardware}{hv1}", host("planned")));
        assert!(lab.hostbook(&["list", "--vmhost", "hv1"]).contains("vm1.boot.test"));
        assert!(!lab.hostbook(&["list", "--vmhost", "vm1"]).contains("boot.test"));
        lab.edit(&["install", "vm1"]);
        let images = lab.place.path().to_str().unwrap();
        let script = lab.hostbook(&["vm", "vm1", "--as", "qemu", "--images", images, "--accel", "tcg"]);
        let vm = lab.vm(Firmware::Bios);
        let mut running = vm.start_by(&script);
        running.wait_off();
        assert_installed(&running.console(), "10.77.0.16");
        assert_eq!((lab.counted("script"), lab.counted("done")), (1, 1));

        // The installer of the tests leaves the disk as it was. The same script starts what an installer writes.
        write_boot_sector(&lab.place.path().join("vm1.boot.test-root.img"));
        let running = vm.start_by(&script);
        wait_until("the disk", || running.console().contains(FROM_DISK));
        assert!(!running.console().contains("installer:"), "{}", running.console());
        assert_eq!((lab.counted("script"), lab.counted("local-disk")), (1, 1));
        drop(running);
        lab.assert_retired(|| vm.start_by(&script));
    });
}

#[test]
#[ignore = "minutes of a UEFI machine"]
fn a_uefi_machine_installs_itself_by_tftp_and_ipxe_and_then_starts_from_its_disk() {
    isolated(|| {
        let lab = Lab::new(&host("install"));
        let vm = lab.vm(Firmware::Uefi);
        assert_installed(&vm.run(), "10.77.0.16");
        assert!(lab.counted("complete") >= 1, "the loader came by TFTP");
        assert_eq!((lab.counted("script"), lab.counted("done")), (1, 1));
        // The disk has no EFI system partition, so that the machine goes on to its shell.
        let running = vm.start();
        wait_until("the script that goes on to the disk", || lab.counted("local-disk") == 1);
        drop(running);
        assert_eq!(lab.counted("script"), 1);
    });
}

#[test]
#[ignore = "minutes of a UEFI machine"]
fn a_uefi_machine_installs_itself_by_http_alone() {
    isolated(|| {
        let lab = Lab::new(&host("install"));
        assert_installed(&lab.vm(Firmware::UefiHttp).run(), "10.77.0.16");
        assert_eq!(lab.counted("complete"), 0, "nothing came by TFTP");
        assert_eq!((lab.counted("script"), lab.counted("done")), (1, 1));
    });
}

#[test]
fn an_edit_between_two_requests_of_a_boot_changes_nothing_in_that_boot() {
    isolated(|| {
        let lab = Lab::new(&host("install"));
        let machine = lab.lan.attach("machine", MAC);
        machine.add_address("10.77.0.16/24");
        let get = |url: &str| machine.sh(&format!("curl -sf {url}"));
        let file_of = |script: &str| {
            script.split("file=").nth(1).unwrap().trim().split('\n').next().unwrap().to_owned()
        };
        let first = get("http://10.77.0.1/hostbook/vm1.boot.test/boot.ipxe");
        let old = get(&file_of(&first));
        assert!(old.contains("this is vm1.boot.test with 10.77.0.16"), "{old}");

        // Its file, its command line and another host become different ones.
        let template = lab.place.inventory().join("templates/install.sh.j2");
        fs::write(&template, "echo the new file of {{ host.name }}\n").unwrap();
        lab.place.edit("site.toml", "console=ttyS0 quiet", "console=ttyS1");
        lab.dhcpd.wait_status("the edit", |status| {
            status["generation"].as_u64() > Some(1) && status["inventory"]["ok"] == true
        });
        wait_until("all of the edit", || {
            get("http://10.77.0.1/hostbook/vm1.boot.test/boot.ipxe").contains("ttyS1")
        });
        assert_eq!(get(&file_of(&first)), old, "the boot that has begun goes on as it began");
        let second = get("http://10.77.0.1/hostbook/vm1.boot.test/boot.ipxe");
        assert_eq!(get(&file_of(&second)), "echo the new file of vm1\n");

        // What was retired meanwhile boots no further, whatever it began with.
        lab.edit(&["retire", "vm1"]);
        let code = |url: &str| machine.sh(&format!("curl -s -o /dev/null -w '%{{http_code}}' {url}"));
        assert_eq!(code("http://10.77.0.1/hostbook/vm1.boot.test/boot.ipxe"), "403");
    });
}

#[test]
#[ignore = "one more boot"]
fn an_edit_between_two_stages_of_a_boot_changes_nothing_in_that_boot() {
    isolated(|| {
        let lab = Lab::new(&host("install"));
        let vm = lab.vm(Firmware::Bios);
        let mut running = vm.start();
        wait_until("the script", || lab.counted("script") == 1);
        // While the kernel loads, the file of the profile becomes another one.
        let template = lab.place.inventory().join("templates/install.sh.j2");
        fs::write(&template, "echo \"installer: the new file\"\n").unwrap();
        lab.dhcpd.wait_status("the edit", |status| status["generation"] == 2);
        running.wait_off();
        assert_installed(&running.console(), "10.77.0.16");
    });
}

#[test]
#[ignore = "a loader at the pace of a bad cable"]
fn a_rom_loads_its_loader_by_a_cable_that_loses_and_doubles_a_tenth_of_all_frames() {
    isolated(|| {
        // The operator's own boot file: the ROM is iPXE, and is to load something by TFTP.
        let options = "options = { bootfile-name = \"undionly.kpxe\", tftp-server-name = \"10.77.0.1\" }\n";
        let lab = Lab::new(&(host("install") + options));
        let vm = Vm::unplugged("vm1", MAC, Firmware::Bios);
        let cable = BadCable::between(&lab.lan, "vm1");
        let running = vm.start();
        wait_until("the loader to arrive", || lab.counted("complete") >= 1);
        drop(running);
        let counts = cable.cut();
        assert!(counts.lost > 5 && counts.doubled > 5, "{counts:?}");
    });
}
