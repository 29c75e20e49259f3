//! How one event becomes one line.

use std::fmt::{self, Write as _};

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormattedFields};
use tracing_subscriber::registry::{LookupSpan, Scope};

/// For whom lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// systemd's journal: the priority in front (sd-daemon(3)), no time, which the journal adds.
    Journal,
    /// A file or pipe: UTC time and level in front.
    Plain,
    /// A terminal: as plain, the level in colour.
    Colour,
}

impl<S, N> FormatEvent<S, N> for Style
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let level = *event.metadata().level();
        match self {
            Style::Journal => write!(writer, "<{}>", priority(level))?,
            Style::Plain => {
                SystemTime.format_time(&mut writer)?;
                write!(writer, " {:<5} ", name(level))?;
            }
            Style::Colour => {
                SystemTime.format_time(&mut writer)?;
                let padding = 5 - name(level).len();
                write!(writer, " \x1b[{}m{}\x1b[0m{:padding$} ", colour(level), name(level), "")?;
            }
        }
        let mut text = String::new();
        for span in context.event_scope().into_iter().flat_map(Scope::from_root) {
            text.push_str(span.name());
            if let Some(fields) = span.extensions().get::<FormattedFields<N>>()
                && !fields.is_empty()
            {
                write!(text, "{{{fields}}}")?;
            }
            text.push_str(": ");
        }
        context.format_fields(Writer::new(&mut text), event)?;
        write_escaped(&mut writer, &text)?;
        writer.write_char('\n')
    }
}

/// Syslog's number (RFC 5424, section 6.2.1).
fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        _ => 7,
    }
}

fn name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

/// ANSI colour: red, yellow, green, blue, grey.
fn colour(level: Level) -> u8 {
    match level {
        Level::ERROR => 31,
        Level::WARN => 33,
        Level::INFO => 32,
        Level::DEBUG => 34,
        Level::TRACE => 90,
    }
}

/// Writes `text` with every character that could end the line or drive a terminal as an escape.
fn write_escaped(writer: &mut Writer<'_>, text: &str) -> fmt::Result {
    let mut clean = text;
    while let Some((at, c)) = clean.char_indices().find(|(_, c)| drives(*c)) {
        let (before, rest) = clean.split_at(at);
        write!(writer, "{before}{}", c.escape_default())?;
        clean = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    writer.write_str(clean)
}

/// Control characters of ASCII and Latin-1, Unicode's line separators and its direction overrides.
fn drives(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
