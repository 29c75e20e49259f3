//! Loading: from a source to a snapshot, or to every mistake.
//!
//! A [`Loader`] keeps what it learned of each file, so that the next look costs what changed: a file
//! with the same version is not read, one with the same octets not parsed. Hosts of unchanged files are
//! resolved again only if the few things of the inventory changed in a way that shows in them; to save
//! memory they are then read again, since what was parsed is not kept.

mod changed;
mod file;
mod judge;
mod masters;
mod texts;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::check::claims::Claims;
use crate::diag::{Diagnostic, Finding, Locator, Rule, Texts};
use crate::model::{ContentHash, Inventory, Snapshot};
use crate::resolve::{self, Context};
use crate::source::{ReadError, Source, Version};
use crate::span::{FileId, Span};

use masters::{MasterFiles, Numbers};

use file::{FileState, Order, Parsed, Wanted};

/// Files that are parsed before their hosts are resolved. More than these are read in portions.
const FILES_AT_ONCE: usize = 64;

/// Follows one source.
pub struct Loader {
    source: Box<dyn Source>,
    /// By path: the files of the last look.
    files: BTreeMap<Arc<str>, FileState>,
    /// Every path that ever had an id; the index is the id.
    paths: Vec<Arc<str>>,
    ids: HashMap<Arc<str>, FileId>,
    /// Master files of the last look.
    masters: MasterFiles,
    /// Templates and scripts of the last look.
    referenced: BTreeMap<Arc<str>, Referenced>,
    /// Such a file changed since templates were last judged.
    templates_changed: bool,
    context: Arc<Context>,
    context_findings: Vec<Finding>,
    claims: Claims,
    /// Places that could not be looked at, at the last look.
    unreadable: Vec<(Arc<str>, String)>,
    generation: u64,
    current: Option<Snapshot>,
    looked: bool,
    /// Whether the few things were ever joined.
    merged: bool,
    parsed_files: u64,
}

/// A file that the inventory refers to.
struct Referenced {
    version: Version,
    hash: [u8; 32],
    octets: Arc<[u8]>,
}

/// What a look at the source found.
#[derive(Debug)]
pub enum Loaded {
    /// Nothing that counts changed since the last look.
    Unchanged,
    /// A new good state.
    Good {
        /// The state.
        snapshot: Snapshot,
        /// What is odd in it.
        warnings: Vec<Diagnostic>,
    },
    /// Mistakes; the last good snapshot stays in force.
    Broken {
        /// Errors and warnings, sorted by place.
        diagnostics: Vec<Diagnostic>,
    },
}

impl Loader {
    /// A loader that has not looked yet.
    pub fn new(source: Box<dyn Source>) -> Loader {
        Loader {
            source,
            files: BTreeMap::new(),
            paths: Vec::new(),
            ids: HashMap::new(),
            masters: MasterFiles::default(),
            referenced: BTreeMap::new(),
            templates_changed: false,
            context: Arc::default(),
            context_findings: Vec::new(),
            claims: Claims::default(),
            unreadable: Vec::new(),
            generation: 0,
            current: None,
            looked: false,
            merged: false,
            parsed_files: 0,
        }
    }

    /// The source.
    pub fn source(&self) -> &dyn Source {
        &*self.source
    }

    /// The last good snapshot.
    pub fn current(&self) -> Option<&Snapshot> {
        self.current.as_ref()
    }

    /// How many times a file has been parsed so far.
    pub fn parsed_files(&self) -> u64 {
        self.parsed_files
    }

    /// Paths of all files that the last look read: inventory files and those they refer to.
    pub fn paths(&self) -> impl Iterator<Item = &Arc<str>> {
        let masters = self.masters.contents().map(|(path, _)| path);
        self.files.keys().chain(self.referenced.keys()).chain(masters)
    }

