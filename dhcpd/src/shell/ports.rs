//! The sockets: one for each interface, bound to it, so that other servers can have other interfaces.
//!
//! An interface may go away and come back with another index, as bridges and VLANs do; its socket is
//! then bound anew. A reply to a client without an address leaves by a packet socket.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

use daemon::ListenError;
use daemon::interfaces::Interface;
use daemon::udp::{self, PacketSocket};
use tracing::{info, warn};

use super::probes::Probes;
use crate::core::{BOOT_PORT, SERVER_PORT};

/// Open sockets, not read yet.
#[derive(Debug)]
pub struct Ports {
    pub(super) all: Vec<Port>,
    /// Where machines ask what they boot beside another server; open while a network wants that.
    pub(super) boot: Vec<Port>,
    pub(super) packet: PacketSocket,
    pub(super) probes: Probes,
}

/// The socket of one interface.
#[derive(Debug)]
pub(super) struct Port {
    pub(super) name: String,
    /// `None` while there is no such interface, or while its socket cannot be opened.
    pub(super) socket: Option<UdpSocket>,
    /// Index of the interface that the socket is bound to.
    index: u32,
    /// What keeps the socket from being opened again was said already.
    told: bool,
    bind: Bind,
}

/// Opens the socket of an interface.
type Bind = fn(&Interface) -> Result<UdpSocket, ListenError>;

impl Ports {
    /// Opens the sockets of the named interfaces; one named twice is opened once.
    ///
    /// # Errors
    /// There is no such interface, the port is taken, or a permission is missing.
    pub fn open(names: &[String], interfaces: &[Interface]) -> Result<Ports, ListenError> {
        let packet = udp::open_packet_socket()?;
        let probes = Probes::open();
        let mut all: Vec<Port> = Vec::with_capacity(names.len());
        for name in names {
            if all.iter().any(|port| port.name == *name) {
                continue;
            }
            let socket = Some(bind(name)?);
            let index = find(name, interfaces).map_or(0, |interface| interface.index);
            all.push(Port { socket, index, ..Port::closed(name.clone(), |interface| bind(&interface.name)) });
        }
        let boot = all.iter().map(|port| Port::closed(port.name.clone(), bind_boot)).collect();
        Ok(Ports { all, boot, packet, probes })
    }
}

impl Ports {
    /// The socket of the interface with this index.
    pub(super) fn of_interface(&self, index: u32) -> Option<&UdpSocket> {
        self.all.iter().find(|port| port.index == index)?.socket.as_ref()
    }
}

impl Port {
    /// A port that [`Port::follow`] is to open.
    pub(super) fn closed(name: String, bind: Bind) -> Port {
        Port { name, socket: None, index: 0, told: false, bind }
    }

    /// Index of the interface that the socket is bound to.
    pub(super) fn index(&self) -> u32 {
        self.index
    }

    /// Lets go of the socket, so that another server may have the port.
    pub(super) fn close(&mut self) {
        (self.socket, self.index, self.told) = (None, 0, false);
    }

    /// Binds the socket anew if the interface is another one than it was.
    pub(super) fn follow(&mut self, interfaces: &[Interface]) {
        let Some(interface) = find(&self.name, interfaces) else {
            if self.socket.take().is_some() {
                warn!(interface = %self.name, "the interface is gone: it is served again when it comes back");
            }
            return;
        };
        if self.socket.is_some() && self.index == interface.index {
            return;
        }
        // The old one first: both would have the same port.
        self.socket = None;
        match (self.bind)(interface) {
            Ok(socket) => {
                if self.index != 0 {
                    info!(interface = %self.name, "the interface is served again");
                }
                (self.socket, self.index, self.told) = (Some(socket), interface.index, false);
            }
            Err(error) if !self.told => {
                warn!(interface = %self.name, %error, "the interface cannot be served yet; trying on");
                self.told = true;
            }
            Err(_) => {}
        }
    }
}

fn bind(name: &str) -> Result<UdpSocket, ListenError> {
    bind_to(name, SERVER_PORT)
}

fn bind_boot(interface: &Interface) -> Result<UdpSocket, ListenError> {
    bind_to(&interface.name, BOOT_PORT)
}

fn bind_to(name: &str, port: u16) -> Result<UdpSocket, ListenError> {
    let everywhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
    let options =
        udp::Options { device: Some(name.to_owned()), broadcast: true, ..udp::Options::new(everywhere) };
    udp::bind(&options)
}

fn find<'a>(name: &str, interfaces: &'a [Interface]) -> Option<&'a Interface> {
    interfaces.iter().find(|interface| interface.name == name)
}
