//! Random sequences of edits by the command line, beside the same edits of the parsed files by hand.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use inventory_core::load::{Loaded, Loader};
use inventory_core::source::Directory;
use proptest::prelude::*;
use toml::{Table, Value};

const SITE: &str = r#"# free: the site
[site]
nameservers = ["ns1.lab.example.org"] # free: ours
contact     = "hostmaster@lab.example.org"

[zone."lab.example.org"] # free: the zone

# free: networks
[network.servers]
zone = "lab.example.org" # free: names
ipv4 = "10.20.0.0/24"
"#;

const MACHINES: &str = r#"# free: hardware

[host.ns1] # free: never touched
network = "servers"
ip = "10.20.0.2"

# own0: the big one
[host.hv1] # own0: header
network = "servers"   # own0: network
mac     = "0c:c4:7a:00:00:01"
ip      = "10.20.0.5" # own0: rack
memory  = "64 GiB"

# free: a heading

[host.hv2]
  network = "servers" # own1: indented
  mac = '0c:c4:7a:00:00:02'
  ip = ["10.20.0.6"] # own1: a list
"#;

const VMS: &str = r#"# free: virtual machines

[host.web1] # own2: header
network = "servers"
ip      = "10.20.0.11"
tags    = [
  "web",  # own2: serves
  "prod", # own2: is looked at
]
disk    = { root = "10 GiB" } # own2: small
vmhost  = "hv1" # own2: there

# own3: above
[host.db1]
network = "servers"
ip      = "10.20.0.12"
cpu     = 4 # own3: cores
# own3: between
alias   = ["sql"]
vmhost  = "hv2"

# free: the end
"#;

/// A command; hosts are meant by their place among those that may be edited.
#[derive(Clone, Debug)]
enum Edit {
    Add(u8),
    Cpu(usize, u8),
    Memory(usize, u8),
    Unset(usize, usize),
    Tag(usize, u8, bool),
    Alias(usize, u8),
    Disk(usize, u8),
    State(usize, bool),
    Rename(usize, u8),
    Remove(usize),
}

fn edit() -> impl Strategy<Value = Edit> {
    let at = 0..8_usize;
    prop_oneof![
        (20..90_u8).prop_map(Edit::Add),
        (at.clone(), 1..9_u8).prop_map(|(at, cpu)| Edit::Cpu(at, cpu)),
        (at.clone(), 1..9_u8).prop_map(|(at, size)| Edit::Memory(at, size)),
        (at.clone(), 0..UNSET.len()).prop_map(|(at, key)| Edit::Unset(at, key)),
        (at.clone(), 0..4_u8, any::<bool>()).prop_map(|(at, tag, add)| Edit::Tag(at, tag, add)),
        (at.clone(), any::<u8>()).prop_map(|(at, alias)| Edit::Alias(at, alias)),
        (at.clone(), 1..9_u8).prop_map(|(at, size)| Edit::Disk(at, size)),
        (at.clone(), any::<bool>()).prop_map(|(at, active)| Edit::State(at, active)),
        (at.clone(), any::<u8>()).prop_map(|(at, name)| Edit::Rename(at, name)),
        at.prop_map(Edit::Remove),
    ]
}

/// Keys that a host can do without.
const UNSET: [&str; 4] = ["cpu", "memory", "tags", "disk"];
const TAGS: [&str; 4] = ["web", "prod", "new", "old"];

/// An inventory, and what its hosts should be: by name their table and the mark of their comments.
struct Desk {
    root: PathBuf,
    hosts: BTreeMap<String, (Table, Option<u8>)>,
}

impl Desk {
    fn new() -> Desk {
        let root = std::env::temp_dir().join(format!("hostbook-random-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(root.join("hosts")).unwrap();
        for (path, text) in [("site.toml", SITE), ("hosts/machines.toml", MACHINES), ("hosts/vms.toml", VMS)]
        {
            fs::write(root.join(path), text).unwrap();
        }
        let marks = BTreeMap::from([("hv1", 0), ("hv2", 1), ("web1", 2), ("db1", 3)]);
        let hosts = tables(&root).into_iter().map(|(name, table)| {
            let mark = marks.get(name.as_str()).copied();
            (name, (table, mark))
        });
        Desk { hosts: hosts.collect(), root }
    }

    fn run(&self, arguments: &[&str]) -> Result<(), String> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hostbook"));
        let output = command.args(arguments).env("HOSTBOOK_INVENTORY", &self.root).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(()) } else { Err(errors) }
    }

