//! Boot profiles. Templates are rendered by the boot service, not here.

use std::sync::Arc;

use crate::span::Span;

/// A boot profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boot {
    /// Its name in the inventory.
    pub name: Box<str>,
    /// The header of its table.
    pub span: Span,
    /// What is booted.
    pub source: BootSource,
    /// Files served to the host under these names: templates relative to the inventory's root.
    pub files: Box<[BootFile]>,
}

/// What a boot profile boots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BootSource {
    /// A kernel, below the boot root or a URL.
    Kernel {
        /// Path or URL.
        kernel: Box<str>,
        /// Initial RAM disks, in order; paths or URLs.
        initrd: Box<[Box<str>]>,
        /// Kernel command line, a template.
        cmdline: Box<str>,
        /// Where that is written.
        cmdline_span: Span,
    },
    /// An iPXE script: a file or template relative to the inventory's root, or a URL.
    Script(Arc<str>),
}

/// A file that a boot profile serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootFile {
    /// Name in the URL.
    pub name: Box<str>,
    /// Path of the template, relative to the inventory's root.
    pub template: Arc<str>,
}
