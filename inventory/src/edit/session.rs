//! One edit from reading to writing: lock, load, change, check, write.
//!
//! Nothing is written unless the result passes the check, and there is no way around that. The lock
//! keeps other runs of this tool out from the first look to the last write; an editor or git, which know
//! nothing of it, are noticed by comparing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use inventory_core::diag::{self, Diagnostic};
use inventory_core::load::{Loaded, Loader};
use inventory_core::model::Snapshot;
use inventory_core::source::{Directory, EditLock, Overlay, Source};

use super::text::Doc;
use super::used;
use super::write::Prepared;
use crate::exit::Failure;
use crate::output;

/// How long other edits are waited for; each takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// An edit under way.
pub(crate) struct Session {
    root: PathBuf,
    overlay: Overlay,
    loader: Loader,
    /// The inventory as it was found; `None` if it was broken.
    before: Option<Snapshot>,
    /// What was odd in it.
    warnings_before: Vec<Diagnostic>,
    /// Files that were looked at, with their text as it was found; `None` for new ones.
    files: BTreeMap<Arc<str>, (Option<String>, Doc)>,
    _lock: EditLock,
}

/// An edit whose result passes the check.
pub(crate) struct Checked {
    session: Session,
    /// The inventory as it was found.
    pub(crate) before: Option<Snapshot>,
    /// The inventory as it becomes.
    pub(crate) after: Snapshot,
    /// What is odd in it.
    pub(crate) warnings: Vec<Diagnostic>,
}

impl Session {
    /// Locks the inventory at `root` and looks at it. It may be broken: an edit may mend it.
    pub(crate) fn open(root: &Path) -> Result<Session, Failure> {
        let root = if root.as_os_str().is_empty() { Path::new(".") } else { root };
        if root.to_string_lossy().contains(".git#") {
            return Err(Failure::new(
                "a branch of a bare repository is edited by pushing to it; give a work tree",
            ));
        }
        let lock = EditLock::take(root, PATIENCE).map_err(|error| match error.kind() {
            std::io::ErrorKind::TimedOut => Failure::new(format!(
                "another edit of `{}` takes longer than {} seconds",
                root.display(),
                PATIENCE.as_secs()
            )),
            _ => Failure::new(format!("cannot edit the inventory `{}`: {error}", root.display())),
        })?;
        let overlay = Overlay::new(Directory::new(root));
        let mut loader = Loader::new(Box::new(overlay.clone()));
        let (before, warnings_before) = match loader.load() {
            Loaded::Good { snapshot, warnings } => (Some(snapshot), warnings),
            Loaded::Broken { .. } | Loaded::Unchanged => (None, Vec::new()),
        };
        let files = BTreeMap::new();
        Ok(Session { root: root.to_owned(), overlay, loader, before, warnings_before, files, _lock: lock })
    }

    /// The inventory as it was found; `None` if it was broken.
    pub(crate) fn before(&self) -> Option<&Snapshot> {
        self.before.as_ref()
    }

    /// The inventory's root.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Paths of the inventory's files.
    pub(crate) fn paths(&self) -> Vec<Arc<str>> {
        self.overlay.list().files.into_iter().map(|(path, _)| path).collect()
    }

    /// The file at `path`, as it is after the edits so far; an empty one if there is none.
    pub(crate) fn doc(&mut self, path: &str) -> Result<&mut Doc, Failure> {
        if !self.files.contains_key(path) {
            let text = match self.overlay.read(path) {
                Ok((_, octets)) => Some(
                    String::from_utf8(octets)
                        .map_err(|_| Failure::new(format!("`{path}` is not UTF-8 text")))?,
                ),
                Err(inventory_core::source::ReadError::Missing) => None,
                Err(error) => return Err(Failure::new(format!("`{path}` {error}"))),
            };
            let doc = Doc::new(text.clone().unwrap_or_default());
            self.files.insert(path.into(), (text, doc));
        }
        match self.files.get_mut(path) {
            Some((_, doc)) => Ok(doc),
            None => Err(Failure::new(format!("`{path}` is not there"))),
        }
    }

    /// The text of `path` as it was found; `None` if there was no such file, or it was not asked for.
    pub(crate) fn found(&self, path: &str) -> Option<String> {
        self.files.get(path)?.0.clone()
    }

    /// Gives `path`, which was asked for before, another text.
    pub(crate) fn replace(&mut self, path: &str, text: String) {
        if let Some((_, doc)) = self.files.get_mut(path) {
            *doc = Doc::new(text);
        }
    }

    /// Places of the inventory as it was found, for its spans.
    pub(crate) fn path_of(&self, span: inventory_core::span::Span) -> Arc<str> {
        use inventory_core::diag::Texts;
        self.loader.texts().path(span.file)
    }