    /// Runs the command and does the same by hand. Returns the mark whose comments may go with it.
    fn apply(&mut self, edit: &Edit) -> Result<Option<u8>, String> {
        let names: Vec<String> = self.hosts.keys().filter(|name| *name != "ns1").cloned().collect();
        let pick = |at: &usize| names[at % names.len()].clone();
        if let Edit::Add(number) = edit {
            return self.add(*number);
        }
        let (Edit::Cpu(at, _)
        | Edit::Memory(at, _)
        | Edit::Unset(at, _)
        | Edit::Tag(at, ..)
        | Edit::Alias(at, _)
        | Edit::Disk(at, _)
        | Edit::State(at, _)
        | Edit::Rename(at, _)
        | Edit::Remove(at)) = edit
        else {
            return Ok(None);
        };
        let name = pick(at);
        let mark = self.hosts[&name].1;
        match edit {
            Edit::Rename(_, number) => self.rename(&name, &format!("r{number}")).map(|()| None),
            Edit::Remove(_) => {
                let is_used = self
                    .hosts
                    .values()
                    .any(|(table, _)| table.get("vmhost").and_then(Value::as_str) == Some(&name));
                if is_used {
                    assert!(self.run(&["rm", &name]).is_err(), "{name} is somebody's vmhost");
                    return Ok(None);
                }
                self.run(&["rm", &name])?;
                self.hosts.remove(&name);
                Ok(mark)
            }
            _ => self.change(&name, edit).map(|may_go| mark.filter(|_| may_go)),
        }
    }

    fn add(&mut self, number: u8) -> Result<Option<u8>, String> {
        let (name, ip) = (format!("new{number}"), format!("10.20.0.{number}"));
        let taken = self.hosts.values().any(|(table, _)| table["ip"].as_str() == Some(&ip));
        if !self.hosts.contains_key(&name) && !taken {
            self.run(&["add", &name, "--network", "servers", "--ip", &ip, "--tag", "new"])?;
            let text = format!("network = \"servers\"\nip = \"{ip}\"\ntags = [\"new\"]");
            self.hosts.insert(name, (text.parse().unwrap(), None));
        }
        Ok(None)
    }

    fn rename(&mut self, name: &str, new: &str) -> Result<(), String> {
        if self.hosts.contains_key(new) {
            return Ok(());
        }
        self.run(&["rename", name, new])?;
        let host = self.hosts.remove(name).unwrap();
        self.hosts.insert(new.to_owned(), host);
        for (table, _) in self.hosts.values_mut() {
            if table.get("vmhost").and_then(Value::as_str) == Some(name) {
                table.insert("vmhost".to_owned(), Value::String(new.to_owned()));
            }
        }
        Ok(())
    }

    /// An edit of one host's keys. Returns whether comments of it may go.
    fn change(&mut self, name: &str, edit: &Edit) -> Result<bool, String> {
        let text = |text: String| Value::String(text);
        let (words, key, value) = match edit {
            Edit::Cpu(_, cpu) => (vec!["set", name], "cpu", Some(Value::Integer(i64::from(*cpu)))),
            Edit::Memory(_, size) => (vec!["set", name], "memory", Some(text(format!("{size} GiB")))),
            Edit::Unset(_, key) => (vec!["unset", name], UNSET[*key], None),
            Edit::State(_, active) => {
                let verb = if *active { "activate" } else { "retire" };
                (
                    vec![verb, name, "-y"],
                    "state",
                    Some(text(if *active { "active" } else { "retired" }.to_owned())),
                )
            }
            _ => return self.change_list(name, edit),
        };
        let has = self.hosts[name].0.contains_key(key);
        let mut words: Vec<String> = words.into_iter().map(str::to_owned).collect();
        match (&value, edit) {
            (_, Edit::State(..)) => {}
            (Some(Value::Integer(number)), _) => words.push(format!("{key}={number}")),
            (Some(value), _) => words.push(format!("{key}={}", value.as_str().unwrap())),
            (None, _) if !has => return Ok(false),
            (None, _) => words.push(key.to_owned()),
        }
        self.run(&words.iter().map(String::as_str).collect::<Vec<_>>())?;
        let may_go = value.is_none();
        let table = &mut self.hosts.get_mut(name).unwrap().0;
        match value {
            // A host without state is active, so there is nothing to write.
            Some(value) if key == "state" && value.as_str() == Some("active") && !has => {
                let written = tables(&self.root)[name].get("state").cloned();
                table.extend(written.map(|state| ("state".to_owned(), state)));
            }
            Some(value) => drop(table.insert(key.to_owned(), value)),
            None => drop(table.remove(key)),
        }
        Ok(may_go)
    }

