//! Virtual machines against the machines that they run on.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use super::targets::Known;
use crate::diag::{Finding, Rule};
use crate::model::{Found, Host, HostIndex, State};
use crate::name::Name;
use crate::span::Span;
use crate::units::show_size;

/// Checks every virtual machine among `hosts`, which are all that there are.
pub(crate) fn check<'a>(
    hosts: impl Iterator<Item = &'a Host> + Clone,
    known: Known<'a>,
    findings: &mut Vec<Finding>,
) {
    let finder = Finder { known, index: OnceCell::new(), hosts: hosts.clone() };
    let mut promised: BTreeMap<&Name, (u64, &Host)> = BTreeMap::new();
    for vm in hosts {
        let Some(hardware) = vm.hardware.as_ref() else {
            continue;
        };
        let Some((text, span)) = hardware.vmhost.as_ref() else {
            continue;
        };
        let Some(machine) = machine_of(vm, text, *span, &finder, findings) else {
            continue;
        };
        let memory = hardware.memory.map_or(0, |(octets, _)| octets);
        if vm.state != State::Retired {
            let sum = promised.entry(&machine.name.fqdn).or_insert((0, machine));
            sum.0 = sum.0.saturating_add(memory);
        }
    }
    for (sum, machine) in promised.into_values() {
        findings.extend(overcommitted(sum, machine));
    }
}

/// Finds machines by name. Nearly all are in the zone of their virtual machine, where the sorted claims
/// find them; an index over all hosts is made only for the others.
struct Finder<'a, H> {
    known: Known<'a>,
    index: OnceCell<HostIndex<'a>>,
    hosts: H,
}

impl<'a, H: Iterator<Item = &'a Host> + Clone> Finder<'a, H> {
    fn find(&self, text: &str, near: &Name) -> Found<'a> {
        if !text.contains('.')
            && let Ok(name) = Name::parse(text, Some(near))
            && let Some(host) = self.known.claims.named(&name, self.known.shards)
            && host.name.fqdn == name
        {
            return Found::One(host);
        }
        let index = self.index.get_or_init(|| HostIndex::new(self.hosts.clone()));
        index.find(text, Some(near))
    }
}

fn machine_of<'a, H: Iterator<Item = &'a Host> + Clone>(
    vm: &Host,
    text: &str,
    span: Span,
    finder: &Finder<'a, H>,
    findings: &mut Vec<Finding>,
) -> Option<&'a Host> {
    let near = &finder.known.globals.zone(vm.name.zone).name;
    let machine = match finder.find(text, near) {
        Found::One(machine) => machine,
        Found::None => {
            let known: Vec<String> = finder.hosts.clone().map(|host| label(&host.name.fqdn)).collect();
            let known = known.iter().map(String::as_str);
            let define = format!("[host.{text}]");
            findings.push(Finding::unknown(Rule::UnknownHost, span, "host", text, known, &define));
            return None;
        }
        Found::Several(hosts) => {
            let mut names: Vec<String> = hosts.iter().map(|host| format!("`{}`", host.name.fqdn)).collect();
            names.sort_unstable();
            let message = format!("`vmhost` names `{text}`, which several zones have");
            let mut finding = Finding::new(Rule::AmbiguousHost, span, message);
            for host in hosts.iter().take(3) {
                finding = finding.other(host.span, format!("`{}`", host.name.fqdn));
            }
            findings.push(finding.help(format!("write the whole name: one of {}", names.join(", "))));
            return None;
        }
    };
    if let Some((_, other)) = machine.hardware.as_ref().and_then(|hardware| hardware.vmhost.as_ref()) {
        findings.push(if std::ptr::eq(machine, vm) {
            Finding::new(Rule::VmOnVm, span, format!("`{}` runs on itself", vm.name.fqdn))
                .help("a machine that is not virtual has no `vmhost`")
        } else {
            let (name, below) = (&vm.name.fqdn, &machine.name.fqdn);
            let message = format!("`{name}` runs on `{below}`, which is a virtual machine");
            Finding::new(Rule::VmOnVm, span, message)
                .other(*other, format!("`vmhost` of `{below}`"))
                .help("name the machine that is made of metal")
        });
        return None;
    }
    Some(machine)
}

fn label(name: &Name) -> String {
    name.labels().next().map(|label| String::from_utf8_lossy(label).into_owned()).unwrap_or_default()
}

fn overcommitted(sum: u64, machine: &Host) -> Option<Finding> {
    let (memory, span) = machine.hardware.as_ref()?.memory?;
    if sum <= memory {
        return None;
    }
    let (name, sum, memory) = (&machine.name.fqdn, show_size(sum), show_size(memory));
    let message = format!("virtual machines on `{name}` are promised {sum}, and it has {memory} of memory");
    let finding = Finding::new(Rule::MemoryOvercommit, span, message);
    Some(finding.help("move some of them, or give them less; those that are retired do not count"))
}
