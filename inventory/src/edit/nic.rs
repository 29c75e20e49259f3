//! `nic add` and `nic rm`.

use std::sync::Arc;

use inventory_core::model::{Inventory, NetworkId};

use super::args::{Nic, NicAdd};
use super::change;
use super::finish::{Done, finish};
use super::session::Session;
use super::text::{Literal, NewTable};
use super::{add, auto, target, verbs};
use crate::exit::{Failure, Outcome};
use crate::free::network_named;

/// Keys that belong to one interface and so move into its table when there is a second one.
const OF_ONE: &[&str] = &["network", "mac", "ip", "client-id", "port"];

pub(super) fn run(nic: &Nic) -> Outcome {
    match nic {
        Nic::Add(args) => add(args),
        Nic::Rm(named) => {
            let keys: Vec<Vec<String>> =
                named.names.iter().map(|name| vec!["nic".to_owned(), name.clone()]).collect();
            verbs::remove_keys(&named.host, &keys, &named.how)
        }
    }
}

fn add(args: &NicAdd) -> Outcome {
    let mut session = Session::open(&args.how.inventory.inventory)?;
    let before = session.before().cloned().ok_or_else(Failure::auto_needs_good)?;
    let inventory = Arc::clone(&before.inventory);
    let target = target::host(&mut session, &args.host)?;
    let host = verbs::host_of(&before, &target);
    let mut nics = session.doc(&target.file)?.names(&target.at(&["nic"]));
    if nics.contains(&args.nic) {
        return Err(Failure::new(format!("{} has a nic `{}` already", target.label(), args.nic)));
    }
    // A nic that the profile gives is there without a table of the host's own, which adds to it.
    let inherited =
        host.and_then(|host| host.nics.iter().find(|nic| nic.rest.key.as_deref() == Some(&*args.nic)));
    let network = match (&args.keys.network, inherited) {
        (Some(name), _) => network_named(&inventory, name)?,
        (None, Some(nic)) => nic.network,
        (None, None) => {
            return Err(Failure::usage("say by `--network` what the interface is plugged into"));
        }
    };
    let entries = entries(args, &session, &inventory, network)?;
    let has_profiles = host.is_some_and(|host| host.nics.iter().any(|nic| nic.rest.key.is_some()));
    let doc = session.doc(&target.file)?;
    if nics.is_empty() && !has_profiles {
        let own: Vec<&str> = OF_ONE.iter().copied().filter(|key| doc.has(&target.at(&[key]))).collect();
        // What the host takes from its profile cannot move, so it is written into the new table.
        let inherits = host.filter(|_| !own.contains(&"network")).map(|host| host.primary().network);
        doc.nest(&target.path(), &own, &["nic", &args.first]);
        if let Some(network) = inherits {
            let network = Literal::text(&inventory.globals.network(network).name);
            doc.set(&target.at(&["nic", &args.first, "network"]), &network, change::ORDER);
        }
        nics.push(args.first.clone());
    }
    let path: Vec<String> = target.at(&["nic", &args.nic]).into_iter().map(str::to_owned).collect();
    let after = match nics.last() {
        Some(last) => target.at(&["nic", last]),
        None => target.path(),
    };
    doc.insert(Some(&after), &NewTable { path, entries, below: Vec::new() });
    let what = format!("{}: added nic {}", target.label(), args.nic);
    let done = [Done::new(what, &target.file, &target.at(&["nic", &args.nic]))];
    finish(session, &args.how, &done)
}

/// What the new table says.
fn entries(
    args: &NicAdd,
    session: &Session,
    inventory: &Inventory,
    network: NetworkId,
) -> Result<Vec<(String, Literal)>, Failure> {
    let mut entries = Vec::new();
    entries.extend(args.keys.network.as_ref().map(|name| ("network".to_owned(), Literal::text(name))));
    if let Some(mac) = &args.keys.mac {
        let label = args.host.split('.').next().unwrap_or_default();
        let zone = inventory.globals.network(network).zone;
        let zone = zone.map(|zone| inventory.globals.zone(zone).name.to_string()).unwrap_or_default();
        let own = format!("{label}-{}.{zone}", args.nic);
        let mac =
            if mac == "auto" { auto::mac(&own, inventory, session.root()).to_string() } else { mac.clone() };
        entries.push(("mac".to_owned(), Literal::text(&mac)));
    }
    if !args.keys.ip.is_empty() {
        let held = add::held(&args.keys.ip, &args.how)?;
        let ips = auto::addresses(&args.keys.ip, inventory, Some(network), &held)?;
        entries.push(("ip".to_owned(), change::list("ip", &ips)));
    }
    Ok(entries)
}
