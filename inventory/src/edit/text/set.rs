//! Setting the value of a key.

use super::outline::{Inner, Value};
use super::{Doc, Literal, What, elements, literal, rest, starts_with};

impl Doc {
    /// Makes the value at `path` what `value` says; the table that it belongs to must be there. A new key
    /// is put after the last one that `order` names before it. Returns `false` if there is no such table.
    pub(crate) fn set(&mut self, path: &[&str], value: &Literal, order: &[&str]) -> bool {
        if let Some(old) = self.value(path).cloned() {
            self.replace(&old, value);
            return true;
        }
        (1..path.len()).rev().any(|depth| {
            let (table, key) = path.split_at(depth);
            self.set_in_braces(table, key, value)
                || self.set_under_header(table, key, value, order)
                || self.set_beside_dotted(table, key, value)
                || (depth == 2 && self.set_above_subtables(table, key, value))
        })
    }

    fn replace(&mut self, old: &Value, value: &Literal) {
        if let (Inner::Array(_), Literal::List(items)) = (&old.inner, value) {
            self.replace_items(old.span.start, items);
            return;
        }
        let text = Doc::like(&self.text[old.span.clone()], value);
        self.splice(old.span.clone(), &text);
    }

    /// `table` is an inline table.
    fn set_in_braces(&mut self, table: &[&str], key: &[&str], value: &Literal) -> bool {
        let Some(braces) = self.value(table).filter(|found| matches!(found.inner, Inner::Table(_))) else {
            return false;
        };
        let (start, end) = (braces.span.start, elements(braces).len());
        self.insert_element(start, end, &nested(key, value));
        true
    }

    /// `table` has a header of its own.
    fn set_under_header(&mut self, table: &[&str], key: &[&str], value: &Literal, order: &[&str]) -> bool {
        let Some(header) = self.header(table) else { return false };
        let body = self.body(header);
        let rank = |name: &str| order.iter().position(|known| *known == name).unwrap_or(order.len());
        let wanted = key.first().map_or(0, |first| rank(first));
        let mut after = header;
        for index in body.clone() {
            let statement = &self.outline.statements[index];
            let first = statement.path.get(table.len());
            if matches!(statement.what, What::Entry(_)) && first.is_some_and(|first| rank(first) <= wanted) {
                after = index;
            }
        }
        let style = self.style_of(&self.outline.statements[body]);
        let (name, text) = split(key, value);
        let style = if after == header { style.clone() } else { style };
        let line = style.entry(&name, &text) + self.newline();
        let at = self.end_line(self.outline.statements[after].span.end);
        self.splice(at..at, &line);
        true
    }

    /// `table` is written by dotted keys, `web1.mac = …`: another one beside them.
    fn set_beside_dotted(&mut self, table: &[&str], key: &[&str], value: &Literal) -> bool {
        let is_one = |statement: &super::Statement| {
            matches!(statement.what, What::Entry(_))
                && starts_with(&statement.path, table)
                && statement.path.len() - statement.keys.len() < table.len()
        };
        let Some(last) = self.outline.statements.iter().rposition(is_one) else { return false };
        let statement = &self.outline.statements[last];
        let own = table.len() - (statement.path.len() - statement.keys.len());
        let Some(prefix) = statement.keys.first().zip(statement.keys.get(own)) else { return false };
        let prefix = self.text[prefix.0.start..prefix.1.start].to_owned();
        let style = self.style_of(std::slice::from_ref(statement));
        let (name, text) = split(key, value);
        let line = style.entry(&format!("{prefix}{name}"), &text) + self.newline();
        let at = self.end_line(statement.span.end);
        self.splice(at..at, &line);
        true
    }

    /// `table` is there only because tables below it have headers: it gets one before them.
    fn set_above_subtables(&mut self, table: &[&str], key: &[&str], value: &Literal) -> bool {
        let below = |statement: &super::Statement| {
            matches!(statement.what, What::Header) && starts_with(&statement.path, table)
        };
        let Some(first) = self.outline.statements.iter().position(below) else { return false };
        let at = self.outline.statements[first].span.start;
        let path: Vec<String> = table.iter().map(|part| literal::key(part)).collect();
        let style = self.style_of(&self.outline.statements[self.body(first)]);
        let (name, text) = split(key, value);
        let newline = self.newline();
        let line = style.for_keys(std::iter::once(name.as_str())).entry(&name, &text);
        self.splice(at..at, &format!("[{}]{newline}{line}{newline}", path.join(".")));
        true
    }

    /// Index of the header of exactly `table`.
    pub(super) fn header(&self, table: &[&str]) -> Option<usize> {
        self.outline.statements.iter().position(|statement| {
            matches!(statement.what, What::Header)
                && statement.path.len() == table.len()
                && rest(table, &statement.path).is_some()
        })
    }

    /// The statements under the header with this index.
    pub(super) fn body(&self, header: usize) -> std::ops::Range<usize> {
        let start = header + 1;
        let others = self.outline.statements.iter().skip(start);
        let count = others.take_while(|statement| !matches!(statement.what, What::Header)).count();
        start..start + count
    }
}

/// The key and the value of an entry on a line: `disk` and `{ root = "40 GiB" }`.
fn split(key: &[&str], value: &Literal) -> (String, String) {
    match key {
        [] => (String::new(), value.fresh()),
        [only] => (literal::key(only), value.fresh()),
        [first, below @ ..] => (literal::key(first), format!("{{ {} }}", nested(below, value))),
    }
}

/// `root = "40 GiB"`, or `disk = { root = "40 GiB" }`.
fn nested(key: &[&str], value: &Literal) -> String {
    let (name, text) = split(key, value);
    format!("{name} = {text}")
}
