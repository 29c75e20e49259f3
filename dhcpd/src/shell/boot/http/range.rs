//! Parts of a file (RFC 9110, section 14): one range of octets, as loaders and downloads ask for it.

use std::ops::Range;

/// What a `Range` header asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of it: there is no such header, or one that may be passed over.
    All,
    /// These octets.
    Part(Range<u64>),
    /// Octets that there are not.
    Nothing,
}

/// Reads the header's value for a content of `size` octets.
pub(super) fn wanted(header: Option<&str>, size: u64) -> Wanted {
    let Some(spec) = header.and_then(|value| value.trim().strip_prefix("bytes=")) else { return Wanted::All };
    let Some((first, last)) = spec.trim().split_once('-') else { return Wanted::All };
    let number = |text: &str| {
        let text = text.trim();
        text.bytes().all(|digit| digit.is_ascii_digit()).then(|| text.parse::<u64>().unwrap_or(u64::MAX))
    };
    let range = match (first.trim(), last.trim()) {
        ("", "") => return Wanted::All,
        ("", suffix) => number(suffix).map(|octets| size.saturating_sub(octets)..size),
        (first, "") => number(first).map(|first| first..size),
        (first, last) => match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => Some(first..last.saturating_add(1).min(size)),
            _ => None,
        },
    };
    match range {
        // Several ranges, or rubbish: all of it is a right answer, too.
        None => Wanted::All,
        Some(range) if range.start >= range.end => Wanted::Nothing,
        Some(range) => Wanted::Part(range),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_those_of_rfc_9110() {
        let cases = [
            (None, Wanted::All),
            (Some("bytes=0-499"), Wanted::Part(0..500)),
            (Some("bytes=500-999"), Wanted::Part(500..1000)),
            (Some("bytes=500-"), Wanted::Part(500..1000)),
            (Some("bytes=-500"), Wanted::Part(500..1000)),
            (Some("bytes=-5000"), Wanted::Part(0..1000)),
            (Some("bytes=999-99999999999999999999999"), Wanted::Part(999..1000)),
            (Some("bytes=1000-"), Wanted::Nothing),
            (Some("bytes=-0"), Wanted::Nothing),
            (Some("bytes=5-4"), Wanted::All),
            (Some("bytes=0-1,3-4"), Wanted::All),
            (Some("bytes=-"), Wanted::All),
            (Some("bytes=a-b"), Wanted::All),
            (Some("lines=1-2"), Wanted::All),
        ];
        for (header, expected) in cases {
            assert_eq!(wanted(header, 1000), expected, "{header:?}");
        }
        assert_eq!(wanted(Some("bytes=0-0"), 0), Wanted::Nothing);
    }
}
