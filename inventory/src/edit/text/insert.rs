//! Writing a new table, as its neighbours are written.

use super::outline::Statement;
use super::{Doc, Inner, Literal, What, elements, literal, starts_with};

/// A table to be written: `host.web3`, its keys, and tables below it.
#[derive(Clone, Debug)]
pub(crate) struct NewTable {
    /// Keys from the root.
    pub(crate) path: Vec<String>,
    /// Its entries, in order.
    pub(crate) entries: Vec<(String, Literal)>,
    /// Tables below it.
    pub(crate) below: Vec<NewTable>,
}

/// How a neighbour is written.
enum Form {
    /// `[host.web1]`; its statements end before this one.
    Headers(usize),
    /// `web1 = { … }` on a line, under a header of this depth.
    Line(usize),
    /// `web1.mac = …` on lines; the last of them.
    Dotted(usize),
    /// In the braces that start at this octet, after the element with this index.
    Braces(usize, usize),
}

impl Doc {
    /// Writes `table` after the one at `neighbour` and in its form, or as headers at the end of the file.
    pub(crate) fn insert(&mut self, neighbour: Option<&[&str]>, table: &NewTable) {
        let last = self.outline.statements.len();
        match neighbour.and_then(|neighbour| self.form(neighbour)) {
            Some(Form::Line(index)) => {
                let statement = &self.outline.statements[index];
                let above = statement.path.len() - statement.keys.len();
                let style = self.style_of(std::slice::from_ref(statement));
                let line = style.entry(&dotted(&table.path[above..]), &braces(table));
                self.insert_lines(index, &[line]);
            }
            Some(Form::Dotted(index)) => {
                let statement = &self.outline.statements[index];
                let above = statement.path.len() - statement.keys.len();
                let style = self.style_of(std::slice::from_ref(statement));
                let lines: Vec<String> = flat(table)
                    .iter()
                    .map(|(path, value)| style.entry(&dotted(&path[above..]), &value.fresh()))
                    .collect();
                self.insert_lines(index, &lines);
            }
            Some(Form::Braces(start, index)) => {
                let name = table.path.last().map_or("", String::as_str);
                self.insert_element(start, index + 1, &format!("{} = {}", literal::key(name), braces(table)));
            }
            Some(Form::Headers(end)) => self.insert_headers(end, neighbour, table),
            None => self.insert_headers(last, None, table),
        }
    }

    /// How `neighbour` is written.
    fn form(&self, neighbour: &[&str]) -> Option<Form> {
        let statements = &self.outline.statements;
        let own = |statement: &Statement| starts_with(&statement.path, neighbour);
        let header = |statement: &Statement| matches!(statement.what, What::Header) && own(statement);
        if let Some(last) = statements.iter().rposition(header) {
            return Some(Form::Headers(self.extent(last).end));
        }
        let entry = |statement: &Statement| matches!(statement.what, What::Entry(_)) && own(statement);
        if let Some(last) = statements.iter().rposition(entry) {
            let whole = statements[last].path.len() == neighbour.len();
            return Some(if whole { Form::Line(last) } else { Form::Dotted(last) });
        }
        let (name, above) = neighbour.split_last()?;
        let braces = self.value(above).filter(|value| matches!(value.inner, Inner::Table(_)))?;
        let index = elements(braces)
            .iter()
            .position(|element| element.keys.first().is_some_and(|key| key.0 == *name))?;
        Some(Form::Braces(braces.span.start, index))
    }

    fn insert_lines(&mut self, after: usize, lines: &[String]) {
        let newline = self.newline();
        let at = self.end_line(self.outline.statements[after].span.end);
        self.splice(at..at, &(lines.join(newline) + newline));
    }

    /// Writes `table` with headers before the statement with index `end`.
    fn insert_headers(&mut self, end: usize, neighbour: Option<&[&str]>, table: &NewTable) {
        let statements = &self.outline.statements;
        let model = statements.iter().position(|one| {
            matches!(one.what, What::Header)
                && neighbour.is_none_or(|neighbour| starts_with(&one.path, neighbour))
        });
        let body = model.map_or(0..0, |model| self.body(model));
        let style = self.style_of(&statements[body]);
        let gap = model.is_none_or(|model| {
            let start = self.extent(model).start;
            start.checked_sub(1).is_none_or(|above| matches!(statements[above].what, What::Blank))
        });
        let newline = self.newline();
        let mut lines = Vec::new();
        write(table, &style, &mut lines);
        let mut text = lines.join(newline) + newline;
        let octet = self.octets(&(0..end)).end;
        let at = self.end_line(octet);
        let after_blank =
            end.checked_sub(1).is_none_or(|above| matches!(self.outline.statements[above].what, What::Blank));
        if gap && at > 0 && !after_blank {
            text.insert_str(0, newline);
        }
        let next = self.outline.statements.get(end);
        if gap && next.is_some_and(|next| !matches!(next.what, What::Blank)) {
            text.push_str(newline);
        }
        self.splice(at..at, &text);
    }
}

fn write(table: &NewTable, style: &super::style::Style, lines: &mut Vec<String>) {
    if !table.entries.is_empty() || table.below.is_empty() {
        lines.push(format!("[{}]", dotted(&table.path)));
    }
    let keys: Vec<String> = table.entries.iter().map(|(key, _)| literal::key(key)).collect();
    let style = style.for_keys(keys.iter().map(String::as_str));
    for (key, (_, value)) in keys.iter().zip(&table.entries) {
        lines.push(style.entry(key, &value.fresh()));
    }
    for below in &table.below {
        write(below, &style, lines);
    }
}

/// The table as `{ key = value, … }`.
fn braces(table: &NewTable) -> String {
    let entries =
        table.entries.iter().map(|(key, value)| format!("{} = {}", literal::key(key), value.fresh()));
    let below = table.below.iter().map(|below| {
        let path = below.path.get(table.path.len()..).unwrap_or_default();
        format!("{} = {}", dotted(path), braces(below))
    });
    let all: Vec<String> = entries.chain(below).collect();
    if all.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", all.join(", ")) }
}

/// Every entry with its whole path.
fn flat(table: &NewTable) -> Vec<(Vec<String>, &Literal)> {
    let own = table.entries.iter().map(|(key, value)| {
        let path = table.path.iter().cloned().chain(std::iter::once(key.clone())).collect();
        (path, value)
    });
    own.chain(table.below.iter().flat_map(flat)).collect()
}

fn dotted(path: &[String]) -> String {
    let keys: Vec<String> = path.iter().map(|part| literal::key(part)).collect();
    keys.join(".")
}
