//! What the tests of this suite share.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::{fs, io};

use inventory_core::diag::Diagnostic;
use inventory_core::load::{Loaded, Loader};
use inventory_core::model::Snapshot;
use inventory_core::source::{Listing, Memory, ReadError, Source, Version};
use proptest::prelude::ProptestConfig;

/// An inventory in memory that the test edits while a loader follows it.
#[derive(Clone, Default)]
pub(crate) struct Shared(pub(crate) Arc<Mutex<Memory>>);

impl Shared {
    pub(crate) fn loader(&self) -> Loader {
        Loader::new(Box::new(self.clone()))
    }

    pub(crate) fn write(&self, path: &str, octets: impl Into<Vec<u8>>) {
        self.0.lock().unwrap().write(path, octets);
    }

    pub(crate) fn remove(&self, path: &str) {
        self.0.lock().unwrap().remove(path);
    }
}

impl Source for Shared {
    fn list(&self) -> Listing {
        self.0.lock().unwrap().list()
    }
    fn version(&self, path: &str) -> Result<Version, ReadError> {
        self.0.lock().unwrap().version(path)
    }
    fn read(&self, path: &str) -> Result<(Version, Vec<u8>), ReadError> {
        self.0.lock().unwrap().read(path)
    }
    fn describe(&self) -> String {
        self.0.lock().unwrap().describe()
    }
}

/// Snapshot and diagnostics of a look; nothing if nothing changed.
pub(crate) fn outcome(loaded: Loaded) -> Option<(Option<Snapshot>, Vec<Diagnostic>)> {
    match loaded {
        Loaded::Unchanged => None,
        Loaded::Good { snapshot, warnings } => Some((Some(snapshot), warnings)),
        Loaded::Broken { diagnostics } => Some((None, diagnostics)),
    }
}

/// The whole model as text. Files are numbered as they are first seen by a loader; here they are
/// numbered as they come, so that equal models are equal texts.
pub(crate) fn model(snapshot: &Snapshot) -> String {
    let debug = format!("{:?}", snapshot.inventory);
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    let mut parts = debug.split("FileId(");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (number, rest) = part.split_once(')').unwrap();
        let next = numbers.len();
        text.push_str(&format!("F{})", numbers.entry(number).or_insert(next)));
        text.push_str(rest);
    }
    text
}

/// A directory that goes with the value; the second path is what was made for it.
pub(crate) struct Scratch(pub(crate) PathBuf, PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Scratch {
        let path = std::env::temp_dir().join(format!("hostbook-loading-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Scratch(path.clone(), path)
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.0.join(below)
    }

    pub(crate) fn write(&self, below: &str, text: &str) {
        let path = self.path(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.1);
    }
}

/// Path and octets of each file.
pub(crate) type Files = Vec<(String, Vec<u8>)>;

/// `cases`, or as many as `PROPTEST_CASES` asks for. A failure prints the smallest input; no file keeps it.
pub(crate) fn cases(cases: u32) -> ProptestConfig {
    let asked = std::env::var_os("PROPTEST_CASES").map_or(0, |_| ProptestConfig::default().cases);
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases.max(asked)) }
}

/// The good inventories of the corpus: name and files.
pub(crate) fn good_inventories() -> Vec<(String, Files)> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/good");
    let mut all = Vec::new();
    for entry in fs::read_dir(corpus).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let mut files = Vec::new();
        if path.is_dir() {
            collect(&path, "", &mut files).unwrap();
        } else {
            files.push(("inventory.toml".to_owned(), fs::read(&path).unwrap()));
        }
        files.sort();
        all.push((name, files));
    }
    all.sort();
    all
}

fn collect(directory: &Path, prefix: &str, files: &mut Files) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{path}/"), files)?;
        } else if entry.file_type()?.is_file() {
            files.push((path, fs::read(entry.path())?));
        }
    }
    Ok(())
}
