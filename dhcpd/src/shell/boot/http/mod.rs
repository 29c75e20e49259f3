//! HTTP as boot firmware speaks it: GET and HEAD, 1.0 and 1.1, always with a length, parts on request.

mod body;
mod range;

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
use crate::boot::{BootEvent, Target, What};
use body::Part;
use range::{Wanted, wanted};

/// A connection on which nothing happens for so long is closed.
const IDLE: Duration = Duration::from_secs(60);
/// Pause after an error that may stay, such as too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves connections until the task is dropped.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => match shared.connections.enter(peer) {
                Ok(room) => {
                    let shared = Arc::clone(&shared);
                    tokio::spawn(async move {
                        connection(stream, peer.ip().to_canonical(), &shared).await;
                        drop(room);
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

async fn connection(stream: TcpStream, peer: IpAddr, shared: &Arc<Shared>) {
    let Ok(local) = stream.local_addr() else { return };
    let local = local.ip().to_canonical();
    let _ = stream.set_nodelay(true);
    let activity = Activity::default();
    let service =
        service_fn(|request| async move { Ok::<_, Infallible>(answer(&request, peer, local, shared)) });
    let serving = http1::Builder::new()
        .keep_alive(true)
        .half_close(true)
        .serve_connection(Connection::new(stream, activity.clone()), service);
    tokio::select! {
        ended = serving => if let Err(error) = ended {
            debug!(%error, %peer, "a connection ended");
        },
        () = activity.stopped(IDLE) => debug!(%peer, "a connection was idle"),
    }
}

fn answer(request: &Request<Incoming>, peer: IpAddr, local: IpAddr, shared: &Shared) -> Response<Part> {
    let target = match Target::parse_url(request.uri().path()) {
        Ok(target) => target,
        Err(event) => return refusal(shared.refuse(event, "no such path".to_owned())),
    };
    // Proxmox's installer asks for its file by POST.
    let takes_posts = matches!(target, Target::Made { what: What::Done(_) | What::File(_), .. });
    match *request.method() {
        Method::GET | Method::HEAD => {}
        Method::POST | Method::PUT if takes_posts => {}
        _ => {
            let mut response = refusal(shared.refuse(BootEvent::Write, "GET and HEAD are served".to_owned()));
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
    }
    match shared.find(&target, peer, local) {
        Ok(content) => part(content, content_type(&target), request),
        Err(refused) => refusal(refused),
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