    fn change_list(&mut self, name: &str, edit: &Edit) -> Result<bool, String> {
        let (key, word, add) = match edit {
            Edit::Tag(_, tag, add) => ("tags", TAGS[usize::from(*tag)].to_owned(), *add),
            Edit::Alias(_, number) => ("alias", format!("a{number}"), true),
            Edit::Disk(_, size) => {
                let size = format!("{size} GiB");
                self.run(&["disk", "set", name, "root", &size])?;
                let table = &mut self.hosts.get_mut(name).unwrap().0;
                let disks = table.entry("disk").or_insert_with(|| Value::Table(Table::new()));
                disks.as_table_mut().unwrap().insert("root".to_owned(), Value::String(size));
                return Ok(false);
            }
            _ => return Ok(false),
        };
        let list = |table: &Table| match table.get(key) {
            Some(Value::Array(items)) => items.iter().map(|item| item.as_str().unwrap().to_owned()).collect(),
            Some(value) => vec![value.as_str().unwrap().to_owned()],
            None => Vec::new(),
        };
        let all = self.hosts.values().flat_map(|(table, _)| list(table)).any(|other| other == word);
        let mut items: Vec<String> = list(&self.hosts[name].0);
        if (add && key == "alias" && all) || (!add && !items.contains(&word)) {
            return Ok(false);
        }
        let verb = if key == "tags" { "tag" } else { "alias" };
        self.run(&[verb, if add { "add" } else { "rm" }, name, &word])?;
        if add && !items.contains(&word) {
            items.push(word);
        } else if !add {
            items.retain(|item| *item != word);
        }
        // Whether a list of one is written as that one is a matter of style.
        let table = &mut self.hosts.get_mut(name).unwrap().0;
        table.insert(key.to_owned(), Value::Array(items.into_iter().map(Value::String).collect()));
        Ok(!add)
    }
}

/// The tables of all hosts, of whatever file.
fn tables(root: &Path) -> BTreeMap<String, Table> {
    let mut all = BTreeMap::new();
    for path in ["site.toml", "hosts/machines.toml", "hosts/vms.toml"] {
        let table: Table = fs::read_to_string(root.join(path)).unwrap().parse().unwrap();
        let hosts = table.get("host").and_then(Value::as_table).into_iter().flatten();
        all.extend(hosts.map(|(name, table)| (name.clone(), table.as_table().unwrap().clone())));
    }
    all
}

/// The same with lists for what may be written as one; an empty list says nothing.
fn plain(table: &Table) -> Table {
    let mut table = table.clone();
    for key in ["tags", "alias", "ip"] {
        match table.get(key).cloned() {
            Some(Value::String(one)) => {
                drop(table.insert(key.to_owned(), Value::Array(vec![Value::String(one)])));
            }
            Some(Value::Array(items)) if items.is_empty() => drop(table.remove(key)),
            _ => {}
        }
    }
    table
}

/// Every comment of every file.
fn comments(root: &Path) -> Vec<String> {
    let mut all = Vec::new();
    for path in ["site.toml", "hosts/machines.toml", "hosts/vms.toml"] {
        let text = fs::read_to_string(root.join(path)).unwrap();
        all.extend(
            text.lines().filter_map(|line| line.split_once("# ")).map(|(_, comment)| comment.to_owned()),
        );
    }
    all.sort();
    all
}

/// Sequences that are tried: each edit is a process. More by `PROPTEST_CASES`.
const CASES: u32 = 12;

fn cases() -> u32 {
    std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|text| text.parse().ok())
        .map_or(CASES, |cases: u32| (cases / 40).max(CASES))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn commands_keep_every_comment_pass_the_check_and_equal_the_same_edits_by_hand(
        edits in prop::collection::vec(edit(), 4..14),
    ) {
        let mut desk = Desk::new();
        for edit in &edits {
            let before = comments(&desk.root);
            let may_go = desk.apply(edit);
            prop_assert!(may_go.is_ok(), "{edit:?}: {}", may_go.unwrap_err());
            let own = may_go.unwrap().map(|mark| format!("own{mark}:"));
            let mut after = comments(&desk.root);
            for comment in before {
                match after.iter().position(|other| *other == comment) {
                    Some(at) => drop(after.remove(at)),
                    None => prop_assert!(
                        own.as_deref().is_some_and(|own| comment.starts_with(own)), "{edit:?} lost `{comment}`"
                    ),
                }
            }
            prop_assert!(after.is_empty(), "{edit:?} made comments: {after:?}");
            let loaded = Loader::new(Box::new(Directory::new(&desk.root))).load();
            prop_assert!(matches!(loaded, Loaded::Good { .. }), "{edit:?}: {loaded:?}");
            let written: BTreeMap<String, Table> =
                tables(&desk.root).iter().map(|(name, table)| (name.clone(), plain(table))).collect();
            let wanted: BTreeMap<String, Table> =
                desk.hosts.iter().map(|(name, (table, _))| (name.clone(), plain(table))).collect();
            prop_assert_eq!(written, wanted, "after {:?}", edit);
        }
        fs::remove_dir_all(&desk.root).unwrap();
    }
}
