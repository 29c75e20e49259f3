//! `rename`: a host's key, and what refers to it by name.
//!
//! Followed are: `vmhost` of other hosts and profiles, owners and targets of inline records, name servers
//! of the site, of zones and of delegated prefixes; also for the names of its further interfaces, which begin with the host's.
//! Not followed is what the inventory only points to: master files, templates, configuration.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use inventory_core::model::{Found, Host, HostIndex, Inventory};
use inventory_core::name::Name;
use inventory_core::span::Span;

use super::args::Rename;
use super::change::{Change, ORDER};
use super::finish::{Done, finish};
use super::session::Session;
use super::text::{Literal, quote};
use super::{target, verbs};
use crate::exit::{Failure, Outcome};

/// Texts to be written, by file.
type Places = BTreeMap<Arc<str>, Vec<(Range<usize>, String)>>;

pub(super) fn run(args: &Rename) -> Outcome {
    let mut session = Session::open(&args.how.inventory.inventory)?;
    let before = session.before().cloned();
    let before = before.ok_or_else(|| {
        Failure::new(
            "the inventory has errors, so what refers to the host is not known; see `hostbook check`",
        )
    })?;
    let inventory = Arc::clone(&before.inventory);
    let target = target::host(&mut session, &args.old)?;
    let host =
        verbs::host_of(&before, &target).ok_or_else(|| Failure::new("the host is not there any more"))?;
    let key = new_key(&target.key, &args.new, host, &inventory);
    let names = renamed(host, &key, &inventory)?;
    let mut places = Places::new();
    let mut followed = [0usize; 2];
    followed[0] = vmhosts(&session, host, &names, &inventory, &mut places);
    followed[1] = records(&session, &names, &inventory, &mut places);
    let of_prefixes = servers_of_prefixes(&session, &names, &inventory, &mut places);
    for (file, places) in places {
        session.doc(&file)?.replace_all(places);
    }
    let nameservers = of_prefixes + nameservers(&mut session, &names)?;
    session.doc(&target.file)?.rename(&target.path(), &key);
    let new = target::Target {
        key: key.clone(),
        fqdn: names.first().map(|(_, new)| new.clone()),
        ..target.clone()
    };
    let mut words = Vec::new();
    for (count, word) in [(followed[0], "vmhost"), (nameservers, "name server"), (followed[1], "record")] {
        if count > 0 {
            words.push(crate::check::count(count, word));
        }
    }
    let also = if words.is_empty() { String::new() } else { format!(" (followed: {})", words.join(", ")) };
    let what = format!("{} is now {}{also}", target.label(), new.label());
    let mut done = vec![Done::new(what, &target.file, &new.path())];
    if args.keep {
        // The key's own form: relative in its zone, whole elsewhere.
        let change = Change::Add(vec!["alias".to_owned()], vec![target.key.clone()]);
        done.push(keep(&mut session, &target, &new, &change)?);
    }
    finish(session, &args.how, &done)
}

/// Adds the old name to the aliases of the host, which its file has under the new one already.
fn keep(
    session: &mut Session,
    old: &target::Target,
    new: &target::Target,
    change: &Change,
) -> Result<Done, Failure> {
    let Change::Add(_, items) = change else { return Err(Failure::new("nothing to keep")) };
    let doc = session.doc(&new.file)?;
    let mut all = doc.strings(&new.at(&["alias"])).unwrap_or_default();
    all.extend(items.iter().cloned());
    doc.set(&new.at(&["alias"]), &Literal::texts(&all), ORDER);
    Ok(Done::new(format!("{} is an alias of it", old.label()), &new.file, &new.at(&["alias"])))
}

/// The new key in the form of the old one: relative where the old one is, or the zone allows it.
fn new_key(old: &str, new: &str, host: &Host, inventory: &Inventory) -> String {
    let zone = &inventory.globals.zone(host.name.zone).name;
    let within = Name::parse(new, None).ok().filter(|name| name.parent().as_ref() == Some(zone));
    match (old.contains('.'), new.contains('.')) {
        (true, false) => format!("{new}.{zone}"),
        (false, true) if within.is_some() => new.split('.').next().unwrap_or(new).to_owned(),
        _ => new.to_owned(),
    }
}

/// Old and new names: the host's first, then those of its interfaces that begin with it.
fn renamed(host: &Host, key: &str, inventory: &Inventory) -> Result<Vec<(Name, Name)>, Failure> {
    let invalid = |error| Failure::usage(format!("`{key}` {error}"));
    let globals = &inventory.globals;
    let own = match (key.contains('.'), globals.network(host.primary().network).zone) {
        (false, Some(zone)) => globals.zone(zone).name.child(key).map_err(invalid)?,
        _ => Name::parse(key, None).map_err(invalid)?,
    };
    let label = key.split('.').next().unwrap_or(key);
    let mut names = vec![(host.name.fqdn.clone(), own)];
    for nic in &host.nics {
        let (Some(name), Some(nic_key)) = (&nic.rest.name, &nic.rest.key) else { continue };
        let first = host.name.fqdn.labels().next().map(String::from_utf8_lossy).unwrap_or_default();
        let zone = &globals.zone(name.zone).name;
        if zone.child(&format!("{first}-{nic_key}")).is_ok_and(|derived| derived == name.fqdn) {
            names.push((name.fqdn.clone(), zone.child(&format!("{label}-{nic_key}")).map_err(invalid)?));
        }
    }
    Ok(names)
}

