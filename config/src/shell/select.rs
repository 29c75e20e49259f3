//! Which hosts a run is for.

use std::fmt;
use std::net::{IpAddr, ToSocketAddrs};
use std::path::Path;
use std::process::Command;

use inventory_core::diag::{self, did_you_mean};
use inventory_core::load::{Loaded, Loader};
use inventory_core::model::{self, Found, Host, HostIndex, Inventory, SshHostKey};
use inventory_core::source;

use super::args::{Select, State};
use super::env::Target;
use super::inventory::{self, Files};

/// A host to work on.
#[derive(Clone, Debug, Default)]
pub struct Selected {
    /// What scripts are told about it.
    pub target: Target,
    /// Where it is, if the inventory says so.
    pub address: Option<IpAddr>,
    /// Public keys of its ssh server, if they are known.
    pub host_keys: Vec<SshHostKey>,
    /// RDATA of SSHFP records of its ssh server, if the inventory says so.
    pub fingerprints: Vec<Box<[u8]>>,
    /// Who says which keys it has.
    pub key_source: KeySource,
    /// Who logs in, if the inventory says so.
    pub user: Option<String>,
    /// Its entry in the inventory as files.
    pub files: Files,
}

/// Who says which keys the ssh server of a host has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum KeySource {
    /// ssh alone, of a host that is in no inventory.
    #[default]
    Ssh,
    /// The inventory.
    Inventory,
    /// The installer, which has told dhcpd.
    Installer,
    /// Nobody; and why dhcpd could not be asked.
    Nobody(Option<String>),
}

/// Why no hosts are selected.
#[derive(Debug, PartialEq, Eq)]
pub enum SelectError {
    /// The inventory has errors; they have been printed.
    Inventory,
    /// What was asked for is not there.
    Unknown(String),
    /// Nothing was asked for, or it makes no sense.
    Usage(String),
}

impl fmt::Display for SelectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SelectError::Inventory => {
                f.write_str("the inventory has errors; `hostbook check` shows them with their lines")
            }
            SelectError::Unknown(what) | SelectError::Usage(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for SelectError {}

/// The hosts that are named or selected.
///
/// `inventory`: where it is, if one is meant. Without one, names are taken as they are, as cdist does.
///
/// # Errors
/// See [`SelectError`].
pub fn select(
    inventory: Option<&Path>,
    names: &[String],
    select: &Select,
) -> Result<Vec<Selected>, SelectError> {
    let by_filter = select.all
        || !(select.tag.is_empty()
            && select.network.is_empty()
            && select.state.is_empty()
            && select.vmhost.is_empty());
    if names.is_empty() && !by_filter {
        return Err(SelectError::Usage(
            "no hosts: name some, or give --tag, --network, --state, --vmhost or --all".to_owned(),
        ));
    }
    let here = Path::new(".");
    let root = inventory.or_else(|| is_inventory(here).then_some(here));
    let Some(root) = root else {
        if by_filter {
            return Err(SelectError::Usage(
                "--tag, --network, --state, --vmhost and --all need an inventory (-i)".to_owned(),
            ));
        }
        return Ok(names
            .iter()
            .map(|name| Selected { target: looked_up(name), ..Selected::default() })
            .collect());
    };
    let snapshot = load(root)?;
    let index = HostIndex::of(&snapshot);
    let mut hosts: Vec<&Host> = Vec::new();
    for name in names {
        hosts.push(find(&snapshot, &index, name)?);
    }
    if by_filter {
        let chosen = filter(&snapshot, &index, select)?;
        hosts.extend(chosen);
    }
    let mut seen = std::collections::HashSet::new();
    hosts.retain(|host| seen.insert(host.name.fqdn.to_string()));
    Ok(hosts.into_iter().map(|host| of_inventory(&snapshot, &index, host)).collect())
}

/// Whether a directory has inventory files on its top.
fn is_inventory(directory: &Path) -> bool {
    let Ok(listing) = std::fs::read_dir(directory) else { return false };
    listing.flatten().any(|entry| {
        let path = entry.path();
        path.extension().is_some_and(|extension| extension == "toml")
            && path.file_name().is_some_and(|name| name != "Cargo.toml")
    })
}

fn load(root: &Path) -> Result<std::sync::Arc<Inventory>, SelectError> {
    match Loader::new(source::open(root)).load() {
        Loaded::Good { snapshot, .. } => Ok(snapshot.inventory),
        Loaded::Broken { diagnostics } => {
            for diagnostic in diagnostics.iter().filter(|diagnostic| diagnostic.is_error()) {
                eprintln!("{}", diag::short(diagnostic));
            }
            Err(SelectError::Inventory)
        }
        Loaded::Unchanged => Err(SelectError::Inventory),
    }
}

fn find<'a>(inventory: &'a Inventory, index: &HostIndex<'a>, name: &str) -> Result<&'a Host, SelectError> {
    match index.find(name, None) {
        Found::One(host) => Ok(host),
        Found::Several(hosts) => {
            let all: Vec<String> = hosts.iter().map(|host| format!("`{}`", host.name.fqdn)).collect();
            Err(SelectError::Unknown(format!("several hosts are called `{name}`: {}", all.join(", "))))
        }
        Found::None => {
            let names: Vec<String> = inventory
                .hosts()
                .flat_map(|host| [inventory::short_name(host), host.name.fqdn.to_string()])
                .collect();
            let near = did_you_mean(name, names.iter().map(String::as_str));
            let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            Err(SelectError::Unknown(format!("the inventory has no host `{name}`{hint}")))
        }
    }
}

fn filter<'a>(
    inventory: &'a Inventory,
    index: &HostIndex<'a>,
    select: &Select,
) -> Result<Vec<&'a Host>, SelectError> {
    let globals = &inventory.globals;
    for name in &select.network {
        if globals.network_named(name).is_none() {
            let near = did_you_mean(name, globals.networks.iter().map(|network| &*network.name));
            let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            return Err(SelectError::Unknown(format!("network `{name}` is not defined{hint}")));
        }
    }
    let machines: Vec<&Host> =
        select.vmhost.iter().map(|name| find(inventory, index, name)).collect::<Result<_, _>>()?;
    let states: Vec<model::State> = if select.state.is_empty() {
        vec![model::State::Active]
    } else {
        select.state.iter().copied().map(state).collect()
    };
    let chosen = inventory.hosts().filter(|host| {
        states.contains(&host.state)
            && select.tag.iter().all(|tag| host.tags.iter().any(|have| **have == **tag))
            && (select.network.is_empty()
                || host.nics.iter().any(|nic| {
                    select.network.iter().any(|name| **name == *globals.network(nic.network).name)
                }))
            && (machines.is_empty()
                || machines.iter().any(|machine| inventory::is_vm_of(index, inventory, host, machine)))
    });
    let mut chosen: Vec<&Host> = chosen.collect();
    chosen.sort_by_cached_key(|host| host.name.fqdn.to_string());
    Ok(chosen)
}

