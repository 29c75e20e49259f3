//! Virtual machines against the machines that they run on.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use super::targets::Known;
use crate::diag::{Finding, Rule};
use crate::model::{Found, Host, HostIndex, Shard, State, ZoneId};
use crate::name::Name;
use crate::span::Span;
use crate::units::show_size;

/// Virtual machines of one file that say alike what they run on. Kept with the file, so that a change of
/// another file looks at some thousands of these and not at every virtual machine.
pub(crate) struct Placement {
    /// What they say, and the zone that it is said in.
    vmhost: Box<str>,
    zone: ZoneId,
    /// Octets of memory that those not retired are promised.
    memory: u64,
}

/// The placements of a file.
pub(crate) fn placements(hosts: &[Host]) -> Box<[Placement]> {
    let mut promised: BTreeMap<(&str, ZoneId), u64> = BTreeMap::new();
    for vm in hosts {
        let Some(vmhost) = vm.vmhost() else { continue };
        let counts = vm.state != State::Retired;
        let memory = vm.hardware.memory.filter(|_| counts).unwrap_or(0);
        let sum = promised.entry((vmhost, vm.name.zone)).or_default();
        *sum = sum.saturating_add(memory);
    }
    let placement =
        |((vmhost, zone), memory): ((&str, ZoneId), u64)| Placement { vmhost: vmhost.into(), zone, memory };
    promised.into_iter().map(placement).collect()
}

/// Checks the virtual machines of all files, each with its placements.
pub(crate) fn check<'a>(
    files: impl Iterator<Item = (&'a Shard, &'a [Placement])>,
    known: Known<'a>,
    findings: &mut Vec<Finding>,
) {
    let hosts = OnceCell::new();
    let finder = Finder { known, index: OnceCell::new(), hosts: &hosts };
    let mut promised: BTreeMap<Name, (u64, Host)> = BTreeMap::new();
    for (shard, placements) in files {
        for placement in placements {
            let mut found = finder.find(&placement.vmhost, &known.globals.zone(placement.zone).name);
            match found.pop_if(|machine| machine.vmhost().is_none()) {
                Some(machine) if found.is_empty() => {
                    let sum = promised.entry(machine.name.fqdn.clone()).or_insert((0, machine));
                    sum.0 = sum.0.saturating_add(placement.memory);
                }
                last => {
                    found.extend(last);
                    let vms = placed(shard, placement);
                    findings.extend(vms.map(|(vm, span)| misplaced(&vm, span, &found, &finder)));
                }
            }
        }
    }
    for (sum, machine) in promised.into_values() {
        findings.extend(overcommitted(sum, &machine));
    }
}

/// The virtual machines of a placement, each with the place of its `vmhost`.
fn placed<'a>(shard: &'a Shard, placement: &'a Placement) -> impl Iterator<Item = (Host, Span)> + 'a {
    shard.iter().filter(|vm| vm.name.zone == placement.zone).filter_map(|vm| {
        let span = vm.vmhost_span().filter(|_| vm.vmhost() == Some(&*placement.vmhost))?;
        Some((vm, span))
    })
}

/// Finds machines by name, as [`HostIndex::find`] does. By whole names and in the own zone the sorted
/// claims find them; an index over all hosts is made only for short names of other zones.
struct Finder<'a, 'h> {
    known: Known<'a>,
    index: OnceCell<HostIndex<'h>>,
    /// All of them, once somebody needs them.
    hosts: &'h OnceCell<Vec<Host>>,
}

impl Finder<'_, '_> {
    /// The machines that `text` may mean, said in the zone `near`: one, or several of other zones, or none.
    fn find(&self, text: &str, near: &Name) -> Vec<Host> {
        let dotted = text.contains('.');
        let whole = dotted.then(|| Name::parse(text, None).ok()).flatten();
        let names = whole.into_iter().chain(Name::parse(text, Some(near)).ok());
        for name in names {
            let host = self.known.claims.named(&name, self.known.shards);
            if let Some(host) = host.filter(|host| host.name.fqdn == name) {
                return vec![host];
            }
        }
        if dotted {
            return Vec::new();
        }
        match self.index.get_or_init(|| HostIndex::new(self.hosts().iter())).find(text, Some(near)) {
            Found::One(host) => vec![host.clone()],
            Found::Several(hosts) => hosts.into_iter().cloned().collect(),
            Found::None => Vec::new(),
        }
    }
}

impl<'h> Finder<'_, 'h> {
    fn hosts(&self) -> &'h [Host] {
        self.hosts.get_or_init(|| {
            let mut shards: Vec<_> = self.known.shards.values().collect();
            shards.sort_unstable_by_key(|shard| &shard.path);
            shards.into_iter().flat_map(|shard| shard.iter()).collect()
        })
    }
}

/// What is wrong with the `vmhost` of `vm`, which stands for `found`.
fn misplaced(vm: &Host, span: Span, found: &[Host], finder: &Finder<'_, '_>) -> Finding {
    let text = vm.vmhost().unwrap_or_default();
    match found {
        [] => {
            let known: Vec<String> = finder.hosts().iter().map(|host| label(&host.name.fqdn)).collect();
            let known = known.iter().map(String::as_str);
            let define = format!("[host.{text}]");
            Finding::unknown(Rule::UnknownHost, span, "host", text, known, &define)
        }
        hosts @ [_, _, ..] => {
            let mut names: Vec<String> = hosts.iter().map(|host| format!("`{}`", host.name.fqdn)).collect();
            names.sort_unstable();
            let message = format!("`vmhost` names `{text}`, which several zones have");
            let mut finding = Finding::new(Rule::AmbiguousHost, span, message);
            for host in hosts.iter().take(3) {
                finding = finding.other(host.span, format!("`{}`", host.name.fqdn));
            }
            finding.help(format!("write the whole name: one of {}", names.join(", ")))
        }
        [machine] if machine.span == vm.span => {
            Finding::new(Rule::VmOnVm, span, format!("`{}` runs on itself", vm.name.fqdn))
                .help("a machine that is not virtual has no `vmhost`")
        }
        [machine] => {
            let (name, below) = (&vm.name.fqdn, &machine.name.fqdn);
            let message = format!("`{name}` runs on `{below}`, which is a virtual machine");
            let other = machine.vmhost_span().unwrap_or(machine.span);
            Finding::new(Rule::VmOnVm, span, message)
                .other(other, format!("`vmhost` of `{below}`"))
                .help("name the machine that is made of metal")
        }
    }
}

fn label(name: &Name) -> String {
    name.labels().next().map(|label| String::from_utf8_lossy(label).into_owned()).unwrap_or_default()
}

fn overcommitted(sum: u64, machine: &Host) -> Option<Finding> {
    let (memory, span) = machine.hardware.memory.zip(machine.memory_span())?;
    if sum <= memory {
        return None;
    }
    let (name, sum, memory) = (&machine.name.fqdn, show_size(sum), show_size(memory));
    let message = format!("virtual machines on `{name}` are promised {sum}, and it has {memory} of memory");
    let finding = Finding::new(Rule::MemoryOvercommit, span, message);
    Some(finding.help("move some of them, or give them less; those that are retired do not count"))
}
