//! The sockets on port 547: one for each interface, which hears the two groups that servers hear.
//!
//! They are open only while the inventory has IPv6 to serve, so that another DHCPv6 server may run
//! beside a daemon that serves IPv4 only.

use std::io;
use std::net::{Ipv6Addr, SocketAddr, UdpSocket};

use daemon::ListenError;
use daemon::interfaces::Interface;
use daemon::udp;

use crate::core::v6::SERVER_PORT;
use crate::shell::ports::Port;

/// All_DHCP_Relay_Agents_and_Servers and All_DHCP_Servers (RFC 8415, section 7.1).
const GROUPS: [Ipv6Addr; 2] =
    [Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2), Ipv6Addr::new(0xff05, 0, 0, 0, 0, 0, 1, 3)];

/// Ports of the named interfaces, each once, none open yet.
pub(in crate::shell) fn closed(names: &[String]) -> Vec<Port> {
    let mut all: Vec<Port> = Vec::with_capacity(names.len());
    for name in names {
        if !all.iter().any(|port| port.name == *name) {
            all.push(Port::closed(name.clone(), bind));
        }
    }
    all
}

fn bind(interface: &Interface) -> Result<UdpSocket, ListenError> {
    let everywhere = SocketAddr::from((Ipv6Addr::UNSPECIFIED, SERVER_PORT));
    let options = udp::Options { device: Some(interface.name.clone()), ..udp::Options::new(everywhere) };
    let socket = udp::bind(&options)?;
    join(&socket, interface.index).map_err(|error| udp::explain(&options, error))?;
    Ok(socket)
}

fn join(socket: &UdpSocket, interface: u32) -> io::Result<()> {
    GROUPS.iter().try_for_each(|group| socket.join_multicast_v6(group, interface))
}
