//! `add` and `adopt`: new entries.

use std::sync::Arc;

use inventory_core::mac::MacAddr;
use inventory_core::model::{Inventory, NetworkId};
use inventory_core::name::Name;

use super::args::{Add, Adopt, How};
use super::change::{self, Change};
use super::finish::{Done, finish};
use super::place::{self, Newcomer};
use super::session::Session;
use super::text::{Literal, NewTable};
use super::{auto, target, verbs};
use crate::args::State;
use crate::exit::{Failure, Outcome};
use crate::free::network_named;
use crate::leases;

type Entries = Vec<(String, Literal)>;

pub(super) fn add(args: &Add) -> Outcome {
    if let Some((kind, name)) = args.name.split_once('/') {
        return add_other(args, kind, name);
    }
    let mut session = Session::open(&args.how.inventory.inventory)?;
    let inventory = good(&session)?;
    let network = match &args.nic.network {
        Some(name) => Some(network_named(&inventory, name)?),
        None => profile_network(&mut session, &inventory, &args.profile)?,
    };
    let name = whole_name(&args.name, &inventory, network);
    let mut entries = Entries::new();
    if !args.profile.is_empty() {
        entries.push(("use".into(), change::list("use", &args.profile)));
    }
    push(&mut entries, "network", args.nic.network.as_deref());
    match args.nic.mac.as_deref() {
        Some("auto") => {
            let name = name.as_ref().map_or_else(|| args.name.clone(), ToString::to_string);
            let mac = auto::mac(&name, &inventory, session.root());
            entries.push(("mac".into(), Literal::text(&mac.to_string())));
        }
        mac => push(&mut entries, "mac", mac),
    }
    if !args.nic.ip.is_empty() {
        let wanted = split(&args.nic.ip);
        let ips = auto::addresses(&wanted, &inventory, network, &held(&wanted, &args.how)?)?;
        entries.push(("ip".into(), change::list("ip", &ips)));
    }
    for (key, items) in [("alias", &args.alias), ("tags", &args.tag)] {
        if !items.is_empty() {
            entries.push((key.into(), change::list(key, &split(items))));
        }
    }
    push(&mut entries, "state", args.state.map(State::word));
    push(&mut entries, "boot", args.boot.as_deref());
    entries.extend(args.cpu.map(|cpu| ("cpu".into(), Literal::One(cpu.to_string()))));
    push(&mut entries, "memory", args.memory.as_deref());
    if !args.disk.is_empty() {
        entries.push(("disk".into(), disks(&args.disk)?));
    }
    push(&mut entries, "vmhost", args.vmhost.as_deref());
    let newcomer = Newcomer {
        label: args.name.split('.').next().unwrap_or_default(),
        network,
        vmhost: args.vmhost.as_deref(),
        tags: &args.tag,
    };
    let (file, after) = spot(&mut session, args, &newcomer)?;
    write(session, (&file, after.as_deref()), ("host", &args.name), entries, &args.keys, (name, &args.how))
}

/// `add network/dmz zone=… ipv4=…`: tables other than hosts, in the file where their kind is.
fn add_other(args: &Add, kind: &str, name: &str) -> Outcome {
    let kinds = ["network", "zone", "profile", "boot", "host"];
    let Some(kind) = kinds.into_iter().find(|known| *known == kind) else {
        return Err(Failure::usage(format!("`{kind}` is none of {}", kinds.join(", "))));
    };
    let mut session = Session::open(&args.how.inventory.inventory)?;
    let mut place = None;
    for file in session.paths() {
        let last = session.doc(&file)?.names(&[kind]).pop();
        if last.is_some() {
            place = Some((file, last));
        }
    }
    let (file, after) = match &args.file {
        Some(file) => (Arc::from(file.as_str()), None),
        None => place.unwrap_or_else(|| (Arc::from(format!("{kind}s.toml")), None)),
    };
    write(session, (&file, after.as_deref()), (kind, name), Entries::new(), &args.keys, (None, &args.how))
}

pub(super) fn adopt(args: &Adopt) -> Outcome {
    let mac: MacAddr = args.mac.parse().map_err(|_| {
        Failure::usage(format!("`{}` is not a MAC address; write it as in `52:54:00:aa:00:11`", args.mac))
    })?;
    let mut session = Session::open(&args.how.inventory.inventory)?;
    let inventory = good(&session)?;
    if let Some(host) = inventory.hosts().find(|host| host.nics.iter().any(|nic| nic.mac == Some(mac))) {
        return Err(Failure::new(format!("{mac} is `{}` already", host.name.fqdn)));
    }
    let network = match args.network.clone().or_else(|| leases::seen_in(&args.how.control, mac)) {
        Some(name) => network_named(&inventory, &name)?,
        None => only_network(&inventory)?,
    };
    let mut entries = Entries::new();
    if !args.profile.is_empty() {
        entries.push(("use".into(), change::list("use", &args.profile)));
    }
    entries.push(("network".into(), Literal::text(&inventory.globals.network(network).name)));
    entries.push(("mac".into(), Literal::text(&mac.to_string())));
    let wanted = if args.ip.is_empty() { vec!["auto".to_owned()] } else { split(&args.ip) };
    let ips = auto::addresses(&wanted, &inventory, Some(network), &held(&wanted, &args.how)?)?;
    entries.push(("ip".into(), change::list("ip", &ips)));
    if !args.tag.is_empty() {
        entries.push(("tags".into(), change::list("tags", &split(&args.tag))));
    }
    push(&mut entries, "state", args.state.map(State::word));
    push(&mut entries, "boot", args.boot.as_deref());
    let label = args.name.split('.').next().unwrap_or_default();
    let newcomer = Newcomer { label, network: Some(network), vmhost: None, tags: &args.tag };
    let (file, after) = place::find(&mut session, &newcomer)?;
    let name = whole_name(&args.name, &inventory, Some(network));
    write(session, (&file, after.as_deref()), ("host", &args.name), entries, &[], (name, &args.how))
}

