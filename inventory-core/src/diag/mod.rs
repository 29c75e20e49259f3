//! What is wrong with an inventory, where, why, and what to do about it.
//!
//! Rules report [`Finding`]s: spans and words. A [`Locator`] that knows the files' texts turns them
//! into [`Diagnostic`]s, which carry path, line, column and excerpt and need nothing else. Three
//! renderings: [`short`] (a line each, for editors and logs), [`terminal`] (with source excerpts),
//! [`json`] (a JSON object each).

mod code;
mod locate;
mod render;
mod suggest;

pub use code::{Rule, Severity};
pub use locate::{Locator, Texts};
pub use render::{json, short, terminal};
pub use suggest::did_you_mean;

use serde::{Deserialize, Serialize};

use crate::span::Span;

/// One broken rule, in spans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// What is wrong, one line: literals in backticks, no full stop at the end.
    pub message: String,
    /// Where; what the editor jumps to.
    pub span: Span,
    /// A few words under the excerpt; may be empty.
    pub label: String,
    /// Other places involved, each with a few words.
    pub others: Vec<(Span, String)>,
    /// What to do.
    pub help: Option<String>,
    /// Name of a thing that is referred to and not found. Dropped when a file that could not be read
    /// wholly may define it.
    pub missing: Option<Box<str>>,
}

impl Finding {
    /// A finding with nothing but its message.
    pub fn new(rule: Rule, span: Span, message: impl Into<String>) -> Finding {
        Finding {
            rule,
            message: message.into(),
            span,
            label: String::new(),
            others: Vec::new(),
            help: None,
            missing: None,
        }
    }

    /// A reference to `name`, which is not among `known`; `define` says how to define it.
    pub fn unknown<'a>(
        rule: Rule,
        span: Span,
        kind: &str,
        name: &str,
        known: impl IntoIterator<Item = &'a str>,
        define: &str,
    ) -> Finding {
        let mut finding = Finding::new(rule, span, format!("{kind} `{name}` is not defined"));
        finding.missing = Some(name.into());
        match did_you_mean(name, known) {
            Some(near) => finding.label(format!("did you mean `{near}`?")),
            None => finding.help(format!("define it: `{define}`")),
        }
    }

    /// Says that it is wrong only as long as nothing that could not be read defines `name`.
    #[must_use]
    pub fn depends_on(mut self, name: &impl ToString) -> Finding {
        self.missing = Some(name.to_string().into());
        self
    }

    /// Sets the words under the excerpt.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Finding {
        self.label = label.into();
        self
    }

    /// Adds another place involved.
    #[must_use]
    pub fn other(mut self, span: Span, label: impl Into<String>) -> Finding {
        self.others.push((span, label.into()));
        self
    }

    /// Sets what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Finding {
        self.help = Some(help.into());
        self
    }
}

/// A place in a file, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Path relative to the inventory, with `/`. The inventory itself is `.`.
    pub path: String,
    /// Line, from 1; 0 when the whole file is meant.
    pub line: u32,
    /// Column in characters, from 1; 0 when the whole file is meant.
    pub column: u32,
    /// One past the last column on that line. At least `column + 1` unless the whole file is meant.
    pub column_end: u32,
    /// The text of the line, without its end. Cut to 400 characters around the place.
    pub excerpt: String,
    /// Characters cut from the front of the line to make `excerpt`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub excerpt_offset: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// One broken rule, ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// `HB` and three digits.
    pub code: String,
    /// `error` or `warning`.
    pub severity: String,
    /// What is wrong, one line.
    pub message: String,
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// Words under the excerpt; may be empty.
    pub label: String,
    /// Other places involved.
    pub others: Vec<Other>,
    /// What to do.
    pub help: Option<String>,
}

/// Another place that a diagnostic involves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Other {
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// What is there.
    pub label: String,
}

impl Diagnostic {
    /// Whether this keeps the inventory from being served.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error.word()
    }
}
