//! Looking ahead in the text without reading it: what a line seems to be.
//!
//! Recovery asks these when something does not fit: does the next entry begin here, has a bracket
//! been forgotten, is this YAML. Nothing here is asked of a text without mistakes, but for one
//! octet at the start of a line within a list.

/// What an octet is to the reader; a set of bits.
pub(super) const CLASS: [u8; 256] = classes();
/// May stand in a key without quotes.
pub(super) const BARE: u8 = 1;
/// Ends the quick way through a `"string"`: its quote, `\`, control characters.
pub(super) const BASIC_STOP: u8 = 2;
/// Ends the quick way through a `'string'`.
pub(super) const LITERAL_STOP: u8 = 4;
/// Not allowed in a comment: control characters but for the tab.
pub(super) const CONTROL: u8 = 8;
/// Ends a value without quotes.
pub(super) const VALUE_END: u8 = 16;
/// May begin a key: a bare one or a quote.
pub(super) const KEY_START: u8 = 32;

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut n = 0;
    while n < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "below 256")]
        let byte = n as u8;
        if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
            table[n] |= BARE | KEY_START;
        }
        if byte.is_ascii_control() && byte != b'\t' {
            table[n] |= BASIC_STOP | LITERAL_STOP | CONTROL;
        }
        match byte {
            b'"' => table[n] |= BASIC_STOP | KEY_START,
            b'\\' => table[n] |= BASIC_STOP,
            b'\'' => table[n] |= LITERAL_STOP | KEY_START,
            b' ' | b'\t' | b'\r' | b'\n' | b',' | b']' | b'}' | b'[' | b'{' | b'#' | b'=' => {
                table[n] |= VALUE_END;
            }
            _ => {}
        }
        n += 1;
    }
    table
}

/// Whether `byte` has a bit of `class`.
pub(super) const fn is(byte: u8, class: u8) -> bool {
    CLASS[byte as usize] & class != 0
}

/// The first place from `at` whose octet has a bit of `class`, or the end of the text.
pub(super) fn find(bytes: &[u8], at: usize, class: u8) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| is(*byte, class)).unwrap_or(rest.len())
}

/// The first place from `at` that is no space or tab.
pub(super) fn skip_blanks(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| !matches!(byte, b' ' | b'\t')).unwrap_or(rest.len())
}

/// The end of the line at `at`, before its line feed.
pub(super) fn line_end(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len())
}

/// The start of the line that `at` is in.
pub(super) fn line_start(bytes: &[u8], at: usize) -> usize {
    let before = bytes.get(..at).unwrap_or_default();
    before.iter().rposition(|byte| *byte == b'\n').map_or(0, |feed| feed + 1)
}

/// The text of the line from `at`, without blanks at both ends.
pub(super) fn line(text: &str, at: usize) -> &str {
    text.get(at..line_end(text.as_bytes(), at)).unwrap_or_default().trim()
}

/// Whether the line from `at` begins like an entry: a key, perhaps dotted, and `=`.
pub(super) fn is_entry(bytes: &[u8], at: usize) -> bool {
    after_keys(bytes, skip_blanks(bytes, at)).is_some_and(|(at, _)| bytes.get(at) == Some(&b'='))
}

/// Whether the line from `at` begins like YAML: `key:`, `key: value`, `- item`, `---`.
pub(super) fn is_yaml(bytes: &[u8], at: usize) -> bool {
    let at = skip_blanks(bytes, at);
    let blank = |byte: Option<&u8>| matches!(byte, None | Some(b' ' | b'\t' | b'\r' | b'\n'));
    let rest = bytes.get(at..).unwrap_or_default();
    if rest.starts_with(b"---") && blank(rest.get(3)) || rest.starts_with(b"-") && blank(rest.get(1)) {
        return true;
    }
    after_keys(bytes, at).is_some_and(|(at, _)| bytes.get(at) == Some(&b':') && blank(bytes.get(at + 1)))
}

