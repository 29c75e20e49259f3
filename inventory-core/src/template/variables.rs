//! What a template can use: one host, its network and its site, and where the boot service is.
//!
//! Values are looked up when a template asks for them. A name that a host has no value for is undefined;
//! so are names that do not exist.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, Value};

use crate::model::{BootId, Globals, Host, Network, NetworkId, Nic};

/// For whom a template is rendered.
#[derive(Clone, Debug)]
pub struct Subject {
    who: Who,
    globals: Arc<Globals>,
    urls: Arc<Urls>,
}

#[derive(Clone, Debug)]
enum Who {
    Host(Arc<Host>),
    Nobody(NetworkId, BootId),
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
    /// A host of the inventory.
    pub fn new(globals: &Arc<Globals>, host: Arc<Host>, urls: &Arc<Urls>) -> Subject {
        Subject { who: Who::Host(host), globals: Arc::clone(globals), urls: Arc::clone(urls) }
    }

    /// A machine in `network` that nobody has written down, which boots `boot`. It has no `host`.
    pub fn nobody(globals: &Arc<Globals>, network: NetworkId, boot: BootId, urls: &Arc<Urls>) -> Subject {
        Subject { who: Who::Nobody(network, boot), globals: Arc::clone(globals), urls: Arc::clone(urls) }
    }

    fn host(&self) -> Option<&Host> {
        match &self.who {
            Who::Host(host) => Some(host),
            Who::Nobody(..) => None,
        }
    }

    fn boot(&self) -> Option<BootId> {
        match &self.who {
            Who::Host(..) => self.host()?.boot,
            Who::Nobody(_, boot) => Some(*boot),
        }
    }

    /// The network of the nic at this place.
    fn network(&self, nic: usize) -> Option<&Network> {
        match &self.who {
            Who::Host(..) => Some(self.globals.network(self.host()?.nics.get(nic)?.network)),
            Who::Nobody(network, _) => Some(self.globals.network(*network)),
        }
    }

    /// The variables, as the engine takes them.
    pub(super) fn value(&self) -> Value {
        table(TOP, self.clone(), top)
    }
}

fn top(subject: &Subject, name: &str) -> Option<Value> {
    Some(match name {
        "boot_url" => text(&subject.urls.boot),
        "done_url" => text(&subject.urls.done),
        "server_url" => text(&subject.urls.server),
        "boot" => {
            subject.boot()?;
            table(BOOT, subject.clone(), |subject, name| {
                let boot = subject.globals.boot(subject.boot()?);
                (name == "name").then(|| text(&boot.name))
            })
        }
        "host" => {
            subject.host()?;
            table(HOST, subject.clone(), host_value)
        }
        "network" => network_table(subject, 0),
        "site" => table(SITE, subject.clone(), |subject, name| {
            let site = &subject.globals.site;
            match name {
                "nameservers" => {
                    Some(site.nameservers.iter().map(|name| Value::from(name.to_string())).collect())
                }
                "contact" => site.contact.as_ref().map(|name| Value::from(name.to_string())),
                _ => None,
            }
        }),
        _ => return None,
    })
}

fn host_value(subject: &Subject, name: &str) -> Option<Value> {
    let host = subject.host()?;
    let primary = host.primary();
    Some(match name {
        "name" => label(&host.name.fqdn),
        "fqdn" => Value::from(host.name.fqdn.to_string()),
        "zone" => Value::from(subject.globals.zone(host.name.zone).name.to_string()),
        "aliases" => host.aliases.iter().map(|alias| Value::from(alias.name.fqdn.to_string())).collect(),
        "state" => Value::from(host.state.word()),
        "tags" => host.tags.iter().map(|tag| Value::from(Arc::clone(tag))).collect(),
        "mac" | "ip" | "ip6" | "addresses" => return address_value(primary, name),
        "nics" => {
            let each =
                |at| table(NIC, (subject.clone(), at), |(subject, at), name| nic_value(subject, *at, name));
            (0..host.nics.len()).map(each).collect()
        }
        "cpu" => Value::from(host.hardware.cpu?),
        "memory_mib" => Value::from(host.hardware.memory? >> 20),
        "disks" => {
            let disks = host.hardware.disks.iter();
            Value::from(disks.map(|disk| (&*disk.name, disk.size)).collect::<BTreeMap<_, _>>())
        }
        "vmhost" => text(host.vmhost()?),
        _ => return None,
    })
}

fn nic_value(subject: &Subject, at: usize, name: &str) -> Option<Value> {
    let host = subject.host()?;
    let nic = host.nics.get(at)?;
    let own = nic.rest.name.as_ref().unwrap_or(&host.name);
    Some(match name {
        "key" => text(nic.rest.key.as_deref()?),
        "name" => label(&own.fqdn),
        "fqdn" => Value::from(own.fqdn.to_string()),
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
        network_value(&subject.globals, subject.network(*nic)?, name)
    })
}

fn network_value(globals: &Globals, network: &Network, name: &str) -> Option<Value> {
    let dns = |wanted: fn(&IpAddr) -> bool| {
        let servers = network.dns.iter().filter(|server| wanted(server));
        servers.map(|server| Value::from(server.to_string())).collect()
    };
    Some(match name {
        "name" => text(&network.name),
        "zone" => Value::from(globals.zone(network.zone?).name.to_string()),
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