    /// The texts that spans of this loader's snapshots speak of, for [`Locator`].
    pub fn texts(&self) -> impl Texts + '_ {
        texts::FromSource { source: &*self.source, paths: &self.paths }
    }

    /// Counts generations from the one after `generation`, for a follower that served another source.
    pub fn count_from(&mut self, generation: u64) {
        self.generation = self.generation.max(generation);
    }

    /// Path and SHA-256 of every file that the current state is made of, sorted by path.
    pub fn contents(&self) -> impl Iterator<Item = (&Arc<str>, [u8; 32])> {
        let inventory = self.files.iter().filter_map(|(path, state)| Some((path, state.hash?)));
        let referenced = self.referenced.iter().map(|(path, file)| (path, file.hash));
        // Several zones may share a master file.
        let all: BTreeMap<_, _> = inventory.chain(referenced).chain(self.masters.contents()).collect();
        all.into_iter()
    }

    /// Looks at the source. Call it again after each hint that something changed; a look at an
    /// unchanged source costs one `stat` a file.
    pub fn load(&mut self) -> Loaded {
        let _held = self.source.hold();
        let listing = self.source.list();
        let (mut changed, mut deferred) = self.read_changed(&listing.files);
        let gone = self.forget_absent(&listing.files);
        let same_trouble = self.unreadable == listing.unreadable;
        self.unreadable = listing.unreadable;
        let same_files = self.looked && changed.is_empty() && deferred.is_empty() && gone.is_empty();
        let masters_changed = self.looked && self.look_at_masters();
        if same_files && same_trouble && !masters_changed && !self.look_at_referenced() {
            return Loaded::Unchanged;
        }
        self.looked = true;

        let mut few_changed = self.take_globals(&mut changed, &gone) | masters_changed;
        let mut touched = HashSet::new();
        gone.into_iter().for_each(|file| self.claims.forget(file));
        loop {
            few_changed |= self.look_at_masters();
            if few_changed {
                let reshaped = self.merge();
                self.add_others(reshaped, &changed, &mut deferred);
            }
            self.resolve_hosts(std::mem::take(&mut changed), &mut touched);
            // A file that only seemed to hold nothing but hosts changes the few things after all.
            let surprise = self.resolve_deferred(std::mem::take(&mut deferred), &mut touched);
            few_changed |= surprise;
            if !surprise {
                break;
            }
        }
        self.look_at_referenced();
        let findings = self.judge(few_changed, &touched);
        let loaded = self.conclude(&findings);
        self.source.rest();
        loaded
    }

    /// Takes over the changed files' few things; says whether any of them differ from before.
    fn take_globals(&mut self, changed: &mut [Parsed], gone: &HashSet<FileId>) -> bool {
        let mut differ = !gone.is_empty() || !self.merged;
        self.merged = true;
        for parsed in changed {
            let globals = std::mem::take(&mut parsed.decls.globals);
            let state =
                self.files.entry(Arc::clone(&parsed.path)).or_insert_with(|| FileState::new(parsed.id));
            differ |= state.globals != globals;
            state.globals = globals;
            state.version = parsed.version;
            state.hash = parsed.hash;
            state.uncertain = std::mem::take(&mut parsed.uncertain);
            state.parse_findings = std::mem::take(&mut parsed.findings);
        }
        differ
    }

    /// Joins the few things anew. Returns whether that changes how hosts resolve.
    fn merge(&mut self) -> bool {
        let decls: Vec<_> = self.files.values().map(|state| &state.globals).collect();
        self.context_findings.clear();
        let context = resolve::merge(&decls, &self.masters.zones(), &mut self.context_findings);
        let reshaped = !context.shapes_hosts_like(&self.context);
        self.context = Arc::new(context);
        reshaped
    }

    /// Adds to `deferred` every other file with hosts, since what was parsed of them is not kept; if the
    /// few things did not change in a way that shows in hosts, then only those with findings, which may
    /// speak of places that moved.
    fn add_others(&self, reshaped: bool, changed: &[Parsed], deferred: &mut Vec<Wanted>) {
        let have: HashSet<FileId> =
            changed.iter().map(|parsed| parsed.id).chain(deferred.iter().map(|(_, id, _)| *id)).collect();
        let others = self.files.iter().filter(|(_, state)| {
            state.has_hosts && !have.contains(&state.id) && (reshaped || !state.resolve_findings.is_empty())
        });
        deferred.extend(others.map(|(path, state)| (Arc::clone(path), state.id, None)));
    }

    /// Reads and resolves the deferred files, a few at a time so that parsed hosts never pile up.
    /// Returns whether any of them changed the few things.
    fn resolve_deferred(&mut self, deferred: Vec<Wanted>, touched: &mut HashSet<FileId>) -> bool {
        let mut surprise = false;
        for some in deferred.chunks(FILES_AT_ONCE) {
            let (mut changed, _) = self.read(some, Order::Everything);
            surprise |= self.take_globals(&mut changed, &HashSet::new());
            self.resolve_hosts(changed, touched);
        }
        self.claims.settle();
        surprise
    }

    /// Resolves the hosts of the changed files.
    fn resolve_hosts(&mut self, changed: Vec<Parsed>, touched: &mut HashSet<FileId>) {
        for parsed in changed {
            if let Some(state) = self.files.get_mut(&parsed.path) {
                let hosts = state.take_hosts(parsed.decls.hosts, &parsed.path, &self.context);
                self.claims.note(state.id, &hosts);
                touched.insert(state.id);
            }
        }
    }

    /// Looks at the zones' master files; `true` if any of them changed.
    fn look_at_masters(&mut self) -> bool {
        let mut numbers = Numbering { paths: &mut self.paths, ids: &mut self.ids };
        let decls = self.files.values().map(|state| &state.globals);
        self.masters.look(&*self.source, decls, &mut numbers)
    }

    /// Looks at the other files that the inventory refers to; `true` if any of them changed.
    fn look_at_referenced(&mut self) -> bool {
        let wanted: Vec<Arc<str>> = resolve::referenced(self.files.values().map(|state| &state.globals))
            .into_iter()
            .map(|(path, _)| Arc::from(path))
            .collect();
        let mut now = BTreeMap::new();
        let mut changed = false;
        for path in wanted {
            let version = self.source.version(&path).ok();
            let before = self.referenced.remove(&path);
            let entry = match (version, before) {
                (Some(version), Some(before)) if before.version == version => Some(before),
                (Some(_), _) => self.source.read(&path).ok().map(|(version, octets)| {
                    changed = true;
                    Referenced { version, hash: Sha256::digest(&octets).into(), octets: octets.into() }
                }),
                (None, before) => {
                    changed |= before.is_some();
                    None
                }
            };
            if let Some(entry) = entry {
                now.insert(path, entry);
            }
        }
        changed |= !self.referenced.is_empty();
        self.referenced = now;
        self.templates_changed |= changed;
        changed
    }

    /// Ends a look: a new snapshot, or all that is wrong.
    fn conclude(&mut self, findings: &[Finding]) -> Loaded {
        let texts = texts::FromSource { source: &*self.source, paths: &self.paths };
        let diagnostics = Locator::new(&texts).diagnostics(findings);
        if diagnostics.iter().any(Diagnostic::is_error) {
            return Loaded::Broken { diagnostics };
        }
        let hash = self.content_hash();
        if let Some(current) = self.current.as_ref().filter(|current| current.hash == hash) {
            // Back to what is in force, after a mistake or a change undone.
            return Loaded::Good { snapshot: current.clone(), warnings: diagnostics };
        }
        self.generation += 1;
        let with_hosts = self.files.values().filter(|state| !state.shard.is_empty());
        let shards = with_hosts.map(|state| Arc::clone(&state.shard)).collect();
        let inventory =
            Inventory { globals: Arc::clone(&self.context.globals), shards, files: self.octets() };
        let snapshot = Snapshot {
            generation: self.generation,
            hash,
            inventory: Arc::new(inventory),
            commit: self.source.commit(),
        };
        self.current = Some(snapshot.clone());
        Loaded::Good { snapshot, warnings: diagnostics }
    }

    /// The files that the inventory refers to, by path.
    fn octets(&self) -> Arc<BTreeMap<Arc<str>, Arc<[u8]>>> {
        let files = self.referenced.iter();
        Arc::new(files.map(|(path, file)| (Arc::clone(path), Arc::clone(&file.octets))).collect())
    }

    /// SHA-256 over path, length of the path and hash of each file, sorted by path.
    fn content_hash(&self) -> ContentHash {
        let mut hasher = Sha256::new();
        for (path, hash) in self.contents() {
            hasher.update((path.len() as u64).to_be_bytes());
            hasher.update(path.as_bytes());
            hasher.update(hash);
        }
        ContentHash(hasher.finalize().into())
    }

    fn id(&mut self, path: &Arc<str>) -> FileId {
        Numbering { paths: &mut self.paths, ids: &mut self.ids }.number(path)
    }
}

