//! The zones: those written down, and the reverse zones that the networks need.

use std::collections::BTreeMap;
use std::sync::Arc;

use ipnet::IpNet;

use crate::diag::{Finding, Rule};
use crate::model::{Reverse, Site, Zone, reverse_zone_v4, reverse_zone_v6};
use crate::name::Name;
use crate::parse::{Field, GlobalDecls, NetworkDecl, SiteDecl, Spanned, ZoneDecl};
use crate::records::Record;
use crate::span::Span;

use super::{Masters, transfer};

/// The site's defaults; of several `[site]` tables the first (the others are refused in [`collect`]).
pub(super) fn site(files: &[&GlobalDecls]) -> Site {
    let decl = files.iter().find_map(|file| file.site.as_ref());
    Site {
        nameservers: decl.and_then(|site| names(&site.nameservers)).unwrap_or_default(),
        contact: decl.and_then(|site| site.contact.get().cloned()),
        mac_prefix: decl.and_then(|site| site.mac_prefix.get().cloned()),
        secondaries: decl.and_then(|site| transfer::secondaries(&site.secondaries)).unwrap_or_default(),
        rate_limit: decl.and_then(|site| site.rate_limit.get().copied()).unwrap_or(Site::RATE_LIMIT_DEFAULT),
    }
}

/// Every zone, sorted by name.
pub(super) fn collect(
    files: &[&GlobalDecls],
    masters: &Masters,
    networks: &BTreeMap<&str, &NetworkDecl>,
    findings: &mut Vec<Finding>,
) -> Vec<Zone> {
    let site_decl = one_site(files, findings);
    let defaults = site(files);
    let mut zones: BTreeMap<Name, Zone> = BTreeMap::new();
    let mut nameless = Vec::new();
    for decl in files.iter().flat_map(|file| &file.zones) {
        if let Some(first) = zones.get(&decl.name) {
            let message = format!("zone `{}` is defined twice", decl.name);
            let finding = Finding::new(Rule::DefinedTwice, decl.span, message);
            findings.push(finding.other(first.span, "first defined here").help("join the two tables"));
            continue;
        }
        let zone = written(decl, masters, &defaults);
        let refused = decl.vague
            || decl.nameservers.is_broken()
            || site_decl.is_some_and(|site| site.vague || site.nameservers.is_broken())
            || files.iter().any(|file| file.lost_site);
        if zone.nameservers.is_empty() && zone.file.is_none() && !refused {
            nameless.push(decl);
        }
        zones.insert(decl.name.clone(), zone);
    }
    if let Some(first) = nameless.first() {
        let message = match nameless.len() {
            1 => format!("zone `{}` has no name servers", first.name),
            several => format!("zone `{}` and {} more have no name servers", first.name, several - 1),
        };
        let help = "name them once for all zones: `[site]` with `nameservers = [\"ns1.lab.example.org\"]`";
        let span = first.nameservers.span().unwrap_or(first.span);
        findings.push(Finding::new(Rule::NoNameservers, span, message).help(help));
    }
    let derived: Vec<Zone> =
        networks.values().flat_map(|network| derived(network, &zones, &defaults, findings)).collect();
    for zone in derived {
        zones.entry(zone.name.clone()).or_insert(zone);
    }
    distribute(files, &mut zones, findings);
    transfer::add_catalog(files, &defaults, &mut zones, findings);
    zones.into_values().collect()
}

/// The one `[site]`; others are reported.
fn one_site<'a>(files: &[&'a GlobalDecls], findings: &mut Vec<Finding>) -> Option<&'a SiteDecl> {
    let mut sites = files.iter().filter_map(|file| file.site.as_ref());
    let first = sites.next()?;
    for other in sites {
        let finding = Finding::new(Rule::DefinedTwice, other.span, "`[site]` is defined twice");
        findings.push(finding.other(first.span, "first defined here").help("join the two tables"));
    }
    Some(first)
}

fn names(field: &Field<Vec<Spanned<Name>>>) -> Option<Arc<[Name]>> {
    field.get().map(|list| list.iter().map(|item| item.value.clone()).collect())
}

