//! Words for what TOML does not allow to be defined again.

use super::super::grow::{Clash, Key};
use super::super::node::{Range, Shape};
use super::super::read::Reader;
use super::words;
use crate::diag::{Finding, Rule};

impl Reader<'_, '_> {
    /// Reports that `key` cannot be used, in `header` or in an entry.
    pub(in crate::toml) fn clash(&mut self, key: &Key, clash: Clash, header: Option<Range>) {
        let name = words::short(self.tree.key_text(key));
        let finding = match clash {
            Clash::Twice(first) => self.twice(key, &name, first, header),
            Clash::NoTable(found) => {
                let what = self.describe(found);
                Finding::new(
                    Rule::DefinedTwice,
                    self.tree.span(key.range),
                    format!("nothing can be below `{name}`: it is {what}"),
                )
                .label("not a table")
                .other(self.place(found), "defined here")
            }
            Clash::Closed(found) => Finding::new(
                Rule::DefinedTwice,
                self.tree.span(key.range),
                format!("nothing can be added to `{name}`: its braces are closed"),
            )
            .label("an inline table is complete")
            .other(self.place(found), "defined here")
            .help("write the new keys between its braces"),
            Clash::MadeByKeys(found) => Finding::new(
                Rule::DefinedTwice,
                self.tree.span(header.unwrap_or(key.range)),
                format!("table `{name}` is defined twice"),
            )
            .label("dotted keys have defined it before")
            .other(self.place(found), "first defined here")
            .help("write the entries below this header as dotted keys, too"),
            Clash::MadeByHeader(found) => {
                let header = words::short(self.tree.slice(self.tree.node(found).span));
                Finding::new(
                    Rule::DefinedTwice,
                    self.tree.span(key.range),
                    format!("a dotted key cannot add to `{name}`, which has a header of its own"),
                )
                .label("already a table")
                .other(self.tree.span(self.tree.node(found).span), "its header")
                .help(format!("write this entry below `{header}`"))
            }
        };
        self.report(finding);
    }

    fn twice(&self, key: &Key, name: &str, first: u32, header: Option<Range>) -> Finding {
        let node = self.tree.node(first);
        let Some(header) = header else {
            return Finding::new(
                Rule::DefinedTwice,
                self.tree.span(key.range),
                format!("`{name}` is defined twice"),
            )
            .label("second")
            .other(self.tree.span(node.key), "first defined here")
            .help("delete one of them");
        };
        let text = words::short(self.tree.slice(header));
        let message = if (node.shape == Shape::Array) == text.starts_with("[[") {
            format!("table `{text}` is defined twice")
        } else {
            format!("`{text}`: `{name}` cannot be both a table and a list of tables")
        };
        Finding::new(Rule::DefinedTwice, self.tree.span(header), message)
            .label("second")
            .other(self.place(first), "first defined here")
            .help("merge the two, or give one of them another name")
    }

    /// Where a node was defined: its header or its key.
    fn place(&self, id: u32) -> crate::span::Span {
        let node = self.tree.node(id);
        let by_header = self.tree.slice(node.span).starts_with('[') && node.shape == Shape::Table;
        self.tree.span(if by_header { node.span } else { node.key })
    }

    fn describe(&self, id: u32) -> &'static str {
        match self.tree.node(id).shape {
            Shape::String => "a string",
            Shape::Integer | Shape::Float => "a number",
            Shape::Boolean => "`true` or `false`",
            Shape::Datetime => "a date or time",
            Shape::Array => "a list",
            Shape::Table => "a table",
        }
    }
}
