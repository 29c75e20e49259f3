//! Mistakes in values: no quotes, no value, another language's words.

use super::super::look;
use super::super::node::{Node, Range, Shape};
use super::super::read::{Lost, Reader, Within};
use super::words;

impl Reader<'_, '_> {
    /// A value from `start`, which is next, that is no TOML; its first word ends at `end`.
    ///
    /// Text without quotes comes back as the string that was meant.
    pub(in crate::toml) fn bad_value(
        &mut self,
        start: usize,
        end: usize,
        within: Within,
    ) -> Result<Option<u32>, Lost> {
        let found = self.char_at(start);
        if self.invisible(start) {
            return Err(Lost::Line);
        }
        if words::is_curly(found) {
            self.curly_quote(start);
            return Ok(self.text_value(start, within, |text| text.trim_matches(words::is_curly)));
        }
        if start == end {
            return self.missing_value(start, found, within);
        }
        if found.is_ascii_control() {
            self.control_character("a value");
            return Err(Lost::Line);
        }
        if found == '(' {
            self.slip(
                start,
                start + 1,
                "`(` stands where a value should",
                "",
                "a list is written in square brackets: `[…]`",
            );
            let line = look::line(self.text, start);
            return Err(if line.contains(')') { Lost::Line } else { Lost::Bracket });
        }
        if within == Within::Line && self.is_spaced_entry(start) {
            let end = self.content_end(start);
            let help = "an inline table is written in braces: `{ key = value }`";
            self.slip(start, end, "an entry stands where a value should", "", help);
            return Err(Lost::Bracket);
        }
        let end = self.text_end(start, within);
        let text = self.text.get(start..end).unwrap_or_default();
        if let Some((at, _)) = text.char_indices().find(|(_, c)| words::invisible(*c).is_some()) {
            self.invisible(start + at);
            self.at = end;
            return Ok(None);
        }
        Ok(self.unquoted(start, end, within))
    }

    fn missing_value(&mut self, start: usize, found: char, within: Within) -> Result<Option<u32>, Lost> {
        let before = self.text.get(..start).unwrap_or_default().trim_end_matches([' ', '\t']).len();
        match found {
            '\r' | '\n' | '#' | '\0' | ',' | '}' if within != Within::List => {
                let at = before.saturating_sub(1);
                self.slip(at, before.max(at + 1), "a value is missing after `=`", "", "");
                // Lines with the items of a list whose `[` is missing belong to this mistake.
                let next = look::line_end(self.bytes, start) + 1;
                let item = matches!(look::line(self.text, next).as_bytes(), [b'"' | b'\'' | b'0'..=b'9', ..]);
                if within == Within::Line && item && !look::is_entry(self.bytes, next) {
                    return Err(Lost::Bracket);
                }
                Ok(None)
            }
            _ => {
                self.slip(
                    start,
                    start + found.len_utf8(),
                    format!("`{found}` stands where a value should"),
                    "",
                    "",
                );
                Err(Lost::Line)
            }
        }
    }

