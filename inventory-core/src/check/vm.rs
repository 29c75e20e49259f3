//! Virtual machines against the machines that they run on.

use std::collections::BTreeMap;

use super::records::LazyIndex;
use crate::diag::{Finding, Rule};
use crate::model::{Found, Globals, Host, State};
use crate::name::Name;
use crate::span::Span;
use crate::units::show_size;

/// Checks every virtual machine among `hosts`; `index` finds the machines.
pub(crate) fn check<'a>(
    hosts: impl Iterator<Item = &'a Host>,
    globals: &Globals,
    index: &mut LazyIndex<'a, '_>,
    findings: &mut Vec<Finding>,
) {
    let mut promised: BTreeMap<&Name, (u64, &Host)> = BTreeMap::new();
    for vm in hosts {
        let Some(hardware) = vm.hardware.as_ref() else {
            continue;
        };
        let Some((text, span)) = hardware.vmhost.as_ref() else {
            continue;
        };
        let Some(machine) = machine_of(vm, text, *span, globals, index, findings) else {
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

fn machine_of<'a>(
    vm: &Host,
    text: &str,
    span: Span,
    globals: &Globals,
    index: &mut LazyIndex<'a, '_>,
    findings: &mut Vec<Finding>,
) -> Option<&'a Host> {
    let near = &globals.zone(vm.name.zone).name;
    let machine = match index.get().hosts.find(text, Some(near)) {
        Found::One(machine) => machine,
        Found::None => {
            let known: Vec<String> = index.get().names.iter().map(|name| label(name)).collect();
            let known = known.iter().map(String::as_str);
            let define = format!("[host.{text}]");
            findings.push(Finding::unknown(Rule::UnknownHost, span, "host", text, known, &define));
            return None;
        }
        Found::Several(hosts) => {
            let names: Vec<String> = hosts.iter().map(|host| format!("`{}`", host.name.fqdn)).collect();
            let message = format!("`vmhost` names `{text}`, which several zones have");
            let finding = Finding::new(Rule::AmbiguousHost, span, message);
            findings.push(finding.help(format!("write the whole name: one of {}", names.join(", "))));
            return None;
        }
    };
    if let Some((_, other)) = machine.hardware.as_ref().and_then(|hardware| hardware.vmhost.as_ref()) {
        let itself = if machine.name == vm.name { "itself" } else { "a virtual machine" };
        let message = format!("`{}` runs on `{}`, which is {itself}", vm.name.fqdn, machine.name.fqdn);
        let finding = Finding::new(Rule::VmOnVm, span, message);
        findings.push(if machine.name == vm.name {
            finding
        } else {
            finding.other(*other, "its own `vmhost`")
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
    let message = format!("virtual machines on `{name}` are promised {sum} of its {memory} of memory");
    Some(Finding::new(Rule::MemoryOvercommit, span, message))
}
