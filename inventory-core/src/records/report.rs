//! Places in the text, and what is said about them.

use crate::diag::{Finding, Rule};
use crate::span::Span;

/// Octets `from..to` of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) from: usize,
    pub(super) to: usize,
}

impl Extent {
    /// The text there; empty if the extent is not of this text.
    pub(super) fn of(self, text: &str) -> &str {
        text.get(self.from..self.to).unwrap_or("")
    }

    /// From the start of this one to the end of `last`.
    pub(super) fn through(self, last: Extent) -> Extent {
        Extent { from: self.from, to: last.to.max(self.to) }
    }
}

/// Collects the mistakes of one text.
pub(super) struct Report<'a> {
    locate: &'a dyn Fn(usize, usize) -> Span,
    pub(super) findings: &'a mut Vec<Finding>,
}

impl<'a> Report<'a> {
    pub(super) fn new(
        locate: &'a dyn Fn(usize, usize) -> Span,
        findings: &'a mut Vec<Finding>,
    ) -> Report<'a> {
        Report { locate, findings }
    }

    /// Where `at` stands in its file.
    pub(super) fn span(&self, at: Extent) -> Span {
        (self.locate)(at.from, at.to)
    }

    /// A mistake, not yet counted: see [`Report::push`].
    pub(super) fn at(&self, at: Extent, message: impl Into<String>) -> Finding {
        Finding::new(Rule::InvalidRecord, self.span(at), message)
    }

    pub(super) fn push(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// How many mistakes were found, here and before.
    pub(super) fn count(&self) -> usize {
        self.findings.len()
    }

    /// Gives `help` to the mistakes found after there were `count`, where they have none.
    pub(super) fn help_after(&mut self, count: usize, help: &str) {
        for finding in self.findings.iter_mut().skip(count) {
            finding.help.get_or_insert_with(|| help.to_owned());
        }
    }

    /// Forgets what was found after there were `count`.
    pub(super) fn forget_after(&mut self, count: usize) {
        self.findings.truncate(count);
    }
}

/// Longest piece of the text that a message repeats, in characters.
const SHOWN_MAX: usize = 60;

/// `text` as a message shows it: cut when long, control characters escaped.
pub(super) fn shown(text: &str) -> String {
    let mut out = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == SHOWN_MAX {
            out.push('…');
            break;
        }
        if character.is_control() {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    out
}
