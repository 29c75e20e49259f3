//! Real firmware boots from our daemons alone: address, loader, script, kernel, files, names.

use std::fs;

use integration_tests::isolated::isolated;
use integration_tests::net::Lan;
use integration_tests::place::Place;
use integration_tests::programs::{Daemon, Launch};
use integration_tests::vm::{FROM_DISK, Firmware, Vm, fill_boot_root};

const SITE: &str = r#"
[site]
nameservers = ["ns1.boot.test"]
contact = "hostmaster@boot.test"

[zone."boot.test"]

[network.lab]
zone = "boot.test"
ipv4 = "10.77.0.0/24"
dns = ["10.77.0.1"]

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
    _place: Place,
    lan: Lan,
    dhcpd: Daemon,
    _dnsd: Daemon,
}

impl Lab {
    fn new(host: &str) -> Lab {
        let place = Place::empty();
        fs::create_dir(place.inventory().join("templates")).unwrap();
        fs::write(place.inventory().join("templates/install.sh.j2"), INSTALL).unwrap();
        fs::write(place.inventory().join("site.toml"), SITE).unwrap();
        place.save("hosts.toml", host);
        let lan = Lan::new("lan0", &["10.77.0.1/24"]);
        let root = place.path().join("boot");
        fill_boot_root(&root);
        let dhcpd = Launch::dhcpd(&place);
        let dhcpd = dhcpd.args(&["--interface", "lan0", "--boot-root", root.to_str().unwrap()]).start();
        let dnsd = Launch::dnsd(&place).args(&["--listen", "10.77.0.1:53"]).start();
        Lab { _place: place, lan, dhcpd, _dnsd: dnsd }
    }

    fn vm(&self, firmware: Firmware) -> Vm {
        Vm::new(&self.lan, "vm1", MAC, firmware)
    }

    /// How often something happened in the boot service.
    fn counted(&self, event: &str) -> u64 {
        self.dhcpd.status()["counters"]["boot"][event].as_u64().unwrap_or(0)
    }
}

fn host(state: &str) -> String {
    format!(
        "[host.vm1]\nnetwork = \"lab\"\nmac = \"{MAC}\"\nip = \"10.77.0.16\"\nboot = \"test\"\nstate = \"{state}\"\n"
    )
}

/// What a machine's installer says when all went well.
fn assert_installed(console: &str) {
    for line in [
        "installer: I have 10.77.0.16",
        "installer: name server says Address: 10.77.0.16",
        "installer: fetched",
        "installer: this is vm1.boot.test with 10.77.0.16",
        "installer: told done",
        "installer: off",
    ] {
        assert!(console.contains(line), "`{line}` is missing:\n{console}");
    }
}

#[test]
fn a_bios_machine_installs_itself_once_and_then_starts_from_its_disk() {
    isolated(|| {
        let lab = Lab::new(&host("install"));
        let vm = lab.vm(Firmware::Bios);
        assert_installed(&vm.run());
        assert_eq!((lab.counted("script"), lab.counted("done")), (1, 1));
        lab.dhcpd.wait_log("installed");

        // The entry still says `install`: the next start goes on to the disk all the same.
        let console = vm.run();
        assert!(console.contains(FROM_DISK), "{console}");
        assert!(!console.contains("installer:"), "{console}");
        assert_eq!((lab.counted("script"), lab.counted("local-disk")), (1, 1));
    });
}
