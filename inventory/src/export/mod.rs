//! `hostbook export`: the inventory in the forms of other systems.
//!
//! What DNS and DHCP say comes from the daemons' views, so that an export and an answer are the same.
//! Hosts that are not served (planned, retired) are in none of them but `csv` and `json`.

mod ansible;
mod csv;
mod dnsmasq;
mod kea;
mod lines;
mod prometheus;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use inventory_core::model::{Host, Inventory, Match, Network};
use serde_json::Value;

use crate::args::InventoryArg;
use crate::exit::{Failure, Outcome};
use crate::{inventory, list, output};

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The form.
    #[arg(value_name = "FORMAT")]
    format: Format,
    /// Ansible: all hosts and groups, as it asks a dynamic inventory (the default).
    #[arg(long, conflicts_with = "host")]
    list: bool,
    /// Ansible: the variables of one host.
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// The zone to write, where there are several.
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// Only hosts with this tag; repeated: with all of them.
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Prometheus: the port that is scraped.
    #[arg(long, value_name = "PORT", default_value_t = 9100)]
    port: u16,
    /// known_hosts: what `ssh-keyscan` printed, for hosts without `ssh-host-key`.
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    #[command(flatten)]
    inventory: InventoryArg,
}

/// Forms that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A dynamic inventory of Ansible: groups by tag, network, zone and state.
    Ansible,
    /// A master file of one zone.
    Zone,
    /// /etc/hosts.
    Hosts,
    /// ssh_config: each host by its short name.
    SshConfig,
    /// known_hosts, from `ssh-host-key` and the keys that `--keys` names.
    KnownHosts,
    /// Prometheus' file_sd.
    Prometheus,
    /// Kea's DHCPv4 configuration.
    Kea,
    /// dnsmasq's configuration.
    Dnsmasq,
    /// A line for each interface.
    Csv,
    /// Everything of every host.
    Json,
}

pub(crate) fn run(args: &Export) -> Outcome {
    let snapshot = inventory::require(&args.inventory.inventory)?;
    let inventory = &snapshot.inventory;
    let text = match args.format {
        Format::Ansible => match &args.host {
            Some(host) => ansible::host(inventory, host)?,
            None => ansible::list(inventory, &args.tag),
        },
        Format::Zone => lines::zone(&snapshot, args.zone.as_deref())?,
        Format::Hosts => lines::hosts(inventory, &args.tag),
        Format::SshConfig => lines::ssh_config(inventory, &args.tag),
        Format::KnownHosts => {
            let read = |path: &PathBuf| {
                std::fs::read_to_string(path)
                    .map_err(|error| Failure::new(format!("cannot read `{}`: {error}", path.display())))
            };
            let scan = args.keys.as_ref().map(read).transpose()?.unwrap_or_default();
            lines::known_hosts(inventory, &args.tag, &scan)
        }
        Format::Prometheus => prometheus::text(inventory, &args.tag, args.port),
        Format::Kea => kea::text(&snapshot),
        Format::Dnsmasq => dnsmasq::text(&snapshot),
        Format::Csv => csv::text(inventory, &args.tag),
        Format::Json => {
            let hosts = picked(inventory, &args.tag).map(|host| list::host_json(host, &inventory.globals));
            pretty(&Value::from_iter(hosts))
        }
    };
    output::line(text.trim_end_matches('\n'));
    for line in left_out(args.format, inventory) {
        eprintln!("hostbook: not written: {line}");
    }
    Ok(ExitCode::SUCCESS)
}

/// What the inventory says of networks that the form, or what is written of it, has no place for.
fn left_out(format: Format, inventory: &Inventory) -> Vec<String> {
    let (matches, links) = match format {
        Format::Kea => (true, false),
        Format::Dnsmasq => (true, true),
        _ => (false, false),
    };
    let networks = inventory.globals.networks.iter().filter(|network| network.ipv4.is_some() && network.dhcp);
    let of_network = |network: &Network| {
        let name = &network.name;
        let of_match = |one: &Match| {
            let pools = if one.pools.is_empty() { "" } else { ", with its pools" };
            format!("`network.{name}.match.{}`{pools}: write it as a class of clients", one.name)
        };
        let own = network.matches.iter().filter(|_| matches).map(of_match);
        let link = network.link.as_ref().filter(|_| links);
        let link = link.map(|link| format!("`network.{name}.link = \"{}\"`", link.name));
        own.chain(link).collect::<Vec<_>>()
    };
    networks.flat_map(of_network).collect()
}

/// Hosts with all of `tags`, by name.
fn picked<'a>(inventory: &'a Inventory, tags: &[String]) -> impl Iterator<Item = &'a Host> + use<'a> {
    let has = |host: &&Host| tags.iter().all(|tag| host.tags.iter().any(|own| **own == **tag));
    let mut hosts: Vec<&Host> = inventory.hosts().filter(has).collect();
    hosts.sort_by_cached_key(|host| host.name.fqdn.to_string());
    hosts.into_iter()
}

/// The same, but only those that are served.
fn served<'a>(inventory: &'a Inventory, tags: &[String]) -> impl Iterator<Item = &'a Host> + use<'a> {
    picked(inventory, tags).filter(|host| host.state.is_served())
}

/// First label of a host's name.
fn label(host: &Host) -> String {
    host.name
        .fqdn
        .labels()
        .next()
        .map(|label| String::from_utf8_lossy(label).into_owned())
        .unwrap_or_default()
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().join(":")
}
