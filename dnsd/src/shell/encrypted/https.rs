//! DNS over HTTPS (RFC 8484), by HTTP/2 and HTTP/1.1.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::TcpListener as StdListener;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use daemon::http::{Activity, Connection};
use data_encoding::BASE64URL_NOPAD;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::rt::Executor;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::core::lifetime;

use super::super::connections::{Connections, Later, QUERY_OCTETS_MAX, Seat};
use super::super::counters::{Carrier, Traffic};
use super::super::stream::MAKING;
use super::super::tcp::told;
use super::tls::accept_encrypted;

/// Where queries are sent to.
const PATH: &str = "/dns-query";
/// What queries and replies are.
const MESSAGE: HeaderValue = HeaderValue::from_static("application/dns-message");
/// Requests of a connection that are answered at once.
const STREAMS_MAX: u32 = 64;
/// Octets of a request's headers, at most: a query has four thirds of its octets in the address.
const HEADERS_MAX: u32 = 16 << 10;
/// Octets beyond the longest query that are read, and forgotten, before a client is told.
const PASSED_MAX: usize = 64 << 10;
/// What is said of a message that no query is as long as.
const TOO_LONG: (StatusCode, &str) = (StatusCode::PAYLOAD_TOO_LARGE, "no query is as long");
/// How long a client may take to complete the body of its request.
const PATIENCE: Duration = Duration::from_secs(10);

/// Answers on `listener` until `stop` turns true.
pub(super) async fn serve(
    listener: StdListener,
    acceptor: TlsAcceptor,
    connections: Arc<Connections>,
    stop: watch::Receiver<bool>,
) {
    accept_encrypted(listener, acceptor, (connections, Carrier::Https), stop, connection).await;
}

async fn connection(stream: TlsStream<TcpStream>, seat: Seat, mut stop: watch::Receiver<bool>) {
    let (idle, activity) = (seat.idle(), Activity::default());
    let by_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let (seat, io, noted) = (Arc::new(seat), Connection::new(stream, activity.clone()), activity.clone());
    let service = service_fn(move |request| {
        let (seat, activity) = (Arc::clone(&seat), noted.clone());
        async move { Ok::<_, Infallible>(respond(request, &seat, &activity).await) }
    });
    let serving = async {
        // How a client ends its connection makes no difference.
        if by_http2 {
            let mut builder = http2::Builder::new(Tasks);
            builder.max_concurrent_streams(STREAMS_MAX).max_header_list_size(HEADERS_MAX);
            let _ = builder.serve_connection(io, service).await;
        } else {
            let _ =
                http1::Builder::new().max_buf_size(HEADERS_MAX as usize).serve_connection(io, service).await;
        }
    };
    tokio::select! {
        () = serving => {}
        () = activity.stopped(idle) => {}
        () = told(&mut stop) => {}
    }
}

async fn respond(request: Request<Incoming>, seat: &Seat, activity: &Activity) -> Response<Whole> {
    let query = match query_of(request).await {
        Ok(query) => query,
        Err((status, why)) => return refuse(seat, status, why),
    };
    let mut reply = None;
    match seat.answer(&query, |octets| reply = Some(Bytes::copy_from_slice(octets))) {
        Some(Later::Transfer(_)) => {
            return refuse(seat, StatusCode::NOT_IMPLEMENTED, "zones are not copied by HTTPS: use TLS");
        }
        Some(Later::Reply(later)) => {
            let _busy = activity.busy();
            match timeout(MAKING, later).await {
                Ok(Ok(made)) => reply = Some(Bytes::from(made)),
                _ => return busy(),
            }
        }
        Some(Later::Busy) => return busy(),
        None => {}
    }
    let Some(reply) = reply else {
        return refuse(seat, StatusCode::BAD_REQUEST, "this is no query");
    };
    let max_age = format!("max-age={}", lifetime(&reply));
    let mut response = Response::new(Whole(Some(reply)));
    response.headers_mut().insert(CONTENT_TYPE, MESSAGE);
    if let Ok(max_age) = HeaderValue::try_from(max_age) {
        response.headers_mut().insert(CACHE_CONTROL, max_age);
    }
    response
}

/// The query of a request (RFC 8484, section 4.1).
async fn query_of(request: Request<Incoming>) -> Result<Vec<u8>, (StatusCode, &'static str)> {
    if request.uri().path() != PATH {
        return Err((StatusCode::NOT_FOUND, "queries go to /dns-query"));
    }
    match *request.method() {
        Method::GET => {
            let mut parameters = request.uri().query().unwrap_or("").split('&');
            let encoded = parameters.find_map(|parameter| parameter.strip_prefix("dns="));
            let query = encoded.and_then(|encoded| BASE64URL_NOPAD.decode(encoded.as_bytes()).ok());
            let missing = "`dns=` with a query in base64url without padding is missing";
            match query.ok_or((StatusCode::BAD_REQUEST, missing))? {
                query if query.len() <= QUERY_OCTETS_MAX => Ok(query),
                _ => Err(TOO_LONG),
            }
        }
        Method::POST => {
            let is_message = request.headers().get(CONTENT_TYPE) == Some(&MESSAGE);
            // Also where it is not wanted: who still sends does not read what he is told.
            let read = timeout(PATIENCE, read(request.into_body())).await;
            let read =
                read.unwrap_or(Err((StatusCode::REQUEST_TIMEOUT, "the query was not complete in time")));
            let refused = (StatusCode::UNSUPPORTED_MEDIA_TYPE, "queries are application/dns-message");
            read.and_then(|query| if is_message { Ok(query) } else { Err(refused) })
        }
        _ => Err((StatusCode::METHOD_NOT_ALLOWED, "queries come by GET or POST")),
    }
}

async fn read(mut body: Incoming) -> Result<Vec<u8>, (StatusCode, &'static str)> {
    let (mut query, mut passed) = (Vec::new(), 0);
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame = frame.map_err(|_| (StatusCode::BAD_REQUEST, "the query was cut off"))?;
        let octets = frame.data_ref().map_or(&[][..], |data| data);
        if query.len() + passed + octets.len() <= QUERY_OCTETS_MAX {
            query.extend_from_slice(octets);
        } else {
            passed += octets.len();
        }
        if passed > PASSED_MAX {
            break;
        }
    }
    if passed > 0 { Err(TOO_LONG) } else { Ok(query) }
}

/// What a client is told whose question nobody has time for, or found an answer to.
fn busy() -> Response<Whole> {
    let mut response = Response::new(Whole(Some(Bytes::from_static(b"no answer was found in time\n"))));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

fn refuse(seat: &Seat, status: StatusCode, why: &'static str) -> Response<Whole> {
    seat.connections().tally.traffic.count(Traffic::HttpsInvalid);
    let mut response = Response::new(Whole(Some(Bytes::from(format!("{why}\n")))));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(ALLOW, HeaderValue::from_static("GET, POST"));
    }
    response
}

/// A body that is known as a whole.
struct Whole(Option<Bytes>);

impl Body for Whole {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|octets| Ok(Frame::data(octets))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.as_ref().map_or(0, |octets| octets.len() as u64))
    }
}

/// Runs what HTTP/2 does for each request.
#[derive(Clone)]
struct Tasks;

impl<F: Future<Output: Send> + Send + 'static> Executor<F> for Tasks {
    fn execute(&self, future: F) {
        tokio::spawn(future);
    }
}
