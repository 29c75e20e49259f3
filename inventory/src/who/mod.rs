//! `hostbook who`: who had an address at a moment.
//!
//! Two books know it together: dhcpd's history of leases, and the history of the inventory in git, which
//! says whose address it was meant to be and whose card took the lease.

mod past;

use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use dhcpd::core::State;
use dhcpd::history::{Past, past_of};
use inventory_core::load::{Loaded, Loader};
use inventory_core::model::{Host, Inventory, Network, Snapshot};
use inventory_core::source::git::{GitTree, Location, commit_before};
use inventory_core::source::{self, Source};
use serde_json::{Value, json};

use crate::args::{FormatArg, InventoryArg};
use crate::exit::{Failure, Outcome};
use crate::explain::Origins;
use crate::{moment, output};
use past::Span;

#[derive(Debug, Args)]
pub(crate) struct Who {
    /// The address.
    #[arg(value_name = "ADDRESS")]
    address: IpAddr,
    /// When: `2026-11-01T12:00`, local time, or with `Z` or `+02:00`; `2h`: so long ago. Without it, now.
    #[arg(long, value_name = "TIME", value_parser = moment::parse)]
    at: Option<i64>,
    /// Where the daemons keep their state, in `DIR/dhcpd` and `DIR/dnsd`.
    #[arg(long, value_name = "DIR", default_value = "/var/lib/hostbook")]
    state: PathBuf,
    #[command(flatten)]
    inventory: InventoryArg,
    #[command(flatten)]
    format: FormatArg,
}

/// The inventory as it was.
struct Then {
    snapshot: Snapshot,
    loader: Loader,
    /// What it is called.
    words: String,
    /// Why it may not be what was served.
    doubt: Option<String>,
}

