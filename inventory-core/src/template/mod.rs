//! Templates of boot profiles: rendered for one host, from nothing but the inventory.
//!
//! Jinja's language, strictly: a variable that a host does not have is an error, not an empty text, so
//! that an installer never gets half a file. A template sees [`variables`](self) of one host and cannot
//! reach anything else; work is bounded by [`FUEL`]. `docs/reference/boot.md` lists the variables.

mod variables;

pub use variables::{Subject, Urls};

use std::fmt;
use std::ops::Range;

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior};

/// Steps that rendering a template may take: some hundred times what a long one needs.
const FUEL: u64 = 200_000;
/// Octets that a rendered template may have.
const OCTETS_MAX: usize = 4 << 20;

/// Reads and renders templates. Texts live as long as it does.
pub struct Engine<'t> {
    environment: Environment<'t>,
}

/// A template that was read.
pub struct Template<'e, 't> {
    template: minijinja::Template<'e, 't>,
}

/// Why a template cannot be read or rendered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// In words: literals in backticks, no full stop at the end.
    pub message: String,
    /// Octets of the template that are to blame, where that is known.
    pub range: Option<(usize, usize)>,
    /// A variable is not there, rather than the template being wrong.
    pub is_undefined: bool,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Default for Engine<'_> {
    fn default() -> Self {
        Engine::new()
    }
}

impl<'t> Engine<'t> {
    /// An engine. Cost: some tens of microseconds, so make one for many templates.
    pub fn new() -> Engine<'t> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment
            .set_syntax(SyntaxConfig::builder().keep_trailing_newline(true).build().unwrap_or_default());
        environment.set_fuel(Some(FUEL));
        environment.set_debug(true);
        Engine { environment }
    }

    /// Reads a template.
    ///
    /// # Errors
    /// Its syntax is wrong.
    pub fn read(&self, text: &'t str) -> Result<Template<'_, 't>, Fault> {
        let template = self.environment.template_from_str(text).map_err(|error| fault(&error, text))?;
        Ok(Template { template })
    }
}

impl Template<'_, '_> {
    /// The text for one host.
    ///
    /// # Errors
    /// It uses a variable that the host does not have, an operation fails, or it takes too long.
    pub fn render(&self, subject: &Subject) -> Result<String, Fault> {
        let source = self.template.source();
        let text = self.template.render(subject.value()).map_err(|error| fault(&error, source))?;
        if text.len() > OCTETS_MAX {
            let message = format!("it becomes longer than {OCTETS_MAX} octets");
            return Err(Fault { message, range: None, is_undefined: false });
        }
        Ok(text)
    }
}

/// What the engine says, in our words.
fn fault(error: &minijinja::Error, source: &str) -> Fault {
    let range = error.range().filter(|range| source.get(range.clone()).is_some_and(|text| !text.is_empty()));
    let range = range.or_else(|| line_range(source, error.line()?));
    let subject = range.clone().and_then(|range| source.get(range)).map(str::trim);
    let is_undefined = error.kind() == ErrorKind::UndefinedError;
    let message = match (error.kind(), subject) {
        (ErrorKind::UndefinedError, Some(subject)) if !subject.contains('\n') => {
            format!("`{subject}` is not defined")
        }
        (ErrorKind::OutOfFuel, _) => "it takes too many steps".to_owned(),
        (kind, _) => match error.detail() {
            Some(detail) => format!("{kind}: {detail}"),
            None => kind.to_string(),
        },
    };
    Fault { message, range: range.map(|range| (range.start, range.end)), is_undefined }
}

/// The octets of a line, which counts from 1.
fn line_range(source: &str, line: usize) -> Option<Range<usize>> {
    let mut start = 0;
    let mut lines = source.split('\n');
    for _ in 1..line {
        start += lines.next()?.len() + 1;
    }
    Some(start..start + lines.next()?.len())
}

#[cfg(test)]
mod tests;
