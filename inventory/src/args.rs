//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// One book of hosts: DHCP, DNS, network boot and configuration are read from it.
///
/// The inventory is a directory of TOML files: networks, zones, hosts. The daemons serve it directly and
/// follow every edit. `hostbook X` runs `hostbook-X` for any X that is not below.
#[derive(Debug, Parser)]
#[command(name = "hostbook", version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str =
    "Exit codes: 0 fine; 1 failed; 2 usage; 3 a plan has changes; 65 the inventory has errors.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Look the inventory over: every mistake, with file, line and column.
    Check(Check),
    /// List hosts, networks, zones or tags.
    #[command(visible_alias = "ls")]
    List(List),
    /// Show everything about one host, by name, MAC or IP address.
    Show(Show),
    /// Ask the running daemons: generation served, health, counters.
    Status(Status),
    /// Run both daemons together, for a LAN or a trial, until Ctrl-C.
    Serve(Serve),
    /// Show the whole suite at work, in private network namespaces.
    Demo(Demo),
    /// Show the next free addresses of a network.
    Free(Free),
    /// Show what an edit changes: DNS records, reservations, boot actions.
    Plan(Plan),
    /// Print a virtual machine's definition from its entry.
    Vm(Vm),
    /// Show what DHCP, DNS and boot answer, and the line that says so.
    Explain(crate::explain::Explain),
    /// Show who had an address at a moment: leases and the inventory's history together.
    Who(crate::who::Who),
    /// Take over hosts, networks and names from other systems' files.
    Import(crate::import::Import),
    /// Turn live leases of other servers into those of dhcpd, as JSON lines for its `--import-leases`.
    ImportLeases(crate::import::leases::ImportLeases),
    /// Write the inventory in the forms of other systems.
    Export(crate::export::Export),
    /// Make a git repository refuse what does not pass the check; run this host's hooks on changes.
    #[command(subcommand)]
    Hook(crate::hook::Hook),
    /// Show the keys of a signed zone, and replace the one that its parent knows.
    #[command(subcommand)]
    Dnssec(crate::dnssec::Dnssec),
    /// Show what dnsd is asked at present, and what it says.
    Queries(crate::queries::Queries),
    /// Have the daemons look at the inventory now, and wait until they serve it.
    Apply(crate::apply::Apply),
    /// Write a commented start of an inventory, from what this machine's interfaces say.
    Init(crate::init::Init),
    /// Print a script that completes commands, flags, and names of the inventory in a shell.
    Completions(crate::complete::Completions),
    #[command(hide = true)]
    Complete(crate::complete::Complete),
    /// Write manual pages.
    Man(crate::man::Pages),
    #[command(flatten)]
    Edit(crate::edit::Verb),
    #[command(external_subcommand)]
    Other(Vec<OsString>),
}

/// Where the inventory is.
#[derive(Debug, Args)]
pub(crate) struct InventoryArg {
    /// The inventory: a directory of `*.toml` files, or a branch of a repository, as in `site.git#main`.
    #[arg(
        short = 'i',
        long = "inventory",
        value_name = "PATH",
        env = "HOSTBOOK_INVENTORY",
        default_value = "."
    )]
    pub(crate) inventory: PathBuf,
}