fn written(decl: &ZoneDecl, masters: &Masters, defaults: &Site) -> Zone {
    let file: Option<Arc<str>> = decl.file.get().map(|path| Arc::from(&**path));
    let secondaries =
        transfer::secondaries(&decl.secondaries).unwrap_or_else(|| Arc::clone(&defaults.secondaries));
    let dnssec = decl.dnssec.get().copied().flatten();
    let allow_query = decl.allow_query.get();
    let allow_query: Arc<[IpNet]> =
        allow_query.map_or_else(Arc::default, |list| list.iter().map(|item| item.value).collect());
    let master = file.as_ref().and_then(|path| masters.get(&(Arc::clone(path), decl.name.clone())));
    if let Some(master) = master {
        let soa = master.soa.clone();
        return Zone {
            name: decl.name.clone(),
            span: decl.span,
            derived: None,
            ttl: decl.ttl_seconds(),
            negative_ttl: soa.as_ref().map_or(Zone::NEGATIVE_TTL_DEFAULT, |soa| soa.minimum),
            nameservers: Arc::clone(&master.nameservers),
            contact: soa.as_ref().map_or_else(|| hostmaster(&decl.name), |soa| soa.contact.clone()),
            records: Arc::clone(&master.records),
            file,
            soa,
            secondaries,
            allow_query,
            catalog: false,
            dnssec,
        };
    }
    Zone {
        name: decl.name.clone(),
        span: decl.span,
        derived: None,
        ttl: decl.ttl_seconds(),
        negative_ttl: decl.negative_ttl_seconds(),
        nameservers: names(&decl.nameservers).unwrap_or_else(|| Arc::clone(&defaults.nameservers)),
        contact: decl
            .contact
            .get()
            .or(defaults.contact.as_ref())
            .cloned()
            .unwrap_or_else(|| hostmaster(&decl.name)),
        records: Arc::default(),
        file,
        soa: None,
        secondaries,
        allow_query,
        catalog: false,
        dnssec,
    }
}

/// The mailbox that RFC 2142, section 7, asks every zone to have.
fn hostmaster(zone: &Name) -> Name {
    zone.child("hostmaster").unwrap_or_else(|_| zone.clone())
}

/// The reverse zones of a network that lie in no written zone. Name servers, contact and TTLs are
/// those of the network's zone, or the site's.
fn derived(
    network: &NetworkDecl,
    zones: &BTreeMap<Name, Zone>,
    defaults: &Site,
    findings: &mut Vec<Finding>,
) -> Vec<Zone> {
    let forward = network.zone.get().and_then(|name| zones.get(name));
    let v4 = match &network.reverse {
        Field::Set(name, span) => classless(network, name, *span, findings),
        _ => network.ipv4.get().and_then(|net| reverse_zone_v4(*net)),
    };
    let v6 = network.ipv6.get().and_then(|net| reverse_zone_v6(*net));
    let all = [v4.map(|name| (name, Reverse::V4)), v6.map(|name| (name, Reverse::V6))];
    let written =
        |name: &Name| zones.values().any(|zone| zone.derived.is_none() && name.is_within(&zone.name));
    let missing = all.into_iter().flatten().filter(|(name, _)| !written(name));
    missing
        .map(|(name, family)| Zone {
            contact: forward
                .map(|zone| zone.contact.clone())
                .or_else(|| defaults.contact.clone())
                .unwrap_or_else(|| hostmaster(&name)),
            name,
            span: network.span,
            derived: Some(family),
            ttl: forward.map_or(Zone::TTL_DEFAULT, |zone| zone.ttl),
            negative_ttl: forward.map_or(Zone::NEGATIVE_TTL_DEFAULT, |zone| zone.negative_ttl),
            nameservers: forward
                .map(|zone| Arc::clone(&zone.nameservers))
                .filter(|names| !names.is_empty())
                .unwrap_or_else(|| Arc::clone(&defaults.nameservers)),
            records: Arc::default(),
            file: None,
            soa: None,
            secondaries: forward.map_or(&defaults.secondaries, |zone| &zone.secondaries).clone(),
            // Who may not know the names may not have them from the addresses either.
            allow_query: forward.map_or_else(Arc::default, |zone| Arc::clone(&zone.allow_query)),
            catalog: false,
            dnssec: None,
        })
        .filter(|zone| !zone.nameservers.is_empty())
        .collect()
}

