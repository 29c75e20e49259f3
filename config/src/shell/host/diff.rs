//! What a plan shows of files: a unified diff from what is on the target to what a push would put there.
//!
//! A type tells by two files that its code generation leaves in the object's directory: `plan/path`, the path
//! on the target, and `plan/new`, the content. cdist's `__file` does not know of that; its parameters say as
//! much.

use std::fs;
use std::path::PathBuf;

use similar::TextDiff;

use super::remote::Remote;
use super::{Host, HostError, lock};
use crate::core::engine::Outcome;
use crate::core::model::Object;
use crate::core::name::ObjectName;
use crate::core::value::Value;

/// A file that would have another content.
struct Wanted {
    object: ObjectName,
    path: String,
    new: Vec<u8>,
}

impl Host {
    /// Finds the diffs of all objects that would or may change. Costs a round trip if there are such files.
    pub(super) fn compare(&self, run: &mut Remote<'_>) -> Result<(), HostError> {
        let wanted: Vec<Wanted> = {
            let engine = lock(&self.engine);
            let outcomes = engine.outcomes().into_iter();
            let touched =
                outcomes.filter(|(_, outcome)| matches!(outcome, Outcome::Changed | Outcome::MayChange));
            touched.filter_map(|(index, _)| self.wanted(engine.model().object(index))).collect()
        };
        if wanted.is_empty() {
            return Ok(());
        }
        let paths: Vec<String> = wanted.iter().map(|file| file.path.clone()).collect();
        for (file, old) in wanted.into_iter().zip(run.contents(&paths)?) {
            if old != file.new {
                lock(&self.diffs).insert(file.object, difference(&file.path, &old, &file.new));
            }
        }
        Ok(())
    }

    fn wanted(&self, object: &Object) -> Option<Wanted> {
        let directory = self.env.dirs.object(&object.name);
        if let (Ok(path), Ok(new)) =
            (fs::read_to_string(directory.join("plan/path")), fs::read(directory.join("plan/new")))
        {
            return Some(Wanted {
                object: object.name.clone(),
                path: path.trim_end_matches('\n').to_owned(),
                new,
            });
        }
        let value = |name: &str| match object.values.get(name) {
            Some(Value::One(value)) => Some(String::from_utf8_lossy(value).into_owned()),
            _ => None,
        };
        if object.name.kind() != "__file" || value("state").is_some_and(|state| state != "present") {
            return None;
        }
        let source = value("source")?;
        let file = if source == "-" { directory.join("stdin") } else { PathBuf::from(source) };
        let new = fs::read(file).ok()?;
        Some(Wanted { object: object.name.clone(), path: format!("/{}", object.name.id()), new })
    }
}

fn difference(path: &str, old: &[u8], new: &[u8]) -> String {
    let text = |octets| std::str::from_utf8(octets).ok().filter(|text| !text.contains('\0'));
    let (Some(before), Some(after)) = (text(old), text(new)) else {
        return format!("{path} is not text: {} octets now, {} octets then\n", old.len(), new.len());
    };
    let diff = TextDiff::from_lines(before, after);
    diff.unified_diff()
        .context_radius(3)
        .header(&format!("{path} (now)"), &format!("{path} (then)"))
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_shown_by_lines_and_other_files_by_their_size() {
        let diff = difference("/etc/x", b"a\nb\n", b"a\nc\n");
        assert_eq!(diff, "--- /etc/x (now)\n+++ /etc/x (then)\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n");
        assert_eq!(difference("/x", b"\0", b"ab"), "/x is not text: 1 octets now, 2 octets then\n");
    }
}
