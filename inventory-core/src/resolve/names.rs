//! Completing the names of hosts, interfaces and aliases.

use super::Context;
use crate::diag::{Finding, Rule};
use crate::model::{HostName, NetworkId, ZoneId};
use crate::name::{Name, NameError, reject_host_label};
use crate::span::Span;

/// The FQDN that a key gives a host whose primary nic is in `network`.
pub(super) fn host_name(
    context: &Context,
    key: &str,
    span: Span,
    network: Option<NetworkId>,
    findings: &mut Vec<Finding>,
) -> Option<HostName> {
    check_labels("host", key, span, findings)?;
    if key.contains('.') {
        return fqdn(context, "host", key, span, findings);
    }
    let network_id = network?;
    let network = context.globals.network(network_id);
    let Some(zone) = network.zone else {
        if !context.vague_zone.contains(&network_id) {
            let message = format!("host `{key}` has no zone: network `{}` names none", network.name);
            let finding = Finding::new(Rule::NoZone, span, message).other(network.span, "add `zone` here");
            findings
                .push(finding.help(format!("or write the whole name: `[host.\"{key}.lab.example.org\"]`")));
        }
        return None;
    };
    joined(context, zone, key, span, findings)
}

/// The name of an interface other than the primary one: `written`, or the host's first label, a hyphen
/// and the interface's key, in the network's zone (without one: the host's).
pub(super) fn nic_name(
    context: &Context,
    host: &HostName,
    nic: (&str, Span, NetworkId),
    written: Option<(&str, Span)>,
    findings: &mut Vec<Finding>,
) -> Option<HostName> {
    let (key, key_span, network) = nic;
    let zone = context.globals.network(network).zone.unwrap_or(host.zone);
    let Some((text, span)) = written else {
        check_labels("nic", key, key_span, findings)?;
        let label = host.fqdn.labels().next().map(String::from_utf8_lossy).unwrap_or_default();
        return joined(context, zone, &format!("{label}-{key}"), key_span, findings);
    };
    check_labels("nic", text, span, findings)?;
    if text.contains('.') {
        fqdn(context, "nic", text, span, findings)
    } else {
        joined(context, zone, text, span, findings)
    }
}

/// The name of an alias of a host in `zone`.
pub(super) fn alias_name(
    context: &Context,
    zone: ZoneId,
    text: &str,
    span: Span,
    findings: &mut Vec<Finding>,
) -> Option<HostName> {
    check_labels("alias", text, span, findings)?;
    let name = if text.contains('.') {
        fqdn(context, "alias", text, span, findings)?
    } else {
        joined(context, zone, text, span, findings)?
    };
    let apex = context.globals.zone(name.zone);
    if apex.name == name.fqdn {
        let message = format!("alias `{text}` is the apex of a zone, which has records of its own");
        let finding = Finding::new(Rule::BadAlias, span, message).other(apex.span, "the zone");
        findings.push(finding.help("give the apex an address: `@ A …` in the zone's `records`"));
        return None;
    }
    Some(name)
}

/// Each label must be a host's (RFC 1123, section 2.1); one trailing dot is fine.
fn check_labels(what: &str, text: &str, span: Span, findings: &mut Vec<Finding>) -> Option<()> {
    let body = text.strip_suffix('.').unwrap_or(text);
    let wrong = body.split('.').find_map(|label| Some((label, reject_host_label(label)?)));
    let Some((label, why)) = wrong else {
        return Some(());
    };
    let message = if label == body {
        format!("{what} name `{text}` {why}")
    } else {
        format!("{what} name `{text}` is not valid: label `{label}` {why}")
    };
    let finding = Finding::new(Rule::InvalidName, span, message);
    findings.push(if label.contains('_') {
        finding.help(format!("host names have no underscores: `{}`", text.replace('_', "-")))
    } else if !label.is_ascii() {
        finding.help("a name with other letters is written in its ASCII form, as in `xn--bro-hoa`")
    } else {
        finding.help("host names have letters, digits, and hyphens between them (RFC 1123, section 2.1)")
    });
    None
}

fn fqdn(
    context: &Context,
    what: &str,
    text: &str,
    span: Span,
    findings: &mut Vec<Finding>,
) -> Option<HostName> {
    let name = match Name::parse(text, None) {
        Ok(name) => name,
        Err(error) => return unfit(text, error, span, findings),
    };
    let Some(zone) = context.globals.zone_of(&name) else {
        let message = format!("{what} name `{name}` lies in no zone of the inventory");
        let parent = name.parent().map(|parent| parent.to_string()).unwrap_or_default();
        let finding =
            Finding::new(if what == "alias" { Rule::BadAlias } else { Rule::NoZone }, span, message);
        let help = format!("define the zone it is to be served in, such as `[zone.\"{parent}\"]`");
        findings.push(finding.help(help).depends_on(&name));
        return None;
    };
    Some(HostName { fqdn: name, zone })
}

/// `label` in `zone`; if a deeper zone has that name, then there.
fn joined(
    context: &Context,
    zone: ZoneId,
    label: &str,
    span: Span,
    findings: &mut Vec<Finding>,
) -> Option<HostName> {
    match context.globals.zone(zone).name.child(label) {
        Ok(name) => Some(HostName { zone: context.globals.zone_named(&name).unwrap_or(zone), fqdn: name }),
        Err(error) => unfit(label, error, span, findings),
    }
}

fn unfit(text: &str, error: NameError, span: Span, findings: &mut Vec<Finding>) -> Option<HostName> {
    findings.push(Finding::new(Rule::InvalidName, span, format!("name `{text}` {error}")));
    None
}