/// How results are printed.
#[derive(Debug, Args)]
pub(crate) struct FormatArg {
    /// How to print: for people, or as JSON for programs.
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(crate) format: Format,
    /// Short for `--format json`.
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

impl FormatArg {
    /// Whether JSON is asked for.
    pub(crate) fn is_json(&self) -> bool {
        self.json || self.format == Format::Json
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Tables and text.
    Human,
    /// JSON.
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) inventory: InventoryArg,
    /// `human`: with the lines that are meant (default on a terminal); `short`: one line each, for
    /// editors and logs (default elsewhere); `json`: one object a line.
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<CheckFormat>,
    /// Short for `--format json`.
    #[arg(long, conflicts_with = "format")]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CheckFormat {
    Human,
    Short,
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// What to list.
    #[arg(default_value = "hosts")]
    pub(crate) what: What,
    #[command(flatten)]
    pub(crate) inventory: InventoryArg,
    #[command(flatten)]
    pub(crate) format: FormatArg,
    /// Only hosts with this tag; repeated: with all of them.
    #[arg(long, value_name = "TAG")]
    pub(crate) tag: Vec<String>,
    /// Only hosts in this state; repeated: in any of them.
    #[arg(long, value_name = "STATE")]
    pub(crate) state: Vec<State>,
    /// Only hosts with an interface in this network; repeated: in any of them.
    #[arg(long, value_name = "NETWORK")]
    pub(crate) network: Vec<String>,
    /// Only the virtual machines of this host; repeated: of any of them.
    #[arg(long, value_name = "HOST")]
    pub(crate) vmhost: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum What {
    Hosts,
    Networks,
    Zones,
    Tags,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum State {
    Planned,
    Install,
    Active,
    Retired,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// A host's name (short or whole), an alias, a MAC or an IP address.
    #[arg(value_name = "NAME|MAC|IP")]
    pub(crate) what: String,
    #[command(flatten)]
    pub(crate) inventory: InventoryArg,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Control socket of a daemon; repeated: of several. Without it, the usual places are asked.
    #[arg(long, value_name = "PATH")]
    pub(crate) control: Vec<PathBuf>,
    /// List the leases of dhcpd: by network and address, with their states and expiry.
    #[arg(long)]
    pub(crate) leases: bool,
    /// Only leases in this network; repeated: in any of them.
    #[arg(long, value_name = "NETWORK", requires = "leases")]
    pub(crate) network: Vec<String>,
    /// Only leases in this state (`bound`, `ended`, `released`, `declined`); repeated: in any of them.
    #[arg(long, value_name = "STATE", requires = "leases")]
    pub(crate) state: Vec<String>,
    /// List the machines that asked dhcpd and that nobody has written down (see `hostbook adopt`).
    #[arg(long, conflicts_with = "leases")]
    pub(crate) seen: bool,
    /// List the hosts that were installed from here, with the host keys that their installers reported (see
    /// `hostbook pin`).
    #[arg(long, conflicts_with_all = ["leases", "seen"])]
    pub(crate) installed: bool,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The inventory: a directory of `*.toml` files, or a branch of a repository; repeated: several, kept
    /// apart.
    #[arg(short = 'i', long, value_name = "PATH", env = "HOSTBOOK_INVENTORY", default_value = ".")]
    pub(crate) inventory: Vec<PathBuf>,
    /// Interface to serve DHCP on; repeated: on several.
    #[arg(long, value_name = "IF", required = true)]
    pub(crate) interface: Vec<String>,
    /// Address and port to serve DNS on; repeated: several. Without it, port 53 of every address.
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) listen: Vec<String>,
    /// Directory of the files that machines boot; with it, TFTP and HTTP are served on every interface.
    #[arg(long, value_name = "DIR")]
    pub(crate) boot_root: Option<PathBuf>,
    /// Port that boot files are served on by HTTP; 80 if none.
    #[arg(long, value_name = "PORT", requires = "boot_root")]
    pub(crate) boot_port: Option<u16>,
    /// Where the daemons keep their state, in `DIR/dhcpd` and `DIR/dnsd`.
    #[arg(long, value_name = "DIR", default_value = "/var/lib/hostbook")]
    pub(crate) state: PathBuf,
    /// Directory of the control sockets `dhcpd.sock` and `dnsd.sock`.
    #[arg(long, value_name = "DIR", default_value = "/run/hostbook")]
    pub(crate) run: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Free {
    /// Name of the network.
    #[arg(value_name = "NETWORK")]
    pub(crate) network: String,
    /// How many.
    #[arg(short = 'n', value_name = "COUNT", default_value_t = 1)]
    pub(crate) count: usize,
    /// Of the IPv6 prefix, where the network has both.
    #[arg(short = '6', long = "ipv6")]
    pub(crate) v6: bool,
    /// Control socket of dhcpd, which knows of leases; without it, the usual place is asked.
    #[arg(long, value_name = "PATH")]
    pub(crate) control: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) inventory: InventoryArg,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// What to compare with: a git revision, or the directory of another state. Without it, what the
    /// daemons serve now; where none runs, the last commit.
    #[arg(long, value_name = "REV|DIR")]
    pub(crate) from: Option<String>,
    /// Where the daemons keep their state, in `DIR/dhcpd` and `DIR/dnsd`.
    #[arg(long, value_name = "DIR", default_value = "/var/lib/hostbook")]
    pub(crate) state: PathBuf,
    /// Control socket of dhcpd, which knows of leases; without it, the usual place is asked.
    #[arg(long, value_name = "PATH")]
    pub(crate) control: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) inventory: InventoryArg,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

#[derive(Debug, Args)]
pub(crate) struct Vm {
    /// Its name (short or whole), an alias, a MAC or an IP address.
    #[arg(value_name = "HOST")]
    pub(crate) host: String,
    #[command(flatten)]
    pub(crate) inventory: InventoryArg,
    /// `qemu`: a shell script, for `| sh`; `libvirt`: a domain, for `virsh define`.
    #[arg(long = "as", value_name = "FORMAT", default_value = "qemu")]
    pub(crate) as_: VmFormat,
    /// Directory of its disks, which are sparse files.
    #[arg(long, value_name = "DIR", default_value = "/var/lib/libvirt/images")]
    pub(crate) images: PathBuf,
    /// How its processor is run: `kvm`, or `tcg` where that is not there.
    #[arg(long, value_name = "HOW", default_value = "kvm")]
    pub(crate) accel: Accel,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum VmFormat {
    Qemu,
    Libvirt,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Accel {
    Kvm,
    Tcg,
}

impl Accel {
    /// As QEMU calls it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Accel::Kvm => "kvm",
            Accel::Tcg => "tcg",
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Inventory to show; it is copied, never changed.
    #[arg(short = 'i', long = "inventory", value_name = "DIR", default_value = "examples/lab")]
    pub(crate) inventory: PathBuf,
    /// The network namespace outside, set by the demo itself when it starts again inside its own.
    #[arg(long, hide = true, value_name = "NAMESPACE")]
    pub(crate) inside: Option<String>,
}

impl State {
    /// The word in the inventory.
    pub(crate) fn word(self) -> &'static str {
        match self {
            State::Planned => "planned",
            State::Install => "install",
            State::Active => "active",
            State::Retired => "retired",
        }
    }
}

/// The parsed command line; usage errors end the program with code 2.
pub(crate) fn parse() -> Cli {
    Cli::parse()
}
