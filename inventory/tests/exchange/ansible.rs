//! Ansible itself reads the export; the other forms hold what they should.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use super::Desk;

/// The release that is tested, from PyPI.
const RELEASE: &str = "ansible-core==2.15.13";

/// Where it is installed: below the target directory, once.
fn ansible() -> &'static Path {
    static PLACE: OnceLock<PathBuf> = OnceLock::new();
    PLACE.get_or_init(|| {
        let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(RELEASE);
        if !place.is_dir() {
            let new = place.with_extension(std::process::id().to_string());
            let pip = ["-m", "pip", "install", "-q", "--root-user-action=ignore", RELEASE, "--target"];
            let pip = Command::new("python3").args(pip).arg(&new).output().unwrap();
            assert!(pip.status.success(), "pip: {}", String::from_utf8_lossy(&pip.stderr));
            let _ = fs::rename(&new, &place);
        }
        place
    })
}

/// What `ansible-inventory` says of the inventory.
fn ask(desk: &Desk, arguments: &[&str]) -> Value {
    let script = desk.path("inventory.sh");
    let (program, lab) = (env!("CARGO_BIN_EXE_hostbook"), lab());
    fs::write(&script, format!("#!/bin/sh\nexec {program} export ansible -i {} \"$@\"\n", lab.display()))
        .unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new("python3");
    command.args(["-m", "ansible", "inventory", "-i"]).arg(&script).args(arguments);
    command.env("PYTHONPATH", ansible()).env("HOME", &desk.0).env("LC_ALL", "C.UTF-8");
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert!(!errors.contains("WARNING"), "{errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn lab() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("examples/lab")
}

fn names(list: &Value) -> BTreeSet<&str> {
    list.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
}

#[test]
fn ansible_takes_the_export_as_its_inventory() {
    let desk = Desk::new("ansible");
    let all = ask(&desk, &["--list"]);
    let web = ["web1.lab.example.org", "web2.lab.example.org"].into();
    assert_eq!(names(&all["web"]["hosts"]), web);
    assert_eq!(names(&all["vmhost_hv1"]["hosts"]), web);
    assert_eq!(names(&all["state_install"]["hosts"]), ["web2.lab.example.org"].into());
    assert_eq!(names(&all["network_oob"]["hosts"]), ["hv1.lab.example.org"].into());
    assert_eq!(all["_meta"]["hostvars"].as_object().unwrap().len(), 6);
    let web1 = ask(&desk, &["--host", "web1.lab.example.org"]);
    assert_eq!((&web1["ansible_host"], &web1["hostbook"]["cpu"]), (&"10.20.0.11".into(), &4.into()));
}

#[test]
fn the_other_forms_hold_what_they_should() {
    let desk = Desk::new("forms");
    let export = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hostbook"));
        let output = command.arg("export").args(arguments).arg("-i").arg(lab()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let prometheus: Value = serde_json::from_str(&export(&["prometheus", "--tag", "web"])).unwrap();
    assert_eq!(prometheus[0]["targets"][0], "web1.lab.example.org:9100");
    assert_eq!(prometheus[0]["labels"]["__meta_hostbook_tags"], ",prod,web,");
    let csv = export(&["csv"]);
    assert_eq!(csv.lines().count(), 8, "a heading, six hosts, one of them with two interfaces: {csv}");
    assert!(csv.contains("\nhv1.lab.example.org,active,ipmi,hv1-ipmi.lab.example.org,oob,0c:c4:7a:00:00:02,10.99.0.5,,,,64 GiB,,\n"), "{csv}");
    let json: Value = serde_json::from_str(&export(&["json"])).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 6);
    let ssh = desk.write("ssh_config", &export(&["ssh-config"]));
    let config = Command::new("ssh").args(["-G", "-F", &ssh, "www.lab.example.org"]).output().unwrap();
    let config = String::from_utf8_lossy(&config.stdout).into_owned();
    assert!(
        config.contains("hostname 10.20.0.11\n") && config.contains("hostkeyalias web1.lab.example.org\n"),
        "{config}"
    );
    let scan = desk.write(
        "scan",
        "# 10.20.0.11:22 SSH-2.0\n10.20.0.11 ssh-ed25519 AAAAC3Nz\nunknown.example ssh-ed25519 AAAA\n",
    );
    let known = export(&["known-hosts", "--keys", &scan]);
    assert_eq!(
        known,
        "web1.lab.example.org,web1,www.lab.example.org,shop.lab.example.org,10.20.0.11,2001:db8:20::11 ssh-ed25519 AAAAC3Nz\n"
    );
}

#[test]
fn keys_and_logins_of_the_inventory_are_exported_without_a_scan() {
    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHb2o7nBbFGzJqjAyxAfBcuzkMtAzMyVFWw2SiGsX2aB";
    let desk = Desk::new("keys");
    fs::create_dir(desk.path("site")).unwrap();
    let lan = "[site]\nnameservers = [\"ns1.example.net\"]\n[zone.\"lab.test\"]\n[network.lan]\nzone = \"lab.test\"\n\
               ipv4 = \"10.20.0.0/24\"\n";
    let hosts = format!(
        "[host.web1]\nnetwork = \"lan\"\nip = \"10.20.0.11\"\nssh-user = \"op\"\nssh-host-key = \"{KEY} root@web1\"\n\
         [host.db1]\nnetwork = \"lan\"\nip = \"10.20.0.12\"\n"
    );
    desk.write("site/lab.toml", &format!("{lan}{hosts}"));
    let known = format!("web1.lab.test,web1,10.20.0.11 {KEY}\n");
    assert_eq!(desk.export("site", &["known-hosts"]), known);
    let scan = desk.write("scan", "10.20.0.11 ssh-ed25519 AAAAother\n10.20.0.12 ssh-ed25519 AAAAscanned\n");
    let both = format!("{known}db1.lab.test,db1,10.20.0.12 ssh-ed25519 AAAAscanned\n");
    assert_eq!(desk.export("site", &["known-hosts", "--keys", &scan]), both, "what is written wins");
    let config = desk.write("ssh_config", &desk.export("site", &["ssh-config"]));
    for (host, user) in [("web1", "user op\n"), ("db1", "user ")] {
        let shown = Command::new("ssh").args(["-G", "-F", &config, host]).output().unwrap();
        assert!(String::from_utf8_lossy(&shown.stdout).contains(user), "{host}");
    }
}
