//! The client: a real DHCP client and the machine's own resolver.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::lab::{Lab, sh};
use crate::exit::Failure;

/// What the DHCP client was given.
pub(super) struct Lease {
    pub(super) address: String,
    pub(super) router: String,
    pub(super) resolvers: String,
    pub(super) domain: String,
    pub(super) host_name: String,
    pub(super) seconds: String,
}

/// Configures the interface as a distribution's script would, and notes what was given.
const SCRIPT: &str = r#"#!/bin/sh
[ "$1" = bound ] || [ "$1" = renew ] || exit 0
ip address flush dev "$interface"
ip address add "$ip/$mask" dev "$interface"
[ -n "$router" ] && ip route replace default via "$router" dev "$interface"
: > /run/hostbook-demo/resolv.conf
[ -n "$search$domain" ] && echo "search ${search:-$domain}" >> /run/hostbook-demo/resolv.conf
for server in $dns; do echo "nameserver $server" >> /run/hostbook-demo/resolv.conf; done
printf '%s\n' "$ip/$mask" "$router" "$dns" "$domain" "$hostname" "$lease" > /run/hostbook-demo/lease
"#;

impl Lab {
    /// Lets `udhcpc` get a lease.
    pub(super) fn dhcp(&self) -> Result<Lease, Failure> {
        let script = self.directory.join("udhcpc.sh");
        fs::write(&script, SCRIPT)?;
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
        let lease = self.directory.join("lease");
        let _ = fs::remove_file(&lease);
        let command = format!(
            "udhcpc -i eth0 -f -q -n -t 20 -T 2 -O search -O domain -O hostname -s {} 2>&1",
            script.display()
        );
        self.in_client(&command)?;
        let text = fs::read_to_string(&lease)?;
        let mut lines = text.lines().map(str::to_owned);
        let mut next = || lines.next().unwrap_or_default();
        Ok(Lease {
            address: next(),
            router: next(),
            resolvers: next(),
            domain: next(),
            host_name: next(),
            seconds: next(),
        })
    }

    /// Makes the resolver of this namespace ask the servers that DHCP named.
    pub(super) fn use_given_resolvers(&self) -> Result<(), Failure> {
        sh(&format!(
            "mount --bind {}/resolv.conf $(readlink -f /etc/resolv.conf)",
            self.directory.display()
        ))?;
        Ok(())
    }

    /// The address of `what` by the machine's resolver, on the client's side; empty if it has none.
    pub(super) fn resolve(&self, what: &str) -> String {
        // Only DNS: /etc/hosts of this machine has no say.
        self.word(0, &format!("getent -s hosts:dns ahostsv4 {what} || true"))
    }

    /// The name of an address; empty if it has none.
    pub(super) fn resolve_back(&self, address: &str) -> String {
        self.word(1, &format!("getent -s hosts:dns hosts {address} || true"))
    }

    /// A word of the first line that a command prints.
    fn word(&self, number: usize, command: &str) -> String {
        let text = self.in_client(command).unwrap_or_default();
        let first = text.lines().next().unwrap_or_default();
        first.split_whitespace().nth(number).unwrap_or_default().to_owned()
    }
}
