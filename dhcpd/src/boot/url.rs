//! URLs of the boot service: what DHCP tells machines, and what scripts and files say.

use std::net::{IpAddr, SocketAddr};

use inventory_core::name::Name;

use super::target::{NOBODY, PREFIX, encoded};

/// URL of the service at this address, without a slash at the end.
pub fn server_url(address: IpAddr, http_port: u16) -> String {
    match http_port {
        80 if address.is_ipv4() => format!("http://{address}"),
        80 => format!("http://[{address}]"),
        port => format!("http://{}", SocketAddr::new(address, port)),
    }
}

/// Path of the script of `host`, or of the machines of `network` that nobody has written down; without a slash
/// at the front.
pub fn script_path(host: Option<&Name>, network: &str) -> String {
    match host {
        Some(host) => format!("{PREFIX}/{host}/boot.ipxe"),
        None => format!("{PREFIX}/{NOBODY}/{}/boot.ipxe", encoded(network)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Target, What, Whom};
    use super::*;

    #[test]
    fn the_services_url_is_as_short_as_it_can_be() {
        let url = |address: &str, port| server_url(address.parse().unwrap(), port);
        assert_eq!(url("10.0.0.1", 80), "http://10.0.0.1");
        assert_eq!(url("10.0.0.1", 8080), "http://10.0.0.1:8080");
        assert_eq!(url("2001:db8::1", 80), "http://[2001:db8::1]");
        assert_eq!(url("2001:db8::1", 8080), "http://[2001:db8::1]:8080");
    }

    #[test]
    fn the_path_of_a_script_is_read_as_what_it_is_of() {
        let host = Name::parse("web1.lab.example", None).unwrap();
        for (path, whom) in [
            (script_path(Some(&host), "lan"), Whom::Host("web1.lab.example".into())),
            (script_path(None, "first floor"), Whom::Unknown("first floor".into())),
        ] {
            let made = Target::Made { whom, version: None, what: What::Script };
            assert_eq!(Target::parse_url(&path), Ok(made), "{path}");
        }
    }
}
