//! Real clients lease addresses and prefixes from pools: given, renewed, given back, found again.

use std::fs;

use integration_tests::isolated::isolated;
use integration_tests::run::{sh, wait_for, wait_until};
use nix::sys::signal::Signal;

use super::*;

const STRANGER: &str = "52:54:00:ff:ff:01";
/// The first of each pool.
const ADDRESS: &str = "2001:db8:20::1000";
const PREFIX: &str = "2001:db8:8000::/56";

/// The site with pools, and a router with a prefix of its own.
fn pools() -> String {
    let keys =
        "pool = [\"2001:db8:20::1000-2001:db8:20::1fff\"]\npd-pool = [\"2001:db8:8000::/40\"]\nlease =";
    let far = "ipv6 = \"2001:db8:30::/64\"\npool = [\"2001:db8:30::1000-2001:db8:30::1fff\"]\n\
               pd-pool = [\"2001:db8:9000::/40\"]";
    let inventory = INVENTORY.replace("lease =", keys).replace("ipv6 = \"2001:db8:30::/64\"", far);
    inventory.replace("ip = \"2001:db8:20::11\"", "ip = \"2001:db8:20::11\"\npd = \"2001:db8:40::/56\"")
}

impl Net {
    fn with_pools() -> Net {
        Net::of(&pools())
    }

    /// The leases that are bound: address or prefix, each.
    fn bound(&self) -> Vec<String> {
        let leases = self.dhcpd.ask("leases");
        let bound = leases.as_array().unwrap().iter().filter(|lease| lease["state"] == "bound");
        bound.map(|lease| lease["address"].as_str().unwrap().to_owned()).collect()
    }
}

/// Ends the `dhclient` that runs in the background.
fn end_dhclient() {
    let pid = wait_for("dhclient to say its process", || {
        read_or_empty("/run/tmp/dhclient.pid").trim().parse::<u32>().ok()
    });
    sh(&format!("kill {pid}"));
    wait_until("dhclient to end", || !fs::exists(format!("/proc/{pid}/exe")).unwrap_or(false));
}

#[test]
fn dhclient_leases_an_address_and_a_prefix_renews_them_and_gives_them_back() {
    isolated(|| {
        let net = Net::with_pools();
        let machine = net.lan.attach("m1", STRANGER);
        dhclient(&machine, "-N -P -1");
        assert_eq!(
            (addresses(&machine), net.bound()),
            (vec![ADDRESS.to_owned()], vec![ADDRESS.into(), PREFIX.into()])
        );
        let lease = fs::read_to_string("/run/tmp/dhclient.leases").unwrap();
        for line in [&format!("iaaddr {ADDRESS} {{"), &format!("iaprefix {PREFIX} {{"), "max-life 3600;"] {
            assert!(lease.contains(line), "no `{line}` in\n{lease}");
        }
        // It starts again at a time when it should have asked for more.
        end_dhclient();
        let past = lease.lines().map(|line| match line.trim().strip_prefix("starts ") {
            Some(at) => format!("starts {};", at.trim_end_matches(';').parse::<i64>().unwrap() - 2000),
            None => line.to_owned(),
        });
        fs::write("/run/tmp/dhclient.leases", past.collect::<Vec<_>>().join("\n") + "\n").unwrap();
        dhclient(&machine, "-N -P -1");
        wait_until("a Renew or a Rebind", || net.counted("messages", "lease-renewed") >= 2);
        assert_eq!(net.bound(), [ADDRESS, PREFIX]);
        end_dhclient();
        dhclient(&machine, "-N -P -r");
        assert_eq!((net.counted("messages", "lease-released"), net.bound().len()), (2, 0));
    });
}

#[test]
fn a_router_gets_the_prefix_that_is_reserved_for_it() {
    isolated(|| {
        let net = Net::with_pools();
        let machine = net.lan.attach("m1", WEB1);
        dhclient(&machine, "-N -P -1");
        let lease = fs::read_to_string("/run/tmp/dhclient.leases").unwrap();
        assert!(
            lease.contains("iaprefix 2001:db8:40::/56 {") && lease.contains("iaaddr 2001:db8:20::11 {"),
            "{lease}"
        );
        assert_eq!(net.bound(), [] as [&str; 0], "the inventory needs no lease");
    });
}

#[test]
fn dhcpcd_leases_an_address_and_a_prefix_renews_them_and_gives_them_back() {
    isolated(|| {
        let net = Net::with_pools();
        let machine = net.lan.attach("m1", STRANGER);
        fs::write(
            "/run/tmp/dhcpcd.conf",
            "duid\nnoipv6rs\nipv6only\ninterface eth0\nia_na 1\nia_pd 2/::/56 lo/0\n",
        )
        .unwrap();
        wait_link_local(&machine);
        let _dhcpcd = Running::start(
            &machine,
            "dhcpcd -6 -B -d -f /run/tmp/dhcpcd.conf eth0 >/run/tmp/dhcpcd.log 2>&1",
        );
        let log = || read_or_empty("/run/tmp/dhcpcd.log");
        wait_for(&format!("both leases: {}", log()), || (net.bound() == [ADDRESS, PREFIX]).then_some(()));
        wait_until("the address to be used", || addresses(&machine).contains(&ADDRESS.to_owned()));
        let renewed = net.counted("messages", "lease-renewed");
        // It does nothing that it is told while it is busy with the lease; what counts is what reaches the server.
        wait_until("a Renew", || {
            machine.sh("dhcpcd -6 -f /run/tmp/dhcpcd.conf -N eth0");
            net.counted("messages", "lease-renewed") >= renewed + 2
        });
        wait_until("a Release", || {
            machine.sh("dhcpcd -6 -f /run/tmp/dhcpcd.conf -k eth0 || true");
            net.bound().is_empty()
        });
        assert_eq!(net.counted("messages", "lease-released"), 2);
    });
}

#[test]
fn networkd_leases_an_address_and_a_prefix_in_two_messages() {
    isolated(|| {
        let net = Net::with_pools();
        let machine = net.lan.attach("m1", STRANGER);
        sh(&format!(
            "{NETWORKD}\nprintf 'UseDelegatedPrefix=yes\\nPrefixDelegationHint=::/56\\n' >>/run/systemd/network/eth0.network"
        ));
        let _networkd = networkd(&machine);
        wait_for(&format!("both leases: {}", read_or_empty("/run/tmp/networkd.log")), || {
            (net.bound() == [ADDRESS, PREFIX]).then_some(())
        });
        wait_until("the address to be used", || addresses(&machine) == [ADDRESS]);
        assert_eq!(net.counted("messages", "request"), 0, "rapid commit");
    });
}

#[test]
fn a_lease_and_a_delegated_prefix_go_through_two_nested_relay_agents_and_outlive_a_kill() {
    isolated(|| {
        let mut net = Net::with_pools();
        let (far, _relays) = behind_two_relays(&net);
        let machine = far.attach("m1", STRANGER);
        dhclient(&machine, "-N -P -1");
        let had = ["2001:db8:30::1000", "2001:db8:9000::/56"];
        assert_eq!(
            (addresses(&machine), net.bound()),
            (vec![had[0].to_owned()], had.map(String::from).to_vec())
        );
        net.dhcpd.signal(Signal::SIGKILL);
        net.dhcpd.wait();
        net.dhcpd = Launch::dhcpd(&net.place).args(&["--interface", "lan0"]).start();
        assert_eq!(net.bound(), had);
        end_dhclient();
        dhclient(&machine, "-N -P -r");
        wait_until("both to be given back", || net.bound().is_empty());
    });
}
