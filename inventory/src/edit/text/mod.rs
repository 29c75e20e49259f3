//! Editing the text of an inventory file by splices.
//!
//! An edit replaces, inserts or removes the octets of what it names and touches nothing else: comments,
//! order, alignment and line ends of everything else stay because nobody writes them anew. New lines
//! take the style of their neighbours.
//!
//! `toml_edit` would write every table anew from a tree in which a comment belongs to the table after
//! it, so that removing a table takes the heading of a group along; here a comment belongs to the lines
//! it stands with.
//!
//! This module knows TOML and style. It knows no key of the inventory.

mod insert;
mod list;
mod literal;
mod nest;
mod outline;
#[cfg(test)]
mod property;
mod remove;
mod set;
mod style;
#[cfg(test)]
mod tests;

pub(crate) use insert::NewTable;
pub(crate) use literal::{Literal, key, quote};

use std::collections::HashSet;
use std::ops::Range;

use outline::{Element, Inner, Outline, Statement, Value, What};

/// A file that is being edited.
#[derive(Clone, Debug, Default)]
pub(crate) struct Doc {
    text: String,
    outline: Outline,
}

impl Doc {
    /// A file with this text, which is valid TOML.
    pub(crate) fn new(text: impl Into<String>) -> Doc {
        let text = text.into();
        let outline = Outline::of(&text);
        Doc { text, outline }
    }

    /// The text as it is now.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether anything stands at or below `path`.
    pub(crate) fn has(&self, path: &[&str]) -> bool {
        !self.key_places(path).is_empty()
    }

    /// The strings at `path`: one, or a list of them. `None` if nothing stands there, or a table.
    pub(crate) fn strings(&self, path: &[&str]) -> Option<Vec<String>> {
        let value = self.value(path)?;
        let one = |value: &Value| outline::decoded(&self.text[value.span.clone()]);
        match &value.inner {
            Inner::Scalar => Some(vec![one(value)]),
            Inner::Array(items) => Some(items.iter().map(|item| one(&item.value)).collect()),
            Inner::Table(_) => None,
        }
    }

