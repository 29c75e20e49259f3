//! The texts that diagnostics speak of, read again when they are needed.

use std::sync::Arc;

use crate::diag::Texts;
use crate::source::Source;
use crate::span::FileId;

/// Texts from the source. A file that changed since it was parsed shows its new text; the next look
/// then finds the new places.
pub(super) struct FromSource<'a> {
    pub(super) source: &'a dyn Source,
    pub(super) paths: &'a [Arc<str>],
}

impl Texts for FromSource<'_> {
    fn path(&self, file: FileId) -> Arc<str> {
        self.paths.get(file.0 as usize).map_or_else(|| Arc::from("."), Arc::clone)
    }

    fn text(&self, file: FileId) -> Option<String> {
        let path = self.paths.get(file.0 as usize)?;
        let (_, octets) = self.source.read(path).ok()?;
        Some(String::from_utf8_lossy(&octets).into_owned())
    }
}
