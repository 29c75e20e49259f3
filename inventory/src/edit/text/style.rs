//! How a file writes its entries: indentation, blanks around `=`, columns.

use super::outline::Statement;
use super::{Doc, Literal, What};

/// How the entries of one table are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) indent: String,
    equals: Equals,
    after: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Equals {
    /// At this column, counted from the key's start.
    Column(usize),
    /// After the key and these blanks.
    Plain(String),
}

/// Blanks around the `=` of an entry.
struct Around<'t> {
    indent: &'t str,
    key_width: usize,
    before: &'t str,
    after: &'t str,
}

impl Style {
    /// `key = value`, without the line's end.
    pub(super) fn entry(&self, key: &str, value: &str) -> String {
        let width = key.chars().count();
        let before = match &self.equals {
            Equals::Column(column) => " ".repeat(column.saturating_sub(width).max(1)),
            Equals::Plain(before) => before.clone(),
        };
        format!("{}{key}{before}={}{value}", self.indent, self.after)
    }

    /// This style for a table of its own with these keys.
    pub(super) fn for_keys<'k>(&self, keys: impl Iterator<Item = &'k str>) -> Style {
        let widest = keys.map(|key| key.chars().count()).max().unwrap_or(0);
        let equals = match &self.equals {
            Equals::Column(_) => Equals::Column(widest + 1),
            plain @ Equals::Plain(_) => plain.clone(),
        };
        Style { equals, ..self.clone() }
    }
}

impl Doc {
    /// The style of the entries among `statements`, which are one table's; where they do not tell, the
    /// style of the file's other tables.
    pub(super) fn style_of(&self, statements: &[Statement]) -> Style {
        let all: Vec<Around<'_>> = statements.iter().filter_map(|statement| self.around(statement)).collect();
        let Some(last) = all.last() else { return self.style_of_file() };
        let style = |equals| Style { indent: last.indent.to_owned(), equals, after: last.after.to_owned() };
        let column = last.key_width + last.before.len();
        let aligned = all.iter().all(|around| around.key_width + around.before.len() == column);
        if aligned && all.iter().any(|around| around.before.len() > 1) {
            return style(Equals::Column(column));
        }
        let told = all.len() > 1 && !aligned;
        if !told && last.before.len() == 1 && self.aligns() {
            return style(Equals::Column(column));
        }
        style(Equals::Plain(if last.before.len() > 1 { " ".to_owned() } else { last.before.to_owned() }))
    }

    /// The style of the first table that shows one.
    fn style_of_file(&self) -> Style {
        let equals = if self.aligns() { Equals::Column(0) } else { Equals::Plain(" ".to_owned()) };
        let statements = self.outline.statements.iter();
        let first = statements.filter_map(|statement| self.around(statement)).next();
        match first {
            Some(around) if around.before.is_empty() => Style {
                indent: around.indent.to_owned(),
                equals: Equals::Plain(String::new()),
                after: around.after.to_owned(),
            },
            Some(around) => {
                Style { indent: around.indent.to_owned(), equals, after: around.after.to_owned() }
            }
            // What the documentation shows.
            None => Style { indent: String::new(), equals: Equals::Column(0), after: " ".to_owned() },
        }
    }

    /// Whether any entry of the file is padded to a column.
    fn aligns(&self) -> bool {
        self.outline
            .statements
            .iter()
            .filter_map(|one| self.around(one))
            .any(|around| around.before.len() > 1)
    }

    /// The blanks of an entry with its key and `=` on one line.
    fn around(&self, statement: &Statement) -> Option<Around<'_>> {
        let What::Entry(value) = &statement.what else { return None };
        let (first, last) = (statement.keys.first()?, statement.keys.last()?);
        let between = self.text.get(last.end..value.span.start)?;
        let (before, after) = between.split_once('=')?;
        let indent = self.text.get(statement.span.start..first.start)?;
        let key_width = self.text.get(first.start..last.end)?.chars().count();
        indent.trim().is_empty().then_some(Around { indent, key_width, before, after })
    }

    /// `value` where `old` stood: in the same kind of quotes if that is possible.
    pub(super) fn like(old: &str, value: &Literal) -> String {
        let text = match value {
            Literal::One(text) => text.clone(),
            Literal::List(items) => match items.as_slice() {
                [only] => only.clone(),
                _ => return value.fresh(),
            },
        };
        let plain = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        match plain {
            Some(plain) if old.starts_with('\'') && !plain.contains(['\\', '\'']) => format!("'{plain}'"),
            _ => text,
        }
    }
}
