//! What keeps a server from listening, and what to do about it.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;

use crate::explain::{Explain, reason};

/// A socket that could not be opened.
#[derive(Debug)]
pub struct ListenError {
    socket: Wanted,
    source: io::Error,
}

/// What is spoken on a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Udp,
    Tcp,
}

#[derive(Debug)]
enum Wanted {
    Address { transport: Transport, address: SocketAddr, device: Option<String> },
    Packet,
}

impl ListenError {
    pub(crate) fn listen(
        transport: Transport,
        address: SocketAddr,
        device: Option<String>,
        source: io::Error,
    ) -> ListenError {
        ListenError { socket: Wanted::Address { transport, address, device }, source }
    }

    pub(crate) fn packet(source: io::Error) -> ListenError {
        ListenError { socket: Wanted::Packet, source }
    }

    /// The kind of the system's error.
    pub fn kind(&self) -> io::ErrorKind {
        self.source.kind()
    }

    fn port(&self) -> Option<u16> {
        match &self.socket {
            Wanted::Address { address, .. } => Some(address.port()),
            Wanted::Packet => None,
        }
    }

    fn who_listens(&self) -> Option<String> {
        let Wanted::Address { transport, address, .. } = &self.socket else { return None };
        let (port, flags) = match transport {
            Transport::Udp => (address.port(), "-ulpn"),
            Transport::Tcp => (address.port(), "-tlpn"),
        };
        let find = format!("`ss {flags} 'sport = :{port}'` (as root) names the process that has it");
        Some(match port {
            53 => format!(
                "{find}. Often it is systemd-resolved: listen on this machine's own addresses instead of all, \
                 or set `DNSStubListener=no` in `/etc/systemd/resolved.conf`"
            ),
            67 | 547 => format!(
                "{find}: another DHCP server, such as dnsmasq (libvirt starts one for its networks), \
                 isc-dhcp-server or Kea. Stop it, or serve other interfaces"
            ),
            _ => find,
        })
    }

    fn permission(&self) -> String {
        let program = std::env::current_exe().map_or("PROGRAM".to_owned(), |path| path.display().to_string());
        let grant =
            format!("start it by systemd, or run `setcap cap_net_bind_service,cap_net_raw+ep {program}`");
        match self.port() {
            None => format!("packet sockets need root or CAP_NET_RAW: {grant}"),
            Some(1..1024) => format!("ports below 1024 need root or CAP_NET_BIND_SERVICE: {grant}"),
            Some(_) => "a sandbox or a security module forbids it: \
                        look into the service's unit and the kernel's log (`dmesg`)"
                .to_owned(),
        }
    }
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = reason(&self.source);
        match &self.socket {
            Wanted::Packet => write!(f, "cannot open a packet socket: {reason}"),
            Wanted::Address { transport, address, device } => {
                let transport = match transport {
                    Transport::Udp => "UDP",
                    Transport::Tcp => "TCP",
                };
                write!(f, "cannot listen on `{address}` ({transport}")?;
                if let Some(device) = device {
                    write!(f, ", interface `{device}`")?;
                }
                write!(f, "): {reason}")
            }
        }
    }
}

impl Error for ListenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

impl Explain for ListenError {
    fn help(&self) -> Option<String> {
        match self.source.raw_os_error()? {
            libc::EACCES | libc::EPERM => Some(self.permission()),
            libc::EADDRINUSE => self.who_listens(),
            libc::EADDRNOTAVAIL => Some(
                "no interface has this address: `ip address` lists those there are. \
                 A service that starts before its network is up needs `After=network-online.target`"
                    .to_owned(),
            ),
            libc::ENODEV => Some("no interface has this name: `ip link` lists those there are".to_owned()),
            libc::EAFNOSUPPORT => Some(
                "this machine has no IPv6 (perhaps `ipv6.disable=1`): listen on IPv4 addresses only"
                    .to_owned(),
            ),
            libc::EMFILE => {
                Some("this process has too many open files: raise `LimitNOFILE=` or `ulimit -n`".to_owned())
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(transport: Transport, address: &str, device: Option<&str>, errno: i32) -> ListenError {
        let device = device.map(str::to_owned);
        ListenError::listen(transport, address.parse().unwrap(), device, io::Error::from_raw_os_error(errno))
    }

    #[test]
    fn a_privileged_port_without_permission_names_the_capability() {
        let error = error(Transport::Udp, "0.0.0.0:53", None, libc::EACCES);
        assert_eq!(error.to_string(), "cannot listen on `0.0.0.0:53` (UDP): permission denied");
        let help = error.help().unwrap();
        assert!(help.starts_with("ports below 1024 need root or CAP_NET_BIND_SERVICE: "), "{help}");
        assert!(help.contains("setcap cap_net_bind_service,cap_net_raw+ep /"), "{help}");
    }

    #[test]
    fn a_port_in_use_names_the_usual_owner() {
        let dns = error(Transport::Udp, "0.0.0.0:53", None, libc::EADDRINUSE).help().unwrap();
        assert!(dns.contains("systemd-resolved") && dns.contains("`ss -ulpn 'sport = :53'`"), "{dns}");
        let dhcp = error(Transport::Udp, "0.0.0.0:67", None, libc::EADDRINUSE).help().unwrap();
        assert!(dhcp.contains("another DHCP server"), "{dhcp}");
        let other = error(Transport::Udp, "0.0.0.0:5300", None, libc::EADDRINUSE).help().unwrap();
        assert!(other.ends_with("names the process that has it"), "{other}");
    }

    #[test]
    fn a_missing_interface_or_address_says_which_command_lists_them() {
        let device = error(Transport::Udp, "0.0.0.0:67", Some("eth9"), libc::ENODEV);
        assert_eq!(
            device.to_string(),
            "cannot listen on `0.0.0.0:67` (UDP, interface `eth9`): no such device"
        );
        assert!(device.help().unwrap().contains("`ip link`"));
        let address = error(Transport::Tcp, "[2001:db8::1]:53", None, libc::EADDRNOTAVAIL);
        assert_eq!(
            address.to_string(),
            "cannot listen on `[2001:db8::1]:53` (TCP): cannot assign requested address"
        );
        assert!(address.help().unwrap().contains("network-online.target"));
    }

    #[test]
    fn a_packet_socket_without_permission_names_its_capability() {
        let error = ListenError::packet(io::Error::from_raw_os_error(libc::EPERM));
        assert_eq!(error.to_string(), "cannot open a packet socket: operation not permitted");
        assert!(error.help().unwrap().contains("CAP_NET_RAW"));
    }
}