    /// Reports text without quotes, and takes it as if it had them.
    fn unquoted(&mut self, start: usize, end: usize, within: Within) -> Option<u32> {
        let text = self.text.get(start..end).unwrap_or_default().to_owned();
        let name = words::short(&text);
        let quoted = words::quoted(&text);
        if let Some(stripped) = text.strip_suffix(['"', '\'']).filter(|rest| !rest.contains(['"', '\''])) {
            let quote = &text[stripped.len()..];
            self.slip(
                start,
                end,
                "the opening quote of a string is missing",
                "",
                format!("write `{quote}{text}`"),
            );
            return self.text_value(start, within, |text| text.trim_end_matches(['"', '\'']));
        }
        match text.to_ascii_lowercase().as_str() {
            word @ ("true" | "false") => {
                let message = format!("`{name}` is written in small letters");
                self.slip(start, end, message, "", format!("write `{word}`"));
                self.at = end;
                let truth = Node::new(Shape::Boolean, Range::new(start, end), u64::from(word == "true"));
                return Some(self.tree.push(truth));
            }
            word @ ("yes" | "no" | "on" | "off") => {
                let boolean = matches!(word, "yes" | "on");
                let help = format!("write `{boolean}`, or `{quoted}` if a text is meant");
                self.slip(start, end, format!("TOML has no `{name}`"), "", help);
            }
            "null" | "none" | "nil" | "~" => {
                let help = format!("delete the line, or write `{quoted}` if a text is meant");
                self.slip(start, end, format!("TOML has no `{name}`"), "", help);
            }
            _ if text.len() > 1 && text.bytes().all(|byte| byte.is_ascii_digit()) => {
                let plain = text.trim_start_matches('0');
                let plain = if plain.is_empty() { "0" } else { plain };
                let help = format!("write `{plain}`, or `{quoted}` if a text is meant");
                self.slip(start, end, format!("the number `{name}` begins with a zero"), "", help);
            }
            _ if within == Within::Line && text.contains(',') => {
                let items: Vec<String> = text
                    .split(',')
                    .map(|item| words::quoted(item.trim().trim_matches(['(', ')', '"', '\''])))
                    .collect();
                let help = format!("write `[{}]`", items.join(", "));
                self.slip(start, end, "a list needs brackets, and its texts quotes", "", help);
            }
            _ => {
                let message = format!("{} `{name}` is not in quotes", words::looks_like(&text));
                self.slip(start, end, message, "needs quotes", format!("write `{quoted}`"));
                return self.text_value(start, within, |text| text);
            }
        }
        self.at = end;
        None
    }

    /// The text from `start` to where such a value can end, as a string of what `strip` leaves.
    fn text_value(&mut self, start: usize, within: Within, strip: impl Fn(&str) -> &str) -> Option<u32> {
        let end = self.text_end(start, within);
        let text = self.text.get(start..end).unwrap_or_default();
        let stripped = strip(text);
        let from = start + (stripped.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
        let content = Range::new(from, from + stripped.len());
        self.at = end;
        Some(self.push_string(Range::new(start, end), content, None))
    }

    /// Where text without quotes ends that begins at `start`.
    fn text_end(&self, start: usize, within: Within) -> usize {
        if within != Within::Line {
            // Not by lines: a list may have many such items on one.
            let rest = self.text.get(start..).unwrap_or_default();
            let end = rest.find([',', ']', '}', '\r', '\n']).unwrap_or(rest.len());
            let mut marks = rest[..end].match_indices('#').map(|(at, _)| at);
            let end = marks.find(|at| rest[..*at].ends_with([' ', '\t'])).unwrap_or(end);
            return start + rest[..end].trim_end_matches([' ', '\t']).len();
        }
        let line = self.text.get(start..self.content_end(start)).unwrap_or_default();
        let mut end = line.len();
        for (at, c) in line.char_indices() {
            let after_blank = line[..at].ends_with([' ', '\t']);
            let ends = match c {
                '#' => after_blank,
                // Another entry on the same line.
                _ if after_blank => self.is_spaced_entry(start + at),
                _ => false,
            };
            if ends {
                end = at;
                break;
            }
        }
        start + line[..end].trim_end_matches([' ', '\t']).len()
    }

    /// Whether `key =` begins at `at`, and not the `b=2` of `a=1 b=2`.
    fn is_spaced_entry(&self, at: usize) -> bool {
        let key = || self.text.get(at..).and_then(|rest| rest.split('=').next());
        look::is_entry(self.bytes, at) && key().is_some_and(|key| key.ends_with([' ', '\t']))
    }

    /// Reports a whole number that 64 bits cannot hold.
    pub(in crate::toml) fn too_large(&mut self, start: usize, end: usize) {
        let name = words::short(self.text.get(start..end).unwrap_or_default());
        self.slip(
            start,
            end,
            format!("the number `{name}` is too large"),
            "",
            "the largest is 9223372036854775807",
        );
    }
}
