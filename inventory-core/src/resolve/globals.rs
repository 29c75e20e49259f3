//! Joining the files: every name defined once, every reference among the few things found.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::Ipv6Net;

use super::{Context, Masters, profiles, transfer, updates, zones};
use crate::diag::{Finding, Rule};
use crate::model::{Boot, BootFile, BootSource, Globals, Link, Network, NetworkId, Range, Unknown, ZoneId};
use crate::parse::{
    BootDecl, DhcpDecl, Field, GlobalDecls, HostDecl, NetworkDecl, Spanned, UnknownDecl, is_url,
};
use crate::span::Span;

/// Joins what the files declare, in the order given (of two definitions the later one is refused).
/// `masters`: what the master files say that zones name.
pub fn merge(files: &[&GlobalDecls], masters: &Masters, findings: &mut Vec<Finding>) -> Context {
    let networks =
        once("network", files.iter().flat_map(|file| &file.networks), |n| (&n.name, n.span), findings);
    let boots =
        once("boot profile", files.iter().flat_map(|file| &file.boots), |b| (&b.name, b.span), findings);
    let profile_decls = once(
        "profile",
        files.iter().flat_map(|file| &file.profiles),
        |p| (&p.key.value, p.key.span),
        findings,
    );

    let mut context = Context::default();
    let mut globals =
        Globals { zones: zones::collect(files, masters, &networks, findings), ..Globals::default() };
    globals.site = zones::site(files);
    globals.keys = transfer::keys(files, findings);
    transfer::check(files, &globals.keys, findings);
    globals.boots = boots.values().map(|decl| boot(decl)).collect();
    for decl in networks.values() {
        let id = NetworkId(u32::try_from(globals.networks.len()).unwrap_or(u32::MAX));
        let zone = network_zone(decl, &globals, findings);
        if zone.is_none() && (decl.vague || !decl.zone.is_absent()) {
            context.vague_zone.insert(id);
        }
        if decl.vague || decl.ipv4.is_broken() || decl.ipv6.is_broken() {
            context.vague_prefix.insert(id);
        }
        if decl.has_vague_pools() || decl.exclude.is_broken() || decl.dhcp.is_broken() {
            context.vague_pool.insert(id);
        }
        let unknown = unknown(decl, &globals, findings);
        let mut network = network(decl, zone, unknown);
        network.dynamic_names = updates::of_network(decl, files, findings);
        globals.networks.push(network);
    }
    links(networks.values().copied(), &mut globals.networks);
    references(profile_decls.values().copied(), &globals, findings);
    let (flat, broken) = profiles::flatten(&profile_decls, findings);
    context.profiles = flat;
    context.broken_profiles = broken;
    context.globals = Arc::new(globals);
    context
}

/// What profiles refer to. Hosts that use them find the same, which is then told once; a profile that
/// no host uses yet is not to surprise the first one that does.
fn references<'a>(
    profiles: impl Iterator<Item = &'a HostDecl>,
    globals: &Globals,
    findings: &mut Vec<Finding>,
) {
    for profile in profiles {
        for nic in std::iter::once(&profile.own).chain(&profile.nics) {
            if let Field::Set(name, span) = &nic.network {
                super::nic::find_network(globals, name, *span, findings);
            }
        }
        if let Field::Set(name, span) = &profile.boot {
            super::host::find_boot(globals, name, *span, findings);
        }
    }
}

/// Sorts by name and reports names that are defined twice.
fn once<'a, T>(
    kind: &str,
    all: impl Iterator<Item = &'a T>,
    key: impl Fn(&'a T) -> (&'a Box<str>, Span),
    findings: &mut Vec<Finding>,
) -> BTreeMap<&'a str, &'a T> {
    let mut map: BTreeMap<&str, &T> = BTreeMap::new();
    for item in all {
        let (name, span) = key(item);
        if let Some(first) = map.get(&**name) {
            let finding = Finding::new(Rule::DefinedTwice, span, format!("{kind} `{name}` is defined twice"));
            findings.push(
                finding.other(key(first).1, "first defined here").help("rename one of them, or join them"),
            );
        } else {
            map.insert(name, item);
        }
    }
    map
}

/// The zone that a network names.
fn network_zone(decl: &NetworkDecl, globals: &Globals, findings: &mut Vec<Finding>) -> Option<ZoneId> {
    let Field::Set(name, span) = &decl.zone else {
        return None;
    };
    let found = globals.zone_named(name);
    if found.is_none() {
        let known: Vec<String> = globals.zones.iter().map(|zone| zone.name.to_string()).collect();
        let known = known.iter().map(String::as_str);
        let define = format!("[zone.\"{name}\"]");
        findings.push(Finding::unknown(Rule::NoZone, *span, "zone", &name.to_string(), known, &define));
    }
    found
}

/// What unknown machines get there, with the boot profile found.
fn unknown(decl: &NetworkDecl, globals: &Globals, findings: &mut Vec<Finding>) -> Unknown {
    match &decl.unknown {
        Field::Set(UnknownDecl::Ignore, _) => Unknown::Ignore,
        Field::Set(UnknownDecl::Boot(name), span) => {
            super::host::find_boot(globals, name, *span, findings).map_or(Unknown::Pool, Unknown::Boot)
        }
        Field::Set(UnknownDecl::Pool, _) | Field::Broken | Field::Absent => Unknown::Pool,
    }
}

