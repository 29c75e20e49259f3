//! Live leases of other servers are taken over: whoever has an address keeps it, and nobody else gets it.

use std::time::{SystemTime, UNIX_EPOCH};

use dhcproto::v4::MessageType;
use integration_tests::dhcp;
use integration_tests::isolated::isolated;
use integration_tests::net::Lan;
use integration_tests::place::Place;
use integration_tests::programs::{Launch, directory};
use integration_tests::run::sh;

/// A lease as each server keeps it: of the machine and the address with this last octet.
fn lines(format: &str, last: u8, now: u64) -> String {
    let (mac, address, ends) = (format!("02:00:00:00:00:{last:02x}"), format!("10.20.0.{last}"), now + 3600);
    match format {
        "kea" => format!(
            "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id\n\
             {address},{mac},01:{mac},3600,{ends},1,0,0,old-{last}.,0,,0\n"
        ),
        "isc" => format!(
            "lease {address} {{\n  ends epoch {ends};\n  binding state active;\n  hardware ethernet {mac};\n  client-hostname \"old-{last}\";\n}}\n"
        ),
        _ => format!("{ends} {mac} {address} old-{last} 01:{mac}\n"),
    }
}

#[test]
fn leases_of_kea_isc_and_dnsmasq_are_kept_by_their_clients() {
    isolated(|| {
        let lan = Lan::new("lan0", &["10.20.0.2/24"]);
        let relay = lan.attach("relay", "52:54:00:ff:00:01");
        relay.add_address("10.20.0.3/24");
        let place = Place::lab();
        place.edit("networks.toml", "lease   = \"12h\"", "lease   = \"12h\"\nprobe   = false");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let (programs, state) =
            (directory().display().to_string(), place.state("dhcpd").display().to_string());
        // The first address of the pool is among them: a newcomer would get it.
        let taken = [("kea", 200), ("isc", 201), ("dnsmasq", 202)];
        for (format, last) in taken {
            let file = place.path().join(format);
            std::fs::write(&file, lines(format, last, now)).unwrap();
            sh(&format!(
                "{programs}/hostbook import-leases {format} {} | {programs}/hostbook-dhcpd --state {state} --import-leases -",
                file.display()
            ));
        }
        let dhcpd = Launch::dhcpd(&place).args(&["--interface", "lan0"]).start();
        let leases = dhcpd.ask("leases");
        assert_eq!(leases.as_array().unwrap().len(), 3, "{leases}");
        relay.on(|| {
            let mut client = dhcp::Client::new([10, 20, 0, 3].into(), [10, 20, 0, 2].into());
            let newcomer = client.discover([2, 0, 0, 0, 1, 1]).address.octets();
            assert!(newcomer[3] > 202, "{newcomer:?} is somebody's");
            for (format, last) in taken {
                let mac = [2, 0, 0, 0, 0, last];
                let kept = client.rebind(mac, [10, 20, 0, last].into());
                assert_eq!((kept.kind, kept.address.octets()[3]), (MessageType::Ack, last), "{format}");
                assert_eq!(client.discover(mac).address.octets()[3], last, "{format}");
            }
        });
    });
}