pub(crate) fn run(args: &Who) -> Outcome {
    let moment = args.at.unwrap_or_else(moment::now);
    let then = then(args, moment)?;
    let past = past_of(&args.state.join("dhcpd"), args.address);
    let spans = past.as_ref().map(|past| past::spans(&past.records)).unwrap_or_default();
    let found = past::at(&spans, moment);
    let answer = Answer { address: args.address, moment, then: &then, found };
    if args.format.is_json() {
        output::line(&answer.to_json(past.as_ref()).to_string());
    } else {
        answer.print();
    }
    let folder = args.state.join("dhcpd").join(dhcpd::history::FOLDER);
    match &past {
        Err(error) => {
            return Err(Failure::new(format!(
                "who leased it is not known: cannot read `{}`: {error}",
                folder.display()
            )));
        }
        Ok(past) if !args.format.is_json() => answer.doubts(past, &folder.display().to_string()),
        Ok(_) => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// The inventory at `moment`: the last commit before it; as it is now, where no moment was named or there is
/// no repository.
fn then(args: &Who, moment: i64) -> Result<Then, Failure> {
    let inventory = &args.inventory.inventory;
    let location = Location::parse(inventory);
    let (repository, revision) = match &location {
        Some(location) => (location.repository.as_path(), location.branch.as_str()),
        None => (inventory.as_path(), "HEAD"),
    };
    let now = || {
        let words = "the inventory as it is now".to_owned();
        load(source::open(inventory), words)
    };
    if args.at.is_none() {
        return now();
    }
    let commit = match commit_before(repository, revision, moment) {
        Ok(Some(commit)) => commit,
        Ok(None) => {
            return Err(Failure::new(format!(
                "the history of `{}` begins after {}: what the inventory said then is not known",
                inventory.display(),
                moment::show(moment)
            )));
        }
        Err(why) => {
            let mut then = now()?;
            then.doubt = Some(format!("what the inventory said then is not known: {why}"));
            return Ok(then);
        }
    };
    let tree = match &location {
        Some(location) => GitTree::at(repository, &commit, &location.prefix),
        None => GitTree::beside(repository, &commit),
    };
    let tree = tree.map_err(Failure::new)?;
    let made = tree.commit().map(|commit| moment::show(commit.unix_seconds.try_into().unwrap_or(i64::MAX)));
    let words = format!("commit {commit:.12} of {}", made.unwrap_or_default());
    load(Box::new(tree), words)
}

fn load(source: Box<dyn Source>, words: String) -> Result<Then, Failure> {
    let mut loader = Loader::new(source);
    match loader.load() {
        Loaded::Good { snapshot, .. } => Ok(Then { snapshot, loader, words, doubt: None }),
        Loaded::Broken { diagnostics } => {
            eprintln!("hostbook: {words} does not pass the check, so it was never served");
            Err(crate::inventory::broken(&diagnostics))
        }
        Loaded::Unchanged => Err(Failure::new("nothing was loaded")),
    }
}

/// What is known.
struct Answer<'a> {
    address: IpAddr,
    moment: i64,
    then: &'a Then,
    /// The lease at that moment; and the last one that was over.
    found: (Option<&'a Span>, Option<&'a Span>),
}

impl Answer<'_> {
    fn inventory(&self) -> &Inventory {
        &self.then.snapshot.inventory
    }

    /// Hosts whose entry has the address, and where.
    fn entries(&self) -> Vec<(&Host, String)> {
        let origins = Origins::new(&self.then.loader);
        let all = self.inventory().hosts().filter_map(|host| {
            let spans = host.nics.iter().flat_map(|nic| nic.addresses.iter().zip(nic.address_spans()));
            let mut own = spans.filter(|(address, _)| **address == self.address);
            own.next().map(|(_, span)| (host, origins.at(span)))
        });
        all.collect()
    }

    fn network(&self) -> Option<&Network> {
        let networks = &self.inventory().globals.networks;
        networks.iter().find(|network| network.contains(self.address))
    }

    /// The host whose card took the lease, where its entry has no address.
    fn owner(&self, lease: &Span) -> Option<(&Host, String)> {
        let mac = lease.record.mac?;
        let globals = &self.inventory().globals;
        let is_own = |host: &&Host| {
            let mut nics = host.nics.iter();
            nics.any(|nic| nic.mac == Some(mac) && globals.network(nic.network).contains(self.address))
        };
        let host = self.inventory().hosts().find(is_own)?;
        Some((host, Origins::new(&self.then.loader).at(host.span)))
    }

    fn print(&self) {
        let field = |name: &str, text: &str| output::line(&format!("  {name:<10} {text}"));
        output::line(&format!("{} at {}", self.address, moment::show(self.moment)));
        let entries = self.entries();
        for (host, at) in &entries {
            let name = host.name.fqdn.to_string();
            let text = match host.state.is_served() {
                true => format!("{name}, by its entry ({at})"),
                false => format!("nobody: {name} holds it and is {} ({at})", host.state.word()),
            };
            field("reserved", &text);
        }
        match self.found {
            (Some(lease), _) => {
                let span = format!("{} to {}", moment::show(lease.since), moment::show(lease.until));
                let text = match lease.record.state {
                    State::Declined => format!("on probation: {} found it in use", lease.client()),
                    _ => lease.client(),
                };
                field("leased", &format!("{text}, {span}"));
                if let Some((host, at)) = self.owner(lease) {
                    field("whose", &format!("{} ({at})", host.name.fqdn));
                }
            }
            (None, Some(last)) => {
                let how = if last.released { "released" } else { "ended" };
                field(
                    "leased",
                    &format!("to nobody; before, to {}, {how} {}", last.client(), moment::show(last.until)),
                );
            }
            (None, None) if entries.is_empty() => field("leased", "to nobody that is known"),
            (None, None) => {}
        }
        match self.network() {
            Some(network) if network.pool_of(self.address).is_some() => {
                field("network", &format!("{}, of its pool", network.name));
            }
            Some(network) => field("network", &network.name),
            None => field("network", "none of the inventory"),
        }
        field("by", &self.then.words);
        if let Some(doubt) = &self.then.doubt {
            field("note", doubt);
        }
    }

    /// Says what may be missing in the history of leases.
    fn doubts(&self, past: &Past, folder: &str) {
        let note = match past.begins {
            None => format!("no lease was ever written down in `{folder}`"),
            Some(begins) if begins > self.moment => {
                format!(
                    "the history of leases begins at {}: leases before are not known",
                    moment::show(begins)
                )
            }
            Some(_) if past.unreadable > 0 => {
                format!("{} lines of the history cannot be read", past.unreadable)
            }
            Some(_) => return,
        };
        output::line(&format!("  {:<10} {note}", "note"));
    }

    fn to_json(&self, past: Result<&Past, &std::io::Error>) -> Value {
        let host = |(host, at): &(&Host, String)| json!({ "host": host.name.fqdn.to_string(), "state": host.state.word(), "at": at });
        let (lease, before) = self.found;
        json!({
            "address": self.address,
            "at": self.moment,
            "inventory": {
                "commit": self.then.snapshot.commit.as_ref().map(|commit| commit.id.to_string()),
                "commit_time": self.then.snapshot.commit.as_ref().map(|commit| commit.unix_seconds),
                "doubt": self.then.doubt,
            },
            "network": self.network().map(|network| &network.name),
            "in_pool": self.network().is_some_and(|network| network.pool_of(self.address).is_some()),
            "reserved": self.entries().iter().map(host).collect::<Vec<_>>(),
            "lease": lease.map(Span::to_json),
            "leased_to": lease.and_then(|lease| self.owner(lease)).as_ref().map(host),
            "before": before.map(Span::to_json),
            "history": match past {
                Ok(past) => json!({ "begins": past.begins, "unreadable": past.unreadable }),
                Err(error) => json!({ "error": error.to_string() }),
            },
        })
    }
}
