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

/// A place after another one in the same file, in four octets: up to 4 MiB away, up to 1023 octets long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Near(u32);

impl Near {
    const LENGTH_BITS: u32 = 10;

    /// Where `span` is, from the start of `base`; `None` if it is too far away or too long.
    pub fn of(base: Span, span: Span) -> Option<Near> {
        let (offset, length) = (span.start.checked_sub(base.start)?, span.end.checked_sub(span.start)?);
        let fits = base.file == span.file
            && length < 1 << Near::LENGTH_BITS
            && offset < 1 << (32 - Near::LENGTH_BITS);
        fits.then_some(Near(offset << Near::LENGTH_BITS | length))
    }

    /// The place, from the same `base`.
    pub fn span(self, base: Span) -> Span {
        let start = base.start.saturating_add(self.0 >> Near::LENGTH_BITS);
        let length = self.0 & ((1 << Near::LENGTH_BITS) - 1);
        Span { file: base.file, start, end: start.saturating_add(length) }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_place_is_the_place_and_others_are_not_near() {
        let base = Span::new(FileId(3), 1000, 1010);
        for (start, end) in
            [(1000, 1000), (1004, 1010), (1011, 2034), (1000 + (1 << 22) - 1, 1000 + (1 << 22))]
        {
            let span = Span::new(FileId(3), start, end);
            assert_eq!(Near::of(base, span).map(|near| near.span(base)), Some(span));
        }
        for span in [
            Span::new(FileId(4), 1000, 1001),
            Span::new(FileId(3), 999, 1001),
            Span::new(FileId(3), 1000, 2024),
            Span::new(FileId(3), 1000 + (1 << 22), 1000 + (1 << 22)),
            Span::whole(FileId(3)),
        ] {
            assert_eq!(Near::of(base, span), None, "{span:?}");
        }
    }
}
