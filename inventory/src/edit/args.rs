//! The command line of the verbs that edit.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::args::{InventoryArg, State};

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Write down a new host, where its neighbours are.
    Add(Add),
    /// Set keys of a host (or of `network/NAME`, `zone/NAME`, `profile/NAME`, `boot/NAME`, `site`).
    Set(Set),
    /// Take out keys.
    Unset(Unset),
    /// Take out a host, with its aliases and comments.
    #[command(visible_aliases = ["remove", "delete"])]
    Rm(Rm),
    /// Give a host another name; what refers to it follows.
    Rename(Rename),
    /// Write down a machine by its MAC address; it gets the next free address.
    Adopt(Adopt),
    /// Open a host in `$EDITOR`, at its line; the result is checked before it is written.
    Edit(Edit),
    /// Interfaces of a host.
    #[command(subcommand)]
    Nic(Nic),
    /// Disks of a host.
    #[command(subcommand)]
    Disk(Disk),
    /// Tags of a host.
    #[command(subcommand)]
    Tag(Words),
    /// Other names of a host.
    #[command(subcommand)]
    Alias(Words),
    /// Write down the host keys that hosts' installers reported to dhcpd, as `ssh-host-key`.
    Pin(Pin),
    /// Boot the host's boot profile once, and serve it from then on.
    Install(Install),
    /// Serve a host, booting from its disk.
    Activate(Life),
    /// Serve a host no longer; its name and addresses stay reserved until `rm`.
    Retire(Life),
}

/// How every edit is made.
#[derive(Debug, Args)]
pub(crate) struct How {
    #[command(flatten)]
    pub(crate) inventory: InventoryArg,
    /// Show the difference to the files, and write nothing.
    #[arg(long, short = 'n')]
    pub(crate) dry_run: bool,
    /// Open the result in `$EDITOR` before it is written.
    #[arg(short = 'e', long)]
    pub(crate) edit: bool,
    /// Print what was done as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Control socket of dhcpd, which knows of leases and installations; without it, the usual place is asked.
    #[arg(long, value_name = "PATH")]
    pub(crate) control: Option<PathBuf>,
}

impl How {
    /// The same for an inventory that is opened already.
    pub(crate) fn copy(&self) -> How {
        let inventory = InventoryArg { inventory: self.inventory.inventory.clone() };
        How {
            inventory,
            dry_run: self.dry_run,
            edit: self.edit,
            json: self.json,
            control: self.control.clone(),
        }
    }
}

/// Keys of a nic as flags.
#[derive(Debug, Args)]
pub(crate) struct NicKeys {
    /// The network that it is plugged into.
    #[arg(long, value_name = "NETWORK")]
    pub(crate) network: Option<String>,
    /// Hardware address; `auto` makes one that belongs to this name.
    #[arg(long, value_name = "MAC|auto")]
    pub(crate) mac: Option<String>,
    /// Address; repeated: several. `auto` takes the next free one (IPv4 if the network has it), `auto4` and
    /// `auto6` one of that family.
    #[arg(long, value_name = "IP|auto")]
    pub(crate) ip: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Name of the host; with dots: its whole name. Or `network/NAME` and the like.
    #[arg(value_name = "HOST")]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) nic: NicKeys,
    /// Profile to take keys from; repeated: several.
    #[arg(long = "use", value_name = "PROFILE")]
    pub(crate) profile: Vec<String>,
    /// Another name; repeated: several.
    #[arg(long, value_name = "NAME")]
    pub(crate) alias: Vec<String>,
    /// Tag; repeated: several.
    #[arg(long, value_name = "TAG")]
    pub(crate) tag: Vec<String>,
    /// State; without one, it is active.
    #[arg(long, value_name = "STATE")]
    pub(crate) state: Option<State>,
    /// Boot profile.
    #[arg(long, value_name = "PROFILE")]
    pub(crate) boot: Option<String>,
    /// Number of processors.
    #[arg(long, value_name = "N")]
    pub(crate) cpu: Option<u32>,
    /// Memory, as in `8 GiB`.
    #[arg(long, value_name = "SIZE")]
    pub(crate) memory: Option<String>,
    /// Disk, as in `root=40GiB`; repeated: several.
    #[arg(long, value_name = "NAME=SIZE")]
    pub(crate) disk: Vec<String>,
    /// The host that it runs on as a virtual machine.
    #[arg(long, value_name = "HOST")]
    pub(crate) vmhost: Option<String>,
    /// Further keys.
    #[arg(value_name = "KEY=VALUE")]
    pub(crate) keys: Vec<String>,
    /// The file to write it into, relative to the inventory; new ones are made.
    #[arg(long, value_name = "PATH")]
    pub(crate) file: Option<String>,
    /// The host to write it after.
    #[arg(long, value_name = "HOST", conflicts_with = "file")]
    pub(crate) after: Option<String>,
    #[command(flatten)]
    pub(crate) how: How,
}

#[derive(Debug, Args)]
pub(crate) struct Set {
    /// The host; or `network/NAME`, `zone/NAME`, `profile/NAME`, `boot/NAME`, `site`.
    #[arg(value_name = "HOST")]
    pub(crate) name: String,
    /// `KEY=VALUE`; `KEY+=VALUE` and `KEY-=VALUE` for lists; `nic.lan.mac=…`, `disk.root=…` for what is
    /// further down. A value in brackets, braces or quotes is taken as TOML.
    #[arg(value_name = "KEY=VALUE", required = true)]
    pub(crate) changes: Vec<String>,
    #[command(flatten)]
    pub(crate) how: How,
}