/// `name` as it was written: relative to `origin` if the old text was, and it still can be.
fn like(old: &str, name: &Name, origin: &Name) -> String {
    let dot = if old.ends_with('.') { "." } else { "" };
    if !old.contains('.') && name.parent().as_ref() == Some(origin) {
        return name.to_string().split('.').next().unwrap_or_default().to_owned();
    }
    format!("{name}{dot}")
}

/// `vmhost = "…"` that means the host.
fn vmhosts(
    session: &Session,
    host: &Host,
    names: &[(Name, Name)],
    inventory: &Inventory,
    places: &mut Places,
) -> usize {
    let index = HostIndex::of(inventory);
    let mut spans: Vec<(Span, String)> = Vec::new();
    for vm in inventory.hosts() {
        let Some((text, span)) = vm.vmhost().zip(vm.vmhost_span()) else { continue };
        let zone = &inventory.globals.zone(vm.name.zone).name;
        let meant = matches!(index.find(text, Some(zone)), Found::One(found) if std::ptr::eq(found, host));
        if let Some((_, new)) = names.first().filter(|_| meant) {
            let own = &inventory.globals.zone(host.name.zone).name;
            spans.push((span, quote(&like(text, new, own))));
        }
    }
    put(session, &once_each(spans), places)
}

/// Name servers of the reverse names of delegated prefixes.
fn servers_of_prefixes(
    session: &Session,
    names: &[(Name, Name)],
    inventory: &Inventory,
    places: &mut Places,
) -> usize {
    let nics = inventory.hosts().flat_map(|host| &host.nics);
    let servers = nics.flat_map(|nic| &nic.rest.delegated.nameservers);
    let renamed = servers.filter_map(|(name, span)| {
        let (_, new) = names.iter().find(|(old, _)| old == name)?;
        let text = session.text_at(*span)?;
        let dot = if text.trim_matches(['"', '\'']).ends_with('.') { "." } else { "" };
        Some((*span, quote(&format!("{new}{dot}"))))
    });
    put(session, &once_each(renamed.collect()), places)
}

/// Without what a profile says of every host that uses it again.
fn once_each(mut spans: Vec<(Span, String)>) -> Vec<(Span, String)> {
    spans.sort_by_key(|(span, _)| *span);
    spans.dedup_by_key(|(span, _)| *span);
    spans
}

/// Owners and targets of inline records.
fn records(session: &Session, names: &[(Name, Name)], inventory: &Inventory, places: &mut Places) -> usize {
    let mut spans: Vec<(Span, &Name, &Name)> = Vec::new();
    for zone in &inventory.globals.zones {
        for record in zone.records.iter() {
            for (old, new) in names {
                if record.owner == *old {
                    spans.push((record.owner_span, new, &zone.name));
                }
                if let (Some(target), Some(span)) = (&record.target, record.target_span)
                    && target == old
                {
                    spans.push((span, new, &zone.name));
                }
            }
        }
    }
    // Records without an owner of their own point to the line above.
    spans.sort_by_key(|(span, ..)| *span);
    spans.dedup_by_key(|(span, ..)| *span);
    let texts: Vec<(Span, String)> = spans
        .into_iter()
        .filter_map(|(span, new, zone)| Some((span, like(&session.text_at(span)?, new, zone))))
        .collect();
    put(session, &texts, places)
}

fn put(session: &Session, spans: &[(Span, String)], places: &mut Places) -> usize {
    for (span, text) in spans {
        let file = session.path_of(*span);
        places.entry(file).or_default().push((span.start as usize..span.end as usize, text.clone()));
    }
    spans.len()
}

/// Name servers of the site and of zones.
fn nameservers(session: &mut Session, names: &[(Name, Name)]) -> Result<usize, Failure> {
    let mut count = 0;
    for file in session.paths() {
        let doc = session.doc(&file)?;
        let zones = doc.names(&["zone"]);
        let zones = zones.iter().map(|zone| vec!["zone", zone.as_str(), "nameservers"]);
        for path in std::iter::once(vec!["site", "nameservers"]).chain(zones) {
            let Some(mut servers) = doc.strings(&path) else { continue };
            let mut any = false;
            for server in &mut servers {
                let name = Name::parse(server, None).ok();
                if let Some((_, new)) = names.iter().find(|(old, _)| Some(old) == name.as_ref()) {
                    *server = format!("{new}{}", if server.ends_with('.') { "." } else { "" });
                    count += 1;
                    any = true;
                }
            }
            if any {
                doc.set(&path, &Literal::texts(&servers), ORDER);
            }
        }
    }
    Ok(count)
}