fn state(state: State) -> model::State {
    match state {
        State::Planned => model::State::Planned,
        State::Install => model::State::Install,
        State::Active => model::State::Active,
        State::Retired => model::State::Retired,
    }
}

fn of_inventory(inventory: &Inventory, index: &HostIndex<'_>, host: &Host) -> Selected {
    let fqdn = host.name.fqdn.to_string();
    let tags: Vec<&str> = host.tags.iter().map(|tag| &**tag).collect();
    Selected {
        target: Target {
            host: fqdn.clone(),
            hostname: inventory::short_name(host),
            fqdn,
            tags: tags.join(","),
        },
        address: host.primary().addresses.first().copied(),
        host_keys: host.rest.ssh_host_keys.to_vec(),
        fingerprints: host.rest.sshfp.to_vec(),
        key_source: if host.rest.ssh_host_keys.is_empty() && host.rest.sshfp.is_empty() {
            KeySource::Nobody(None)
        } else {
            KeySource::Inventory
        },
        user: host.rest.ssh_user.as_deref().map(str::to_owned),
        files: inventory::files(inventory, index, host),
    }
}

/// A host that no inventory knows: its names come from the resolver, as cdist has them, empty if it does not know.
fn looked_up(name: &str) -> Target {
    let address = (name, 0).to_socket_addrs().ok().and_then(|mut all| all.next()).map(|address| address.ip());
    let names = address.map(|address| {
        let output = Command::new("getent").args(["hosts", &address.to_string()]).output();
        let text =
            output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        text.split_whitespace().skip(1).map(str::to_owned).collect::<Vec<_>>()
    });
    let names = names.unwrap_or_default();
    Target {
        host: name.to_owned(),
        hostname: names.first().cloned().unwrap_or_default(),
        fqdn: names.iter().find(|name| name.contains('.')).or(names.first()).cloned().unwrap_or_default(),
        tags: String::new(),
    }
}
