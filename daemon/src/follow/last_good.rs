//! The last good state of the inventory, kept in the state directory.
//!
//! One file per content (`objects/SHA256`), and a manifest that names them. Objects come first and reach
//! the disk before the manifest does, so a crash leaves the old state or the new one. Reading checks
//! every hash.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use inventory_core::diag::Diagnostic;
use inventory_core::load::{Loaded, Loader};
use inventory_core::model::Snapshot;
use inventory_core::source::Memory;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The store.
pub(super) struct LastGood {
    directory: PathBuf,
    /// Objects known to be there.
    present: HashSet<String>,
}

/// What a kept state is made of.
#[derive(Serialize, Deserialize)]
struct Manifest {
    /// Path in the inventory and SHA-256 of the content, in hexadecimal digits.
    files: BTreeMap<String, String>,
}

impl LastGood {
    /// A store in `directory`, which is made when something is kept.
    pub(super) fn new(directory: PathBuf) -> LastGood {
        let objects = fs::read_dir(directory.join("objects"));
        let names =
            objects.into_iter().flatten().flatten().filter_map(|entry| entry.file_name().into_string().ok());
        LastGood { present: names.collect(), directory }
    }

    /// Keeps what `loader` has loaded. A file that changed since is not kept: the next look keeps it.
    ///
    /// # Errors
    /// What failed, where, and what to do about it.
    pub(super) fn keep(&mut self, loader: &Loader) -> Result<(), String> {
        let explain = |error: &io::Error| explain(&self.directory, error);
        let objects = self.directory.join("objects");
        fs::create_dir_all(&objects).map_err(|error| explain(&error))?;
        let mut manifest = Manifest { files: BTreeMap::new() };
        let mut wrote = false;
        let mut present = std::mem::take(&mut self.present);
        for (path, hash) in loader.contents() {
            let name = hex(&hash);
            manifest.files.insert(path.to_string(), name.clone());
            if present.contains(&name) {
                continue;
            }
            let Ok((_, octets)) = loader.source().read(path) else {
                return Ok(());
            };
            if Sha256::digest(&octets)[..] != hash {
                return Ok(());
            }
            write_object(&objects, &name, &octets).map_err(|error| explain(&error))?;
            present.insert(name);
            wrote = true;
        }
        let text = serde_json::to_vec_pretty(&manifest).map_err(|error| error.to_string())?;
        let target = self.directory.join("manifest.json");
        if wrote || fs::read(&target).ok().as_deref() != Some(&text) {
            self.write_manifest(&target, &text).map_err(|error| explain(&error))?;
        }
        let used: HashSet<&String> = manifest.files.values().collect();
        present.retain(|name| used.contains(name) || fs::remove_file(objects.join(name)).is_err());
        self.present = present;
        Ok(())
    }

    /// Makes the objects durable, then the manifest that names them.
    fn write_manifest(&self, target: &Path, text: &[u8]) -> io::Result<()> {
        let directory = File::open(&self.directory)?;
        nix::unistd::syncfs(&directory)?;
        let temporary = self.directory.join(".manifest.json");
        let mut file = File::create(&temporary)?;
        file.write_all(text)?;
        file.sync_all()?;
        fs::rename(&temporary, target)?;
        directory.sync_all()
    }

    /// The kept state and what is odd in it; `None` if none was ever kept.
    ///
    /// # Errors
    /// It is damaged, or was kept by a release that read the format differently.
    pub(super) fn load(&self) -> Result<Option<(Snapshot, Vec<Diagnostic>)>, String> {
        let path = self.directory.join("manifest.json");
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("`{}`: {error}", path.display())),
        };
        let manifest: Manifest =
            serde_json::from_slice(&text).map_err(|error| format!("`{}`: {error}", path.display()))?;
        let mut memory = Memory::default();
        for (path, name) in manifest.files {
            let object = self.directory.join("objects").join(&name);
            let octets = fs::read(&object).map_err(|error| format!("`{}`: {error}", object.display()))?;
            if hex(&Sha256::digest(&octets)) != name {
                return Err(format!("`{}` is damaged", object.display()));
            }
            memory.write(&path, octets);
        }
        match Loader::new(Box::new(memory)).load() {
            Loaded::Good { snapshot, warnings } => Ok(Some((snapshot, warnings))),
            Loaded::Broken { .. } | Loaded::Unchanged => {
                Err("this release refuses what an earlier one kept".to_owned())
            }
        }
    }

    /// When the kept state was kept, for people; `None` if there is none.
    pub(super) fn kept_at(&self) -> Option<String> {
        let modified = fs::metadata(self.directory.join("manifest.json")).ok()?.modified().ok()?;
        let seconds = modified.elapsed().ok()?.as_secs();
        Some(format!("{} ago", inventory_core::units::show_duration(seconds)))
    }
}

/// Writes an object under its name; a torn one is found by its hash.
fn write_object(objects: &Path, name: &str, octets: &[u8]) -> io::Result<()> {
    let temporary = objects.join(format!(".{name}"));
    let written = fs::write(&temporary, octets).and_then(|()| fs::rename(&temporary, objects.join(name)));
    if written.is_err() {
        // Nothing to lose: it was never complete.
        let _ = fs::remove_file(&temporary);
    }
    written
}

fn explain(directory: &Path, error: &io::Error) -> String {
    let what_to_do = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "; make room there",
        io::ErrorKind::ReadOnlyFilesystem => "; mount it for writing, or name another with `--state`",
        io::ErrorKind::PermissionDenied => "; give the daemon's user the right to write there",
        _ => "",
    };
    format!("cannot write `{}`: {error}{what_to_do}", directory.display())
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
