//! The text of one inventory file as a tree with spans.
//!
//! TOML 1.1 is read in one pass over the bytes into one arena per file: 32 octets a node, keys and
//! strings borrowed from the text unless escapes demand otherwise. `toml_parser` decodes what is
//! rare (escapes, floats, numbers with a radix); its lexer and event parser take longer than the
//! whole of this, and their messages cannot be mapped back to what the operator meant.
//!
//! Reading never stops at the first mistake. Every mistake is reported once, in words about the
//! inventory rather than about a grammar, and the tree holds what was meant where that is plain:
//! `mac = 52:54:00:aa:00:11` is an error, and a string. [`Table::has_gaps`] tells where something
//! could not be read at all, so that nobody calls it missing.
//!
//! This module knows TOML and the mistakes people make in it. It knows no key of the inventory.

#[cfg(test)]
mod cascade;
mod datetime;
mod grow;
mod header;
mod index;
mod look;
#[cfg(test)]
mod mistakes;
mod node;
#[cfg(test)]
mod oracle;
mod part;
mod quoted;
mod read;
mod scalar;
mod slips;
mod tree;
mod value;

pub use tree::{Array, Entry, Kind, Table, Tree, Value};

use crate::diag::{Finding, Rule};
use crate::span::{FileId, Span};

/// Levels of nesting that a file may have; keys, headers, lists and inline tables count alike.
pub const MAX_DEPTH: usize = 32;

/// Reads `text` into a tree. Mistakes go to `findings`, at most about 20 of syntax, in text order.
///
/// The tree holds what could be read. No text makes this panic. Linear in the length of the text.
pub fn parse<'t>(text: &'t str, file: FileId, findings: &mut Vec<Finding>) -> Tree<'t> {
    if u32::try_from(text.len()).is_err() {
        findings.push(Finding::new(Rule::Syntax, Span::new(file, 0, 0), "the file is larger than 4 GiB"));
        return Tree::new("", file);
    }
    read::read(text, file, findings)
}
