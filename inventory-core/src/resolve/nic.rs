//! Resolving the interfaces of a host.

use std::net::IpAddr;

use super::host::{Resolver, shared};
use super::names::nic_name;
use super::overlay::inherit_settings;
use crate::diag::{Finding, Rule};
use crate::model::{Delegated, Families, Globals, HostName, Identifiers, NetworkId, Nic, NicRest, Rare};
use crate::parse::{Field, HostDecl, NicDecl, Spanned};
use crate::span::Span;

/// The interfaces as declared, each with what it takes from its host; the primary one first.
///
/// `None` after a report if host-level and nic-level keys are mixed, or the primary one is unclear.
pub(super) fn ordered(host: &mut HostDecl, findings: &mut Vec<Finding>) -> Option<Vec<NicDecl>> {
    if host.nics.is_empty() {
        let nothing = NicDecl::new("", host.own.span);
        return Some(vec![std::mem::replace(&mut host.own, nothing)]);
    }
    if let Some((key, span)) = own_interface_key(&host.own) {
        let message = format!("host `{}` has nics, and `{key}` on the host itself", host.key.value);
        let nic = host.nics[0].span;
        let finding = Finding::new(Rule::MixedNics, span, message).other(nic, "its nics start here");
        findings.push(finding.help(format!("move `{key}` into the nic it belongs to")));
        return None;
    }
    let mut nics = std::mem::take(&mut host.nics);
    for nic in &mut nics {
        inherit_settings(nic, &host.own);
    }
    let primaries: Vec<usize> = (0..nics.len()).filter(|i| nics[*i].primary.get() == Some(&true)).collect();
    let first = match primaries.as_slice() {
        [] => nics.iter().position(|nic| nic.primary.get() != Some(&false)),
        [one] => Some(*one),
        [one, two, ..] => {
            let at = |index: usize| nics[index].primary.span().unwrap_or(nics[index].span);
            let message = format!("host `{}` has more than one primary nic", host.key.value);
            let finding = Finding::new(Rule::PrimaryNic, at(*two), message).other(at(*one), "the first one");
            findings.push(finding.help("the primary nic carries the host's name: leave one"));
            return None;
        }
    };
    let Some(first) = first else {
        let message = format!("host `{}` has no primary nic: each says `primary = false`", host.key.value);
        let finding = Finding::new(Rule::PrimaryNic, host.key.span, message);
        findings.push(finding.help("without `primary`, the first nic in the text carries the host's name"));
        return None;
    };
    nics[..=first].rotate_right(1);
    Some(nics)
}

/// A key that belongs to one interface, standing on the host.
fn own_interface_key(own: &NicDecl) -> Option<(&'static str, Span)> {
    let place = |span: Option<Span>| span.unwrap_or(own.span);
    [
        ("network", own.network.is_absent(), own.network.span()),
        ("mac", own.mac.is_absent(), own.mac.span()),
        ("ip", own.ip.is_absent(), own.ip.span()),
        ("pd", own.pd.is_absent(), own.pd.span()),
        ("pd-nameservers", own.pd_nameservers.is_absent(), own.pd_nameservers.span()),
        ("client-id", own.client_id.is_absent(), own.client_id.span()),
        ("port", own.port.is_absent(), own.port.span()),
    ]
    .into_iter()
    .find(|(_, absent, _)| !absent)
    .map(|(key, _, span)| (key, place(span)))
}

/// The network of an interface.
pub(super) fn network_of(
    resolver: &Resolver<'_>,
    host: &str,
    nic: &NicDecl,
    findings: &mut Vec<Finding>,
) -> Option<NetworkId> {
    match &nic.network {
        Field::Set(name, span) => find_network(&resolver.context.globals, name, *span, findings),
        Field::Broken => None,
        Field::Absent => {
            let whose = if nic.key.is_empty() { String::new() } else { format!("nic `{}` of ", nic.key) };
            let message = format!("{whose}host `{host}` has no `network`");
            let finding = Finding::new(Rule::MissingKey, nic.span, message);
            findings
                .push(finding.help("the network is written on every nic, never guessed from the address"));
            None
        }
    }
}

/// The network called `name`, or a report that there is none.
pub(super) fn find_network(
    globals: &Globals,
    name: &str,
    span: Span,
    findings: &mut Vec<Finding>,
) -> Option<NetworkId> {
    let found = globals.network_named(name);
    if found.is_none() {
        let known = globals.networks.iter().map(|network| &*network.name);
        let define = format!("[network.{name}]");
        findings.push(Finding::unknown(Rule::UnknownNetwork, span, "network", name, known, &define));
    }
    found
}

