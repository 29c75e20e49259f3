//! DNS over TLS (RFC 7858), and what else begins with TLS.

use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::super::connections::{Connections, Seat};
use super::super::counters::Carrier;
use super::super::counters::Traffic;
use super::super::stream::Connection;
use super::super::tcp::accept;

/// How long a client may take to agree on keys.
pub(super) const HANDSHAKE: Duration = Duration::from_secs(5);

/// Answers on `listener` until `stop` turns true.
pub(super) async fn serve(
    listener: StdListener,
    acceptor: TlsAcceptor,
    connections: Arc<Connections>,
    stop: watch::Receiver<bool>,
) {
    let answer = |stream, seat, stop| Connection { seat, stream, stop }.serve();
    accept_encrypted(listener, acceptor, (connections, Carrier::Tls), stop, answer).await;
}

/// Takes in clients until `stop` turns true; `serve` has those that agreed on keys.
pub(super) async fn accept_encrypted<F: Future<Output = ()> + Send + 'static>(
    listener: StdListener,
    acceptor: TlsAcceptor,
    who: (Arc<Connections>, Carrier),
    stop: watch::Receiver<bool>,
    serve: impl Fn(TlsStream<TcpStream>, Seat, watch::Receiver<bool>) -> F + Copy + Send + 'static,
) {
    let stopping = stop.clone();
    let answer = move |stream, seat| {
        let (acceptor, stop) = (acceptor.clone(), stop.clone());
        async move {
            if let Some(stream) = handshake(&acceptor, stream, &seat).await {
                serve(stream, seat, stop).await;
            }
        }
    };
    accept(listener, who, stopping, answer).await;
}

/// Agrees on keys with a client.
async fn handshake(acceptor: &TlsAcceptor, stream: TcpStream, seat: &Seat) -> Option<TlsStream<TcpStream>> {
    if let Ok(Ok(stream)) = timeout(HANDSHAKE, acceptor.accept(stream)).await {
        return Some(stream);
    }
    seat.connections().tally.traffic.count(Traffic::HandshakeFailed);
    None
}
