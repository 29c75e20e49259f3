//! Real firmware boots over a network that has IPv6 alone: router advertisement, address, loader, script,
//! kernel and files are our daemon's.

use std::fs;

use integration_tests::isolated::isolated;
use integration_tests::net::Lan;
use integration_tests::place::Place;
use integration_tests::programs::{Daemon, Launch};
use integration_tests::run::{sh, wait_until};
use integration_tests::vm::{Firmware, Vm, fill_boot_root};

const INVENTORY: &str = r#"
[site]
nameservers = ["ns1.boot.test"]
contact = "hostmaster@boot.test"
[zone."boot.test"]
[network.lab]
zone = "boot.test"
ipv6 = "2001:db8:77::/64"
dns = ["2001:db8:77::1"]
ra = true
[host.ns1]
network = "lab"
ip = "2001:db8:77::1"
[boot.test]
kernel = "linux"
initrd = "initrd.gz"
cmdline = "console=ttyS0 quiet panic=-1 file={{ boot_url }}/file/install.sh"
files = { "install.sh" = "templates/install.sh.j2" }
[host.vm1]
network = "lab"
mac = "52:54:00:77:00:10"
ip = "auto6"
boot = "test"
state = "install"
"#;

const INSTALL: &str = "\
echo \"installer: this is {{ host.fqdn }}\"
echo \"installer: told $(wget -q -O - {{ done_url }})\"
";

/// What a machine says that `firmware` has booted, and how often it has loaded a file by TFTP.
fn installs(firmware: Firmware) -> u64 {
    let place = Place::empty();
    fs::create_dir(place.inventory().join("templates")).unwrap();
    fs::write(place.inventory().join("templates/install.sh.j2"), INSTALL).unwrap();
    place.save("site.toml", INVENTORY);
    let lan = Lan::new("lan0", &["2001:db8:77::1/64"]);
    wait_until("the bridge's link-local address", || {
        sh("ip -6 address show dev lan0 scope link -tentative").contains("fe80:")
    });
    let root = place.path().join("boot");
    fill_boot_root(&root);
    let dhcpd: Daemon =
        Launch::dhcpd(&place).args(&["--interface", "lan0", "--boot-root", root.to_str().unwrap()]).start();
    let console = Vm::new(&lan, "vm1", "52:54:00:77:00:10", firmware).run();
    for line in [
        "installer: I have 2001:db8:77:0:5054:ff:fe77:10",
        "installer: fetched",
        "installer: this is vm1.boot.test",
        "installer: told done",
        "installer: off",
    ] {
        assert!(console.contains(line), "`{line}` is missing:\n{console}\n{}", dhcpd.log());
    }
    let status = dhcpd.status();
    let counted = |event: &str| status["counters"]["boot"][event].as_u64().unwrap_or(0);
    assert_eq!((counted("script"), counted("done")), (1, 1));
    counted("complete")
}

#[test]
#[ignore = "minutes of a UEFI machine"]
fn a_uefi_machine_installs_itself_by_tftp_over_ipv6_and_by_ipxe() {
    isolated(|| assert!(installs(Firmware::Uefi6) >= 1, "the loader came by TFTP"));
}

#[test]
#[ignore = "minutes of a UEFI machine"]
fn a_uefi_machine_installs_itself_by_http_over_ipv6_alone() {
    isolated(|| assert_eq!(installs(Firmware::UefiHttp), 0, "nothing came by TFTP"));
}
