//! DNS over QUIC (RFC 9250): a stream for each query.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use quinn::{Connection, Endpoint, EndpointConfig, Incoming, RecvStream, SendStream, VarInt};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::warn;

use super::super::connections::{Connections, Later, QUERY_OCTETS_MAX, Seat};
use super::super::counters::{Carrier, Traffic};
use super::super::stream::{MAKING, append, next_message};
use super::super::tcp::{FAREWELL, told};
use super::super::transfer;
use super::tls::HANDSHAKE;

/// Queries of a connection that are answered at once.
const STREAMS_MAX: u32 = 64;
/// Octets that a client may send ahead, on a stream and on a connection.
const WINDOWS: [u32; 2] = [2 * 4096, 64 << 10];
/// Octets that wait for a client to acknowledge them.
const SEND_WINDOW: u64 = 256 << 10;
/// How long a client may take to complete its query, or to read its answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Error codes (RFC 9250, section 8.4).
const NO_ERROR: VarInt = VarInt::from_u32(0);
const INTERNAL_ERROR: VarInt = VarInt::from_u32(1);
const PROTOCOL_ERROR: VarInt = VarInt::from_u32(2);

/// Opens a socket on `address`; an IPv6 address means IPv6 only.
pub(super) fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// What a connection may do.
pub(super) fn limits() -> quinn::TransportConfig {
    let mut limits = quinn::TransportConfig::default();
    let [stream, connection] = WINDOWS.map(VarInt::from_u32);
    limits
        .max_concurrent_bidi_streams(STREAMS_MAX.into())
        .max_concurrent_uni_streams(0_u32.into())
        .stream_receive_window(stream)
        .receive_window(connection)
        .send_window(SEND_WINDOW)
        .datagram_receive_buffer_size(None);
    limits
}

/// Answers on `socket` until `stop` turns true.
pub(super) async fn serve(
    socket: UdpSocket,
    config: quinn::ServerConfig,
    connections: Arc<Connections>,
    mut stop: watch::Receiver<bool>,
) {
    let runtime = Arc::new(quinn::TokioRuntime);
    let endpoint = match Endpoint::new(EndpointConfig::default(), Some(config), socket, runtime) {
        Ok(endpoint) => endpoint,
        Err(error) => return warn!(%error, "cannot wait for QUIC connections"),
    };
    let mut serving = JoinSet::new();
    loop {
        tokio::select! {
            () = told(&mut stop) => break,
            Some(_) = serving.join_next() => {}
            incoming = endpoint.accept() => {
                let Some(incoming) = incoming else { break };
                let peer = incoming.remote_address().ip();
                if !incoming.remote_address_validated() && connections.are_many(peer) {
                    // Fails for who has been asked already, which was looked at.
                    let _ = incoming.retry();
                } else if let Some(seat) = connections.admit(peer, Carrier::Quic) {
                    serving.spawn(connection(incoming, seat));
                } else {
                    incoming.refuse();
                }
            }
        }
    }
    endpoint.close(NO_ERROR, &[]);
    let _ = timeout(FAREWELL, endpoint.wait_idle()).await;
}

async fn connection(incoming: Incoming, seat: Seat) {
    let tally = seat.connections().tally.clone();
    let Ok(Ok(connection)) = timeout(HANDSHAKE, incoming).await else {
        return tally.traffic.count(Traffic::HandshakeFailed);
    };
    let seat = Arc::new(seat);
    let mut streams = JoinSet::new();
    loop {
        tokio::select! {
            accepted = timeout(seat.idle(), connection.accept_bi()), if streams.is_empty() => match accepted {
                Ok(Ok(stream)) => drop(streams.spawn(query(stream, Arc::clone(&seat), connection.clone()))),
                Ok(Err(_)) => return,
                Err(_) => {
                    tally.traffic.count(Traffic::TcpIdle);
                    return connection.close(NO_ERROR, &[]);
                }
            },
            accepted = connection.accept_bi(), if !streams.is_empty() => match accepted {
                Ok(stream) => drop(streams.spawn(query(stream, Arc::clone(&seat), connection.clone()))),
                Err(_) => return,
            },
            Some(_) = streams.join_next() => {}
        }
    }
}

/// Answers the query of one stream.
async fn query((mut send, mut receive): (SendStream, RecvStream), seat: Arc<Seat>, connection: Connection) {
    // The client says that its query is complete by ending its half (RFC 9250, section 4.2).
    let received = timeout(PATIENCE, receive.read_to_end(2 + QUERY_OCTETS_MAX)).await;
    let Ok(Ok(octets)) = received else {
        // Of one query or one connection no more is to be expected.
        let _ = send.reset(PROTOCOL_ERROR);
        return;
    };
    let message = next_message(&octets).filter(|(_, used)| *used == octets.len());
    // The stream says which answer belongs to which query (RFC 9250, section 4.2.1).
    let Some((message, _)) = message.filter(|(message, _)| message.starts_with(&[0, 0])) else {
        seat.connections().tally.traffic.count(Traffic::QuicInvalid);
        return connection.close(PROTOCOL_ERROR, b"a stream has one message, whose id is 0");
    };
    let mut output = Vec::new();
    let later = match seat.answer(message, |reply| append(reply, &mut output)) {
        Some(Later::Transfer(granted)) => Some(granted),
        Some(Later::Reply(reply)) => {
            if let Ok(Ok(reply)) = timeout(MAKING, reply).await {
                append(&reply, &mut output);
            }
            None
        }
        Some(Later::Busy) | None => None,
    };
    let failed = match later {
        // A stream that ends says that all was sent.
        Some(granted) => (!transfer::send(&seat, *granted, &mut send).await).then_some(INTERNAL_ERROR),
        // Its end before a whole answer would be the end of the connection (RFC 9250, section 4.3.3).
        None if output.is_empty() => Some(INTERNAL_ERROR),
        None => {
            let sent = timeout(PATIENCE, send.write_all(&output)).await;
            (!matches!(sent, Ok(Ok(())))).then_some(PROTOCOL_ERROR)
        }
    };
    // Either fails if the client has left.
    let _ = match failed {
        Some(code) => send.reset(code),
        None => send.finish(),
    };
}

#[cfg(test)]
mod tests;
