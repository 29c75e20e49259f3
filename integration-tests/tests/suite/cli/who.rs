//! Who had an address: leases of a real dhcpd, and the inventory's history in git.

use std::fs;
use std::process::Command;

use integration_tests::dhcp;
use integration_tests::isolated::isolated;
use integration_tests::net::Lan;
use integration_tests::place::Place;
use integration_tests::programs::Launch;
use integration_tests::run::{run, wait_for};
use nix::sys::signal::Signal;
use serde_json::Value;

use super::{hostbook, json, printed};

/// Commits the inventory of `place` at `time`.
fn commit(place: &Place, time: &str) {
    for args in [&["init", "-q"][..], &["add", "-A"], &["commit", "-qm", "edit"]] {
        let mut git = Command::new("git");
        git.current_dir(place.inventory()).args([
            "-c",
            "user.name=anna",
            "-c",
            "user.email=anna@example.org",
        ]);
        git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_COMMITTER_DATE", time).args(args);
        assert_eq!(run(git).code(), 0);
    }
}

#[test]
fn leases_and_commits_say_together_who_had_an_address() {
    isolated(|| {
        let lan = Lan::new("lan0", &["10.20.0.2/24"]);
        let relay = lan.attach("relay", "52:54:00:ff:00:01");
        relay.add_address("10.20.0.3/24");
        let place = Place::lab();
        place.edit("networks.toml", "lease   = \"12h\"", "lease   = \"12h\"\nprobe   = false");
        commit(&place, "2026-01-10T12:00:00Z");
        place.edit("hosts/web.toml", "\"10.20.0.11\"", "\"10.20.0.77\"");
        commit(&place, "2026-02-10T12:00:00Z");
        let state = place.path().join("state").display().to_string();
        let who = |address: &str, at: &[&str]| {
            json(&place, &[&["who", address, "--json", "--state", &state], at].concat())
        };

        // An address of an entry, before and after it moved.
        let then = who("10.20.0.11", &["--at", "2026-01-31T23:00:00Z"]);
        assert_eq!(then["reserved"][0]["host"], "web1.lab.example.org", "{then}");
        assert_eq!(then["reserved"][0]["at"], "hosts/web.toml:6");
        assert_eq!(who("10.20.0.11", &["--at", "2026-02-11T00:00Z"])["reserved"], Value::Array(vec![]));
        let moved = who("10.20.0.77", &["--at", "2026-02-11T00:00Z"]);
        assert_eq!(moved["reserved"][0]["host"], "web1.lab.example.org");
        assert_ne!(moved["inventory"]["commit"], then["inventory"]["commit"]);
        let early = hostbook(&place, &["who", "10.20.0.11", "--state", &state, "--at", "2025-01-01T00:00Z"]);
        assert!(early.code() == 1 && early.err.contains("begins after 2025-01-01"), "{early:?}");

        // Without a history of the inventory that is said, whatever is wrong with that of leases.
        let plain = Place::lab();
        fs::create_dir_all(plain.state("dhcpd")).unwrap();
        fs::write(plain.state("dhcpd").join("history"), "no directory").unwrap();
        let state_of = plain.path().join("state").display().to_string();
        let text =
            hostbook(&plain, &["who", "10.20.0.11", "--state", &state_of, "--at", "2026-02-11T00:00Z"]);
        assert!(text.code() == 1 && text.err.contains("who leased it is not known"), "{text:?}");
        assert!(text.out.contains("\n  note       what the inventory said then is not known: "), "{text:?}");

        // A lease, now and after the daemon was killed, and what was before it.
        let mut daemon = Launch::dhcpd(&place).args(&["--interface", "lan0"]).start();
        let mac = [2, 0, 0, 0, 0, 1];
        let address = relay.on(|| {
            let mut client = dhcp::Client::new([10, 20, 0, 3].into(), [10, 20, 0, 2].into());
            let offer = client.discover(mac);
            client.request(mac, offer.address).address.to_string()
        });
        let lease = wait_for("the lease in the history", || {
            let lease = who(&address, &[])["lease"].clone();
            (!lease.is_null()).then_some(lease)
        });
        assert_eq!(lease["mac"], "02:00:00:00:00:01");
        // dhcpd holds an address somewhat longer than it told the client.
        assert!(lease["until"].as_i64() >= lease["since"].as_i64().map(|since| since + 43_200), "{lease}");
        daemon.signal(Signal::SIGKILL);
        daemon.wait();
        assert_eq!(who(&address, &[])["lease"], lease);
        let before = who(&address, &["--at", "2026-03-01T00:00Z"]);
        assert_eq!((&before["lease"], &before["in_pool"]), (&Value::Null, &true.into()));
        let text = printed(&place, &["who", &address, "--state", &state]);
        assert!(
            text.contains("leased     02:00:00:00:00:01, ") && text.contains("servers, of its pool"),
            "{text}"
        );
        let text = printed(&place, &["who", &address, "--state", &state, "--at", "2026-03-01T00:00Z"]);
        assert!(text.contains("the history of leases begins at "), "{text}");

        // A card that is written down is called by its name.
        let host = "[host.laptop]\nnetwork = \"servers\"\nmac = \"02:00:00:00:00:01\"\n";
        place.save("hosts/laptop.toml", host);
        assert_eq!(who(&address, &[])["leased_to"]["host"], "laptop.lab.example.org");
    });
}
