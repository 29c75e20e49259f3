//! The line that says so: where in the files a fact is written.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use inventory_core::diag::{Locator, Texts};
use inventory_core::load::Loader;
use inventory_core::model::Host;
use inventory_core::options::{Family, code_of};
use inventory_core::span::Span;

use crate::edit::Doc;

/// Profiles that are followed from one host. Circles are refused by the check; here they only must end.
const PROFILES_MAX: usize = 64;

/// Looks for something in a table of a file, and says where it is.
type Find<'f> = dyn Fn(&str, &Doc, &[&str]) -> Option<String> + 'f;

/// The files behind a snapshot.
pub(crate) struct Origins<'l> {
    loader: &'l Loader,
    docs: RefCell<BTreeMap<Arc<str>, Arc<Doc>>>,
}

impl<'l> Origins<'l> {
    /// The files that `loader` has loaded.
    pub(crate) fn new(loader: &'l Loader) -> Origins<'l> {
        Origins { loader, docs: RefCell::default() }
    }

    /// `hosts/web.toml:12`
    pub(crate) fn at(&self, span: Span) -> String {
        let texts = self.loader.texts();
        let place = Locator::new(&texts).place(span);
        if place.line == 0 { place.path } else { format!("{}:{}", place.path, place.line) }
    }

    /// Where `key` of the network, zone or boot profile is written whose header is at `span`.
    pub(crate) fn of_table(&self, kind: &str, span: Span, key: &[&str]) -> Option<String> {
        let (path, doc, name) = self.table(kind, span)?;
        line(&path, &doc, &[&[kind, &name], key].concat())
    }

    /// Where the DHCP option `code` of that family of the network at `span` is written.
    pub(crate) fn option_of_network(&self, span: Span, family: Family, code: u16) -> Option<String> {
        let (path, doc, name) = self.table("network", span)?;
        option(&path, &doc, &["network", &name], family, code)
    }

    /// Where `key` is written that `host` has, on its interface, itself, or by its profiles.
    pub(crate) fn of_host(&self, host: &Host, nic: Option<&str>, key: &str) -> Option<String> {
        self.in_host(host, nic, &|path, doc, table| line(path, doc, &[table, &[key]].concat()))
    }

    /// Where the DHCP option `code` of that family of an interface of `host` is written.
    pub(crate) fn option_of_host(
        &self,
        host: &Host,
        nic: Option<&str>,
        family: Family,
        code: u16,
    ) -> Option<String> {
        self.in_host(host, nic, &|path, doc, table| option(path, doc, table, family, code))
    }

    /// The first place that `find` finds, given a file and a table in it.
    fn in_host(&self, host: &Host, nic: Option<&str>, find: &Find<'_>) -> Option<String> {
        let (path, doc, name) = self.table("host", host.span)?;
        let own = |doc: &Doc, path: &str, kind: &str, name: &str| {
            let of_nic = nic.and_then(|nic| find(path, doc, &[kind, name, "nic", nic]));
            of_nic.or_else(|| find(path, doc, &[kind, name]))
        };
        if let Some(found) = own(&doc, &path, "host", &name) {
            return Some(found);
        }
        // The last profile wins, as they are merged.
        let mut left = doc.strings(&["host", &name, "use"]).unwrap_or_default();
        for _ in 0..PROFILES_MAX {
            let profile = left.pop()?;
            let (path, doc) = self.profile(&profile)?;
            if let Some(found) = own(&doc, &path, "profile", &profile) {
                return Some(found);
            }
            left.extend(doc.strings(&["profile", &profile, "use"]).unwrap_or_default());
        }
        None
    }

    fn profile(&self, name: &str) -> Option<(Arc<str>, Arc<Doc>)> {
        let paths = self.loader.paths().filter(|path| path.ends_with(".toml"));
        paths.map(|path| (Arc::clone(path), self.doc(path))).find(|(_, doc)| doc.has(&["profile", name]))
    }

    /// File and key of the table of that kind whose header is at `span`.
    fn table(&self, kind: &str, span: Span) -> Option<(Arc<str>, Arc<Doc>, String)> {
        let path = self.loader.texts().path(span.file);
        let doc = self.doc(&path);
        // A span may begin at the bracket, at the kind or at the name.
        let names = doc.names(&[kind]);
        let at = |name: &String| doc.has_key_within(&[kind, name], span.start as usize..span.end as usize);
        let name = names.into_iter().find(at)?;
        Some((path, doc, name))
    }

    fn doc(&self, path: &Arc<str>) -> Arc<Doc> {
        let mut docs = self.docs.borrow_mut();
        let doc = docs.entry(Arc::clone(path)).or_insert_with(|| {
            let text = self.loader.source().read(path).map(|(_, octets)| octets).unwrap_or_default();
            Arc::new(Doc::new(String::from_utf8_lossy(&text)))
        });
        Arc::clone(doc)
    }
}

fn line(path: &str, doc: &Doc, key: &[&str]) -> Option<String> {
    doc.line_of(key).map(|line| format!("{path}:{line}"))
}

/// The option may be written by name or by number.
fn option(path: &str, doc: &Doc, table: &[&str], family: Family, code: u16) -> Option<String> {
    let key = if family == Family::V4 { "options" } else { "options6" };
    let table = [table, &[key]].concat();
    let name = doc.names(&table).into_iter().find(|name| code_of(family, name) == Some(code))?;
    line(path, doc, &[&table[..], &[&name]].concat())
}
