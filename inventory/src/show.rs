//! `hostbook show`.

use std::net::IpAddr;
use std::process::ExitCode;

use inventory_core::diag::did_you_mean;
use inventory_core::mac::MacAddr;
use inventory_core::model::{Found, Globals, Hardware, Host, HostIndex, Inventory, Shard};
use inventory_core::name::Name;
use inventory_core::units::show_size;
use serde_json::json;

use crate::args::Show;
use crate::exit::{Failure, Outcome};
use crate::list::host_json;
use crate::{inventory, output};

/// Prints the host that a name, MAC or IP address belongs to.
pub(crate) fn run(args: &Show) -> Outcome {
    let snapshot = inventory::require(&args.inventory.inventory)?;
    let inventory = &snapshot.inventory;
    let found = find(&args.what, inventory)?;
    if args.format.is_json() {
        let all: Vec<_> = found
            .iter()
            .map(|(shard, host)| {
                let mut value = host_json(host, &inventory.globals);
                value["file"] = json!(&*shard.path);
                value
            })
            .collect();
        output::line(&json!(all).to_string());
    } else {
        for (index, (shard, host)) in found.iter().enumerate() {
            if index > 0 {
                output::line("");
            }
            print(shard, host, &inventory.globals);
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) type Place<'a> = (&'a Shard, &'a Host);

/// The hosts that `what` means: several only for a MAC that several networks know.
pub(crate) fn find<'a>(what: &str, inventory: &'a Inventory) -> Result<Vec<Place<'a>>, Failure> {
    let all =
        || inventory.shards.iter().flat_map(|shard| shard.hosts().iter().map(move |host| (&**shard, host)));
    let by = |wanted: &dyn Fn(&Host) -> bool| -> Vec<Place<'a>> {
        all().filter(|(_, host)| wanted(host)).collect()
    };
    let found = if let Ok(mac) = what.parse::<MacAddr>() {
        by(&|host| host.nics.iter().any(|nic| nic.mac == Some(mac)))
    } else if let Ok(address) = what.parse::<IpAddr>() {
        by(&|host| host.nics.iter().any(|nic| nic.addresses.contains(&address)))
    } else {
        let index = HostIndex::of(inventory);
        match index.find(what, None) {
            Found::One(host) => by(&|candidate| std::ptr::eq(candidate, host)),
            Found::Several(hosts) => by(&|candidate| hosts.iter().any(|host| std::ptr::eq(candidate, *host))),
            Found::None => by(&|host| has_name(host, what)),
        }
    };
    if !found.is_empty() {
        return Ok(found);
    }
    let names: Vec<String> = all().map(|(_, host)| first_label(&host.name.fqdn)).collect();
    let near = did_you_mean(what, names.iter().map(String::as_str));
    let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    Err(Failure::new(format!("no host has the name or address `{what}`{hint}")))
}

/// Whether an alias or an interface of `host` has this name, short or whole.
fn has_name(host: &Host, what: &str) -> bool {
    let aliases = host.aliases.iter().map(|alias| &alias.name.fqdn);
    let nics = host.named_nics().map(|(name, _)| &name.fqdn);
    let whole = Name::parse(what, None).ok();
    aliases
        .chain(nics)
        .any(|name| Some(name) == whole.as_ref() || first_label(name) == what.to_ascii_lowercase())
}

fn first_label(name: &Name) -> String {
    name.labels().next().map(|label| String::from_utf8_lossy(label).into_owned()).unwrap_or_default()
}

fn print(shard: &Shard, host: &Host, globals: &Globals) {
    let field = |name: &str, value: &str| {
        if !value.is_empty() {
            output::line(&format!("{name:<10} {value}"));
        }
    };
    field("host", &host.name.fqdn.to_string());
    field("state", host.state.word());
    let aliases: Vec<String> = host.aliases.iter().map(|alias| alias.name.fqdn.to_string()).collect();
    field("aliases", &aliases.join(" "));
    field("tags", &host.tags.join(" "));
    field("boot", &host.boot.map(|boot| globals.boot(boot).name.to_string()).unwrap_or_default());
    if host.hardware != Hardware::default() {
        let hardware = &host.hardware;
        field("cpu", &hardware.cpu.map(|cpu| cpu.to_string()).unwrap_or_default());
        field("memory", &hardware.memory.map(show_size).unwrap_or_default());
        let disks: Vec<String> =
            hardware.disks.iter().map(|disk| format!("{} {}", disk.name, show_size(disk.size))).collect();
        field("disks", &disks.join(", "));
        field("vmhost", host.vmhost().unwrap_or_default());
    }
    for (name, nic) in host.named_nics() {
        let network = globals.network(nic.network);
        field("nic", nic.rest.key.as_deref().unwrap_or("(the only one)"));
        field("  name", &name.fqdn.to_string());
        field("  network", &network.name);
        field("  mac", &nic.mac.map_or_else(|| "none: served by DNS only".to_owned(), |mac| mac.to_string()));
        let addresses: Vec<String> = nic.addresses.iter().map(ToString::to_string).collect();
        let none = if network.pools.is_empty() { "none" } else { "one from the pool" };
        field("  ip", &if addresses.is_empty() { none.to_owned() } else { addresses.join(" ") });
        if !nic.dhcp || !network.dhcp {
            field("  dhcp", "off");
        }
    }
    field("file", &shard.path);
}
