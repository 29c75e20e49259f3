//! Mistakes in keys, headers, and between a key and its value.

use super::super::grow::Key;
use super::super::look;
use super::super::node::Range;
use super::super::read::{Lost, Reader, Within};
use super::words;

impl Reader<'_, '_> {
    /// A key from `start` that something follows which no key may have; that is next.
    pub(in crate::toml) fn odd_key(&mut self, start: usize, within: Within) -> Result<Key, Lost> {
        let found = self.char_at(self.at);
        let missing = self.at == start;
        if self.invisible(self.at) || self.curly_quote(self.at) {
            return Err(Lost::Line);
        }
        match found {
            '=' | '.' | ',' | ']' | '}' | '[' | '{' | '#' | '\r' | '\n' if missing => {
                Err(self.no_key(within))
            }
            '\0' if self.at_end() => Err(self.no_key(within)),
            '#' | ',' | '}' | '[' | '{' | '"' | '\'' => Ok(self.plain_key(Range::new(start, self.at))),
            ':' if within != Within::Header && !missing && !self.colon_in_key() => {
                Ok(self.plain_key(Range::new(start, self.at)))
            }
            _ if found.is_ascii_control() => {
                self.control_character("a key");
                Err(Lost::Line)
            }
            _ => self.unquoted_key(start, found, within),
        }
    }

    /// Whether the `:` that is next belongs to a key such as `eth0:1 = …`.
    fn colon_in_key(&self) -> bool {
        let rest = look::line(self.text, self.at + 1);
        let blank = matches!(self.bytes.get(self.at + 1), None | Some(b' ' | b'\t' | b'\r' | b'\n' | b'='));
        !blank
            && rest.split_once('=').is_some_and(|(key, _)| !key.trim_end().contains(['"', '\'', ' ', '\t']))
    }

    fn no_key(&mut self, within: Within) -> Lost {
        let next = self.char_at(self.at);
        let what = if within == Within::Header { "name" } else { "key" };
        let (message, end) = match next {
            '\r' | '\n' | '\0' => (format!("a {what} is missing at the end of the line"), self.at),
            _ => (format!("a {what} is missing before `{next}`"), self.at + next.len_utf8()),
        };
        let (start, help) = match within {
            Within::Header => (look::line_start(self.bytes, self.at), "a header is written `[kind.name]`"),
            Within::Line | Within::List | Within::Braces => (self.at, "an entry is written `key = value`"),
        };
        let start = look::skip_blanks(self.bytes, start);
        self.slip(start, end.max(start), message, "", help);
        Lost::Line
    }

    /// A key that needs quotes for `found`. It is taken as if it had them where its extent is plain.
    fn unquoted_key(&mut self, start: usize, found: char, within: Within) -> Result<Key, Lost> {
        let rest = self.text.get(start..).unwrap_or_default();
        let ends: &[char] = &[' ', '\t', '=', '.', ']', ',', '}', '#', '\r', '\n', '"', '\''];
        let end = start + rest.find(ends).unwrap_or(rest.len());
        let mut first = start;
        if within != Within::Header {
            // `10.20.0.0/24 = …` is one key to whoever wrote it.
            first = self.path.first().map_or(start, |key| key.range.start as usize);
            self.path.clear();
        }
        let has_value = look::skip_blanks(self.bytes, end);
        if within == Within::Line && self.bytes.get(has_value) != Some(&b'=') {
            return Err(self.no_statement(first));
        }
        let range = Range::new(first, end);
        let text = self.tree.slice(range).to_owned();
        let what = if within == Within::Header { "name" } else { "key" };
        let message = format!("the {what} `{}` needs quotes because of its `{found}`", words::short(&text));
        self.slip(first, end, message, "needs quotes", format!("write `{}`", words::quoted(&text)));
        self.at = end;
        if within != Within::Header {
            return Ok(self.plain_key(range));
        }
        self.quiet = true;
        if self.path.is_empty() { Err(Lost::Line) } else { Ok(self.plain_key(range)) }
    }

    /// Reports a line that is nothing TOML knows, from `start`.
    pub(super) fn no_statement(&mut self, start: usize) -> Lost {
        let end = self.content_end(start);
        self.slip(
            start,
            end,
            "this line is neither an entry nor a header nor a comment",
            "",
            "an entry is written `key = value`, a header `[kind.name]`, a comment `# text`",
        );
        Lost::Line
    }

