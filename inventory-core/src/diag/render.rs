//! The three ways a diagnostic is shown.

use std::fmt::Write as _;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::{Diagnostic, Place};

/// One line: `hosts/web.toml:14:11: error[HB012]: …`, for editors and logs. Without a line feed.
pub fn short(diagnostic: &Diagnostic) -> String {
    let Diagnostic { code, severity, message, place, .. } = diagnostic;
    let mut line = position(place);
    let _ = write!(line, ": {severity}[{code}]: {message}");
    line
}

/// Several lines with the source that is meant, and what to do. Ends without a line feed.
pub fn terminal(diagnostic: &Diagnostic, colour: bool) -> String {
    let level = if diagnostic.is_error() { Level::ERROR } else { Level::WARNING };
    let title = level.primary_title(printable(&diagnostic.message)).id(diagnostic.code.as_str());
    let mut group =
        excerpt(Group::with_title(title), &diagnostic.place, &diagnostic.label, AnnotationKind::Primary);
    for other in &diagnostic.others {
        group = excerpt(group, &other.place, &other.label, AnnotationKind::Context);
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(printable(help)));
    }
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    renderer.decor_style(DecorStyle::Ascii).render(&[group])
}

/// One JSON object on one line. Without a line feed.
pub fn json(diagnostic: &Diagnostic) -> String {
    serde_json::to_string(diagnostic).unwrap_or_else(|error| format!("{{\"message\":\"{error}\"}}"))
}

/// `path:line:column`, or the path alone when the whole file is meant.
fn position(place: &Place) -> String {
    if place.line == 0 {
        return place.path.to_string();
    }
    format!("{}:{}:{}", place.path, place.line, place.column)
}

fn excerpt<'a>(group: Group<'a>, place: &'a Place, label: &'a str, kind: AnnotationKind) -> Group<'a> {
    if place.line == 0 {
        return group.element(Origin::path(&*place.path));
    }
    let offset = |column: u32| {
        let characters = column.saturating_sub(1).saturating_sub(place.excerpt_offset) as usize;
        place.excerpt.char_indices().nth(characters).map_or(place.excerpt.len(), |(at, _)| at)
    };
    let span = offset(place.column)..offset(place.column_end).max(offset(place.column));
    let annotation = kind.span(span).label(Some(printable(label)).filter(|label| !label.is_empty()));
    let snippet = Snippet::source(place.excerpt.as_str()).line_start(place.line as usize).path(&*place.path);
    group.element(snippet.annotation(annotation))
}

/// `text` with control characters replaced: an inventory's octets must not steer a terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Other;

    fn sample() -> Diagnostic {
        let place = |line, excerpt: &str, column, column_end| Place {
            path: "hosts/db.toml".into(),
            line,
            column,
            column_end,
            excerpt: excerpt.into(),
            excerpt_offset: 0,
        };
        Diagnostic {
            code: "HB050".into(),
            severity: "error".into(),
            message: "address of `db1` lies outside its network".into(),
            place: place(14, "ip = \"10.0.9.7\"", 6, 16),
            label: "not in 10.0.8.0/24".into(),
            others: vec![Other {
                place: place(3, "[network.servers]", 1, 18),
                label: "declared here".into(),
            }],
            help: Some("choose an address from 10.0.8.0/24".into()),
        }
    }

    #[test]
    fn the_short_form_is_one_line_that_editors_know() {
        assert_eq!(
            short(&sample()),
            "hosts/db.toml:14:6: error[HB050]: address of `db1` lies outside its network"
        );
    }

    #[test]
    fn the_terminal_form_shows_both_places_and_the_help() {
        let text = terminal(&sample(), false);
        for part in
            ["error[HB050]", "hosts/db.toml:14:6", "not in 10.0.8.0/24", "declared here", "help: choose"]
        {
            assert!(text.contains(part), "{part} in\n{text}");
        }
        assert!(!text.contains('\u{1b}'));
        assert!(terminal(&sample(), true).contains('\u{1b}'));
    }

    #[test]
    fn the_json_form_reads_back_as_it_was() {
        let line = json(&sample());
        assert!(!line.contains('\n'));
        assert_eq!(serde_json::from_str::<Diagnostic>(&line).unwrap(), sample());
    }
}
