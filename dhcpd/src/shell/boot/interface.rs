//! The boot service on one interface. It follows the interface when that goes away and comes back.

use std::future::pending;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use daemon::ListenError;
use daemon::interfaces::{Interface, interfaces};
use daemon::udp;
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinSet;
use tracing::{info, warn};

use super::content::Shared;
use super::{http, tftp};
use crate::boot::tftp::PORT;
use crate::shell::interface::follow;

/// Open sockets on one interface.
#[derive(Debug)]
pub(super) struct Door {
    name: String,
    index: u32,
    mtu: u32,
    requests: Vec<std::net::UdpSocket>,
    connections: Vec<std::net::TcpListener>,
}

impl Door {
    /// Opens the sockets.
    ///
    /// # Errors
    /// A port is taken, or a permission is missing.
    pub(super) fn open(name: &str, http_port: u16, interfaces: &[Interface]) -> Result<Door, ListenError> {
        let interface = interfaces.iter().find(|interface| interface.name == name);
        let (mut requests, mut connections) = (Vec::new(), Vec::new());
        for everywhere in [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)] {
            let mut options = udp::Options::new(SocketAddr::new(everywhere, PORT));
            options.device = Some(name.to_owned());
            let opened = udp::bind(&options).and_then(|socket| {
                let listener = daemon::tcp::listen_on(name, SocketAddr::new(everywhere, http_port))?;
                Ok((socket, listener))
            });
            match opened {
                Ok((socket, listener)) => {
                    requests.push(socket);
                    connections.push(listener);
                }
                // A machine without IPv6 serves IPv4.
                Err(_) if everywhere.is_ipv6() => {}
                Err(error) => return Err(error),
            }
        }
        let (index, mtu) = interface.map_or((0, 1500), |interface| (interface.index, interface.mtu));
        Ok(Door { name: name.to_owned(), index, mtu, requests, connections })
    }
}

/// Serves an interface until the task is dropped.
pub(super) async fn serve(door: Door, shared: Arc<Shared>) {
    let (name, port) = (door.name.clone(), shared.http_port);
    let mut first = Some(door);
    let open = |index| match first.take() {
        Some(door) if door.index == index => Ok(door),
        _ => {
            info!(interface = %name, "the interface changed: its boot service begins anew");
            Door::open(&name, port, &interfaces().unwrap_or_default())
        }
    };
    let serve = |door| {
        let tasks = start(door, &shared);
        async move {
            let _tasks = tasks;
            pending::<()>().await;
        }
    };
    follow(&name, "nothing can be booted by this interface yet", || true, open, serve).await;
}

fn start(door: Door, shared: &Arc<Shared>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for socket in door.requests {
        match UdpSocket::from_std(socket) {
            Ok(socket) => {
                let door = tftp::Door { device: door.name.clone(), mtu: door.mtu };
                tasks.spawn(tftp::serve(socket, door, Arc::clone(shared)));
            }
            Err(error) => warn!(%error, "TFTP cannot be served"),
        }
    }
    for listener in door.connections {
        match TcpListener::from_std(listener) {
            Ok(listener) => {
                tasks.spawn(http::serve(listener, Arc::clone(shared)));
            }
            Err(error) => warn!(%error, "HTTP cannot be served"),
        }
    }
    tasks
}