    /// What the inventory as it was found says at `span`.
    pub(crate) fn text_at(&self, span: inventory_core::span::Span) -> Option<String> {
        let (_, octets) = self.overlay.read(&self.path_of(span)).ok()?;
        let text = octets.get(span.start as usize..span.end as usize)?;
        String::from_utf8(text.to_vec()).ok()
    }

    /// Files that differ from what was found: path, old text, new text.
    fn changed(&self) -> impl Iterator<Item = (&Arc<str>, Option<&str>, &str)> {
        self.files.iter().filter_map(|(path, (before, doc))| {
            let before = before.as_deref();
            (before.unwrap_or_default() != doc.text()).then_some((path, before, doc.text()))
        })
    }

    /// The edits so far as a unified diff, as `git apply` takes it.
    pub(crate) fn diff(&self) -> String {
        let mut all = String::new();
        for (path, before, after) in self.changed() {
            let old = if before.is_some() { format!("a/{path}") } else { "/dev/null".to_owned() };
            let diff = similar::TextDiff::from_lines(before.unwrap_or_default(), after);
            all += &diff.unified_diff().header(&old, &format!("b/{path}")).to_string();
        }
        all
    }

    /// Checks the result. Mistakes are printed as `check` prints them, and nothing is written.
    pub(crate) fn check(mut self) -> Result<Checked, Failure> {
        match self.judge() {
            Ok((after, warnings)) => {
                Ok(Checked { before: self.before.clone(), after, warnings, session: self })
            }
            Err(diagnostics) => {
                for diagnostic in diagnostics.iter().filter(|diagnostic| diagnostic.is_error()) {
                    eprintln!("{}\n", diag::terminal(diagnostic, output::colour_of_errors()));
                }
                let was = if self.before.is_some() { "" } else { " (it did not before, either)" };
                eprintln!("hostbook: nothing is written: the result does not pass the check{was}");
                Err(Failure::inventory())
            }
        }
    }

    /// What the check says of the edits so far.
    pub(crate) fn judge(&mut self) -> Result<(Snapshot, Vec<Diagnostic>), Vec<Diagnostic>> {
        let changed: Vec<_> =
            self.changed().map(|(path, _, text)| (Arc::clone(path), text.to_owned())).collect();
        for (path, text) in changed {
            self.overlay.write(&path, text);
        }
        match self.loader.load() {
            Loaded::Good { snapshot, warnings } => Ok((snapshot, warnings)),
            Loaded::Broken { diagnostics } => Err(diagnostics),
            Loaded::Unchanged => match &self.before {
                Some(before) => Ok((before.clone(), Vec::new())),
                // Nothing was edited, so look at all of it again for what is wrong.
                None => match Loader::new(Box::new(self.overlay.clone())).load() {
                    Loaded::Good { snapshot, warnings } => Ok((snapshot, warnings)),
                    Loaded::Broken { diagnostics } => Err(diagnostics),
                    Loaded::Unchanged => Err(Vec::new()),
                },
            },
        }
    }
}

impl Checked {
    /// What was odd in the inventory before.
    pub(crate) fn warnings_before(&self) -> &[Diagnostic] {
        &self.session.warnings_before
    }

    /// The edit as a unified diff.
    pub(crate) fn diff(&self) -> String {
        self.session.diff()
    }

    /// Whether anything differs.
    pub(crate) fn is_empty(&self) -> bool {
        self.session.changed().next().is_none()
    }

    /// The line in `path` where `key` is written, as it becomes.
    pub(crate) fn line_of(&self, path: &str, key: &[&str]) -> Option<usize> {
        self.session.files.get(path)?.1.line_of(key)
    }

    /// Writes the files: first all texts beside their places, then each put in place by a rename.
    /// Returns the paths.
    pub(crate) fn write(self) -> Result<Vec<String>, Failure> {
        let session = &self.session;
        let mut prepared = Vec::new();
        for (path, before, after) in session.changed() {
            let file = session.root.join(&**path);
            let one = Prepared::new(&file, before.map(str::to_owned), after).map_err(Failure::new)?;
            prepared.push((path.to_string(), one));
        }
        for index in 0..prepared.len() {
            let Some((_, one)) = prepared.get_mut(index) else { continue };
            if let Err(error) = one.commit() {
                let undone: Vec<bool> = prepared.into_iter().map(|(_, one)| one.undo()).collect();
                let all = undone.iter().all(|undone| *undone);
                let note =
                    if all { "nothing is written" } else { "the other files of this edit are written" };
                return Err(Failure::new(format!("{error}; {note}")));
            }
        }
        if let Some(before) = &self.before
            && let Err(error) = used::remember(&session.root, before, &self.after)
        {
            eprintln!("hostbook: hardware addresses that are gone cannot be remembered: {error}");
        }
        Ok(prepared.into_iter().map(|(path, _)| path).collect())
    }
}
