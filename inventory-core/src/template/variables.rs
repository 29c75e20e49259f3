//! What a template can use: one host, its network and its site, and where the boot service is.
//!
//! Values are looked up when a template asks for them. A name that a host has no value for is undefined;
//! so are names that do not exist.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, Value};

use crate::model::{Globals, Host, Network, Nic, Shard};

/// For whom a template is rendered.
#[derive(Clone, Debug)]
pub struct Subject {
    shard: Arc<Shard>,
    host: usize,
    globals: Arc<Globals>,
    urls: Arc<Urls>,
}

/// Where the boot service is, as the host reaches it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Urls {
    /// Of the boot root, without a slash at the end.
    pub server: String,
    /// Of the host's own files, without a slash at the end.
    pub boot: String,
    /// To be fetched when the installation is done.
    pub done: String,
}

impl Urls {
    /// What templates are checked with, where no service is running.
    pub fn example() -> Urls {
        Urls {
            server: "http://192.0.2.1".to_owned(),
            boot: "http://192.0.2.1/hostbook/host.example/0".to_owned(),
            done: "http://192.0.2.1/hostbook/host.example/done/0".to_owned(),
        }
    }
}

/// A table of variables.
struct Table<T> {
    names: &'static [&'static str],
    of: T,
    get: fn(&T, &str) -> Option<Value>,
}

const TOP: &[&str] = &["boot_url", "done_url", "server_url", "boot", "host", "network", "site"];
const HOST: &[&str] = &[
    "name",
    "fqdn",
    "zone",
    "aliases",
    "state",
    "tags",
    "mac",
    "ip",
    "ip6",
    "addresses",
    "nics",
    "cpu",
    "memory_mib",
    "disks",
    "vmhost",
];
const NIC: &[&str] = &["key", "name", "fqdn", "mac", "ip", "ip6", "addresses", "network"];
const NETWORK: &[&str] = &[
    "name",
    "zone",
    "ipv4",
    "netmask",
    "prefix_length",
    "ipv6",
    "prefix_length6",
    "gateway",
    "dns",
    "dns4",
    "dns6",
];
const SITE: &[&str] = &["nameservers", "contact"];
const BOOT: &[&str] = &["name"];

impl Subject {
    /// The host at place `host` of `shard`; `None` if there is none.
    pub fn new(globals: &Arc<Globals>, shard: &Arc<Shard>, host: usize, urls: &Arc<Urls>) -> Option<Subject> {
        shard.hosts.get(host)?;
        let (shard, globals, urls) = (Arc::clone(shard), Arc::clone(globals), Arc::clone(urls));
        Some(Subject { shard, host, globals, urls })
    }

    /// The host.
    ///
    /// # Panics
    /// Never: [`Subject::new`] has looked.
    pub fn host(&self) -> &Host {
        &self.shard.hosts[self.host]
    }

    /// The variables, as the engine takes them.
    pub(super) fn value(&self) -> Value {
        table(TOP, self.clone(), top)
    }
}

fn top(subject: &Subject, name: &str) -> Option<Value> {
    let host = subject.host();
    Some(match name {
        "boot_url" => text(&subject.urls.boot),
        "done_url" => text(&subject.urls.done),
        "server_url" => text(&subject.urls.server),
        "boot" => {
            host.boot?;
            table(BOOT, subject.clone(), |subject, name| {
                let boot = subject.globals.boot(subject.host().boot?);
                (name == "name").then(|| text(&boot.name))
            })
        }
        "host" => table(HOST, subject.clone(), host_value),
        "network" => network_table(subject, 0),
        "site" => table(SITE, subject.clone(), |subject, name| {
            let site = &subject.globals.site;
            match name {
                "nameservers" => Some(site.nameservers.iter().map(|name| plain(&name.to_string())).collect()),
                "contact" => site.contact.as_ref().map(|name| plain(&name.to_string())),
                _ => None,
            }
        }),
        _ => return None,
    })
}

