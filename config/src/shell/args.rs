//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Pushes configuration to hosts of the inventory, over ssh, in the language of cdist.
#[derive(Debug, Parser)]
#[command(name = "hostbook-config", version, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str =
    "Exit codes: 0 fine; 1 failed; 2 usage; 3 a plan has changes; 65 the inventory has errors.";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make hosts what the manifests say.
    #[command(alias = "config")]
    Push(Push),
    /// Say what a push would do, and do nothing.
    Plan(Push),
    /// List the types, or show how one is used.
    Types(Types),
    /// A shell with the types' commands, to try them without a target.
    Shell(Shell),
}

/// Where types, explorers and manifests come from.
#[derive(Clone, Debug, Args)]
pub struct ConfArg {
    /// The inventory: a directory of `*.toml` files. Its `config` directory, if there is one, is a
    /// configuration directory.
    #[arg(short, long, value_name = "DIR", env = "HOSTBOOK_INVENTORY")]
    pub inventory: Option<PathBuf>,
    /// A configuration directory with types, explorers, manifests; repeated: the later one wins.
    #[arg(short, long, value_name = "DIR")]
    pub conf_dir: Vec<PathBuf>,
    /// cdist's configuration file, on top of `~/.cdist.cfg` and the like.
    #[arg(short = 'g', long, value_name = "FILE")]
    pub config_file: Option<PathBuf>,
    /// Configuration directories of cdist, `:` between them.
    #[arg(long, value_name = "DIRS", env = "CDIST_PATH")]
    pub cdist_path: Option<String>,
}

/// Arguments of `push` and `plan`. What is given twice counts as given last, so that scripts can have defaults.
#[derive(Clone, Debug, Args)]
#[command(args_override_self = true)]
pub struct Push {
    /// Hosts, by a name in the inventory; without an inventory, any name that ssh knows.
    #[arg(value_name = "HOST")]
    pub hosts: Vec<String>,
    /// Where types and manifests come from.
    #[command(flatten)]
    pub conf: ConfArg,
    /// Which hosts.
    #[command(flatten)]
    pub select: Select,
    /// The initial manifest; `manifest/init` of the configuration directories without it.
    #[arg(long, value_name = "FILE", visible_alias = "initial-manifest")]
    pub manifest: Option<PathBuf>,
    /// Only say what would be done, as `plan` does.
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Work on types for installation instead of those for configuration.
    #[arg(long)]
    pub install: bool,
    /// How to reach hosts.
    #[command(flatten)]
    pub reach: Reach,
    /// Scripts of one host that run at the same time on this machine.
    #[arg(short, long, value_name = "N")]
    pub jobs: Option<usize>,
    /// Hosts worked on at the same time; 32 without it.
    #[arg(short = 'p', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub hosts_parallel: Option<u16>,
    /// Program that tells secrets: called with NAME for a parameter's value `secret:NAME`.
    #[arg(long, value_name = "COMMAND", env = "HOSTBOOK_SECRET_COMMAND")]
    pub secret_command: Option<String>,
    /// Leave the run's directory in DIR, to look into it.
    #[arg(short, long, value_name = "DIR", conflicts_with = "secret_command")]
    pub out_path: Option<PathBuf>,
    /// Write what came out as metrics into FILE, for Prometheus' textfile collector.
    #[arg(long, value_name = "FILE")]
    pub metrics: Option<PathBuf>,
    /// How to print the report.
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub format: Format,
    /// Short for `--format json`.
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
    /// Show more: unchanged objects, the code that ran, what scripts wrote. Scripts see a higher log level.
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// Which hosts of the inventory.
#[derive(Clone, Debug, Default, Args)]
pub struct Select {
    /// Hosts with this tag; repeated: with all of them.
    #[arg(long, value_name = "TAG")]
    pub tag: Vec<String>,
    /// Hosts with an interface in this network; repeated: in any of them.
    #[arg(long, value_name = "NETWORK")]
    pub network: Vec<String>,
    /// Hosts in this state; repeated: in any of them. Without it, active ones.
    #[arg(long, value_name = "STATE")]
    pub state: Vec<State>,
    /// Virtual machines on this host; repeated: on any of them.
    #[arg(long, value_name = "HOST")]
    pub vmhost: Vec<String>,
    /// All hosts.
    #[arg(short, long)]
    pub all: bool,
}

/// State of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum State {
    /// Planned.
    Planned,
    /// Being installed.
    Install,
    /// In service.
    Active,
    /// Retired.
    Retired,
}