/// One interface; `primary` ones have no name of their own.
pub(super) fn resolve(
    resolver: &mut Resolver<'_>,
    host: &HostName,
    decl: NicDecl,
    network: NetworkId,
    primary: bool,
    findings: &mut Vec<Finding>,
) -> Option<Nic> {
    let written = match (&decl.name, primary) {
        (Field::Set(name, span), _) => Some((&**name, *span)),
        _ => None,
    };
    let name = if primary && written.is_none() {
        None
    } else {
        let nic = (&*decl.key, decl.span, network);
        Some(nic_name(resolver.context, host, nic, written, findings)?)
    };
    let identifiers = identifiers(&decl);
    let written = decl.ip.get().into_iter().flatten().map(|ip| (ip.value, ip.span));
    let delegated = delegated(&decl, findings);
    let made = auto6(resolver, &decl, network, findings);
    let is_made = decl.auto6.is_none() || made.is_some();
    let (addresses, addresses_at): (Vec<_>, Vec<_>) = written.chain(made).unzip();
    // An address that was refused is not missing: with `dhcp` off, nobody asks where it would come from.
    let dhcp = decl.dhcp.get().copied().unwrap_or(true) && is_made && !is_vague(&decl);
    Some(Nic {
        span: decl.span,
        network,
        mac: decl.mac.get().copied(),
        dhcp,
        mac_at: decl.mac.span().unwrap_or(decl.span),
        addresses: addresses.into(),
        addresses_at: addresses_at.into(),
        rest: Rare::new(NicRest {
            key: (!decl.key.is_empty()).then_some(decl.key),
            name,
            name_span: decl.name.span(),
            delegated,
            replaced: Families::default(),
            identifiers,
            options: shared(&mut resolver.option_sets, decl.options),
            options6: shared(&mut resolver.option_sets, decl.options6),
            lease_seconds: decl.lease.get().copied(),
        }),
    })
}

/// The address that a machine makes itself of its hardware address (RFC 4291, appendix A).
fn auto6(
    resolver: &Resolver<'_>,
    decl: &NicDecl,
    network: NetworkId,
    findings: &mut Vec<Finding>,
) -> Option<(IpAddr, Span)> {
    let span = decl.auto6?;
    let context = resolver.context;
    let network_view = context.globals.network(network);
    let prefix = network_view.ipv6.filter(|prefix| prefix.prefix_len() == 64);
    let why = match (prefix, decl.mac.get()) {
        (Some(prefix), Some(mac)) => return Some((IpAddr::V6(mac.eui64(prefix.network())), span)),
        (None, _) if context.vague_prefix.contains(&network) => return None,
        (_, None) if decl.mac.is_broken() => return None,
        (None, _) => format!("network `{}` has no `ipv6` of 64 bits", network_view.name),
        (_, None) => "the nic has no `mac`".to_owned(),
    };
    let finding = Finding::new(Rule::MissingKey, span, format!("`auto6` makes no address: {why}"));
    findings.push(finding.help("it is the network's prefix and the hardware address (EUI-64)"));
    None
}

/// Prefixes and their name servers, with their places.
fn delegated(decl: &NicDecl, findings: &mut Vec<Finding>) -> Delegated {
    if let Field::Set(_, span) = &decl.pd_nameservers
        && decl.pd.is_absent()
        && !decl.vague
    {
        let finding = Finding::new(Rule::MissingKey, *span, "`pd-nameservers` stands without `pd`");
        findings.push(finding.help("they serve the reverse names of the prefixes that `pd` names"));
    }
    Delegated { prefixes: placed(&decl.pd), nameservers: placed(&decl.pd_nameservers) }
}

fn placed<T: Clone>(field: &Field<Vec<Spanned<T>>>) -> Box<[(T, Span)]> {
    field.get().into_iter().flatten().map(|item| (item.value.clone(), item.span)).collect()
}

/// Whether something was refused that decides what DHCP does for the interface.
fn is_vague(decl: &NicDecl) -> bool {
    decl.vague
        || decl.ip.is_broken()
        || decl.dhcp.is_broken()
        || decl.mac.is_broken()
        || decl.duid.is_broken()
        || decl.client_id.is_broken()
        || decl.port.is_broken()
}

fn identifiers(decl: &NicDecl) -> Option<Box<Identifiers>> {
    let all =
        Identifiers { duid: pair(&decl.duid), client_id: pair(&decl.client_id), port: pair(&decl.port) };
    (all != Identifiers::default()).then(|| Box::new(all))
}

fn pair<T: Clone>(field: &Field<T>) -> Option<(T, Span)> {
    field.get().cloned().zip(field.span())
}
