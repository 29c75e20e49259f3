//! `hostbook import`: hosts, networks and names that other systems' files hold.
//!
//! A reader for each format says what it read in one form ([`Book`]); what it could not express is printed
//! with its line. Machines that several files speak of are put together by hardware address, else by
//! name. What is there already stays. The result is one new file, and it must pass the check.

mod ansible;
mod bind;
mod book;
mod cinv;
mod dnsmasq;
mod hosts;
mod isc;
mod kea;
pub(crate) mod leases;
mod libvirt;
mod names;
mod netbox;
mod settle;
mod spans;
mod text;

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::check::count;
use crate::edit::{Done, How, Session, finish};
use crate::exit::{Failure, Outcome};

use book::Book;

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// What the files are.
    #[arg(value_name = "FORMAT")]
    format: Format,
    /// The files; a zone's is written `ZONE=FILE` where the file does not say which zone it is.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<String>,
    /// The domain of names that have none.
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// The file to write, relative to the inventory.
    #[arg(long, value_name = "PATH")]
    into: Option<String>,
    #[command(flatten)]
    how: How,
}

/// Formats that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// dnsmasq's configuration.
    Dnsmasq,
    /// ISC's dhcpd.conf.
    Isc,
    /// /etc/hosts and /etc/ethers, in any order.
    Hosts,
    /// Master files of zones, reverse zones too.
    Bind,
    /// Kea's JSON.
    Kea,
    /// NetBox: JSON of its API, or CSV of its tables.
    Netbox,
    /// libvirt's XML of networks and domains.
    Libvirt,
    /// Ansible's static inventory, INI or YAML.
    Ansible,
    /// The directory of cinv's database.
    Cinv,
}

pub(crate) fn run(args: &Import) -> Outcome {
    let mut book = Book::default();
    for file in &args.files {
        read(args.format, file, &mut book)?;
    }
    let word = args.format.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    let root = &args.how.inventory.inventory;
    if !root.exists() {
        std::fs::create_dir_all(root)?;
    }
    let mut session = Session::open(root)?;
    let there = session.before().map(|snapshot| std::sync::Arc::clone(&snapshot.inventory));
    if there.is_none() && !session.paths().is_empty() {
        return Err(Failure::auto_needs_good());
    }
    let settled = settle::settle(book, there.as_deref(), args.zone.as_deref());
    if !settled.lost.is_empty() {
        eprintln!("Not taken over, or not as it is there:");
    }
    for lost in &settled.lost {
        eprintln!("{lost}");
    }
    let (hosts, networks) = (settled.hosts.len(), settled.networks.len());
    let site = there.iter().flat_map(|there| there.globals.site.nameservers.iter());
    let site = site.map(ToString::to_string).collect();
    let names: Vec<&str> =
        args.files.iter().map(|file| file.rsplit(['/', '=']).next().unwrap_or(file)).collect();
    let text = text::text(&settled, site, &names.join(", "));
    let path = match &args.into {
        Some(path) => path.clone(),
        None => free_path(&session, &word),
    };
    if session.paths().iter().any(|there| **there == *path) {
        return Err(Failure::usage(format!("`{path}` is there already; name another file by `--into`")));
    }
    if hosts + networks + settled.zones.len() == 0 {
        return finish(session, &args.how, &[]);
    }
    session.doc(&path)?;
    session.replace(&path, text);
    let what = format!(
        "{}, {}, {} that could not be expressed",
        count(hosts, "host"),
        count(networks, "network"),
        count(settled.lost.len(), "thing")
    );
    finish(session, &args.how, &[Done::new(what, &path, &[])])
}

/// A name that no file has.
fn free_path(session: &Session, word: &str) -> String {
    let there = session.paths();
    let numbered = (2..).map(|number: u32| format!("imported-{word}-{number}.toml"));
    let plain = format!("imported-{word}.toml");
    let mut names = std::iter::once(plain.clone()).chain(numbered);
    names.find(|name| there.iter().all(|path| **path != **name)).unwrap_or(plain)
}

fn read(format: Format, argument: &str, book: &mut Book) -> Result<(), Failure> {
    if format == Format::Cinv {
        return cinv::read(std::path::Path::new(argument), book).map_err(Failure::new);
    }
    let unreadable =
        |path: &std::path::Path, error| Failure::new(format!("cannot read `{}`: {error}", path.display()));
    let path =
        PathBuf::from(argument.rsplit('=').next().filter(|_| format == Format::Bind).unwrap_or(argument));
    let octets = std::fs::read(&path).map_err(|error| unreadable(&path, error))?;
    let text = String::from_utf8_lossy(&octets);
    let name =
        path.file_name().map_or_else(|| argument.to_owned(), |name| name.to_string_lossy().into_owned());
    match format {
        Format::Dnsmasq => dnsmasq::read(&name, &text, book),
        Format::Isc => isc::read(&name, &text, book),
        Format::Hosts => hosts::read(&name, &text, book),
        Format::Kea => kea::read(&name, &text, book).map_err(Failure::new)?,
        Format::Netbox => netbox::read(&name, &text, book).map_err(Failure::new)?,
        Format::Libvirt => libvirt::read(&name, &text, book).map_err(Failure::new)?,
        Format::Ansible => ansible::read(&name, &text, book),
        Format::Cinv => {}
        Format::Bind => {
            let (apex, path) = bind::apex(argument, &text)
                .ok_or_else(|| Failure::usage(format!("which zone is `{argument}`? write `ZONE=FILE`")))?;
            bind::read(&name, &path, &text, &apex, book);
        }
    }
    Ok(())
}
