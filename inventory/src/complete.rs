//! Completion in shells: commands and flags from the command line's own description, names from the
//! inventory.
//!
//! The scripts that `hostbook completions` prints ask the hidden command `complete` what may come next.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Arg, Args, Command, CommandFactory, ValueEnum};
use inventory_core::model::{Inventory, State};

use crate::args::Cli;
use crate::exit::Outcome;
use crate::output;

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell.
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

#[derive(Debug, Args)]
pub(crate) struct Complete {
    /// Words of the command line after the program's name; the last is the one to complete.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

const BASH: &str = r#"_hostbook() {
    local IFS=$'\n'
    COMPREPLY=($(hostbook complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _hostbook hostbook"#;

const ZSH: &str = r#"#compdef hostbook
_hostbook() {
    local -a names
    names=("${(@f)$(hostbook complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    [[ -n $names ]] && compadd -a names || _files
}
compdef _hostbook hostbook"#;

const FISH: &str = r#"complete -c hostbook -f -a '(hostbook complete -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'"#;

/// Prints the script for a shell.
pub(crate) fn script(args: &Completions) -> Outcome {
    output::line(match args.shell {
        Shell::Bash => BASH,
        Shell::Zsh => ZSH,
        Shell::Fish => FISH,
    });
    Ok(ExitCode::SUCCESS)
}

/// Prints what the last word may become, a line each.
pub(crate) fn run(args: &Complete) -> Outcome {
    for candidate in candidates(&Cli::command(), &args.words) {
        output::line(&candidate);
    }
    Ok(ExitCode::SUCCESS)
}

fn candidates(root: &Command, words: &[String]) -> BTreeSet<String> {
    let Some((last, before)) = words.split_last() else { return BTreeSet::new() };
    let place = Place::find(root, before);
    let all: BTreeSet<String> = if let Some(flag) = place.flag {
        values(flag, &place)
    } else if last.starts_with('-') {
        flags(place.command)
    } else {
        let positional = place.command.get_positionals().nth(place.positionals);
        // The last one may take all that is left.
        let positional =
            positional.or_else(|| place.command.get_positionals().last().filter(|arg| many(arg)));
        let mut all: BTreeSet<String> = positional.map(|arg| values(arg, &place)).unwrap_or_default();
        if place.positionals == 0 {
            let commands = place.command.get_subcommands().filter(|command| !command.is_hide_set());
            all.extend(commands.map(|command| command.get_name().to_owned()));
        }
        all
    };
    all.into_iter().filter(|candidate| candidate.starts_with(last.as_str())).collect()
}

fn many(arg: &Arg) -> bool {
    arg.get_num_args().is_some_and(|count| count.max_values() > 1)
        || matches!(arg.get_action(), clap::ArgAction::Append)
}

/// Where the word to complete stands.
struct Place<'c> {
    command: &'c Command,
    /// The command that it belongs to, such as `tag` of `tag add`.
    above: &'c str,
    /// The flag whose value it is.
    flag: Option<&'c Arg>,
    /// Positional words before it.
    positionals: usize,
    inventory: PathBuf,
}

impl<'c> Place<'c> {
    fn find(root: &'c Command, before: &[String]) -> Place<'c> {
        let named = std::env::var_os("HOSTBOOK_INVENTORY").map_or_else(|| PathBuf::from("."), PathBuf::from);
        let mut place = Place { command: root, above: "", flag: None, positionals: 0, inventory: named };
        for word in before {
            if let Some(flag) = place.flag.take() {
                if flag.get_id() == "inventory" {
                    place.inventory = PathBuf::from(word);
                }
            } else if let Some(flag) = place.flag_of(word) {
                let takes = matches!(flag.get_action(), clap::ArgAction::Set | clap::ArgAction::Append);
                place.flag = Some(flag).filter(|_| takes && !word.contains('='));
            } else if word.starts_with('-') {
                // An unknown one, or one with its value.
            } else if let Some(command) =
                place.command.find_subcommand(word).filter(|_| place.positionals == 0)
            {
                place.above = place.command.get_name();
                place.command = command;
            } else {
                place.positionals += 1;
            }
        }
        place
    }

    fn flag_of(&self, word: &str) -> Option<&'c Arg> {
        let mut flags = self.command.get_arguments().filter(|arg| !arg.is_positional());
        match word.strip_prefix("--") {
            Some(long) => flags.find(|arg| arg.get_long() == long.split('=').next()),
            None => {
                let short = word.strip_prefix('-')?.chars().next()?;
                flags.find(|arg| arg.get_short() == Some(short))
            }
        }
    }
}

fn flags(command: &Command) -> BTreeSet<String> {
    let flags = command.get_arguments().filter(|arg| !arg.is_hide_set());
    flags.filter_map(|arg| Some(format!("--{}", arg.get_long()?))).chain(["--help".to_owned()]).collect()
}

/// What an argument can be: its possible values, or names of the inventory by what it is called.
fn values(arg: &Arg, place: &Place<'_>) -> BTreeSet<String> {
    let possible = arg.get_possible_values();
    if !possible.is_empty() {
        return possible.iter().map(|value| value.get_name().to_owned()).collect();
    }
    let name = arg
        .get_value_names()
        .and_then(|names| names.first())
        .map(clap::builder::Str::as_str)
        .unwrap_or_default();
    let wanted = match name {
        "HOST" | "OLD" | "NAME|MAC|IP" => host_names,
        "NETWORK" => network_names,
        "TAG" => tags,
        "NAME" if place.above == "tag" => tags,
        "ZONE" => zones,
        "PROFILE" if arg.get_id() == "boot" => boots,
        "STATE" => |_: &Inventory| State::ALL.iter().map(|state| state.word().to_owned()).collect(),
        _ => return BTreeSet::new(),
    };
    match crate::inventory::load(&place.inventory) {
        Ok((snapshot, _)) => wanted(&snapshot.inventory),
        Err(_) => BTreeSet::new(),
    }
}

/// Short names, and whole ones where a short one is several hosts'.
fn host_names(inventory: &Inventory) -> BTreeSet<String> {
    let short = |fqdn: &str| fqdn.split('.').next().unwrap_or_default().to_owned();
    let whole: Vec<String> = inventory.hosts().map(|host| host.name.fqdn.to_string()).collect();
    let is_one = |name: &String| whole.iter().filter(|other| short(other) == short(name)).count() == 1;
    whole.iter().map(|name| if is_one(name) { short(name) } else { name.clone() }).collect()
}

fn network_names(inventory: &Inventory) -> BTreeSet<String> {
    inventory.globals.networks.iter().map(|network| network.name.to_string()).collect()
}

fn tags(inventory: &Inventory) -> BTreeSet<String> {
    inventory.hosts().flat_map(|host| host.tags.iter().map(ToString::to_string)).collect()
}

fn zones(inventory: &Inventory) -> BTreeSet<String> {
    inventory.globals.zones.iter().map(|zone| zone.name.to_string()).collect()
}

fn boots(inventory: &Inventory) -> BTreeSet<String> {
    inventory.globals.boots.iter().map(|boot| boot.name.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn lab() -> String {
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("examples/lab").display().to_string()
    }

    fn bare(words: &[&str]) -> Vec<String> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        candidates(&Cli::command(), &words).into_iter().collect()
    }

    fn completed(words: &[&str]) -> Vec<String> {
        bare(&[&[words[0], "-i", &lab()][..], &words[1..]].concat())
    }

    #[test]
    fn names_of_the_inventory_complete_where_they_are_wanted() {
        assert_eq!(completed(&["show", "we"]), ["web1", "web2"]);
        assert_eq!(completed(&["retire", "web1", "we"]), ["web1", "web2"]);
        assert_eq!(completed(&["add", "x", "--network", ""]), ["oob", "servers"]);
        assert_eq!(completed(&["list", "--tag", "p"]), ["prod"]);
        assert_eq!(completed(&["list", "--state", "re"]), ["retired"]);
        assert_eq!(completed(&["install", "web1", "--boot", ""]), ["debian12"]);
        assert_eq!(completed(&["explain", "web1", "--arch", "uefi"]), ["uefi32", "uefi64"]);
        assert_eq!(completed(&["export", "z"]), ["zone"]);
        assert_eq!(bare(&["tag", "rm", "-i", &lab(), "web1", "p"]), ["prod"]);
        assert_eq!(bare(&["alias", "rm", "-i", &lab(), "web1", "p"]), [""; 0]);
    }

    #[test]
    fn commands_and_flags_complete_from_their_description() {
        assert_eq!(bare(&["ex"]), ["explain", "export"]);
        assert_eq!(bare(&["nic", ""]), ["add", "rm"]);
        assert_eq!(bare(&["plan", "--fr"]), ["--from"]);
        assert!(!bare(&["c"]).contains(&"complete".to_owned()), "it is hidden");
    }
}
