//! The verbs that edit keys: set, unset, rm, tag, alias, disk, edit.

use inventory_core::model::{Host, Nic, Snapshot};

use super::args::{Disk, DiskSet, Edit, How, Named, Rm, Set, Unset, Words};
use super::change::{Change, ORDER, key_path, list};
use super::finish::{Done, finish, listed};
use super::session::Session;
use super::target::{self, Target};
use super::text::Literal;
use super::{add, auto};
use crate::exit::{Failure, Outcome};

pub(super) fn set(args: &Set) -> Outcome {
    let changes: Vec<Change> =
        args.changes.iter().map(|text| Change::parse(text)).collect::<Result<_, _>>()?;
    change(&args.name, &changes, &args.how)
}

pub(super) fn tag(words: &Words) -> Outcome {
    words_of(words, "tags")
}

pub(super) fn alias(words: &Words) -> Outcome {
    words_of(words, "alias")
}

fn words_of(words: &Words, key: &str) -> Outcome {
    let path = vec![key.to_owned()];
    match words {
        Words::Add(named) => change(&named.host, &[Change::Add(path, named.names.clone())], &named.how),
        Words::Rm(named) => change(&named.host, &[Change::Remove(path, named.names.clone())], &named.how),
    }
}

pub(super) fn disk(disk: &Disk) -> Outcome {
    match disk {
        Disk::Set(DiskSet { host, disk, size, how }) => {
            let path = vec!["disk".to_owned(), disk.clone()];
            change(host, &[Change::Set(path, Literal::text(size))], how)
        }
        Disk::Rm(Named { host, names, how }) => {
            let keys: Vec<Vec<String>> =
                names.iter().map(|name| vec!["disk".to_owned(), name.clone()]).collect();
            remove_keys(host, &keys, how)
        }
    }
}

fn change(name: &str, changes: &[Change], how: &How) -> Outcome {
    let mut session = Session::open(&how.inventory.inventory)?;
    let target = target::find(&mut session, name)?;
    let mut done = Vec::new();
    for change in changes {
        done.push(apply(&mut session, &target, change, how)?);
    }
    finish(session, how, &done)
}

/// Makes one change; the file is not written yet.
pub(super) fn apply(
    session: &mut Session,
    target: &Target,
    change: &Change,
    how: &How,
) -> Result<Done, Failure> {
    let key: Vec<&str> = change.path().iter().map(String::as_str).collect();
    let path = target.at(&key);
    if let [_, _, "nic", nic, _, ..] = path.as_slice()
        && !session.doc(&target.file)?.has(&target.at(&["nic", nic]))
    {
        let message =
            format!("{} has no table for a nic `{nic}`; `hostbook nic add` gives it one", target.label());
        return Err(Failure::new(message));
    }
    let name = key.join(".");
    let (literal, what) = match change {
        Change::Set(_, literal) => {
            let literal = resolved(session, target, &key, literal, how)?;
            let what = format!("{}: {name} = {}", target.label(), literal.fresh());
            (literal, what)
        }
        Change::Add(_, items) => {
            let mut all = current(session, target, &key)?;
            let new: Vec<String> = items.iter().filter(|item| !all.contains(item)).cloned().collect();
            let what = format!("{}: {name} has {} as well", target.label(), listed(items));
            all.extend(new);
            (list(key.last().copied().unwrap_or_default(), &all), what)
        }
        Change::Remove(_, items) => {
            let mut all = current(session, target, &key)?;
            if let Some(missing) = items.iter().find(|item| !all.contains(item)) {
                return Err(Failure::new(format!("{}: {name} has no `{missing}`", target.label())));
            }
            all.retain(|item| !items.contains(item));
            let what = format!("{}: {name} has {} no longer", target.label(), listed(items));
            (Literal::texts(&all), what)
        }
    };
    let doc = session.doc(&target.file)?;
    if !doc.set(&path, &literal, ORDER) {
        return Err(Failure::new(format!(
            "`{name}` cannot be set: the table that it belongs to is not there"
        )));
    }
    Ok(Done::new(what, &target.file, &path))
}