/// An RFC 2317 zone: below the reverse zone that encloses the network, for networks longer than /24.
fn classless(network: &NetworkDecl, name: &Name, span: Span, findings: &mut Vec<Finding>) -> Option<Name> {
    let Some(net) = network.ipv4.get().copied() else {
        if network.ipv4.is_absent() && !network.vague {
            let message = format!("network `{}` has a `reverse` zone and no `ipv4`", network.name);
            let finding = Finding::new(Rule::ReverseUnfit, span, message);
            findings.push(finding.help("`reverse` is for IPv4; reverse zones of IPv6 need no such key"));
        }
        return None;
    };
    let enclosing = reverse_zone_v4(net)?;
    let (first, last) = (net.network().octets()[3], net.broadcast().octets()[3]);
    let like = format!("RFC 2317 zones are named like `{first}-{last}.{enclosing}`");
    let (why, help) = if net.prefix_len() <= 24 {
        let help = "remove `reverse`; it is for networks smaller than a /24".to_owned();
        (format!("the network fills `{enclosing}`, which is derived"), help)
    } else if *name == enclosing {
        ("that is the zone of the whole /24".to_owned(), like)
    } else if !name.is_within(&enclosing) {
        (format!("it does not lie below `{enclosing}`"), like)
    } else if name.child("255").is_err() {
        ("names of addresses below it are longer than 255 octets".to_owned(), like)
    } else {
        return Some(name.clone());
    };
    let message = format!("reverse zone `{name}` does not fit {net}: {why}");
    findings.push(Finding::new(Rule::ReverseUnfit, span, message).help(help));
    None
}

/// Puts each written record into its zone; a record out of it is reported.
fn distribute(files: &[&GlobalDecls], zones: &mut BTreeMap<Name, Zone>, findings: &mut Vec<Finding>) {
    for decl in files.iter().flat_map(|file| &file.zones) {
        if zones.get(&decl.name).is_none_or(|zone| zone.span != decl.span) {
            continue;
        }
        let cuts: Vec<(&Name, Span)> = zones
            .values()
            .filter(|zone| zone.name != decl.name && zone.name.is_within(&decl.name))
            .map(|zone| (&zone.name, zone.span))
            .collect();
        if decl.file.get().is_some() {
            let records = zones.get(&decl.name).map_or(&[][..], |zone| &zone.records);
            findings.extend(records.iter().filter_map(|record| stray(record, decl, &cuts)));
            continue;
        }
        let mut inside: Vec<Record> = Vec::new();
        for record in &decl.records {
            match stray(record, decl, &cuts) {
                None => inside.push(record.clone()),
                Some(finding) => findings.push(finding),
            }
        }
        inside.sort_by(|a, b| (&a.owner, a.rtype.0, &a.rdata).cmp(&(&b.owner, b.rtype.0, &b.rdata)));
        if let Some(zone) = zones.get_mut(&decl.name) {
            zone.records = inside.into();
        }
    }
}

/// A record that its zone cannot serve: the owner lies outside, or in a zone of its own below, one of
/// `cuts`.
fn stray(record: &Record, decl: &ZoneDecl, cuts: &[(&Name, Span)]) -> Option<Finding> {
    use crate::records::RecordType;
    let owner = &record.owner;
    if !owner.is_within(&decl.name) {
        let message = format!("`{owner}` lies outside zone `{}`", decl.name);
        let finding = Finding::new(Rule::OutOfZone, record.owner_span, message);
        return Some(finding.help("names without a trailing dot are relative to the zone"));
    }
    let (cut, cut_span) = *cuts.iter().find(|(cut, _)| owner.is_within(cut))?;
    // At a cut the parent keeps the delegation, what signs it, and glue at and below it (RFC 1034, section
    // 4.2.1; RFC 4035, section 2.6).
    let at_cut = [RecordType::NS, RecordType::DS, RecordType::RRSIG, RecordType::NSEC];
    let parental = [RecordType::A, RecordType::AAAA].contains(&record.rtype)
        || owner == cut && at_cut.contains(&record.rtype);
    if parental {
        return None;
    }
    let message = format!("`{owner}` lies in zone `{cut}`, not in `{}`", decl.name);
    Some(
        Finding::new(Rule::OutOfZone, record.owner_span, message)
            .other(cut_span, "the zone it lies in")
            .help("move the record there"),
    )
}
