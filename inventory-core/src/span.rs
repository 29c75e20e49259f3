//! Where something stands: a file and a byte range in it.
//!
//! Spans are cheap (12 octets) and carry no text. They become a path, a line and a column
//! only when a diagnostic is shown, see [`crate::diag::Locator`].

/// Number of a file within one loader. Never reused while that loader lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// Byte range `start..end` of one file's text. Files above 4 GiB are refused on reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First octet.
    pub start: u32,
    /// One past the last octet.
    pub end: u32,
}

impl Span {
    /// Span of `start..end` in `file`.
    pub const fn new(file: FileId, start: u32, end: u32) -> Span {
        Span { file, start, end }
    }

    /// The whole of `file`, when no place in it can be named.
    pub const fn whole(file: FileId) -> Span {
        Span { file, start: u32::MAX, end: u32::MAX }
    }

    /// Whether this is [`Span::whole`].
    pub const fn is_whole(self) -> bool {
        self.start == u32::MAX
    }

    /// The part `from..to` of this span, counted from its start and held within it.
    #[must_use]
    pub fn part(self, from: usize, to: usize) -> Span {
        let clamp = |n: usize| {
            let n = u32::try_from(n).unwrap_or(u32::MAX);
            self.start.saturating_add(n).min(self.end)
        };
        Span { file: self.file, start: clamp(from), end: clamp(to) }
    }
}
