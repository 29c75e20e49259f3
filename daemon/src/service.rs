//! Everything in a daemon but its packets: signals, the control socket, metrics, the watchdog.

use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::control::{self, Request};
use crate::exit::Fatal;
use crate::follow::Following;
use crate::metrics::{self, Registry};
use crate::notify::Notifier;
use crate::signals::{Asked, Signals};

/// What others may read, and how.
pub struct Pages {
    /// Answers `hostbook status` and its like.
    pub control: control::Server,
    /// Answers scrapes, if anybody asked for that.
    pub metrics: Option<TcpListener>,
    /// What a scrape returns.
    pub registry: Registry,
}

/// Attends to signals and readers until a signal says to finish.
///
/// `answer` answers requests on the control socket but `look`, which looks at the inventory at once; `alive` says whether the threads that answer
/// packets have gone on since it was asked last.
///
/// # Errors
/// The control socket or the metrics cannot be served any more.
pub async fn attend(
    mut signals: Signals,
    notifier: &Notifier,
    following: &Following,
    pages: Pages,
    answer: impl Fn(&Request) -> Value + Send + Sync + 'static,
    alive: impl Fn() -> bool,
) -> Result<(), Fatal> {
    let Pages { control, metrics, registry } = pages;
    let scraping = async {
        match metrics {
            Some(listener) => metrics::serve(listener, Arc::new(registry)).await,
            None => std::future::pending().await,
        }
    };
    let asked = async {
        loop {
            match signals.next().await {
                Asked::Finish => return,
                Asked::Look => following.look_now(),
            }
        }
    };
    let waker = following.waker();
    let answer = move |request: &Request| match request.get.as_str() {
        // Whoever may read may also ask for a look: it costs one stat a file.
        "look" => {
            waker.look_now();
            json!({ "looking": true })
        }
        _ => answer(request),
    };
    tokio::select! {
        () = asked => Ok(()),
        ended = control.serve(move |request| answer(&request)) => failed("serve the control socket", ended),
        ended = scraping => failed("serve metrics", ended),
        () = notifier.keep_watchdog(alive) => Ok(()),
    }
}

fn failed(action: &str, ended: io::Result<Infallible>) -> Result<(), Fatal> {
    match ended {
        Ok(never) => match never {},
        Err(error) => Err(Fatal::system(action, &error)),
    }
}
