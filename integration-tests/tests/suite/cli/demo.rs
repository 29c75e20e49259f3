//! `hostbook demo` tells its story to its end, for root and for an ordinary user.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use integration_tests::place::workspace;
use integration_tests::programs::{directory, program};
use integration_tests::run::{Ran, run};
use integration_tests::temp::TempDir;

fn is_told(ran: &Ran) {
    assert_eq!(ran.code(), 0, "{}{}", ran.out, ran.err);
    for part in [
        "1. Two daemons on one inventory",
        "=> address 10.20.0.11/24, router 10.20.0.1",
        "=> www.lab.example.org is 10.20.0.11",
        "=> 10.20.0.11          is web1.lab.example.org",
        "=> web1 is 10.20.0.77",
        "=> the machine asks DHCP again and gets 10.20.0.77/24",
        "error[HB040]",
        "=> web1 is 10.20.0.77, and DHCP gives 10.20.0.77/24",
        "=> shop is nothing any more",
        "installer: the installation is reported done",
        "=> its disk says: this is the disk of the machine",
        "=> it asks, and nobody answers",
        "=> dnsd serves commit ",
        "=> web1 is 10.20.0.88, and DHCP gives 10.20.0.88/24",
        "remote: error[HB040]",
        "=> nothing of it is accepted, and web1 is 10.20.0.88",
        "=> web1 is 10.20.0.88, and shop.customer.example is 10.30.0.11",
        "site.toml:7 HB045",
        "=> the customer's last good state stays, shop is 10.30.0.11; web1 is 10.20.0.89",
        "What you saw",
    ] {
        assert!(ran.out.contains(part), "no `{part}` in\n{}{}", ran.out, ran.err);
    }
}

#[test]
fn the_demo_tells_its_story() {
    let mut demo = program("hostbook");
    demo.args(["demo", "-i"]).arg(workspace().join("examples/lab"));
    is_told(&run(demo));
}

#[test]
fn the_demo_tells_its_story_to_an_ordinary_user() {
    if !nix::unistd::geteuid().is_root() {
        // Then the test above is this one.
        return the_demo_tells_its_story();
    }
    // Root's own directories are closed to others.
    let copy = TempDir::new("demo");
    fs::set_permissions(copy.path(), fs::Permissions::from_mode(0o755)).unwrap();
    for name in ["hostbook", "hostbook-dhcpd", "hostbook-dnsd"] {
        fs::copy(directory().join(name), copy.path().join(name)).unwrap();
    }
    let mut lab = Command::new("cp");
    lab.args(["-r", "--no-preserve=mode"]).arg(workspace().join("examples/lab")).arg(copy.path());
    assert_eq!(run(lab).code(), 0);
    let mut demo = Command::new("setpriv");
    demo.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--bounding-set=-all"]);
    demo.arg(copy.path().join("hostbook")).args(["demo", "-i"]).arg(copy.path().join("lab"));
    is_told(&run({
        demo.env("HOME", "/").current_dir("/");
        demo
    }));
}
