//! Who may copy zones: keys found, defaults filled in, and the catalog of the zones.
//!
//! The catalog (RFC 9432) is a zone that lists zones. Secondaries that follow it learn by themselves
//! which zones there are. It is made here, so that everything else takes it for an ordinary zone.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::diag::{Finding, Rule};
use crate::model::{Key, KeyAlgorithm, Secondary, Site, Zone};
use crate::name::Name;
use crate::parse::{Field, GlobalDecls, KeyDecl, SecondaryDecl, Spanned};
use crate::records::{Record, RecordType};
use crate::span::Span;

/// Every key, sorted by name.
pub(super) fn keys(files: &[&GlobalDecls], findings: &mut Vec<Finding>) -> Vec<Key> {
    let mut keys: BTreeMap<Name, &KeyDecl> = BTreeMap::new();
    for decl in files.iter().flat_map(|file| &file.keys) {
        if let Some(first) = keys.get(&decl.name) {
            let finding =
                Finding::new(Rule::DefinedTwice, decl.span, format!("key `{}` is defined twice", decl.name));
            findings.push(finding.other(first.span, "first defined here").help("rename one of them"));
        } else {
            keys.insert(decl.name.clone(), decl);
        }
    }
    let key = |decl: &KeyDecl| Key {
        name: decl.name.clone(),
        span: decl.span,
        algorithm: decl.algorithm.get().copied().unwrap_or(KeyAlgorithm::HmacSha256),
        file: decl.file.get().cloned().unwrap_or_default(),
    };
    keys.values().map(|decl| key(decl)).collect()
}

/// Reports keys that secondaries or updates are signed with and nobody defines.
pub(super) fn check(files: &[&GlobalDecls], keys: &[Key], findings: &mut Vec<Finding>) {
    let sites = files.iter().filter_map(|file| file.site.as_ref()).map(|site| &site.secondaries);
    let zones = files.iter().flat_map(|file| &file.zones).map(|zone| &zone.secondaries);
    let all = sites.chain(zones).filter_map(Field::get).flatten();
    let updates =
        files.iter().filter_map(|file| file.site.as_ref()?.updates.get()).map(|updates| &updates.key);
    for wanted in all.filter_map(|secondary| secondary.value.key.as_ref()).chain(updates) {
        if keys.iter().all(|key| key.name != wanted.value) {
            let known: Vec<String> = keys.iter().map(|key| key.name.to_string()).collect();
            let known = known.iter().map(String::as_str);
            let name = wanted.value.to_string();
            let define = format!("[key.\"{name}\"]");
            findings.push(Finding::unknown(Rule::NoSuchKey, wanted.span, "key", &name, known, &define));
        }
    }
}

/// The secondaries that a key lists; `None` where it is not there.
pub(super) fn secondaries(field: &Field<Vec<Spanned<SecondaryDecl>>>) -> Option<Arc<[Secondary]>> {
    let secondary = |decl: &Spanned<SecondaryDecl>| Secondary {
        net: decl.value.net,
        notify: decl.value.notify,
        key: decl.value.key.as_ref().map(|key| key.value.clone()),
    };
    field.get().map(|list| list.iter().map(secondary).collect())
}

/// Adds the catalog that the site names to `zones`. It lists every zone that any of the site's
/// secondaries may copy.
pub(super) fn add_catalog(
    files: &[&GlobalDecls],
    site: &Site,
    zones: &mut BTreeMap<Name, Zone>,
    findings: &mut Vec<Finding>,
) {
    let Some(decl) = files.iter().find_map(|file| file.site.as_ref()) else { return };
    let Field::Set(name, span) = &decl.catalog else { return };
    if let Some(zone) = zones.get(name) {
        let message = format!("the catalog `{name}` is a zone of its own");
        let finding = Finding::new(Rule::DefinedTwice, *span, message).other(zone.span, "the zone");
        findings.push(finding.help("give the catalog a name that nothing else has, as `catalog.invalid`"));
        return;
    }
    if decl.secondaries.is_absent() {
        let finding = Finding::new(Rule::MissingKey, *span, "a catalog is nothing without `secondaries`");
        findings.push(finding.help("name the servers that follow it: `secondaries = [\"10.20.0.3\"]`"));
        return;
    }
    let shared = |zone: &&Zone| zone.secondaries.iter().any(|one| site.secondaries.contains(one));
    let mut records = vec![version(name, *span)];
    records.extend(zones.values().filter(shared).filter_map(|zone| member(name, &zone.name, *span)));
    records.sort_by(|a, b| (&a.owner, a.rtype.0, &a.rdata).cmp(&(&b.owner, b.rtype.0, &b.rdata)));
    let nobody = Name::root().child("invalid").unwrap_or_else(|_| Name::root());
    let catalog = Zone {
        name: name.clone(),
        span: *span,
        derived: None,
        ttl: 0,
        negative_ttl: 0,
        // RFC 9432, section 4.1: nobody is to look for its servers.
        nameservers: [nobody.clone()].into(),
        contact: nobody,
        records: records.into(),
        file: None,
        soa: None,
        secondaries: Arc::clone(&site.secondaries),
        // RFC 9432, section 7: what zones there are is nobody else's business.
        allow_query: site.secondaries.iter().map(|secondary| secondary.net).collect(),
        catalog: true,
        dnssec: None,
    };
    zones.insert(name.clone(), catalog);
}

/// Says which form the catalog has (RFC 9432, section 4.2.1).
fn version(catalog: &Name, span: Span) -> Record {
    let owner = catalog.child("version").unwrap_or_else(|_| catalog.clone());
    record(owner, RecordType::TXT, Box::new([1, b'2']), span)
}

/// Lists a zone, under a label that stays the same as long as the zone is listed (RFC 9432, section
/// 4.1). `None` if the catalog's own name leaves no room for it.
fn member(catalog: &Name, zone: &Name, span: Span) -> Option<Record> {
    let digest = Sha256::digest(zone.as_wire());
    let label: String = digest.iter().take(16).map(|octet| format!("{octet:02x}")).collect();
    let owner = catalog.child("zones").ok()?.child(&label).ok()?;
    Some(record(owner, RecordType::PTR, zone.as_wire().into(), span))
}

fn record(owner: Name, rtype: RecordType, rdata: Box<[u8]>, span: Span) -> Record {
    Record { owner, owner_span: span, ttl: None, rtype, rdata, span, target: None, target_span: None }
}
