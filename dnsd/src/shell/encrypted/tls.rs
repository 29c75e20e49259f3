//! DNS over TLS (RFC 7858), and what else begins with TLS.

use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::super::connections::{Carrier, Connections, Seat};
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
    let stopping = stop.clone();
    let answer = move |stream, seat| {
        let (acceptor, stop) = (acceptor.clone(), stop.clone());
        async move {
            if let Some(stream) = handshake(&acceptor, stream, &seat).await {
                Connection { seat, stream, stop }.serve().await;
            }
        }
    };
    accept(listener, (connections, Carrier::Tls), stopping, answer).await;
}

/// Agrees on keys with a client.
pub(super) async fn handshake(
    acceptor: &TlsAcceptor,
    stream: TcpStream,
    seat: &Seat,
) -> Option<TlsStream<TcpStream>> {
    if let Ok(Ok(stream)) = timeout(HANDSHAKE, acceptor.accept(stream)).await {
        return Some(stream);
    }
    seat.connections().tally.traffic.count(Traffic::HandshakeFailed);
    None
}