/// How to reach hosts.
#[derive(Clone, Debug, Args)]
pub struct Reach {
    /// ssh configuration instead of `~/.ssh/config` and `/etc/ssh/ssh_config`.
    #[arg(long, value_name = "FILE")]
    pub ssh_config: Option<PathBuf>,
    /// Login name. Without it root, or with `--become` what the ssh configuration says.
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// Become root on the target by this program.
    #[arg(long, value_name = "PROGRAM", num_args = 0..=1, require_equals = true, default_missing_value = "sudo")]
    pub r#become: Option<Become>,
    /// Seconds without a sign of life after which a host is given up.
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout: u64,
    /// How often a lost connection is made again.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub retries: u32,
    /// Seconds to wait for another run on the same host.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub lock_wait: u64,
    /// Control socket of dhcpd, which knows the host keys that installers reported; without it, the usual place is asked.
    #[arg(long, value_name = "PATH")]
    pub control: Option<PathBuf>,
    /// Directory on the target for the run's private directory, instead of the first that is fit.
    #[arg(short, long, value_name = "DIR", value_parser = plain_path)]
    pub remote_out_path: Option<String>,
    /// A program instead of ssh, as cdist has it: called with the host and a command.
    #[arg(long, value_name = "COMMAND", env = "CDIST_REMOTE_EXEC", requires = "remote_copy")]
    pub remote_exec: Option<String>,
    /// A program instead of scp, as cdist has it: called with files and `HOST:PATH`.
    #[arg(long, value_name = "COMMAND", env = "CDIST_REMOTE_COPY", requires = "remote_exec")]
    pub remote_copy: Option<String>,
}

/// How to become root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Become {
    /// `sudo -n`.
    Sudo,
    /// `doas -n`.
    Doas,
}

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Human,
    /// For programs.
    Json,
}

/// Arguments of `types`.
#[derive(Debug, Args)]
pub struct Types {
    /// `list`, which is meant without it; `info TYPE`, or only TYPE: how the type is used.
    #[arg(value_name = "TYPE", num_args = 0..=2)]
    pub words: Vec<String>,
    /// Where types come from.
    #[command(flatten)]
    pub conf: ConfArg,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

impl Types {
    /// The type that is to be shown; none: all of them are listed.
    ///
    /// # Errors
    /// The words make no sense.
    pub fn name(&self) -> Result<Option<&str>, String> {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        match words.as_slice() {
            [] | ["list"] => Ok(None),
            ["info"] => Err("`types info` needs the name of a type".to_owned()),
            ["info", name] | [name] => Ok(Some(name)),
            other => Err(format!("`types {}` is neither `list` nor `info TYPE`", other.join(" "))),
        }
    }
}

/// Arguments of `shell`.
#[derive(Debug, Args)]
pub struct Shell {
    /// Where types come from.
    #[command(flatten)]
    pub conf: ConfArg,
    /// Command to run instead of an interactive shell.
    #[arg(value_name = "COMMAND", trailing_var_arg = true)]
    pub command: Vec<OsString>,
}

/// A path without anything that a shell would see as something else.
fn plain_path(text: &str) -> Result<String, String> {
    let plain = |char: char| char.is_ascii_alphanumeric() || "/._-".contains(char);
    if text.starts_with('/') && text.chars().all(plain) {
        Ok(text.to_owned())
    } else {
        Err("it must be absolute and have only letters, digits, `.`, `_`, `-` and `/`".to_owned())
    }
}
