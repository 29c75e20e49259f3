//! Import and export: configurations of 140 hosts, taken over and written again.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

#[path = "exchange/ansible.rs"]
mod ansible;
#[path = "exchange/files.rs"]
mod files;
#[path = "exchange/round.rs"]
mod round;
#[path = "exchange/usual.rs"]
mod usual;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use inventory_core::load::{Loaded, Loader};
use inventory_core::model::Snapshot;
use inventory_core::source::Directory;

/// Name, hardware address, addresses.
type Entry = (String, Option<String>, Vec<String>);

/// A directory with an inventory in `inventory`.
struct Desk(PathBuf);

impl Desk {
    fn new(name: &str) -> Desk {
        let root = std::env::temp_dir().join(format!("hostbook-exchange-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(&root).unwrap();
        Desk(root)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn write(&self, name: &str, text: &str) -> String {
        fs::write(self.path(name), text).unwrap();
        self.path(name).display().to_string()
    }

    fn run(&self, inventory: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hostbook"));
        command.args(arguments).arg("-i").arg(self.path(inventory)).env_remove("HOSTBOOK_INVENTORY");
        command.output().unwrap()
    }

    /// Imports into a new inventory; returns what could not be expressed.
    fn import(&self, inventory: &str, arguments: &[&str]) -> Vec<String> {
        let output = self.run(inventory, &[&["import"], arguments].concat());
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {errors}");
        // That a name server is nobody yet is no loss of the import.
        let said: Vec<String> =
            errors.lines().filter(|line| !line.contains("warning[HB072]")).map(str::to_owned).collect();
        let Some((heading, lost)) = said.split_first() else { return Vec::new() };
        assert_eq!(heading, "Not taken over, or not as it is there:", "{said:?}");
        lost.to_vec()
    }

    fn export(&self, inventory: &str, arguments: &[&str]) -> String {
        let output = self.run(inventory, &[&["export"], arguments].concat());
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn load(&self, inventory: &str) -> Snapshot {
        load(&self.path(inventory))
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

fn load(root: &Path) -> Snapshot {
    match Loader::new(Box::new(Directory::new(root))).load() {
        Loaded::Good { snapshot, .. } => snapshot,
        other => panic!("{other:?}"),
    }
}

/// Every interface of an inventory.
fn entries(snapshot: &Snapshot) -> BTreeSet<Entry> {
    let hosts = snapshot.inventory.hosts();
    let nics = hosts.flat_map(inventory_core::model::Host::named_nics);
    let entry = |(name, nic): (&inventory_core::model::HostName, &inventory_core::model::Nic)| {
        let mut addresses: Vec<String> = nic.addresses.iter().map(ToString::to_string).collect();
        addresses.sort();
        (name.fqdn.to_string(), nic.mac.map(|mac| mac.to_string()), addresses)
    };
    nics.map(entry).collect()
}

/// Prefix, gateway, resolvers and pools of every network.
fn networks(snapshot: &Snapshot) -> BTreeSet<(String, String, String, String)> {
    let joined = |texts: Vec<String>| texts.join(" ");
    let networks = snapshot.inventory.globals.networks.iter();
    networks
        .map(|network| {
            (
                network.ipv4.map(|net| net.to_string()).unwrap_or_default(),
                network.gateway.map(|gateway| gateway.to_string()).unwrap_or_default(),
                joined(network.dns.iter().map(ToString::to_string).collect()),
                joined(network.pools.iter().map(ToString::to_string).collect()),
            )
        })
        .collect()
}

/// Every alias with its host.
fn aliases(snapshot: &Snapshot) -> BTreeSet<(String, String)> {
    let hosts = snapshot.inventory.hosts();
    let pairs = hosts.flat_map(|host| {
        host.aliases.iter().map(|alias| (alias.name.fqdn.to_string(), host.name.fqdn.to_string()))
    });
    pairs.collect()
}
