//! Taking connections in.

use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::{debug, warn};

use super::connections::{Connections, Seat};
use super::counters::Carrier;
use super::stream::Connection;

/// How long saying goodbye to a client may take, and to all of them when the daemon finishes.
pub(super) const FAREWELL: Duration = Duration::from_secs(1);
/// Pause after an error of accept that does not go away by itself, such as too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// Takes in the clients of `listener` until `stop` turns true, then lets what `serve` made of them finish.
pub(super) async fn accept<F: Future<Output = ()> + Send + 'static>(
    listener: StdListener,
    (connections, carrier): (Arc<Connections>, Carrier),
    mut stop: watch::Receiver<bool>,
    serve: impl Fn(TcpStream, Seat) -> F,
) {
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return warn!(%error, "cannot wait for connections"),
    };
    let mut serving = JoinSet::new();
    loop {
        tokio::select! {
            () = told(&mut stop) => break,
            Some(_) = serving.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    if let Some(seat) = connections.admit(peer.ip(), carrier) {
                        // Answers are written whole: nothing is gained by waiting for more octets.
                        let _ = stream.set_nodelay(true);
                        serving.spawn(serve(stream, seat));
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    debug!(%error, "a connection cannot be accepted");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
    drop(listener);
    let finished = async { while serving.join_next().await.is_some() {} };
    let _ = timeout(FAREWELL, finished).await;
}

/// Returns once `stop` is true.
pub(super) async fn told(stop: &mut watch::Receiver<bool>) {
    // Who could tell has ended as well if it fails.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Answers on `listener`, without encryption, until `stop` turns true.
pub(super) async fn serve(listener: StdListener, connections: Arc<Connections>, stop: watch::Receiver<bool>) {
    let stopping = stop.clone();
    let answer = move |stream, seat| Connection { seat, stream, stop: stop.clone() }.serve();
    accept(listener, (connections, Carrier::Tcp), stopping, answer).await;
}
