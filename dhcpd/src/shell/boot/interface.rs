//! The boot service on one interface. It follows the interface when that goes away and comes back.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use daemon::ListenError;
use daemon::interfaces::{Interface, interfaces};
use daemon::udp;
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinSet;
use tracing::{info, warn};

use super::content::Shared;
use super::{http, tftp};
use crate::boot::tftp::PORT;

/// How often the interface is looked at.
const LOOK_INTERVAL: Duration = Duration::from_secs(3);

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
    let mut door = Some(door);
    let mut told = false;
    loop {
        if let Some(open) = door.take() {
            let index = open.index;
            let tasks = start(open, &shared);
            while index_of(&name).await == Some(index) {}
            info!(interface = %name, "the interface changed: its boot service begins anew");
            drop(tasks);
        }
        if index_of(&name).await.is_none() {
            continue;
        }
        match Door::open(&name, port, &interfaces().unwrap_or_default()) {
            Ok(opened) => (door, told) = (Some(opened), false),
            Err(error) if !told => {
                warn!(interface = %name, %error, "nothing can be booted by this interface yet; trying on");
                told = true;
            }
            Err(_) => {}
        }
    }
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

/// The interface's index a little later; `None` if there is no such interface.
async fn index_of(name: &str) -> Option<u32> {
    tokio::time::sleep(LOOK_INTERVAL).await;
    let all = interfaces().ok()?;
    all.iter().find(|interface| interface.name == name).map(|interface| interface.index)
}
