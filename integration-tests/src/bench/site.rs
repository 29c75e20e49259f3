//! Questions and clients of any inventory, for operators who want to load their own servers.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use inventory_core::load::{Loaded, Loader};
use inventory_core::model::{Host, Snapshot};
use inventory_core::name::Name;
use inventory_core::source;

use super::dhcp::load::Client;
use super::dns::question::{Question, rtype};
use crate::generate::mix;

/// The inventory below `root`.
///
/// # Errors
/// It has mistakes, or cannot be read.
pub fn read(root: &Path) -> Result<Snapshot, String> {
    match Loader::new(source::open(root)).load() {
        Loaded::Good { snapshot, .. } => Ok(snapshot),
        Loaded::Broken { diagnostics } => {
            let first = diagnostics.iter().find(|diagnostic| diagnostic.is_error());
            let shown = first.map(|diagnostic| format!(": {diagnostic:?}")).unwrap_or_default();
            Err(format!("`{}` has mistakes, which `hostbook check` shows{shown}", root.display()))
        }
        Loaded::Unchanged => Err(format!("`{}` is empty", root.display())),
    }
}

/// Questions about every served host that has one address of a family, and one in ten about a name that does not
/// exist; neighbours far apart.
pub fn questions(snapshot: &Snapshot) -> Vec<Question> {
    let mut questions = Vec::new();
    for host in served(snapshot) {
        for (name, nic) in host.named_nics() {
            let wire = name.fqdn.as_wire().to_vec();
            let text = name.fqdn.to_string();
            let of_family = |v4: bool| {
                let mut own = nic.addresses.iter().copied().filter(move |address| address.is_ipv4() == v4);
                own.next().filter(|_| own.next().is_none())
            };
            for address in [of_family(true), of_family(false)].into_iter().flatten() {
                let (rtype, data) = match address {
                    IpAddr::V4(v4) => (rtype::A, v4.octets().to_vec()),
                    IpAddr::V6(v6) => (rtype::AAAA, v6.octets().to_vec()),
                };
                questions.push(Question::new(&text, rtype, Some(data)));
                let reverse = Name::reverse(address).to_string();
                questions.push(Question::new(&reverse, rtype::PTR, Some(wire.clone())));
            }
            if mix(questions.len() as u64).is_multiple_of(3) {
                questions.push(Question::new(&format!("no-such-name-{text}"), rtype::A, None));
            }
        }
    }
    questions.sort_by_cached_key(|question| {
        question.octets.iter().fold(u64::from(question.rtype), |sum, octet| mix(sum ^ u64::from(*octet)))
    });
    questions
}

/// Known machines behind `agents`, which are the routers of their networks.
pub fn clients(snapshot: &Snapshot, agents: &[Ipv4Addr]) -> Vec<Client> {
    let globals = &snapshot.inventory.globals;
    let agent_of = |network| {
        let gateway = globals.network(network).gateway?;
        agents.iter().position(|agent| *agent == gateway)
    };
    let nics = served(snapshot).flat_map(|host| host.nics.iter()).filter(|nic| nic.dhcp);
    let client = nics.filter_map(|nic| {
        let (mac, address, agent) = (nic.mac?, nic.ipv4()?, agent_of(nic.network)?);
        Some(Client { mac: mac.0, agent, address: Some(address) })
    });
    client.collect()
}

fn served(snapshot: &Snapshot) -> impl Iterator<Item = &Host> {
    snapshot.inventory.hosts().filter(|host| host.state.is_served())
}