fn host_value(subject: &Subject, name: &str) -> Option<Value> {
    let host = subject.host();
    let primary = host.primary();
    Some(match name {
        "name" => label(&host.name.fqdn),
        "fqdn" => plain(&host.name.fqdn.to_string()),
        "zone" => plain(&subject.globals.zone(host.name.zone).name.to_string()),
        "aliases" => host.aliases.iter().map(|alias| plain(&alias.name.fqdn.to_string())).collect(),
        "state" => Value::from(host.state.word()),
        "tags" => host.tags.iter().map(|tag| Value::from(Arc::clone(tag))).collect(),
        "mac" | "ip" | "ip6" | "addresses" => return address_value(primary, name),
        "nics" => {
            let each =
                |at| table(NIC, (subject.clone(), at), |(subject, at), name| nic_value(subject, *at, name));
            (0..host.nics.len()).map(each).collect()
        }
        "cpu" => Value::from(host.hardware.as_ref()?.cpu?),
        "memory_mib" => Value::from(host.hardware.as_ref()?.memory?.0 >> 20),
        "disks" => {
            let hardware = host.hardware.as_ref();
            let disks = hardware.map_or(&[][..], |hardware| &hardware.disks).iter();
            disks.map(|disk| (text(&disk.name), Value::from(disk.size))).collect()
        }
        "vmhost" => text(host.vmhost()?),
        _ => return None,
    })
}

fn nic_value(subject: &Subject, at: usize, name: &str) -> Option<Value> {
    let host = subject.host();
    let nic = host.nics.get(at)?;
    let own = nic.name.as_ref().unwrap_or(&host.name);
    Some(match name {
        "key" => text(nic.key.as_deref()?),
        "name" => label(&own.fqdn),
        "fqdn" => plain(&own.fqdn.to_string()),
        "network" => network_table(subject, at),
        _ => return address_value(nic, name),
    })
}

fn address_value(nic: &Nic, name: &str) -> Option<Value> {
    Some(match name {
        "mac" => Value::from(nic.mac?.to_string()),
        "ip" => Value::from(nic.ipv4()?.to_string()),
        "ip6" => {
            let v6 = nic.addresses.iter().find(|address| address.is_ipv6())?;
            Value::from(v6.to_string())
        }
        "addresses" => nic.addresses.iter().map(|address| Value::from(address.to_string())).collect(),
        _ => return None,
    })
}

/// The network of the nic at this place.
fn network_table(subject: &Subject, nic: usize) -> Value {
    table(NETWORK, (subject.clone(), nic), |(subject, nic), name| {
        let nic = subject.host().nics.get(*nic)?;
        network_value(&subject.globals, subject.globals.network(nic.network), name)
    })
}

fn network_value(globals: &Globals, network: &Network, name: &str) -> Option<Value> {
    let dns = |wanted: fn(&IpAddr) -> bool| {
        let servers = network.dns.iter().filter(|server| wanted(server));
        servers.map(|server| Value::from(server.to_string())).collect()
    };
    Some(match name {
        "name" => text(&network.name),
        "zone" => plain(&globals.zone(network.zone?).name.to_string()),
        "ipv4" => Value::from(network.ipv4?.to_string()),
        "netmask" => Value::from(network.ipv4?.netmask().to_string()),
        "prefix_length" => Value::from(network.ipv4?.prefix_len()),
        "ipv6" => Value::from(network.ipv6?.to_string()),
        "prefix_length6" => Value::from(network.ipv6?.prefix_len()),
        "gateway" => Value::from(network.gateway?.to_string()),
        "dns" => dns(|_| true),
        "dns4" => dns(IpAddr::is_ipv4),
        "dns6" => dns(IpAddr::is_ipv6),
        _ => return None,
    })
}

fn text(text: &str) -> Value {
    Value::from(text)
}

/// A domain name without the dot at its end.
fn plain(name: &str) -> Value {
    Value::from(name.trim_end_matches('.'))
}

fn label(name: &crate::name::Name) -> Value {
    let name = name.to_string();
    Value::from(name.split('.').next().unwrap_or_default())
}

fn table<T: Send + Sync + 'static>(
    names: &'static [&'static str],
    of: T,
    get: fn(&T, &str) -> Option<Value>,
) -> Value {
    Value::from_object(Table { names, of, get })
}

impl<T> fmt::Debug for Table<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Table").field(&self.names).finish()
    }
}

impl<T: Send + Sync + 'static> Object for Table<T> {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        (self.get)(&self.of, key.as_str()?)
    }

    /// Only names that have a value, so that a loop over a table meets no undefined one.
    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let there = self.names.iter().filter(|name| (self.get)(&self.of, name).is_some());
        Enumerator::Values(there.map(|name| Value::from(*name)).collect())
    }
}