/// The value to be set, `auto` looked up.
fn resolved(
    session: &Session,
    target: &Target,
    key: &[&str],
    literal: &Literal,
    how: &How,
) -> Result<Literal, Failure> {
    let last = key.last().copied().unwrap_or_default();
    let wanted: Vec<String> = match literal {
        Literal::One(text) => vec![text.trim_matches('"').to_owned()],
        Literal::List(items) => items.iter().map(|item| item.trim_matches('"').to_owned()).collect(),
    };
    if !matches!(last, "ip" | "mac") || !wanted.iter().any(|text| auto::is_auto(text)) {
        return Ok(literal.clone());
    }
    let before = session.before().ok_or_else(Failure::auto_needs_good)?;
    let (host, nic) = nic_of(before, target, key)
        .ok_or_else(|| Failure::new(format!("{} has no interface that needs `{last}`", target.label())))?;
    if last == "mac" {
        let name = nic.rest.name.as_ref().unwrap_or(&host.name).fqdn.to_string();
        return Ok(Literal::text(&auto::mac(&name, &before.inventory, session.root()).to_string()));
    }
    let held = add::held(&wanted, how)?;
    Ok(list("ip", &auto::addresses(&wanted, &before.inventory, Some(nic.network), &held)?))
}

/// The interface that `key` of `target` belongs to.
fn nic_of<'s>(before: &'s Snapshot, target: &Target, key: &[&str]) -> Option<(&'s Host, &'s Nic)> {
    let host = host_of(before, target)?;
    let nic = match key {
        ["nic", name, _] => host.nics.iter().find(|nic| nic.rest.key.as_deref() == Some(*name))?,
        _ => host.primary(),
    };
    Some((host, nic))
}

/// The host that `target` is, as the inventory has it.
pub(super) fn host_of<'s>(before: &'s Snapshot, target: &Target) -> Option<&'s Host> {
    let fqdn = target.fqdn.as_ref()?;
    before.inventory.hosts().find(|host| host.name.fqdn == *fqdn)
}

/// The items of a list now. Where the host says none, what it takes from its profile: else adding a tag
/// would take away the profile's.
fn current(session: &mut Session, target: &Target, key: &[&str]) -> Result<Vec<String>, Failure> {
    if let Some(items) = session.doc(&target.file)?.strings(&target.at(key)) {
        return Ok(items);
    }
    let Some(host) = session.before().and_then(|before| host_of(before, target)) else {
        return Ok(Vec::new());
    };
    Ok(match key {
        ["tags"] => host.tags.iter().map(ToString::to_string).collect(),
        ["alias"] => {
            let zone = session.before().map(|before| &before.inventory.globals.zone(host.name.zone).name);
            let short = |name: &inventory_core::name::Name| match (zone, name.parent()) {
                (Some(zone), Some(parent)) if parent == *zone => {
                    name.to_string().split('.').next().map(str::to_owned)
                }
                _ => None,
            };
            host.aliases
                .iter()
                .map(|alias| short(&alias.name.fqdn).unwrap_or_else(|| alias.name.fqdn.to_string()))
                .collect()
        }
        ["ip"] => host.primary().addresses.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    })
}

pub(super) fn unset(args: &Unset) -> Outcome {
    let keys: Vec<Vec<String>> = args.keys.iter().map(|key| key_path(key)).collect();
    remove_keys(&args.name, &keys, &args.how)
}

pub(super) fn remove_keys(name: &str, keys: &[Vec<String>], how: &How) -> Outcome {
    let mut session = Session::open(&how.inventory.inventory)?;
    let target = target::find(&mut session, name)?;
    let mut done = Vec::new();
    for key in keys {
        let key: Vec<&str> = key.iter().map(String::as_str).collect();
        let label = target.label();
        let doc = session.doc(&target.file)?;
        if !doc.unset(&target.at(&key)) {
            return Err(Failure::new(format!("{label} has no key `{}` of its own", key.join("."))));
        }
        if !doc.has(&target.path()) {
            return Err(Failure::new(format!(
                "`{}` is all that {label} has; `hostbook rm` takes it out",
                key.join(".")
            )));
        }
        done.push(Done::new(format!("{label}: {} is gone", key.join(".")), &target.file, &target.path()));
    }
    finish(session, how, &done)
}

pub(super) fn rm(args: &Rm) -> Outcome {
    let mut session = Session::open(&args.how.inventory.inventory)?;
    let mut done = Vec::new();
    for name in &args.names {
        let target = target::find(&mut session, name)?;
        let doc = session.doc(&target.file)?;
        doc.remove(&target.path());
        done.push(Done::new(format!("removed {}", target.label()), &target.file, &[]));
    }
    finish(session, &args.how, &done)
}

pub(super) fn edit(args: &Edit) -> Outcome {
    let mut session = Session::open(&args.how.inventory.inventory)?;
    let target = target::find(&mut session, &args.name)?;
    let done = [Done::new(format!("edited {}", target.label()), &target.file, &target.path())];
    let line = session.doc(&target.file)?.line_of(&target.path()).unwrap_or(1);
    let session = super::editor::edit(session, &target.file, line)?;
    let how = How { edit: false, ..args.how.copy() };
    finish(session, &how, &done)
}