    /// After a key from `start`, and blanks, something else than `=` is next. Where the value is plain
    /// all the same, it is next afterwards.
    pub(in crate::toml) fn no_equals(&mut self, start: usize, within: Within) -> Result<(), Lost> {
        let line = look::line_start(self.bytes, start);
        if within == Within::Line && look::is_yaml(self.bytes, line) && self.is_yaml_text(line) {
            return Err(self.yaml(line));
        }
        let end = self.path.last().map_or(start, |key| key.range.end as usize);
        let key = words::short(self.text.get(start..end).unwrap_or_default());
        match self.peek() {
            b':' => {
                let length = 1 + usize::from(self.bytes.get(self.at + 1) == Some(&b'='));
                let message = format!("`{}` stands where TOML has `=`", &":="[..length]);
                self.slip(self.at, self.at + length, message, "", format!("write `{key} = …`"));
                self.at += length;
                self.quiet = true;
                Ok(())
            }
            b'\r' | b'\n' | b'#' | b'}' | b',' => Err(self.no_value(start, end, &key)),
            _ if self.at_end() => Err(self.no_value(start, end, &key)),
            _ if look::is_entry(self.bytes, self.at) => {
                let rest = self.text.get(start..).unwrap_or_default();
                let both = rest[..rest.find('=').unwrap_or(0)].trim_end();
                let (end, message) = (
                    start + both.len(),
                    format!("the key `{}` needs quotes because of its space", words::short(both)),
                );
                let help = format!("write `{}`", words::quoted(both));
                self.slip(start, end, message, "needs quotes", help);
                Err(Lost::Line)
            }
            b'"' | b'\'' | b'[' | b'{' => self.missing_equals(start, end, &key),
            byte if look::is(byte, look::BARE) => {
                let words = look::line(self.text, self.at).split_ascii_whitespace().count();
                if within == Within::Line && words >= 3 {
                    return Err(self.no_statement(start));
                }
                self.missing_equals(start, end, &key)
            }
            _ if self.invisible(self.at) || self.curly_quote(self.at) => Err(Lost::Line),
            _ => Err(self.no_statement(start)),
        }
    }

    /// Reports `=` after `=`; it is next. The value is, afterwards.
    pub(in crate::toml) fn extra_equals(&mut self) {
        self.slip(self.at, self.at + 1, "`=` stands twice", "delete one", "");
        while matches!(self.peek(), b'=' | b' ' | b'\t') {
            self.at += 1;
        }
    }

    fn no_value(&mut self, start: usize, end: usize, key: &str) -> Lost {
        let message = format!("`{key}` has no value");
        self.slip(start, end, message, "", format!("write `{key} = …`"));
        Lost::Line
    }

    fn missing_equals(&mut self, start: usize, end: usize, key: &str) -> Result<(), Lost> {
        let help = format!("write `{key} = …`");
        self.slip(start, end, format!("`=` is missing after `{key}`"), "", help);
        self.quiet = true;
        Ok(())
    }

    /// The end of a header from `start`; nothing if it cannot be told what the header names.
    pub(in crate::toml) fn close_header(&mut self, start: usize, double: &mut bool) -> Option<usize> {
        let close = if *double { "]]" } else { "]" };
        if self.text.get(self.at..).is_some_and(|rest| rest.starts_with(close)) {
            self.at += close.len();
            return Some(self.at);
        }
        let end = self.path.last().map_or(self.at, |key| key.range.end as usize);
        let header = self.text.get(start..end).unwrap_or_default().to_owned();
        if *double && self.peek() == b']' {
            *double = false;
            self.at += 1;
            let help = format!("write `{}]`, or `{header}]]` for a list of tables", &header[1..]);
            self.slip(start, self.at, "a header that begins with `[[` ends with `]`", "", help);
            return Some(self.at);
        }
        if self.at_end() || matches!(self.peek(), b'\r' | b'\n' | b'#') {
            let help = format!("write `{header}{close}`");
            self.slip(start, end, format!("`{close}` is missing at the end of the header"), "", help);
            return Some(end);
        }
        let rest = look::line(self.text, self.at);
        let more = rest.split(']').next().unwrap_or_default();
        if !more.is_empty() && more.bytes().all(|byte| look::is(byte, look::BARE) || byte == b'.') {
            let help = format!("write `{header}.{more}{close}`");
            self.slip(start, self.content_end(start), "the names in a header are joined with dots", "", help);
        } else {
            let help = "a name with other characters than letters, digits, `-` and `_` needs quotes";
            self.slip(start, self.content_end(start), "the header cannot be read", "", help);
        }
        None
    }
}