/// Gives each path its number.
struct Numbering<'l> {
    paths: &'l mut Vec<Arc<str>>,
    ids: &'l mut HashMap<Arc<str>, FileId>,
}

impl Numbers for Numbering<'_> {
    fn number(&mut self, path: &Arc<str>) -> FileId {
        *self.ids.entry(Arc::clone(path)).or_insert_with(|| {
            self.paths.push(Arc::clone(path));
            FileId(u32::try_from(self.paths.len() - 1).unwrap_or(u32::MAX))
        })
    }
}

/// Loads an inventory from texts: `(path, text)` each.
///
/// # Errors
/// Every mistake in them.
pub fn load_texts(files: &[(&str, &str)]) -> Result<Snapshot, Vec<Diagnostic>> {
    let memory: crate::source::Memory = files.iter().copied().collect();
    match Loader::new(Box::new(memory)).load() {
        Loaded::Good { snapshot, .. } => Ok(snapshot),
        Loaded::Broken { diagnostics } => Err(diagnostics),
        Loaded::Unchanged => Err(Vec::new()),
    }
}

/// What a read error of `path` is to people.
fn unreadable(span: Span, path: &str, error: &ReadError) -> Finding {
    let finding = Finding::new(Rule::UnreadableFile, span, format!("`{path}` {error}"));
    finding.help("the last good state stays in force until every file can be read")
}

#[cfg(test)]
mod tests;
