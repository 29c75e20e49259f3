//! Taking out keys and tables, with the comments that are theirs.
//!
//! A comment at the end of a line is that line's. Comments directly above a header, without a blank line
//! between, are that table's, unless they begin the file: then they are the file's. Comments among a
//! table's entries, or directly below the last one and above a blank line, are the table's as well. Every
//! other comment stays.

use std::ops::Range;

use super::{Doc, Inner, Value, What, elements, rest, starts_with};

impl Doc {
    /// Takes out whatever stands at or below `path`. Returns whether anything did.
    pub(crate) fn remove(&mut self, path: &[&str]) -> bool {
        let mut any = false;
        while self.remove_lines(path) || self.remove_in_braces(path) {
            any = true;
        }
        any
    }

    /// Takes out a key or subtable, and the inline table that held it if nothing is left there.
    pub(crate) fn unset(&mut self, path: &[&str]) -> bool {
        let removed = self.remove(path);
        if let Some((_, table)) = path.split_last().filter(|(_, table)| table.len() > 2)
            && removed
            && self.value(table).is_some_and(|value| {
                matches!(&value.inner, Inner::Table(elements) if elements.is_empty())
                    && self.text[value.span.clone()].len() == 2
            })
        {
            self.remove(table);
        }
        removed
    }

    /// The first whole statement, or header with all under it, of `path`.
    fn remove_lines(&mut self, path: &[&str]) -> bool {
        let is_one = |statement: &super::Statement| {
            matches!(statement.what, What::Header | What::Entry(_)) && starts_with(&statement.path, path)
        };
        let Some(index) = self.outline.statements.iter().position(is_one) else { return false };
        let mut range = match self.outline.statements[index].what {
            What::Header => self.extent(index),
            _ => index..index + 1,
        };
        let blank = |at: Option<usize>| {
            let statement = at.and_then(|at| self.outline.statements.get(at));
            statement.is_some_and(|statement| matches!(statement.what, What::Blank))
        };
        if range.start == 0 || blank(range.start.checked_sub(1)) {
            while blank(Some(range.end)) {
                range.end += 1;
            }
        }
        if range.end == self.outline.statements.len() {
            while blank(range.start.checked_sub(1)) {
                range.start -= 1;
            }
        }
        let octets = self.octets(&range);
        self.splice(octets, "");
        true
    }

    /// The statements of the header with this index: its own comments, itself, its entries.
    pub(super) fn extent(&self, header: usize) -> Range<usize> {
        let statements = &self.outline.statements;
        let is_comment =
            |index: usize| statements.get(index).is_some_and(|one| matches!(one.what, What::Comment));
        let mut start = header;
        while start > 0 && is_comment(start - 1) {
            start -= 1;
        }
        if start == 0 {
            start = header;
        }
        let body = self.body(header);
        let last = body.clone().rev().find(|index| matches!(statements[*index].what, What::Entry(_)));
        let mut end = last.unwrap_or(header) + 1;
        let mut trailing = end;
        while is_comment(trailing) {
            trailing += 1;
        }
        if statements.get(trailing).is_none_or(|next| !matches!(next.what, What::Header)) {
            end = trailing;
        }
        start..end
    }

    pub(super) fn octets(&self, range: &Range<usize>) -> Range<usize> {
        let statements = &self.outline.statements;
        let start = statements.get(range.start).map_or(self.text.len(), |statement| statement.span.start);
        let end = range.end.checked_sub(1).and_then(|last| statements.get(last));
        start..end.map_or(start, |statement| statement.span.end).max(start)
    }

    /// The first element of an inline table at or below `path`.
    fn remove_in_braces(&mut self, path: &[&str]) -> bool {
        let found =
            self.entries().find_map(|(statement, value)| place_in(value, rest(path, &statement.path)?));
        let Some((braces, index)) = found else { return false };
        self.remove_element(braces, index);
        true
    }
}

/// Octet at which the inline table starts that holds `path`, and the index of its element.
fn place_in(value: &Value, path: &[&str]) -> Option<(usize, usize)> {
    elements(value).iter().enumerate().find_map(|(index, element)| {
        let common = element.keys.iter().zip(path).take_while(|((key, _), part)| key == *part).count();
        if common == path.len() && common > 0 {
            return Some((value.span.start, index));
        }
        (common == element.keys.len()).then(|| place_in(&element.value, path.get(common..)?)).flatten()
    })
}
