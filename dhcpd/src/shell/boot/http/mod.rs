//! HTTP as boot firmware speaks it: GET and HEAD, 1.0 and 1.1, always with a length, parts on request.

mod body;
mod posted;
mod range;
mod timer;

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use daemon::http::{Activity, Connection};
use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use tokio::net::{TcpListener, TcpStream};
use tracing::debug;

use super::content::{Content, Shared};
use super::limits::Room;
use crate::boot::{BootEvent, Target, What, host_keys};
use body::Part;
use range::{Wanted, wanted};
use timer::TokioTimer;

/// How slow clients may be. Each connection is a place that others would have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// For the head of a request, and for the next one on a connection.
    pub(super) head: Duration,
    /// A client that takes less than [`OCTETS_MIN`] of an answer in this time is given up.
    pub(super) window: Duration,
}

/// Octets of an answer that a client takes in one window: 1 KiB a second, less than any boot can bear.
const OCTETS_MIN: u64 = 60 << 10;

impl Default for Patience {
    fn default() -> Patience {
        Patience { head: Duration::from_secs(15), window: Duration::from_secs(60) }
    }
}

/// Pause after an error that may stay, such as too many open files.
const PAUSE: Duration = Duration::from_millis(100);

const READ: &[Method] = &[Method::GET, Method::HEAD];
/// Proxmox's installer asks for its file by POST.
const ASKED: &[Method] = &[Method::GET, Method::HEAD, Method::POST];
const REPORTED: &[Method] = &[Method::GET, Method::POST];

/// Serves connections until the task is dropped.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => match shared.connections.enter(peer) {
                Ok(room) => {
                    let shared = Arc::clone(&shared);
                    tokio::spawn(async move {
                        tokio::select! {
                            () = connection(stream, peer.ip().to_canonical(), &room, &shared) => {}
                            () = room.taken() => shared.tally.count(BootEvent::MadeRoom),
                        }
                    });
                }
                Err(_) => shared.tally.count(BootEvent::TooMany),
            },
            Err(error) => {
                debug!(%error, "accepting a connection failed");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, peer: IpAddr, room: &Room, shared: &Arc<Shared>) {
    let Ok(local) = stream.local_addr() else { return };
    let local = local.ip().to_canonical();
    let _ = stream.set_nodelay(true);
    let activity = Activity::default();
    let patience = shared.patience;
    let service = service_fn(|request| {
        activity.request();
        room.answered();
        async move { Ok::<_, Infallible>(answer(request, peer, local, shared).await) }
    });
    let serving = http1::Builder::new()
        .keep_alive(true)
        // GRUB 2.06 finds no length in a header that is written otherwise, and waits for ever.
        .title_case_headers(true)
        .half_close(true)
        .timer(TokioTimer)
        .header_read_timeout(patience.head)
        .serve_connection(Connection::new(stream, activity.clone()), service);
    tokio::select! {
        ended = serving => if let Err(error) = ended {
            if error.is_timeout() && activity.is_half_asked() {
                shared.tally.count(BootEvent::Slow);
            }
            debug!(%error, %peer, "a connection ended");
        },
        () = activity.stalls(patience.window, OCTETS_MIN) => {
            shared.tally.count(BootEvent::Slow);
            debug!(%peer, "a client takes its answer too slowly");
        }
    }
}

async fn answer(
    mut request: Request<Incoming>,
    peer: IpAddr,
    local: IpAddr,
    shared: &Shared,
) -> Response<Part> {
    let mut target = match Target::parse_url(request.uri().path()) {
        Ok(target) => target,
        Err(event) => return refusal(shared.refuse(event, "no such path".to_owned())),
    };
    let allowed = methods(&target);
    if !allowed.contains(request.method()) {
        let event = if *request.method() == Method::HEAD { BootEvent::NotReported } else { BootEvent::Write };
        let names: Vec<&str> = allowed.iter().map(Method::as_str).collect();
        let mut response = refusal(shared.refuse(event, format!("{} are served", names.join(" and "))));
        *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        if let Ok(names) = HeaderValue::try_from(names.join(", ")) {
            response.headers_mut().insert(header::ALLOW, names);
        }
        return response;
    }
    if let Target::Made { what: What::Done(report), .. } = &mut target {
        let body = tokio::time::timeout(shared.patience.head, posted::read(request.body_mut()));
        report.host_keys = match body.await {
            Ok(Ok(body)) => host_keys::read(&body),
            Ok(Err(_)) => return refusal(shared.refuse(BootEvent::BadRequest, "it broke off".to_owned())),
            Err(_) => return refusal(shared.refuse(BootEvent::Slow, "it never ends".to_owned())),
        };
    }
    match shared.find(&target, peer, local) {
        Ok(content) => part(content, content_type(&target), &request),
        Err(refused) => refusal(refused),
    }
}

/// What can be done with a target. A report is none that is only looked at.
fn methods(target: &Target) -> &'static [Method] {
    match target {
        Target::Made { what: What::Done(_), .. } => REPORTED,
        Target::Made { what: What::File(_), .. } => ASKED,
        Target::Made { .. } | Target::File(_) => READ,
    }
}

/// All of a content, or the part that is asked for.
fn part(content: Content, content_type: &'static str, request: &Request<Incoming>) -> Response<Part> {
    let size = content.size();
    let header = request.headers().get(header::RANGE).and_then(|value| value.to_str().ok());
    // There are no validators here, so a condition on one never holds (RFC 9110, section 13.1.5).
    let header = header.filter(|_| !request.headers().contains_key(header::IF_RANGE));
    let (status, range, about) = match wanted(header, size) {
        Wanted::All => (StatusCode::OK, 0..size, None),
        Wanted::Part(range) => {
            let about = format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1));
            (StatusCode::PARTIAL_CONTENT, range, Some(about))
        }
        Wanted::Nothing => (StatusCode::RANGE_NOT_SATISFIABLE, 0..0, Some(format!("bytes */{size}"))),
    };
    let mut response = Response::new(Part::of(content, range));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if let Some(about) = about.and_then(|about| HeaderValue::try_from(about).ok()) {
        headers.insert(header::CONTENT_RANGE, about);
    }
    response
}

fn refusal((event, why): (BootEvent, String)) -> Response<Part> {
    let mut response = Response::new(Part::text(format!("{why}\n")));
    *response.status_mut() = match event {
        BootEvent::NotFound => StatusCode::NOT_FOUND,
        BootEvent::BadRequest => StatusCode::BAD_REQUEST,
        BootEvent::Slow => StatusCode::REQUEST_TIMEOUT,
        BootEvent::NotDurable => StatusCode::SERVICE_UNAVAILABLE,
        BootEvent::TemplateFailed => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::FORBIDDEN,
    };
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, text);
    response
}

/// UEFI firmware looks at it (UEFI 2.10, section 24.7.2); everybody else looks at the octets.
fn content_type(target: &Target) -> &'static str {
    match target {
        Target::File(path) if path.ends_with(".efi") => "application/efi",
        Target::File(path) if path.ends_with(".iso") => "application/vnd.efi-iso",
        Target::File(_) => "application/octet-stream",
        Target::Made { .. } => "text/plain; charset=utf-8",
    }
}