/// Whether the line from `at` is a header and cannot be a list within a list.
pub(super) fn is_header(bytes: &[u8], at: usize) -> bool {
    let at = skip_blanks(bytes, at);
    if bytes.get(at) != Some(&b'[') {
        return false;
    }
    let brackets = 1 + usize::from(bytes.get(at + 1) == Some(&b'['));
    let first = skip_blanks(bytes, at + brackets);
    let Some((end, keys)) = after_keys(bytes, first) else { return false };
    let closed = bytes.get(end..end + brackets).is_some_and(|close| close.iter().all(|byte| *byte == b']'));
    let rest = skip_blanks(bytes, end + brackets);
    if !closed || !matches!(bytes.get(rest), None | Some(b'\r' | b'\n' | b'#')) {
        return false;
    }
    let word = bytes.get(first..end).unwrap_or_default().trim_ascii_end();
    let is_value = match word.first() {
        // A number, a date.
        Some(b'0'..=b'9' | b'-') => {
            keys == 1
                || word.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'_' | b'.' | b'e' | b'E'))
        }
        Some(b'"' | b'\'') => keys == 1,
        _ => matches!(word, b"true" | b"false" | b"inf" | b"nan"),
    };
    !is_value
}

/// Where the next statement begins after something went wrong between brackets at `at`.
///
/// Lines that go on with the list or inline table are passed over, its last line included.
pub(super) fn next_statement(bytes: &[u8], mut at: usize) -> usize {
    loop {
        let end = line_end(bytes, at);
        let goes_on =
            matches!(bytes.get(at..end).unwrap_or_default().trim_ascii_end(), [.., b',' | b'[' | b'{']);
        at = end + 1;
        if at >= bytes.len() {
            return bytes.len();
        }
        let first = skip_blanks(bytes, at);
        if matches!(bytes.get(first), Some(b']' | b'}')) {
            return (line_end(bytes, first) + 1).min(bytes.len());
        }
        if is_header(bytes, at) || !goes_on && (is_entry(bytes, at) || is_conflict(bytes, at)) {
            return at;
        }
    }
}

/// Whether a line of a merge conflict begins at `at`, which is a line's start.
pub(super) fn is_conflict(bytes: &[u8], at: usize) -> bool {
    let rest = bytes.get(at..).unwrap_or_default();
    let marks =
        |mark: &[u8]| rest.starts_with(mark) && matches!(rest.get(7), None | Some(b' ' | b'\r' | b'\n'));
    marks(b"<<<<<<<") || marks(b"=======") || marks(b">>>>>>>") || marks(b"|||||||")
}

/// Past keys and the dots between them from `at`, and blanks after; with the number of keys.
fn after_keys(bytes: &[u8], mut at: usize) -> Option<(usize, usize)> {
    let mut keys = 1;
    loop {
        at = skip_blanks(bytes, after_key(bytes, at)?);
        if bytes.get(at) != Some(&b'.') {
            return Some((at, keys));
        }
        at = skip_blanks(bytes, at + 1);
        keys += 1;
    }
}

fn after_key(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    match rest.first()? {
        b'\'' => rest[1..].iter().position(|b| matches!(b, b'\'' | b'\n')).map(|n| at + n + 2),
        b'"' => {
            let mut end = at + 1;
            loop {
                match bytes.get(end)? {
                    b'"' => return Some(end + 1),
                    b'\n' => return None,
                    b'\\' => end += 2,
                    _ => end += 1,
                }
            }
        }
        _ => {
            let len = rest.iter().position(|byte| !is(*byte, BARE)).unwrap_or(rest.len());
            (len > 0).then_some(at + len)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_headers_and_yaml_are_told_from_list_items() {
        for entry in ["mac = 1", "  a.b.\"c d\" =", "'x'=1", "1 = 2"] {
            assert!(is_entry(entry.as_bytes(), 0), "{entry}");
        }
        for other in ["\"10.0.0.1\",", "[a]", "a b = 1", "", "# a = 1", "\"a = 1"] {
            assert!(!is_entry(other.as_bytes(), 0), "{other}");
        }
        for header in ["[host.web1]", "  [ network . x ] # y", "[[a]]", "[\"a\".b]", "[10.a]", "[host]\r\n"] {
            assert!(is_header(header.as_bytes(), 0), "{header}");
        }
        for other in
            ["[1]", "[1, 2],", "[\"a\"]", "[true]", "[1.5e3]", "[-1.0] # x", "[host", "[[a]", "[a] b", "[]"]
        {
            assert!(!is_header(other.as_bytes(), 0), "{other}");
        }
        for yaml in ["mac: x", "hosts:", "- web1", "---", "  - name: x"] {
            assert!(is_yaml(yaml.as_bytes(), 0), "{yaml}");
        }
        for other in ["a:b", "mac = 1", "-1", "# a: b", "a"] {
            assert!(!is_yaml(other.as_bytes(), 0), "{other}");
        }
    }
}