    /// The names that stand directly below `path`, in text order, each once.
    pub(crate) fn names(&self, path: &[&str]) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let mut seen = HashSet::new();
        let mut add = |name: &String| {
            if seen.insert(name.clone()) {
                names.push(name.clone());
            }
        };
        for statement in &self.outline.statements {
            if starts_with(&statement.path, path) {
                match (statement.path.get(path.len()), &statement.what) {
                    (Some(name), _) => add(name),
                    (None, What::Entry(value)) => {
                        elements(value)
                            .iter()
                            .filter_map(|element| element.keys.first())
                            .for_each(|key| add(&key.0));
                    }
                    (None, _) => {}
                }
            } else if let What::Entry(value) = &statement.what
                && let Some(inside) = descend(value, rest(path, &statement.path))
            {
                elements(inside)
                    .iter()
                    .filter_map(|element| element.keys.first())
                    .for_each(|key| add(&key.0));
            }
        }
        names
    }

    /// The line, counted from 1, on which `path` is first written.
    pub(crate) fn line_of(&self, path: &[&str]) -> Option<usize> {
        let at = self.key_places(path).first()?.start;
        Some(self.text[..at].matches('\n').count() + 1)
    }

    /// Whether the last key of `path` is written within these octets.
    pub(crate) fn has_key_within(&self, path: &[&str], octets: Range<usize>) -> bool {
        self.key_places(path).iter().any(|place| octets.start <= place.start && place.end <= octets.end)
    }

    /// The key that is written at octet `at`, decoded.
    pub(crate) fn key_at(&self, at: usize) -> Option<String> {
        fn within(value: &Value, at: usize) -> Option<String> {
            elements(value).iter().find_map(|element| {
                let own = element.keys.iter().find(|(_, place)| place.start == at);
                own.map(|(key, _)| key.clone()).or_else(|| within(&element.value, at))
            })
        }
        let statements = &self.outline.statements;
        let statement = statements.get(statements.partition_point(|one| one.span.end <= at))?;
        let above = statement.path.len() - statement.keys.len();
        if let Some(own) = statement.keys.iter().position(|place| place.start == at) {
            return statement.path.get(above + own).cloned();
        }
        match &statement.what {
            What::Entry(value) => within(value, at),
            What::Header | What::Comment | What::Blank => None,
        }
    }

    /// Writes `new` instead of the last key of `path`, wherever that is written.
    pub(crate) fn rename(&mut self, path: &[&str], new: &str) {
        let places = self.key_places(path);
        for place in places.into_iter().rev() {
            self.text.replace_range(place, &key(new));
        }
        self.outline = Outline::of(&self.text);
    }

    /// Every place where the last key of `path` is written, in text order.
    fn key_places(&self, path: &[&str]) -> Vec<Range<usize>> {
        let mut places = Vec::new();
        let Some(depth) = path.len().checked_sub(1) else { return places };
        for statement in &self.outline.statements {
            if starts_with(&statement.path, path) {
                let above = statement.path.len() - statement.keys.len();
                places.extend(depth.checked_sub(above).and_then(|own| statement.keys.get(own).cloned()));
            } else if let What::Entry(value) = &statement.what
                && !statement.path.is_empty()
                && starts_with_str(path, &statement.path)
            {
                places.extend(keys_in(value, rest(path, &statement.path)));
            }
        }
        places
    }

    /// The value at exactly `path`.
    fn value(&self, path: &[&str]) -> Option<&Value> {
        self.entries().find_map(|(statement, value)| descend(value, rest(path, &statement.path)))
    }

    /// Entries of the whole file.
    fn entries(&self) -> impl Iterator<Item = (&Statement, &Value)> {
        self.outline.statements.iter().filter_map(|statement| match &statement.what {
            What::Entry(value) => Some((statement, value)),
            _ => None,
        })
    }

    /// Writes each text at its octets of the text as it is now. No two places overlap.
    pub(crate) fn replace_all(&mut self, mut places: Vec<(Range<usize>, String)>) {
        places.sort_by_key(|(place, _)| std::cmp::Reverse(place.start));
        for (place, with) in places {
            self.text.replace_range(place, &with);
        }
        self.outline = Outline::of(&self.text);
    }

    fn splice(&mut self, place: Range<usize>, with: &str) {
        self.text.replace_range(place, with);
        self.outline = Outline::of(&self.text);
    }

    /// Where a line can be put after the text up to `at`: ends that text's line if nothing does.
    fn end_line(&mut self, at: usize) -> usize {
        if at == 0 || self.text.as_bytes().get(at - 1) == Some(&b'\n') {
            return at;
        }
        let newline = self.newline();
        self.splice(at..at, newline);
        at + newline.len()
    }

    /// The line ends of this file: those of its first line.
    fn newline(&self) -> &'static str {
        let first = self.text.find('\n').and_then(|at| at.checked_sub(1));
        if first.is_some_and(|at| self.text.as_bytes().get(at) == Some(&b'\r')) { "\r\n" } else { "\n" }
    }
}

fn elements(value: &Value) -> &[Element] {
    match &value.inner {
        Inner::Table(elements) => elements,
        Inner::Scalar | Inner::Array(_) => &[],
    }
}

/// Whether `path` is `prefix` or lies below it.
fn starts_with(path: &[String], prefix: &[&str]) -> bool {
    path.len() >= prefix.len() && path.iter().zip(prefix).all(|(a, b)| a == b)
}

fn starts_with_str(path: &[&str], prefix: &[String]) -> bool {
    path.len() >= prefix.len() && prefix.iter().zip(path).all(|(a, b)| a == b)
}

/// What of `path` lies below `above`; `None` if it does not lie there.
fn rest<'p, 'a>(path: &'p [&'a str], above: &[String]) -> Option<&'p [&'a str]> {
    if above.is_empty() || !starts_with_str(path, above) {
        return None;
    }
    path.get(above.len()..)
}

/// The value at `path` inside `value`, through inline tables.
fn descend<'v>(value: &'v Value, path: Option<&[&str]>) -> Option<&'v Value> {
    let path = path?;
    if path.is_empty() {
        return Some(value);
    }
    elements(value).iter().find_map(|element| {
        let matches = element.keys.len() <= path.len()
            && element.keys.iter().zip(path).all(|((key, _), part)| key == part);
        matches.then(|| descend(&element.value, path.get(element.keys.len()..))).flatten()
    })
}

/// Where the last key of `path` is written inside `value`.
fn keys_in(value: &Value, path: Option<&[&str]>) -> Vec<Range<usize>> {
    let Some(path) = path else { return Vec::new() };
    let mut places = Vec::new();
    for element in elements(value) {
        let common = element.keys.iter().zip(path).take_while(|((key, _), part)| key == *part).count();
        if common == path.len() {
            places.extend(element.keys.get(common.wrapping_sub(1)).map(|(_, place)| place.clone()));
        } else if common == element.keys.len() {
            places.extend(keys_in(&element.value, path.get(common..)));
        }
    }
    places
}
