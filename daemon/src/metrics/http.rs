//! The page that Prometheus scrapes: `GET /metrics`, in the OpenMetrics text format.
//!
//! As much of HTTP/1.1 (RFC 9112) as that needs: one request per connection, answered with its length
//! and `Connection: close`. Every client is bounded in bytes and time.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::registry::Registry;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Longest request head, in bytes.
const MAX_HEAD: usize = 8 * 1024;
/// Clients served at once; others wait to be accepted.
const MAX_CLIENTS: usize = 16;
/// Time for a whole exchange, the client's reading included.
const EXCHANGE_TIME: Duration = Duration::from_secs(10);
/// Pause after an error of accept that does not go away by itself, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PLAIN: &str = "text/plain; charset=utf-8";

/// Answers scrapes until the future is dropped. Needs a tokio runtime with I/O and time.
///
/// `listener` comes from [`crate::tcp::listen`]. The only error is that of handing it to the runtime.
pub async fn serve(listener: std::net::TcpListener, registry: Arc<Registry>) -> io::Result<Infallible> {
    let listener = TcpListener::from_std(listener)?;
    let mut clients = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if clients.len() < MAX_CLIENTS => match accepted {
                Ok((stream, _)) => {
                    let registry = Arc::clone(&registry);
                    clients.spawn(async move { timeout(EXCHANGE_TIME, exchange(stream, &registry)).await });
                }
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a client of the metrics page");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = clients.join_next() => {}
        }
    }
}

async fn exchange(mut stream: TcpStream, registry: &Registry) -> io::Result<()> {
    let answer = match read_head(&mut stream).await? {
        Head::Complete(head) => respond(&head, registry),
        Head::TooLong => plain("431 Request Header Fields Too Large", "the request is too long\n", true, ""),
        Head::Aborted => return Ok(()),
    };
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await?;
    // Closing while bytes of the request are unread would reset the connection and might destroy the
    // answer on its way (RFC 9112, section 9.6).
    let mut rest = [0; 1024];
    for _ in 0..64 {
        if stream.read(&mut rest).await? == 0 {
            break;
        }
    }
    Ok(())
}

enum Head {
    Complete(Vec<u8>),
    TooLong,
    Aborted,
}

async fn read_head(stream: &mut TcpStream) -> io::Result<Head> {
    let mut head = Vec::with_capacity(1024);
    loop {
        if head.windows(4).any(|end| end == b"\r\n\r\n") {
            return Ok(Head::Complete(head));
        }
        if head.len() >= MAX_HEAD {
            return Ok(Head::TooLong);
        }
        let mut chunk = [0; 1024];
        let count = stream.read(&mut chunk).await?;
        if count == 0 {
            return Ok(Head::Aborted);
        }
        head.extend_from_slice(chunk.get(..count).unwrap_or_default());
    }
}

fn respond(head: &[u8], registry: &Registry) -> String {
    let Some((method, target)) = request_line(head) else {
        return plain("400 Bad Request", "not an HTTP/1 request\n", true, "");
    };
    let with_body = method != "HEAD";
    if method != "GET" && method != "HEAD" {
        return plain("405 Method Not Allowed", "only GET and HEAD\n", true, "Allow: GET, HEAD\r\n");
    }
    // A proxy's absolute form is not served; a query string is ignored, as other exporters do.
    if target.split('?').next() != Some("/metrics") {
        return plain("404 Not Found", "the metrics are at /metrics\n", with_body, "");
    }
    let mut text = String::new();
    match prometheus_client::encoding::text::encode(&mut text, registry) {
        Ok(()) => answer("200 OK", OPEN_METRICS, &text, with_body, ""),
        Err(_) => plain("500 Internal Server Error", "the metrics cannot be encoded\n", with_body, ""),
    }
}

/// Method and target of `METHOD SP target SP HTTP/1.x CRLF`.
fn request_line(head: &[u8]) -> Option<(&str, &str)> {
    let line = head.split(|byte| *byte == b'\n').next()?;
    let line = std::str::from_utf8(line).ok()?.strip_suffix('\r')?;
    let mut words = line.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    let complete = words.next().is_none() && version.starts_with("HTTP/1.");
    (complete && !method.is_empty()).then_some((method, target))
}

fn plain(status: &str, body: &str, with_body: bool, extra: &str) -> String {
    answer(status, PLAIN, body, with_body, extra)
}

