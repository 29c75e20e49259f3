//! The inventories of `examples/` are sound, and what they serve to machines is what its readers take.

use std::process::Command;

use integration_tests::isolated::isolated;
use integration_tests::net::Lan;
use integration_tests::place::{Place, workspace};
use integration_tests::programs::{Launch, program};
use integration_tests::run::succeed;
use serde_json::Value;

fn hostbook(args: &[&str]) -> String {
    let mut command: Command = program("hostbook");
    command.args(args).arg("-i").arg(workspace().join("examples/boot"));
    succeed(command)
}

#[test]
fn the_example_of_boot_profiles_passes_the_check_without_a_warning() {
    let found = hostbook(&["check", "--format", "short"]);
    assert!(!found.contains("HB"), "{found}");
}

#[test]
fn each_machine_of_the_example_gets_its_script_and_its_files() {
    isolated(|| {
        let place = Place::example("boot");
        let lan = Lan::new("lan0", &["10.30.0.2/24"]);
        let root = place.path().join("root");
        std::fs::create_dir(&root).unwrap();
        let args = ["--interface", "lan0", "--boot-root", root.to_str().unwrap()];
        let _dhcpd = Launch::dhcpd(&place).args(&args).start();
        let hosts: Value = serde_json::from_str(&hostbook(&["list", "--json"])).unwrap();
        let machine = lan.attach("machine", "52:54:00:30:00:99");
        let mut profiles = Vec::new();
        for host in hosts.as_array().unwrap().iter().filter(|host| !host["boot"].is_null()) {
            let address = host["nics"][0]["ip"][0].as_str().unwrap();
            machine.sh(&format!("ip address flush dev eth0 && ip address add {address}/24 dev eth0"));
            let name = host["host"].as_str().unwrap().trim_end_matches('.');
            let base = format!("http://10.30.0.2/hostbook/{name}");
            let get = |what: &str| machine.sh(&format!("curl -sSf {base}/{what}"));
            let script = get("boot.ipxe");
            assert!(
                script.starts_with("#!ipxe\n") && script.trim_end().ends_with("boot"),
                "{name}: {script}"
            );
            let profile = host["boot"].as_str().unwrap();
            for file in files_of(profile) {
                let text = get(&format!("file/{file}"));
                let fqdn_or_done =
                    text.contains(name) || text.contains("/done/") || text.contains("hostname:");
                assert!(fqdn_or_done && !text.contains("{{"), "{name} {file}: {text}");
                if file.ends_with(".ign") {
                    let config: Value = serde_json::from_str(&text).unwrap();
                    assert_eq!(config["ignition"]["version"], "3.3.0");
                }
            }
            profiles.push(profile.to_owned());
        }
        // Proxmox's installer asks by POST.
        machine.sh("ip address flush dev eth0 && ip address add 10.30.0.15/24 dev eth0");
        let url = "http://10.30.0.2/hostbook/pve1.boot.example.org/file/answer.toml";
        let answer = machine.sh(&format!("curl -sSf -d '{{\"product\":{{}}}}' {url}"));
        let start = "[global]\nkeyboard = \"en-us\"";
        assert!(answer.starts_with(start), "{answer}");
        profiles.sort();
        assert_eq!(profiles, ["coreos", "debian12", "memtest", "proxmox8", "rescue", "talos", "ubuntu2404"]);
    });
}

/// As `boot.toml` of the example names them.
fn files_of(profile: &str) -> &'static [&'static str] {
    match profile {
        "debian12" => &["preseed.cfg"],
        "ubuntu2404" => &["user-data", "meta-data"],
        "coreos" => &["live.ign", "config.ign"],
        "talos" => &["machineconfig.yaml"],
        "proxmox8" => &["answer.toml"],
        _ => &[],
    }
}

#[test]
fn a_domain_for_libvirt_is_one_by_libvirts_own_schema() {
    let place = Place::example("lab");
    for firmware in ["bios", "uefi"] {
        if firmware == "uefi" {
            let mac = "mac    = \"52:54:00:aa:00:11\"";
            place.edit("hosts/web.toml", mac, &format!("{mac}\nfirmware = \"uefi\""));
        }
        let mut command = program("hostbook");
        command.args(["vm", "web1", "--as", "libvirt", "-i"]).arg(place.inventory());
        let domain = place.path().join("web1.xml");
        std::fs::write(&domain, succeed(command)).unwrap();
        let mut validate = Command::new("virt-xml-validate");
        validate.arg(&domain).arg("domain");
        succeed(validate);
    }
}
