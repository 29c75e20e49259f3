//! Machines that dnsmasq gives their addresses, and our boot service everything else (ProxyDHCP).

use std::process::{Child, Stdio};

use integration_tests::isolated::isolated;
use integration_tests::net::Machine;
use integration_tests::run::wait_until;
use integration_tests::vm::Firmware;

use super::{Lab, MAC, assert_installed, host};

/// A DHCP server that knows nothing of booting.
struct Foreign(Child);

impl Foreign {
    fn start(machine: &Machine) -> Foreign {
        machine.add_address("10.77.0.9/24");
        let mut command = machine.command("dnsmasq");
        command.args([
            "--keep-in-foreground",
            "--conf-file=/dev/null",
            "--port=0",
            "--user=root",
            "--no-ping",
        ]);
        command.args(["--leasefile-ro", "--log-facility=-", "--pid-file=", "--domain=boot.test"]);
        command.args([
            "--dhcp-range=10.77.0.16,10.77.0.20,1h",
            "--dhcp-option=6,10.77.0.1",
            "--dhcp-authoritative",
        ]);
        command.arg(format!("--dhcp-host={MAC},10.77.0.16,vm1"));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Foreign(child.unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Installs a machine with this firmware beside the other server, and starts it once more.
fn install_beside_another_server(firmware: Firmware) {
    let lab = Lab::new(&host("install"));
    lab.place.edit("site.toml", "bridge = \"lan0\"", "bridge = \"lan0\"\ndhcp = \"proxy\"");
    lab.dhcpd.wait_status("the edit", |status| status["generation"] == 2);
    let machine = lab.lan.attach("foreign", "02:00:00:00:00:09");
    let mut foreign = Foreign::start(&machine);
    let vm = lab.vm(firmware);
    assert_installed(&vm.run(), "10.77.0.16");
    assert!(foreign.0.try_wait().unwrap().is_none(), "dnsmasq ended");
    assert_eq!((lab.counted("script"), lab.counted("done")), (1, 1));
    let sent = &lab.dhcpd.status()["counters"]["messages"];
    assert!(sent["proxy-offer"].as_u64() > Some(0), "{sent}");
    assert_eq!((&sent["offer"], &sent["ack"]), (&serde_json::Value::Null, &serde_json::Value::Null));
    let running = vm.start();
    wait_until("the script that goes on to the disk", || lab.counted("local-disk") == 1);
    drop(running);
    assert_eq!(lab.counted("script"), 1);
}

#[test]
#[ignore = "one more boot"]
fn a_rom_with_an_address_of_another_server_boots_by_our_script() {
    isolated(|| install_beside_another_server(Firmware::Bios));
}

#[test]
#[ignore = "minutes of a UEFI machine"]
fn a_uefi_machine_with_an_address_of_another_server_loads_our_loader() {
    isolated(|| install_beside_another_server(Firmware::Uefi));
}