/// Tells networks of the others on their links; both are in the same order.
fn links<'a>(decls: impl Iterator<Item = &'a NetworkDecl>, networks: &mut [Network]) {
    let mut links: BTreeMap<&str, Vec<NetworkId>> = BTreeMap::new();
    for (id, decl) in (0..).map(NetworkId).zip(decls) {
        if let Some(name) = decl.link.get() {
            links.entry(name).or_default().push(id);
        }
    }
    for (name, on_it) in links {
        for id in &on_it {
            let others: Box<[NetworkId]> = on_it.iter().copied().filter(|other| other != id).collect();
            if let Some(network) = networks.get_mut(id.0 as usize).filter(|_| !others.is_empty()) {
                network.link = Some(Box::new(Link { name: name.into(), others }));
            }
        }
    }
}

fn network(decl: &NetworkDecl, zone: Option<ZoneId>, unknown: Unknown) -> Network {
    Network {
        name: decl.name.clone(),
        span: decl.span,
        link: None,
        zone,
        ipv4: decl.ipv4.get().copied(),
        ipv6: decl.ipv6.get().copied(),
        gateway: decl.gateway.get().copied(),
        dns: decl.dns.get().map_or_else(Box::default, |list| list.iter().map(|item| item.value).collect()),
        pools: ranges(decl.pools()),
        exclude: ranges(decl.exclude.get().into_iter().flatten()),
        pd_pools: pd_pools(decl),
        pd_length: decl.pd_length.get().and_then(|bits| u8::try_from(*bits).ok()).unwrap_or_else(|| {
            let longest = decl.pd_pool.get().into_iter().flatten().map(|pool| pool.value.prefix_len()).max();
            longest.unwrap_or(0).max(Network::PD_LENGTH_DEFAULT)
        }),
        ra: decl.ra.get().cloned().flatten().map(Box::new),
        lease_seconds: decl.lease.get().copied().unwrap_or(Network::LEASE_SECONDS_DEFAULT),
        renew_seconds: decl.renew.get().copied(),
        rebind_seconds: decl.rebind.get().copied(),
        options: decl.options.clone().into(),
        matches: decl.matches.iter().map(|one| one.one.clone()).collect(),
        options6: decl.options6.clone().into(),
        dhcp: matches!(decl.dhcp.get(), None | Some(DhcpDecl::On)),
        proxy: matches!(decl.dhcp.get(), Some(DhcpDecl::Proxy)),
        unknown,
        leasequery: decl.leasequery.get().into_iter().flatten().map(|agent| agent.value).collect(),
        subnet_selection: decl.subnet_selection.get().copied().unwrap_or(false),
        boot_server: boot_servers(decl).find_map(|server| match server {
            IpAddr::V4(v4) => Some(v4),
            IpAddr::V6(_) => None,
        }),
        boot_server6: boot_servers(decl).find_map(|server| match server {
            IpAddr::V6(v6) => Some(v6),
            IpAddr::V4(_) => None,
        }),
        bridge: decl.bridge.get().cloned(),
        authoritative: decl.authoritative.get().copied(),
        probe: decl.probe.get().copied().unwrap_or(true),
        reverse: decl.reverse.get().cloned(),
        dynamic_names: None,
        view: decl.view.get().cloned(),
        forward: decl.forward.get().into_iter().flatten().map(|server| server.value).collect(),
    }
}

fn boot_servers(decl: &NetworkDecl) -> impl Iterator<Item = IpAddr> {
    decl.boot_server.get().into_iter().flatten().map(|server| server.value)
}

fn pd_pools(decl: &NetworkDecl) -> Box<[Ipv6Net]> {
    let mut pools: Vec<Ipv6Net> = decl.pd_pool.get().into_iter().flatten().map(|pool| pool.value).collect();
    pools.sort_unstable();
    pools.into()
}

fn ranges<'a>(written: impl Iterator<Item = &'a Spanned<Range>>) -> Box<[Range]> {
    let mut ranges: Vec<Range> = written.map(|item| item.value).collect();
    ranges.sort_unstable();
    ranges.into()
}

fn boot(decl: &BootDecl) -> Boot {
    let source = match (&decl.script, &decl.kernel) {
        (Field::Set(script, _), _) => BootSource::Script(Arc::from(&**script)),
        (_, Field::Set(kernel, _)) => BootSource::Kernel {
            kernel: kernel.clone(),
            initrd: decl.initrd.get().into_iter().flatten().map(|item| item.value.clone()).collect(),
            cmdline: decl.cmdline.get().cloned().unwrap_or_default(),
            cmdline_span: decl.cmdline.span().unwrap_or(decl.span),
        },
        // Refused already; the name stays known so that hosts that use it are not reported as well.
        _ => BootSource::Script("".into()),
    };
    let files = decl
        .files
        .iter()
        .map(|(name, template)| BootFile { name: name.clone(), template: Arc::from(&*template.value) });
    Boot { name: decl.name.clone(), span: decl.span, source, files: files.collect() }
}

/// Files below the inventory's root that `files` refer to, master files apart: path and where it is
/// written.
pub(crate) fn referenced<'a>(files: impl Iterator<Item = &'a GlobalDecls>) -> Vec<(&'a str, Span)> {
    let mut paths = Vec::new();
    for file in files {
        for boot in &file.boots {
            paths.extend(boot.files.iter().map(|(_, template)| (&*template.value, template.span)));
            let script = boot.script.get().filter(|script| !is_url(script));
            paths.extend(script.and_then(|path| Some((&**path, boot.script.span()?))));
        }
    }
    paths
}
