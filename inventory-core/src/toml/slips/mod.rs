//! Mistakes that people make in TOML: recognised, put in words, and passed over.
//!
//! Reached only when the grammar does not fit. Each function reports one mistake and leaves the
//! reader where it can go on without stumbling over the same mistake again.

mod brackets;
mod clash;
mod conflict;
mod key;
mod line;
mod string;
mod value;
mod words;

use super::read::{Lost, Reader};
use super::{MAX_DEPTH, look};
use crate::diag::{Finding, Rule};

impl Reader<'_, '_> {
    /// Reports a mistake of syntax at `start..end`.
    fn slip(
        &mut self,
        start: usize,
        end: usize,
        message: impl Into<String>,
        label: &str,
        help: impl Into<String>,
    ) {
        let mut finding = Finding::new(Rule::Syntax, self.span(start, end), message).label(label);
        let help = help.into();
        if !help.is_empty() {
            finding = finding.help(help);
        }
        self.report(finding);
    }

    /// The character at `at`; NUL at the end.
    fn char_at(&self, at: usize) -> char {
        self.text.get(at..).and_then(|rest| rest.chars().next()).unwrap_or('\0')
    }

    /// The end of the line from `at` without blanks and carriage return at its end.
    fn content_end(&self, at: usize) -> usize {
        at + self.bytes.get(at..look::line_end(self.bytes, at)).unwrap_or_default().trim_ascii_end().len()
    }

    /// Reports nesting beyond [`MAX_DEPTH`] by what begins at `start`.
    pub(super) fn too_deep(&mut self, start: usize) -> Lost {
        let message = format!("tables and lists are nested more than {MAX_DEPTH} levels deep");
        self.slip(start, start + self.char_at(start).len_utf8(), message, "too deep", "");
        Lost::Bracket
    }

    /// Reports the control character that is next, in `what`.
    pub(super) fn control_character(&mut self, what: &str) {
        let code = u32::from(self.char_at(self.at));
        let message = format!("a control character (U+{code:04X}) in {what}");
        let help = if what == "a string" {
            format!("delete it, or write it as `\\u{code:04X}` between double quotes")
        } else {
            "delete it".to_owned()
        };
        self.slip(self.at, self.at + 1, message, "not allowed in TOML", help);
    }

    /// Reports a carriage return that no line feed follows, once a file.
    pub(super) fn lone_return(&mut self) {
        if !std::mem::replace(&mut self.bare_return, true) {
            self.slip(
                self.at,
                self.at + 1,
                "a carriage return without line feed",
                "a line ends with a line feed",
                "save the file with Unix line ends",
            );
        }
    }

    /// Reports a character that looks like a space, or like nothing, and is none. Whether it was one.
    fn invisible(&mut self, at: usize) -> bool {
        let found = self.char_at(at);
        let Some(name) = words::invisible(found) else { return false };
        let message = format!("an invisible character: {name} (U+{:04X})", u32::from(found));
        self.slip(
            at,
            at + found.len_utf8(),
            message,
            "looks like a space",
            "delete it and type a space if one belongs here",
        );
        true
    }

    /// Reports a typographic quote. Whether it was one.
    fn curly_quote(&mut self, at: usize) -> bool {
        let found = self.char_at(at);
        if !words::is_curly(found) {
            return false;
        }
        let message = format!("{found} is not a quote that TOML knows");
        self.slip(at, at + found.len_utf8(), message, "", "write `\"`");
        true
    }
}