/// Writes the entry, after `place`'s neighbour, and ends the edit.
fn write(
    mut session: Session,
    place: (&str, Option<&str>),
    table: (&'static str, &str),
    entries: Entries,
    keys: &[String],
    (name, how): (Option<Name>, &How),
) -> Outcome {
    let ((file, after), (kind, key)) = (place, table);
    for path in session.paths() {
        if session.doc(&path)?.has(&[kind, key]) {
            let line = session.doc(&path)?.line_of(&[kind, key]).unwrap_or(1);
            return Err(Failure::new(format!("{kind} `{key}` is there already: {path}:{line}")));
        }
    }
    let new = NewTable { path: vec![kind.to_owned(), key.to_owned()], entries, below: Vec::new() };
    let doc = session.doc(file)?;
    match after {
        Some(after) => doc.insert(Some(&[kind, after]), &new),
        None => doc.insert(None, &new),
    }
    let target = target::Target { file: Arc::from(file), kind, key: key.to_owned(), fqdn: name };
    for change in keys {
        verbs::apply(&mut session, &target, &Change::parse(change)?, how)?;
    }
    let done = [Done::new(format!("added {}", target.label()), file, &target.path())];
    finish(session, how, &done)
}

fn spot(
    session: &mut Session,
    args: &Add,
    newcomer: &Newcomer<'_>,
) -> Result<(Arc<str>, Option<String>), Failure> {
    if let Some(after) = &args.after {
        let neighbour = target::host(session, after)?;
        return Ok((neighbour.file, Some(neighbour.key)));
    }
    let Some(file) = &args.file else { return place::find(session, newcomer) };
    let plain =
        std::path::Path::new(file).components().all(|part| matches!(part, std::path::Component::Normal(_)));
    if !plain || !file.ends_with(".toml") {
        return Err(Failure::usage(format!("`{file}` is no path of a `.toml` file below the inventory")));
    }
    let last = session.doc(file)?.names(&["host"]).pop();
    Ok((Arc::from(file.as_str()), last))
}

/// The inventory; a broken one cannot tell what is free or who is near.
fn good(session: &Session) -> Result<Arc<Inventory>, Failure> {
    let before = session.before().ok_or_else(Failure::auto_needs_good)?;
    Ok(Arc::clone(&before.inventory))
}

/// What dhcpd knows, where an address is to be found.
pub(super) fn held(wanted: &[String], how: &How) -> Result<leases::Held, Failure> {
    if !wanted.iter().any(|text| auto::is_auto(text)) {
        return Ok(leases::Held::default());
    }
    let held = leases::held(&how.control);
    match &held.trouble {
        Some(why) => Err(Failure::new(format!("whether an address is leased is not known: {why}"))),
        None => Ok(held),
    }
}

/// The network that the profiles give, the last of them first, as they are merged.
fn profile_network(
    session: &mut Session,
    inventory: &Inventory,
    profiles: &[String],
) -> Result<Option<NetworkId>, Failure> {
    let mut left: Vec<String> = profiles.to_vec();
    // Circles are refused by the check; here they only must end.
    for _ in 0..64 {
        let Some(profile) = left.pop() else { break };
        for file in session.paths() {
            let doc = session.doc(&file)?;
            if let Some(network) =
                doc.strings(&["profile", &profile, "network"]).and_then(|mut names| names.pop())
            {
                return Ok(inventory.globals.network_named(&network));
            }
            left.extend(doc.strings(&["profile", &profile, "use"]).unwrap_or_default());
        }
    }
    Ok(None)
}

fn only_network(inventory: &Inventory) -> Result<NetworkId, Failure> {
    let mut served = inventory.globals.networks.iter().filter(|network| network.dhcp);
    match (served.next(), served.next()) {
        (Some(only), None) => network_named(inventory, &only.name),
        _ => Err(Failure::usage("there are several networks: say which one by `--network`")),
    }
}

fn whole_name(key: &str, inventory: &Inventory, network: Option<NetworkId>) -> Option<Name> {
    if key.contains('.') {
        return Name::parse(key, None).ok();
    }
    let zone = inventory.globals.network(network?).zone?;
    inventory.globals.zone(zone).name.child(key).ok()
}

fn push(entries: &mut Entries, key: &str, value: Option<&str>) {
    entries.extend(value.map(|value| (key.to_owned(), Literal::text(value))));
}

/// Repeated flags and commas alike.
fn split(items: &[String]) -> Vec<String> {
    items.iter().flat_map(|item| change::items(item)).collect()
}

fn disks(disks: &[String]) -> Result<Literal, Failure> {
    let mut all = Vec::new();
    for disk in disks {
        let (name, size) = disk
            .split_once('=')
            .ok_or_else(|| Failure::usage(format!("`{disk}` is not NAME=SIZE, as in `root=40GiB`")))?;
        all.push(format!("{} = {}", super::text::key(name), super::text::quote(size)));
    }
    Ok(Literal::One(format!("{{ {} }}", all.join(", "))))
}
