//! One file: read, hashed, parsed; and what is kept of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sha2::{Digest, Sha256};

use crate::check::templates::Faults;
use crate::check::vm::{Placement, placements};
use crate::diag::{Finding, Rule};
use crate::model::{Host, Shard};
use crate::parse::{FileDecls, GlobalDecls, HostDecl, parse_file};
use crate::resolve::Context;
use crate::source::{ReadError, Source, Version};
use crate::span::{FileId, Span};

/// What is kept of a file between two looks.
pub(super) struct FileState {
    pub(super) id: FileId,
    /// `None`: to be read at the next look whatever its version.
    pub(super) version: Option<Version>,
    /// `None` if it could not be read.
    pub(super) hash: Option<[u8; 32]>,
    pub(super) globals: GlobalDecls,
    pub(super) shard: Arc<Shard>,
    /// What the virtual machines of `shard` run on.
    pub(super) placements: Box<[Placement]>,
    pub(super) has_hosts: bool,
    /// Lines that hold syntax errors, and names of what was refused: nobody is told that these are
    /// not defined.
    pub(super) uncertain: String,
    /// The same of hosts that were refused when they were resolved.
    pub(super) refused: String,
    pub(super) parse_findings: Vec<Finding>,
    pub(super) resolve_findings: Vec<Finding>,
    pub(super) check_findings: Vec<Finding>,
    pub(super) template_faults: Faults,
}

/// A file that was read and is new.
pub(super) struct Parsed {
    pub(super) path: Arc<str>,
    pub(super) id: FileId,
    pub(super) version: Option<Version>,
    pub(super) hash: Option<[u8; 32]>,
    pub(super) decls: FileDecls,
    pub(super) findings: Vec<Finding>,
    pub(super) uncertain: String,
}

/// Outcome of reading a file.
pub(super) enum Read {
    /// Other version, same octets.
    Same { path: Arc<str>, version: Version },
    /// It was listed and is not there any more.
    Vanished,
    /// New octets, or no octets that can be had.
    New(Box<Parsed>),
    /// New octets that seem to hold nothing but hosts: not parsed yet.
    Deferred(Wanted),
}

/// Whether files that seem to hold nothing but hosts are parsed at once, or left for when the few
/// things are known, so that their hosts need not be kept twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// All.
    Everything,
    /// What is needed to know the few things.
    FewFirst,
}

/// A file to read: path, id, and the hash of what is known of it.
pub(super) type Wanted = (Arc<str>, FileId, Option<[u8; 32]>);

/// Fewer files than this are not worth a thread.
const FILES_PER_THREAD: usize = 16;

/// Reads and parses `wanted`, on several processors when there are many. The order is kept.
pub(super) fn read_all(source: &dyn Source, wanted: &[Wanted], order: Order) -> Vec<Read> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = processors.min(wanted.len() / FILES_PER_THREAD);
    if threads <= 1 {
        return wanted.iter().map(|file| read_one(source, file, order)).collect();
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some((at, file)) =
            Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, wanted.get(at)?)))
        {
            done.push((at, read_one(source, file, order)));
        }
        done
    };
    let mut all: Vec<(usize, Read)> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut all = work();
        for other in others {
            match other.join() {
                Ok(done) => all.extend(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    });
    all.sort_unstable_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, read)| read).collect()
}

fn read_one(source: &dyn Source, wanted: &Wanted, order: Order) -> Read {
    let (path, id, known) = wanted;
    let mut parsed = Box::new(Parsed {
        path: Arc::clone(path),
        id: *id,
        version: None,
        hash: None,
        decls: FileDecls::default(),
        findings: Vec::new(),
        uncertain: String::new(),
    });
    let (version, octets) = match source.read(path) {
        Ok(read) => read,
        Err(ReadError::Missing) => return Read::Vanished,
        Err(error) => {
            parsed.findings.push(super::unreadable(Span::whole(*id), path, &error));
            return Read::New(parsed);
        }
    };
    let hash: [u8; 32] = Sha256::digest(&octets).into();
    if *known == Some(hash) {
        return Read::Same { path: Arc::clone(path), version };
    }
    if order == Order::FewFirst && seems_hosts_only(&octets) {
        return Read::Deferred(wanted.clone());
    }
    parsed.version = Some(version);
    parsed.hash = Some(hash);
    match String::from_utf8(octets) {
        Ok(text) => {
            parsed.decls = parse_file(&text, *id, &mut parsed.findings);
            parsed.uncertain = uncertain_lines(&text, &parsed.findings);
            for name in std::mem::take(&mut parsed.decls.refused) {
                parsed.uncertain.push_str(&name);
                parsed.uncertain.push('\n');
            }
        }
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let octet = error.as_bytes().get(at).copied().unwrap_or_default();
            let at = u32::try_from(at).unwrap_or(u32::MAX - 1);
            let message = format!("the file is not UTF-8 text: octet 0x{octet:02x}");
            let finding = Finding::new(Rule::UnreadableFile, Span::new(*id, at, at + 1), message);
            parsed.findings.push(finding.help("save it as UTF-8"));
        }
    }
    Read::New(parsed)
}

/// Whether every table header in `octets` seems to be a host's. Only a guess: the parser knows.
fn seems_hosts_only(octets: &[u8]) -> bool {
    let mut headers = octets
        .split(|octet| *octet == b'\n')
        .map(<[u8]>::trim_ascii_start)
        .filter(|line| line.starts_with(b"["));
    let mut any = false;
    headers.all(|line| {
        any = true;
        line.starts_with(b"[host.")
    }) && any
}

/// The lines in which something could not be parsed.
fn uncertain_lines(text: &str, findings: &[Finding]) -> String {
    let mut lines = String::new();
    for finding in findings.iter().filter(|finding| finding.rule == Rule::Syntax) {
        let at = (finding.span.start as usize).min(text.len());
        let start = text.as_bytes()[..at].iter().rposition(|octet| *octet == b'\n').map_or(0, |at| at + 1);
        let line = text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        lines.push_str(line);
        lines.push('\n');
    }
    lines
}

impl FileState {
    /// A file of which nothing is known yet.
    pub(super) fn new(id: FileId) -> FileState {
        FileState {
            id,
            version: None,
            hash: None,
            globals: GlobalDecls::default(),
            shard: Arc::default(),
            placements: Box::default(),
            has_hosts: false,
            uncertain: String::new(),
            refused: String::new(),
            parse_findings: Vec::new(),
            resolve_findings: Vec::new(),
            check_findings: Vec::new(),
            template_faults: Faults::new(),
        }
    }

    /// Resolves the file's hosts against `context`; with these.
    pub(super) fn take_hosts(
        &mut self,
        decls: Vec<HostDecl>,
        path: &Arc<str>,
        context: &Context,
    ) -> Vec<Host> {
        self.has_hosts = !decls.is_empty();
        self.resolve_findings.clear();
        self.refused.clear();
        let hosts = context.hosts(decls, &mut self.refused, &mut self.resolve_findings);
        self.placements = placements(&hosts);
        self.shard = Arc::new(Shard::new(Arc::clone(path), &hosts));
        hosts
    }

    /// Whether the file could not be read at all.
    pub(super) fn is_unread(&self) -> bool {
        self.parse_findings.iter().any(|finding| finding.rule == Rule::UnreadableFile)
    }
}
