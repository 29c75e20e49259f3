//! Mistakes in strings: quotes that are missing, escapes that are none.

use toml_parser::ParseError;

use super::super::look;
use super::super::read::{Lost, Reader, Within};
use super::words;
use crate::diag::{Finding, Rule};

impl Reader<'_, '_> {
    /// A string from `start` that is not closed on its line; `end` is the line's end or a control
    /// character in the string.
    pub(in crate::toml) fn no_quote<T>(
        &mut self,
        start: usize,
        end: usize,
        within: Within,
    ) -> Result<T, Lost> {
        let quote = self.char_at(start);
        self.at = end;
        if !matches!(self.bytes.get(end), None | Some(b'\r' | b'\n')) {
            self.control_character("a string");
            return Err(Lost::Line);
        }
        let end = self.content_end(start);
        self.at = start;
        let rest = self.text.get(start + 1..end).unwrap_or_default();
        if let Some((at, _)) = rest.char_indices().find(|(_, c)| words::is_curly(*c)) {
            self.curly_quote(start + 1 + at);
            return Err(Lost::Line);
        }
        let what = match within {
            Within::Header => "name",
            Within::Line | Within::List | Within::Braces => "string",
        };
        let other = if quote == '"' { '\'' } else { '"' };
        let help = if rest.ends_with(other) {
            format!("it begins with `{quote}` and ends with `{other}`; both must be the same")
        } else {
            format!("put `{quote}` at its end")
        };
        self.slip(start, end, format!("the closing quote of a {what} is missing"), "begins here", help);
        Err(Lost::Line)
    }

    /// A string in triple quotes from `start` that nothing closes. Reading goes on at the next header.
    pub(in crate::toml) fn no_triple(&mut self, start: usize) -> Lost {
        let quotes = self.text.get(start..start + 3).unwrap_or_default().to_owned();
        let message = format!("the closing `{quotes}` of a string is missing");
        self.slip(start, start + 3, message, "begins here", format!("put `{quotes}` at its end"));
        self.at = self.next_header(start, self.bytes.len()).unwrap_or_else(|| {
            self.tree.mark_gap(0);
            self.bytes.len()
        });
        Lost::Here
    }

    /// Finds out whether a string in triple quotes at `start` swallowed the text up to the opening
    /// quotes of another one at `close`, which seem to close it.
    ///
    /// Only where what follows could not be read anyway, so nothing valid is refused.
    pub(in crate::toml) fn swallowed(&mut self, start: usize, close: usize) -> Result<(), Lost> {
        let line = look::line_start(self.bytes, close);
        let before = self.text.get(line..close).unwrap_or_default().trim_end();
        if line <= start || !before.ends_with('=') || !look::is_entry(self.bytes, line) {
            return Ok(());
        }
        let mut next = close + 3;
        while next < self.bytes.len() && look::line(self.text, next).is_empty() {
            next = look::line_end(self.bytes, next) + 1;
        }
        let fits = look::is_entry(self.bytes, next)
            || matches!(look::line(self.text, next).as_bytes(), [] | [b'#' | b'[', ..]);
        match self.next_header(start, line) {
            Some(_) if !fits => Err(self.no_triple(start)),
            _ => Ok(()),
        }
    }

    /// The first line that is a header, after the line of `from` and before `to`.
    fn next_header(&self, from: usize, to: usize) -> Option<usize> {
        let mut at = from;
        loop {
            at = look::line_end(self.bytes, at) + 1;
            if at >= to {
                return None;
            }
            if look::is_header(self.bytes, at) {
                return Some(at);
            }
        }
    }

    /// Reports the first mistake that decoding the string at `start..end` met.
    pub(in crate::toml) fn bad_escape(&mut self, start: usize, end: usize, mistake: &ParseError) {
        let at = start + mistake.unexpected().map_or(0, |span| span.start());
        let before = self.text.get(start..at).unwrap_or_default();
        let backslash = start + before.rfind('\\').unwrap_or(0);
        let escaped = self.char_at(backslash + 1);
        let escape_end = (backslash + 1 + escaped.len_utf8()).min(end);
        let (message, help) = match escaped {
            'x' | 'u' | 'U' => {
                let digits = match escaped {
                    'x' => "two",
                    'u' => "four",
                    _ => "eight",
                };
                (
                    format!("`\\{escaped}` needs {digits} hexadecimal digits that stand for a character"),
                    "write `\\\\` for a backslash, or put the string in single quotes",
                )
            }
            ' ' | '\t' => {
                ("`\\` before blanks must be the last on its line".to_owned(), "write `\\\\` for a backslash")
            }
            _ if escaped.is_control() => {
                ("a `\\` that escapes nothing".to_owned(), "write `\\\\` for a backslash")
            }
            _ => (
                format!("`\\{escaped}` is no escape"),
                "write `\\\\` for a backslash, or put the string in single quotes",
            ),
        };
        let span = self.span(backslash, escape_end);
        self.report(Finding::new(Rule::Syntax, span, message).label("in a string").help(help));
    }
}
