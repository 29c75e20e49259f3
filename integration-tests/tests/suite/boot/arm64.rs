//! A machine of 64-bit Arm: its own firmware, GRUB, Debian's kernel.

use std::fs;

use integration_tests::isolated::isolated;
use integration_tests::vm::{Firmware, fill_boot_root_arm64};

use super::{Lab, host};

const PROFILE: &str = r#"
[boot.arm64]
kernel = "linux-arm64"
initrd = "initrd-arm64.gz"
files = { "grub.cfg" = "templates/grub.cfg.j2", "install.sh" = "templates/install.sh.j2" }
"#;

const GRUB: &str = "\
linux (http,10.77.0.1)/linux-arm64 console=ttyAMA0 quiet panic=-1 file={{ boot_url }}/file/install.sh
initrd (http,10.77.0.1)/initrd-arm64.gz
boot
";

#[test]
#[ignore = "minutes of an Arm machine"]
fn an_arm64_machine_installs_itself_by_its_own_firmware_once() {
    isolated(|| {
        let lab = Lab::new("");
        let next = "configfile (http,10.77.0.1)/hostbook/vm1.boot.test/file/grub.cfg\n";
        fill_boot_root_arm64(&lab.place.path().join("boot"), next, "ns1.boot.test");
        fs::write(lab.place.inventory().join("templates/grub.cfg.j2"), GRUB).unwrap();
        lab.place.save("profile.toml", PROFILE);
        lab.place.save("hosts.toml", &host("install").replace("boot = \"test\"", "boot = \"arm64\""));
        lab.dhcpd.wait_status("the host", |status| status["keys"] == 1);
        let console = lab.vm(Firmware::UefiArm64).run();
        for line in [
            "installer: I have 10.77.0.16",
            "installer: fetched from ns1.boot.test",
            "installer: this is vm1.boot.test with 10.77.0.16",
            "installer: told done",
            "installer: off",
        ] {
            assert!(console.contains(line), "`{line}` is missing:\n{console}");
        }
        assert_eq!(lab.counted("done"), 1);
        assert!(lab.counted("complete") >= 1, "the loader came by TFTP");
    });
}
