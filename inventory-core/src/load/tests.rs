use super::*;
use crate::source::Memory;
use std::sync::{Mutex, PoisonError};

/// Files in memory that a test changes while the loader looks at them.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Memory>>);

impl Shared {
    fn write(&self, path: &str, text: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(path, text);
    }
}

impl Source for Shared {
    fn list(&self) -> crate::source::Listing {
        self.0.lock().unwrap().list()
    }
    fn version(&self, path: &str) -> Result<Version, ReadError> {
        self.0.lock().unwrap().version(path)
    }
    fn read(&self, path: &str) -> Result<(Version, Vec<u8>), ReadError> {
        self.0.lock().unwrap().read(path)
    }
    fn describe(&self) -> String {
        "memory".to_owned()
    }
}

const BOOT: &str = "[boot.debian]\nkernel = \"linux\"\nfiles = { \"preseed.cfg\" = \"templates/p.j2\" }\n";

fn good(loader: &mut Loader) -> Snapshot {
    match loader.load() {
        Loaded::Good { snapshot, .. } => snapshot,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_template_is_part_of_the_snapshot_and_of_its_hash() {
    let source = Shared::default();
    source.write("inventory.toml", BOOT);
    source.write("templates/p.j2", "one");
    let mut loader = Loader::new(Box::new(source.clone()));
    let first = good(&mut loader);
    assert_eq!(first.inventory.files.get("templates/p.j2").map(|text| &**text), Some(&b"one"[..]));

    source.write("templates/p.j2", "two");
    let second = good(&mut loader);
    assert_eq!(second.inventory.files.get("templates/p.j2").map(|text| &**text), Some(&b"two"[..]));
    assert_ne!(first.hash, second.hash);
    assert_eq!(second.generation, first.generation + 1);
    assert!(!second.inventory.changes_since(&first.inventory).globals, "views of hosts stay as they are");
}
