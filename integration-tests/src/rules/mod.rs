//! Rules of the source text that no compiler checks: what may import what, how long things may get,
//! where `unsafe` may stand. The table of imports is that of `ARCHITECTURE.md`.

mod imports;
mod lex;
mod source;

use std::fmt;
use std::path::Path;

pub use imports::{IMPORTS, ImportRule};
pub use source::SourceFile;

/// Lines of a file that are not tests.
pub const FILE_LINES_MAX: usize = 400;
/// Lines of a function, from `fn` to its closing brace.
pub const FUNCTION_LINES_MAX: usize = 70;
/// The only place of `unsafe`.
const UNSAFE_PLACE: &str = "daemon/src/sys/";

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// File, relative to the workspace.
    pub path: String,
    /// Line, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// Every Rust file below `root` but build results, sorted by path.
///
/// # Panics
/// A file cannot be read.
pub fn read_workspace(root: &Path) -> Vec<SourceFile> {
    let mut files = Vec::new();
    collect(root, root, &mut files);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    source::mark_test_modules(&mut files);
    files
}

fn collect(root: &Path, directory: &Path, files: &mut Vec<SourceFile>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
        if entry.file_type().unwrap().is_dir() {
            if !name.starts_with('.') && name != "target" {
                collect(root, &path, files);
            }
        } else if name.ends_with(".rs") {
            let relative = path.strip_prefix(root).unwrap().to_str().unwrap();
            files.push(SourceFile::new(relative, &std::fs::read_to_string(&path).unwrap()));
        }
    }
}

/// Every breach of the import table in `file`. Test code may import what it likes.
pub fn forbidden_imports(file: &SourceFile) -> Vec<Breach> {
    let rules: Vec<&ImportRule> = IMPORTS.iter().filter(|rule| rule.covers(&file.path)).collect();
    if rules.is_empty() {
        return Vec::new();
    }
    let mut breaches = Vec::new();
    for used in imports::paths(&file.product_tokens()) {
        for rule in rules.iter().filter(|rule| rule.forbids(&used.segments)) {
            let what = format!("`{}` in {}, which never uses it", used.segments.join("::"), rule.name);
            breaches.push(Breach { path: file.path.clone(), line: used.line, what });
        }
    }
    breaches
}

/// The file if it is too long, and its functions that are. Test code is not counted.
pub fn too_long(file: &SourceFile) -> Vec<Breach> {
    let breach = |line, what| Breach { path: file.path.clone(), line, what };
    let mut breaches = Vec::new();
    let lines = file.product_lines();
    if lines > FILE_LINES_MAX {
        breaches.push(breach(1, format!("{lines} lines without tests, more than {FILE_LINES_MAX}")));
    }
    for function in file.functions() {
        let lines = function.last_line - function.first_line + 1;
        if lines > FUNCTION_LINES_MAX {
            let what = format!("`{}` has {lines} lines, more than {FUNCTION_LINES_MAX}", function.name);
            breaches.push(breach(function.first_line, what));
        }
    }
    breaches
}

/// Each `unsafe` outside its one place, tests included.
pub fn stray_unsafe(file: &SourceFile) -> Vec<Breach> {
    if file.path.starts_with(UNSAFE_PLACE) {
        return Vec::new();
    }
    let unsafes = file.lines_of_word("unsafe").into_iter();
    unsafes
        .map(|line| Breach {
            path: file.path.clone(),
            line,
            what: format!("`unsafe` outside {UNSAFE_PLACE}"),
        })
        .collect()
}
