//! cinv's database: a directory for each host, a file for each value.

use std::fs;
use std::net::IpAddr;
use std::path::Path;

use inventory_core::mac::MacAddr;
use inventory_core::units::{parse_size, show_size};

use super::book::{Book, Card, Machine};
use crate::edit::quote;

/// Reads the hosts below `root`, which is the database or its directory of hosts.
///
/// # Errors
/// It cannot be read.
pub(super) fn read(root: &Path, book: &mut Book) -> Result<(), String> {
    let below = ["db/host", "host", "hosts"].map(|name| root.join(name));
    let hosts = below.iter().find(|path| path.is_dir()).map_or(root, |path| path.as_path());
    for path in sorted(hosts).map_err(|error| format!("cannot read `{}`: {error}", hosts.display()))? {
        if path.is_dir() {
            host(&path, book);
        }
    }
    Ok(())
}

fn sorted(directory: &Path) -> std::io::Result<Vec<std::path::PathBuf>> {
    let mut paths: Vec<_> = fs::read_dir(directory)?.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn value(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn host(path: &Path, book: &mut Book) {
    let at = path.display().to_string();
    let mut machine = Machine { name: name_of(path), at: at.clone(), ..Machine::default() };
    for entry in sorted(path).unwrap_or_default() {
        let key = name_of(&entry).trim_start_matches('_').to_ascii_lowercase();
        match (key.as_str(), value(&entry)) {
            ("cores" | "cpu", Some(cores)) => {
                machine.keys.insert("cpu".to_owned(), cores);
            }
            ("memory", Some(size)) => match octets(&size) {
                Some(octets) => {
                    machine.keys.insert("memory".to_owned(), quote(&show_size(octets)));
                }
                None => book.lose(&at, format!("memory `{size}`")),
            },
            ("vm_host" | "vmhost", Some(vmhost)) => {
                machine.keys.insert("vmhost".to_owned(), quote(&vmhost));
            }
            ("tag" | "tags", Some(tags)) => machine.tags.extend(tags.split_whitespace().map(str::to_owned)),
            ("tag" | "tags", None) => {
                machine.tags.extend(sorted(&entry).unwrap_or_default().iter().map(|path| name_of(path)));
            }
            ("disk" | "disks", None) => disks(&entry, &mut machine),
            ("nic" | "nics", None) => {
                machine.cards.extend(sorted(&entry).unwrap_or_default().iter().map(|path| nic(path)));
            }
            // Machines and virtual machines differ by `vmhost` alone.
            ("host_type" | "hosttype" | "type", _) => {}
            (other, _) => book.lose(&at, format!("`{other}`")),
        }
    }
    if machine.cards.is_empty() {
        machine.cards.push(Card::default());
    }
    book.machines.push(machine);
}

fn disks(directory: &Path, machine: &mut Machine) {
    let disks = sorted(directory).unwrap_or_default();
    let sizes = disks.iter().filter_map(|path| {
        let size = value(path).or_else(|| value(&path.join("size")))?;
        Some(format!("{} = {}", crate::edit::key(&name_of(path)), quote(&show_size(octets(&size)?))))
    });
    let sizes: Vec<String> = sizes.collect();
    if !sizes.is_empty() {
        machine.keys.insert("disk".to_owned(), format!("{{ {} }}", sizes.join(", ")));
    }
}

/// A nic is a file with its hardware address, or a directory of values.
fn nic(path: &Path) -> Card {
    let mut card = Card { key: name_of(path), ..Card::default() };
    let files = if path.is_dir() { sorted(path).unwrap_or_default() } else { vec![path.to_owned()] };
    for word in files
        .iter()
        .filter_map(|file| value(file))
        .flat_map(|text| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    {
        if let Ok(mac) = word.parse::<MacAddr>() {
            card.mac = Some(mac);
        } else if let Ok(address) = word.split('/').next().unwrap_or_default().parse::<IpAddr>() {
            card.addresses.push(address);
        }
    }
    card
}

/// `8G`, `8 GiB`, `8192M`, or octets.
fn octets(text: &str) -> Option<u64> {
    if let Ok(octets) = text.parse::<u64>() {
        return Some(octets);
    }
    let plain = text.trim_end_matches(['B', 'b']).trim_end_matches('i').to_ascii_uppercase();
    parse_size(&format!("{}iB", plain.replace(' ', ""))).ok()
}
