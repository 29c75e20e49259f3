//! Lists the files of the standard types and explorers, so that the program carries them with it.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let mut list = String::from("&[\n");
    for (directory, part) in [
        ("types", "type"),
        ("explorers", "explorer"),
        // The units that a package has are those that __hostbook brings.
        ("../packaging/systemd", "type/__hostbook/files/systemd"),
    ] {
        // By its whole path too, so that a checkout that is gone does not count any more.
        println!("cargo::rerun-if-changed={directory}");
        println!("cargo::rerun-if-changed={}", root.join(directory).display());
        let mut files = Vec::new();
        collect(&root.join(directory), &mut files)?;
        files.sort();
        for file in files {
            let name = file.strip_prefix(root.join(directory)).unwrap_or(&file).display();
            let (path, own) = (format!("{part}/{name}"), format!("/{directory}/{name}"));
            // The compiler's own word for where the checkout is: several may share a target directory.
            let _ = writeln!(
                list,
                "    ({path:?}, include_bytes!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {own:?}))),"
            );
        }
    }
    list.push_str("]\n");
    fs::write(PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("own.rs"), list)
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !directory.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if !path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".")) {
            files.push(path);
        }
    }
    Ok(())
}