fn answer(status: &str, content_type: &str, body: &str, with_body: bool, extra: &str) -> String {
    let mut text = String::with_capacity(body.len() + 200);
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n{extra}Connection: close\r\n\r\n",
        body.len()
    );
    if with_body {
        text.push_str(body);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Counters;
    use std::io::{Read, Write};
    use std::net::{Shutdown, SocketAddr};

    crate::counted_reasons! {
        enum Outcome {
            Answered => "answered",
            Refused => "refused",
        }
    }

    /// Serves one counter with 3 answers, runs `clients`, then stops.
    fn with_page(clients: impl FnOnce(SocketAddr) + Send + 'static) {
        let counters = Counters::<Outcome>::new("hostbook_test_queries", "Queries", "outcome");
        counters.tally().add(Outcome::Answered, 3);
        let mut registry = Registry::default();
        counters.register(&mut registry);
        let listener = crate::tcp::listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let clients = tokio::task::spawn_blocking(move || clients(address));
            tokio::select! {
                stopped = serve(listener, Arc::new(registry)) => panic!("{stopped:?}"),
                done = clients => done.unwrap(),
            }
        });
    }

    fn ask(address: SocketAddr, request: &[u8]) -> String {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream.write_all(request).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn a_scrape_gets_the_metrics_with_their_length_and_type() {
        with_page(|address| {
            let text = ask(address, b"GET /metrics?x=1 HTTP/1.1\r\nHost: x\r\n\r\n");
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            assert!(
                head.starts_with("HTTP/1.1 200 OK\r\nContent-Type: application/openmetrics-text;"),
                "{head}"
            );
            assert!(head.contains(&format!("\r\nContent-Length: {}\r\n", body.len())), "{head}");
            assert!(body.contains("hostbook_test_queries_total{outcome=\"answered\"} 3\n"), "{body}");
            assert!(body.contains("hostbook_test_queries_total{outcome=\"refused\"} 0\n"), "{body}");
            assert!(body.ends_with("# EOF\n"), "{body}");
        });
    }

    #[test]
    fn head_gets_the_same_head_without_a_body() {
        with_page(|address| {
            let get = ask(address, b"GET /metrics HTTP/1.0\r\n\r\n");
            let head = ask(address, b"HEAD /metrics HTTP/1.0\r\n\r\n");
            assert_eq!(head, get[..get.find("\r\n\r\n").unwrap() + 4]);
        });
    }

    #[test]
    fn what_is_no_scrape_gets_the_right_refusal() {
        with_page(|address| {
            let status = |request: &[u8]| ask(address, request).lines().next().unwrap_or_default().to_owned();
            assert_eq!(status(b"GET / HTTP/1.1\r\n\r\n"), "HTTP/1.1 404 Not Found");
            assert_eq!(status(b"GET /metricsx HTTP/1.1\r\n\r\n"), "HTTP/1.1 404 Not Found");
            assert_eq!(status(b"POST /metrics HTTP/1.1\r\n\r\nbody"), "HTTP/1.1 405 Method Not Allowed");
            assert_eq!(status(b"GET /metrics\r\n\r\n"), "HTTP/1.1 400 Bad Request");
            assert_eq!(status(b"\xff\xfe / HTTP/1.1\r\n\r\n"), "HTTP/1.1 400 Bad Request");
            assert_eq!(status(b"GET /metrics HTTP/2.0\r\n\r\n"), "HTTP/1.1 400 Bad Request");
            let long = [b"GET /metrics HTTP/1.1\r\nX: ".as_slice(), &[b'x'; MAX_HEAD], b"\r\n\r\n"].concat();
            assert_eq!(status(&long), "HTTP/1.1 431 Request Header Fields Too Large");
        });
    }

    #[test]
    fn a_request_in_single_bytes_is_answered_and_a_hang_up_is_not() {
        with_page(|address| {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            stream.set_nodelay(true).unwrap();
            for byte in b"GET /metrics HTTP/1.1\r\n\r\n" {
                stream.write_all(&[*byte]).unwrap();
            }
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            assert!(text.starts_with("HTTP/1.1 200 OK\r\n"));

            let mut stream = std::net::TcpStream::connect(address).unwrap();
            stream.write_all(b"GET /met").unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            assert_eq!(text, "");
        });
    }
}