#[derive(Debug, Args)]
pub(crate) struct Unset {
    /// The host; or `network/NAME` and the like.
    #[arg(value_name = "HOST")]
    pub(crate) name: String,
    /// Keys to take out.
    #[arg(value_name = "KEY", required = true)]
    pub(crate) keys: Vec<String>,
    #[command(flatten)]
    pub(crate) how: How,
}

#[derive(Debug, Args)]
pub(crate) struct Rm {
    /// The hosts; or `network/NAME` and the like.
    #[arg(value_name = "HOST", required = true)]
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    pub(crate) how: How,
}

#[derive(Debug, Args)]
pub(crate) struct Rename {
    /// The host.
    #[arg(value_name = "OLD")]
    pub(crate) old: String,
    /// Its new name.
    #[arg(value_name = "NEW")]
    pub(crate) new: String,
    /// Keep the old name as an alias.
    #[arg(long)]
    pub(crate) keep: bool,
    #[command(flatten)]
    pub(crate) how: How,
}

#[derive(Debug, Args)]
pub(crate) struct Adopt {
    /// Hardware address of the machine.
    #[arg(value_name = "MAC")]
    pub(crate) mac: String,
    /// Name that it gets.
    #[arg(value_name = "HOST")]
    pub(crate) name: String,
    /// The network that it is plugged into; not needed if dhcpd has seen it, or there is only one.
    #[arg(long, value_name = "NETWORK")]
    pub(crate) network: Option<String>,
    /// Address; without one, the next free.
    #[arg(long, value_name = "IP|auto")]
    pub(crate) ip: Vec<String>,
    /// State; without one, it is active.
    #[arg(long, value_name = "STATE")]
    pub(crate) state: Option<State>,
    /// Profile to take keys from; repeated: several.
    #[arg(long = "use", value_name = "PROFILE")]
    pub(crate) profile: Vec<String>,
    /// Boot profile.
    #[arg(long, value_name = "PROFILE")]
    pub(crate) boot: Option<String>,
    /// Tag; repeated: several.
    #[arg(long, value_name = "TAG")]
    pub(crate) tag: Vec<String>,
    #[command(flatten)]
    pub(crate) how: How,
}

#[derive(Debug, Args)]
pub(crate) struct Edit {
    /// The host; or `network/NAME` and the like.
    #[arg(value_name = "HOST")]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) how: How,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Nic {
    /// Give a host another interface.
    Add(NicAdd),
    /// Take one out.
    Rm(Named),
}

#[derive(Debug, Args)]
pub(crate) struct NicAdd {
    /// The host.
    #[arg(value_name = "HOST")]
    pub(crate) host: String,
    /// Name of the interface: the host is `HOST-NIC` there.
    #[arg(value_name = "NIC")]
    pub(crate) nic: String,
    #[command(flatten)]
    pub(crate) keys: NicKeys,
    /// Name that the interface gets which the host has so far, if that has none yet.
    #[arg(long, value_name = "NIC", default_value = "lan")]
    pub(crate) first: String,
    #[command(flatten)]
    pub(crate) how: How,
}

#[derive(Debug, Args)]
pub(crate) struct Named {
    /// The host.
    #[arg(value_name = "HOST")]
    pub(crate) host: String,
    /// What to take out.
    #[arg(value_name = "NAME", required = true)]
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    pub(crate) how: How,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Disk {
    /// Give a host a disk, or a disk another size.
    #[command(visible_alias = "add")]
    Set(DiskSet),
    /// Take disks out.
    Rm(Named),
}

#[derive(Debug, Args)]
pub(crate) struct DiskSet {
    /// The host.
    #[arg(value_name = "HOST")]
    pub(crate) host: String,
    /// Name of the disk.
    #[arg(value_name = "DISK")]
    pub(crate) disk: String,
    /// Its size, as in `40GiB`.
    #[arg(value_name = "SIZE")]
    pub(crate) size: String,
    #[command(flatten)]
    pub(crate) how: How,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Words {
    /// Add some.
    Add(Named),
    /// Take some out.
    Rm(Named),
}

#[derive(Debug, Args)]
pub(crate) struct Pin {
    /// The hosts.
    #[arg(value_name = "HOST", required = true)]
    pub(crate) hosts: Vec<String>,
    #[command(flatten)]
    pub(crate) how: How,
}

#[derive(Debug, Args)]
pub(crate) struct Install {
    /// The host.
    #[arg(value_name = "HOST")]
    pub(crate) host: String,
    /// Boot profile, if the host has none or is to get another.
    #[arg(long, value_name = "PROFILE")]
    pub(crate) boot: Option<String>,
    /// Do not ask.
    #[arg(short = 'y', long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) how: How,
}

#[derive(Debug, Args)]
pub(crate) struct Life {
    /// The hosts.
    #[arg(value_name = "HOST", required = true)]
    pub(crate) hosts: Vec<String>,
    /// Do not ask.
    #[arg(short = 'y', long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) how: How,
}
