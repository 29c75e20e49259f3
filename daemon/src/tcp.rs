//! TCP listeners for servers.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

use crate::listen_error::{ListenError, Transport};

/// Listens at `address`, non-blocking; an IPv6 address means IPv6 only. Sockets of the last run that
/// linger in TIME-WAIT are no hindrance.
pub fn listen(address: SocketAddr) -> Result<TcpListener, ListenError> {
    open(address, None).map_err(|error| ListenError::listen(Transport::Tcp, address, None, error))
}

/// Listens as [`listen`] does, for clients that come by one interface (`SO_BINDTODEVICE`).
pub fn listen_on(device: &str, address: SocketAddr) -> Result<TcpListener, ListenError> {
    open(address, Some(device))
        .map_err(|error| ListenError::listen(Transport::Tcp, address, Some(device.to_owned()), error))
}

/// Connections that may wait for being accepted; the kernel clamps it to `net.core.somaxconn`.
const BACKLOG: i32 = 1024;

fn open(address: SocketAddr, device: Option<&str>) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    if let Some(device) = device {
        socket.bind_device(Some(device.as_bytes()))?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::Explain;

    #[test]
    fn a_port_in_use_is_refused_with_the_command_that_finds_its_owner() {
        let first = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = first.local_addr().unwrap();
        let error = listen(address).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot listen on `{address}` (TCP): address already in use"));
        let command = format!("`ss -tlpn 'sport = :{}'`", address.port());
        assert!(error.help().unwrap().contains(&command), "{:?}", error.help());
    }
}
