//! cdist itself.
//!
//! The package comes from PyPI, once, and lies beside what cargo builds. cdist 7.0.0 does not start with
//! Python 3.11 or later, because it registers a command twice; a wrapper takes the second one.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const WRAPPER: &str = r#"#!/usr/bin/env python3
import argparse, sys
sys.path.insert(0, "@HERE@")
add = argparse._SubParsersAction.add_parser
def add_once(self, name, **options):
    self._name_parser_map.pop(name, None)
    return add(self, name, **options)
argparse._SubParsersAction.add_parser = add_once
script = "@HERE@/bin/cdist"
exec(compile(open(script).read(), script, "exec"), {"__name__": "__main__", "__file__": script})
"#;

/// Where cdist is: its directory and the wrapper.
pub(crate) fn cdist() -> &'static (PathBuf, PathBuf) {
    static CDIST: OnceLock<(PathBuf, PathBuf)> = OnceLock::new();
    CDIST.get_or_init(|| {
        let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cdist-7.0.0");
        if !place.is_dir() {
            let new = place.with_extension(std::process::id().to_string());
            let pip = Command::new("python3")
                .args([
                    "-m",
                    "pip",
                    "install",
                    "-q",
                    "--no-deps",
                    "--root-user-action=ignore",
                    "cdist==7.0.0",
                    "--target",
                ])
                .arg(&new)
                .output()
                .unwrap();
            assert!(pip.status.success(), "pip: {}", String::from_utf8_lossy(&pip.stderr));
            let _ = fs::rename(&new, &place);
        }
        let wrapper = place.join("cdist-wrapper");
        fs::write(&wrapper, WRAPPER.replace("@HERE@", &place.display().to_string())).unwrap();
        fs::set_permissions(&wrapper, PermissionsExt::from_mode(0o755)).unwrap();
        (place, wrapper)
    })
}
