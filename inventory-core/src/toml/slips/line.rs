//! Lines that begin or end with something strange, and whole texts in another language.

use super::super::look::{self, is_header};
use super::super::read::{Lost, Reader};

impl Reader<'_, '_> {
    /// A line that begins with something that begins no statement; that is next.
    pub(in crate::toml) fn odd_line(&mut self) {
        let found = self.char_at(self.at);
        let at_line_start = self.at == 0 || self.bytes.get(self.at - 1) == Some(&b'\n');
        match found {
            '\r' => self.newline(),
            '<' | '=' | '>' | '|' if at_line_start && self.skip_conflict() => {}
            '{' if self.is_first() && !matches!(self.bytes.get(self.at + 1), Some(b'{' | b'%')) => {
                self.json();
            }
            '/' | ';' | '*' | '!' => {
                self.foreign_comment();
                self.skip_line();
            }
            ']' | '}' => {
                self.closes_nothing();
                self.skip_line();
            }
            ',' | '{' => {
                let end = self.content_end(self.at);
                self.slip(self.at, end, format!("a line cannot begin with `{found}`"), "", "");
                self.skip_line();
            }
            // The rest is a key, if a strange one.
            _ => self.line(),
        }
    }

    /// Whether nothing but blanks and comments stands before this place.
    fn is_first(&self) -> bool {
        let before = self.text.get(..self.at).unwrap_or_default();
        before
            .lines()
            .all(|line| line.trim().trim_start_matches('\u{feff}').is_empty() || line.trim().starts_with('#'))
    }

    fn json(&mut self) {
        self.slip(
            self.at,
            self.at + 1,
            "this looks like JSON, not like TOML",
            "",
            "a table is written `[kind.name]` and lines `key = value`",
        );
        self.tree.mark_gap(0);
        self.at = self.bytes.len();
    }

    /// Reports a comment in another language's marks. What is next is no `#`.
    fn foreign_comment(&mut self) {
        let end = self.content_end(self.at);
        let help = if self.text.get(self.at..end).is_some_and(|line| line.contains('=')) {
            "a comment begins with `#`; a key with other characters than letters, digits, `-` and `_` needs quotes"
        } else {
            "a comment begins with `#`"
        };
        let found = self.char_at(self.at);
        self.slip(self.at, end, format!("`{found}` begins neither an entry nor a comment"), "", help);
    }

    fn closes_nothing(&mut self) {
        let found = self.char_at(self.at);
        let message = format!("`{found}` closes nothing");
        self.slip(self.at, self.at + 1, message, "no bracket is open here", "");
    }

    /// Text after a complete statement, where its line should end.
    pub(in crate::toml) fn trailing(&mut self) {
        if self.invisible(self.at) || self.curly_quote(self.at) {
            return;
        }
        let (start, end) = (self.at, self.content_end(self.at));
        let is_entry = look::is_entry(self.bytes, start);
        let after_header = look::line_start(self.bytes, start);
        let after_header = self.bytes.get(look::skip_blanks(self.bytes, after_header)) == Some(&b'[');
        let (message, help) = match self.peek() {
            b']' | b'}' => return self.closes_nothing(),
            byte if byte.is_ascii_control() => return self.control_character("a line"),
            b',' if end == start + 1 => {
                ("a `,` after the value", "an entry ends with its line; delete the `,`")
            }
            b',' => ("more than one value", "a list is written in brackets: `[…, …]`"),
            b'/' | b';' => ("text after the end of the entry", "a comment begins with `#`"),
            _ if is_entry && after_header => ("an entry on the line of a header", "put it on the next line"),
            _ if is_entry => ("a second entry on one line", "put it on a line of its own"),
            _ if after_header => ("text after the header", "a comment begins with `#`"),
            _ => (
                "text after the value",
                "a string is written in one pair of quotes, a list in brackets, a comment begins with `#`",
            ),
        };
        self.slip(start, end, message, "", help);
    }

    /// Whether the line at `start`, which looks like YAML, is not just one entry with `:` for `=`.
    pub(super) fn is_yaml_text(&self, start: usize) -> bool {
        let line = look::line(self.text, start);
        if line.ends_with(':') || line.starts_with("- ") || line == "-" || line.starts_with("---") {
            return true;
        }
        let mut next = look::line_end(self.bytes, start) + 1;
        while next < self.bytes.len() && look::line(self.text, next).is_empty() {
            next = look::line_end(self.bytes, next) + 1;
        }
        look::is_yaml(self.bytes, next)
    }

    /// Reports YAML from the line at `start`, and passes over all of it.
    pub(super) fn yaml(&mut self, start: usize) -> Lost {
        let first = look::skip_blanks(self.bytes, start);
        self.slip(
            first,
            self.content_end(first),
            "this looks like YAML, not like TOML",
            "",
            "a table is written `[kind.name]`, an entry `key = value`, a list `key = [\"a\", \"b\"]`",
        );
        self.at = start;
        loop {
            self.skip_line();
            if self.at_end() || is_header(self.bytes, self.at) || look::is_entry(self.bytes, self.at) {
                return Lost::Here;
            }
        }
    }
}
