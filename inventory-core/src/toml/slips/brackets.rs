//! Mistakes in lists and inline tables: what does not close, what does not pair.

use super::super::look;
use super::super::read::{Lost, Reader};
use crate::diag::{Finding, Rule};

impl Reader<'_, '_> {
    /// Reports that the bracket at `open` is never closed. What is next cannot belong to it.
    pub(in crate::toml) fn unclosed(&mut self, open: usize) -> Lost {
        let (bracket, close) = self.pair(open);
        let mut finding =
            Finding::new(Rule::Syntax, self.span(open, open + 1), format!("`{bracket}` is never closed"))
                .label(format!("needs a `{close}`"))
                .help(format!("put `{close}` after the last item"));
        if !self.at_end() {
            let next = look::skip_blanks(self.bytes, self.at);
            finding = finding.other(self.span(next, self.content_end(next)), "this does not belong to it");
        }
        self.report(finding);
        Lost::Here
    }

    /// The brackets of the pair that begins at `open`.
    fn pair(&self, open: usize) -> (char, char) {
        if self.bytes.get(open) == Some(&b'[') { ('[', ']') } else { ('{', '}') }
    }

    /// Reports a comma that nothing precedes; it is next.
    pub(in crate::toml) fn extra_comma(&mut self) {
        self.slip(self.at, self.at + 1, "a `,` too many", "no item before it", "");
    }

    /// After the item from `item` neither `,` nor the closing bracket is next. Reading may go on
    /// with another item.
    pub(in crate::toml) fn no_comma(&mut self, open: usize, item: usize) -> Result<(), Lost> {
        if self.is_full() {
            return Err(Lost::Bracket);
        }
        let (_, close) = self.pair(open);
        let found = self.char_at(self.at);
        let line = look::line_start(self.bytes, self.at);
        let fresh = look::skip_blanks(self.bytes, line) == self.at && line > open;
        match found {
            // An item that turns out to be the key of the next entry.
            '=' if look::line_start(self.bytes, item) > open && close == ']' => {
                self.at = look::line_start(self.bytes, item);
                return Err(self.unclosed(open));
            }
            // The next item of a list around, perhaps.
            '{' | '[' if fresh && close == '}' => {
                self.unclosed(open);
                return Err(Lost::Bracket);
            }
            ']' | '}' => return Err(self.mismatch(open)),
            _ => {}
        }
        if self.invisible(self.at) || self.curly_quote(self.at) {
            return Err(Lost::Bracket);
        }
        if close == '}' && fresh && look::is_entry(self.bytes, self.at) && !self.braces_close_later() {
            self.at = line;
            return Err(self.unclosed(open));
        }
        let touches = self.bytes.get(self.at - 1).is_some_and(|byte| matches!(byte, b'"' | b'\''));
        let end = self.at + found.len_utf8();
        match found {
            '"' | '\'' | '[' | '{' if !touches => {
                self.slip(self.at, end, "a `,` is missing before this", "", "");
            }
            _ if touches && (found.is_alphanumeric() || matches!(found, '"' | '\'')) => {
                let end = self.content_end(self.at);
                let help = "put each text in a pair of quotes, and `,` between them";
                self.slip(item, end, "the quotes do not pair up", "a quote is missing or one too many", help);
                return Err(Lost::Bracket);
            }
            _ if found.is_alphanumeric() || matches!(found, '-' | '+' | '_') => {
                self.slip(self.at, end, "a `,` is missing before this", "", "");
            }
            _ => {
                let message = format!("`{found}` stands where `,` or `{close}` should");
                self.slip(self.at, end, message, "", "");
                self.at = end;
                if found != ';' {
                    return Err(Lost::Bracket);
                }
            }
        }
        Ok(())
    }

    /// Reports that the closing bracket that is next is not that of `open`.
    pub(in crate::toml) fn mismatch(&mut self, open: usize) -> Lost {
        let (bracket, close) = self.pair(open);
        let found = self.char_at(self.at);
        let finding = Finding::new(
            Rule::Syntax,
            self.span(self.at, self.at + 1),
            format!("`{bracket}` is closed by `{found}`"),
        )
        .label(format!("`{close}` is expected"))
        .other(self.span(open, open + 1), "opened here");
        self.report(finding);
        Lost::Bracket
    }

    /// Goes on after an item from `item` that cannot be read. If it has lines of its own, the next
    /// item is on the next line, unless the bracket is closed on this one: then its closing bracket
    /// is next, and the answer is yes.
    pub(in crate::toml) fn end_item(&mut self, open: usize, item: usize, lost: Lost) -> Result<bool, Lost> {
        if lost != Lost::Line {
            return Err(lost);
        }
        if look::line_start(self.bytes, item) <= open {
            return Err(Lost::Bracket);
        }
        let (_, close) = self.pair(open);
        let end = self.content_end(item.max(self.at));
        let closes = self.text.get(item..end).is_some_and(|text| text.ends_with(close));
        self.at = if closes { end - 1 } else { end };
        Ok(closes)
    }

    /// Whether braces close that were open before this line, before the next header or empty line.
    fn braces_close_later(&self) -> bool {
        let mut at = self.at;
        let mut open = 0_usize;
        while at < self.bytes.len() {
            let line = look::line(self.text, at);
            if line.is_empty() || look::is_header(self.bytes, at) {
                return false;
            }
            for byte in line.bytes() {
                match byte {
                    b'{' => open += 1,
                    b'}' if open == 0 => return true,
                    b'}' => open -= 1,
                    _ => {}
                }
            }
            at = look::line_end(self.bytes, at) + 1;
        }
        false
    }

    /// Reports `{{ … }}` without quotes as a value at `open`, which is next.
    pub(in crate::toml) fn template(&mut self, open: usize) -> Result<(), Lost> {
        if self.bytes.get(open + 1) != Some(&b'{') {
            return Ok(());
        }
        let end = self.content_end(open);
        self.slip(open, end, "a template is not in quotes", "needs quotes", "write `\"{{ … }}\"`");
        let closes = self.text.get(open..end).is_some_and(|text| text.contains('}'));
        Err(if closes { Lost::Line } else { Lost::Bracket })
    }
}
