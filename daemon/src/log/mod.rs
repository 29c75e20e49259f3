//! Logging to stderr: for a terminal, a file, or the journal.
//!
//! One line per event, whatever its fields contain. The level comes from `HOSTBOOK_LOG`: `error`,
//! `warn`, `info` (the default), `debug` or `trace`. Libraries are heard from `debug` on.

mod format;
mod throttle;

use std::env;
use std::ffi::OsStr;
use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::stat::fstat;
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::Registry;

pub use format::Style;
pub use throttle::{Line, Throttle};

/// Starts logging to stderr, once per process; a second call changes nothing.
pub fn init() {
    let style = if stderr_is_journal() {
        Style::Journal
    } else if io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) {
        Style::Colour
    } else {
        Style::Plain
    };
    let asked = env::var("HOSTBOOK_LOG").unwrap_or_default();
    let level = level(&asked);
    let first =
        tracing::subscriber::set_global_default(subscriber(style, level.unwrap_or(DEFAULT), io::stderr));
    if first.is_ok() && level.is_none() && !asked.is_empty() {
        tracing::warn!(HOSTBOOK_LOG = asked, "unknown log level: one of error, warn, info, debug, trace");
    }
}

/// Returns whether stderr is connected to systemd's journal, as `JOURNAL_STREAM` says (systemd.exec(5)).
/// False where stderr was redirected to elsewhere since.
pub fn stderr_is_journal() -> bool {
    env::var_os("JOURNAL_STREAM").is_some_and(|value| is_stream(&value, io::stderr().as_fd()))
}

const DEFAULT: LevelFilter = LevelFilter::INFO;

/// The subscriber behind [`init`], writing to `writer`.
fn subscriber<W>(style: Style, level: LevelFilter, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let layer = tracing_subscriber::fmt::layer()
        .event_format(style)
        .with_writer(writer)
        .with_ansi(false) // colours are the style's own; fields never carry any
        .log_internal_errors(false); // a closed stderr must not become a panic
    let layer =
        layer.with_filter(filter_fn(move |event| level >= LevelFilter::DEBUG || is_ours(event.target())));
    Registry::default().with(level).with(layer)
}

/// Whether a crate of ours says it. What libraries say may be a line for each packet of a stranger.
fn is_ours(target: &str) -> bool {
    const OURS: [&str; 5] = ["daemon", "dhcpd", "dnsd", "hostbook", "inventory_core"];
    target.split("::").next().is_some_and(|name| OURS.contains(&name))
}

fn level(text: &str) -> Option<LevelFilter> {
    match text.to_ascii_lowercase().as_str() {
        "error" => Some(LevelFilter::ERROR),
        "warn" => Some(LevelFilter::WARN),
        "info" => Some(LevelFilter::INFO),
        "debug" => Some(LevelFilter::DEBUG),
        "trace" => Some(LevelFilter::TRACE),
        _ => None,
    }
}

/// `value` is `DEVICE:INODE` in decimal.
fn is_stream(value: &OsStr, file: BorrowedFd<'_>) -> bool {
    let parts = value.to_str().and_then(|value| value.split_once(':'));
    let Some((device, inode)) = parts else { return false };
    let Ok(found) = fstat(file) else { return false };
    device.parse() == Ok(found.st_dev) && inode.parse() == Ok(found.st_ino)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};
    use tracing::{debug, error, info, info_span, warn};

    /// Collects what is written.
    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(style: Style, level: LevelFilter, body: impl FnOnce()) -> String {
        let sink = Sink::default();
        let writer = sink.clone();
        tracing::subscriber::with_default(subscriber(style, level, move || writer.clone()), body);
        let bytes = sink.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn the_journal_gets_a_priority_and_neither_time_nor_colour() {
        let text = logged(Style::Journal, LevelFilter::TRACE, || {
            error!("disk full");
            warn!(errors = 3, "inventory broken");
            info!(generation = 7, subnet = %"10.0.0.0/24", "inventory loaded");
            debug!("query");
        });
        assert_eq!(
            text,
            "<3>disk full\n<4>inventory broken errors=3\n\
             <6>inventory loaded generation=7 subnet=10.0.0.0/24\n<7>query\n"
        );
    }

    #[test]
    fn libraries_say_nothing_unless_more_is_asked_for() {
        let say = || error!(target: "hickory_net::udp", "expected message from");
        assert_eq!(logged(Style::Journal, LevelFilter::INFO, say), "");
        assert_eq!(logged(Style::Journal, LevelFilter::DEBUG, say), "<3>expected message from\n");
    }

    #[test]
    fn a_file_gets_time_and_level_and_a_terminal_a_colour_too() {
        let plain = logged(Style::Plain, LevelFilter::INFO, || info!(n = 1, "started"));
        let (time, rest) = plain.split_once(' ').unwrap();
        assert_eq!(rest, "info  started n=1\n");
        assert!(time.len() == 27 && time.ends_with('Z') && &time[10..11] == "T", "{time}");
        let colour = logged(Style::Colour, LevelFilter::INFO, || warn!("odd"));
        assert!(colour.ends_with(" \x1b[33mwarn\x1b[0m  odd\n"), "{colour:?}");
    }

    #[test]
    fn a_field_from_a_stranger_cannot_forge_a_line_or_move_the_cursor() {
        let text = logged(Style::Journal, LevelFilter::INFO, || {
            let name = "x\n<0>kernel panic\r\x1b[2J\u{9b}31m\u{2028}";
            info!(%name, text = name, debug = ?name, "seen {name}");
        });
        assert_eq!(text.lines().count(), 1, "{text:?}");
        assert!(text.ends_with('\n') && !text.trim_end().chars().any(char::is_control), "{text:?}");
        assert!(text.starts_with("<6>seen x\\n<0>kernel panic"), "{text:?}");
    }

    #[test]
    fn the_span_of_a_transaction_is_named_with_its_fields() {
        let text = logged(Style::Journal, LevelFilter::INFO, || {
            let span = info_span!("query", id = 7, name = %"a\nb");
            span.in_scope(|| info!("answered"));
        });
        assert_eq!(text, "<6>query{id=7 name=a\\nb}: answered\n");
    }

    #[test]
    fn what_lies_below_the_level_is_left_out() {
        let text = logged(Style::Journal, LevelFilter::WARN, || {
            info!("not this");
            warn!("this");
        });
        assert_eq!(text, "<4>this\n");
        assert_eq!(level("DEBUG"), Some(LevelFilter::DEBUG));
        assert_eq!(level("verbose"), None);
    }

    #[test]
    fn the_journal_is_recognised_by_device_and_inode() {
        let file = std::fs::File::open("/dev/null").unwrap();
        let found = fstat(&file).unwrap();
        let matching = format!("{}:{}", found.st_dev, found.st_ino);
        assert!(is_stream(OsStr::new(&matching), file.as_fd()));
        let other = format!("{}:{}", found.st_dev, found.st_ino + 1);
        for wrong in [other.as_str(), "", ":", "1", "x:y"] {
            assert!(!is_stream(OsStr::new(wrong), file.as_fd()), "{wrong}");
        }
    }
}
