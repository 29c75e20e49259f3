//! Files as people keep them: the same 140 hosts in the words of several systems.

use std::fmt::Write as _;

/// A host of the example company.
pub(super) struct Host {
    pub(super) name: String,
    pub(super) mac: String,
    pub(super) ip: String,
    pub(super) alias: Option<String>,
}

/// Eighty servers in 10.20.0.0/24, sixty desktops in 10.20.4.0/22.
pub(super) fn hosts() -> Vec<Host> {
    let server = |number: u32| {
        let role = ["web", "db", "mail", "build"][number as usize % 4];
        Host {
            name: format!("{role}{}", number / 4 + 1),
            mac: format!("52:54:00:20:00:{number:02x}"),
            ip: format!("10.20.0.{}", 10 + number),
            alias: number.is_multiple_of(7).then(|| format!("service{number}")),
        }
    };
    let desktop = |number: u32| Host {
        name: format!("pc-{number:03}"),
        mac: format!("0c:c4:7a:04:00:{number:02x}"),
        ip: format!("10.20.{}.{}", 4 + number / 20, 20 + number % 20),
        alias: None,
    };
    (0..80).map(server).chain((0..60).map(desktop)).collect()
}

pub(super) const ZONE: &str = "corp.example";

pub(super) fn dnsmasq() -> String {
    let mut text = String::from(
        "# The company's dnsmasq, grown over the years.\n\
         domain-needed\nbogus-priv\ninterface=eth1\nlog-dhcp\ndomain=corp.example\nlocal=/corp.example/\n\n\
         dhcp-range=set:servers,10.20.0.200,10.20.0.250,255.255.255.0,12h\n\
         dhcp-range=set:desktops,10.20.7.0,10.20.7.254,255.255.252.0,2h   # desktops come and go\n\
         dhcp-option=tag:servers,option:router,10.20.0.1\n\
         dhcp-option=tag:desktops,3,10.20.4.1\n\
         dhcp-option=option:dns-server,10.20.0.10,10.20.0.11\n\
         dhcp-option=tag:servers,option:ntp-server,10.20.0.12\n\
         dhcp-option=tag:desktops,252,\"http://wpad.corp.example/wpad.dat\"\n\
         server=9.9.9.9\nenable-tftp\n\n",
    );
    for (number, host) in hosts().iter().enumerate() {
        let Host { name, mac, ip, .. } = host;
        let line = match number % 3 {
            0 => format!("dhcp-host={mac},{name},{ip}"),
            1 => format!("dhcp-host={mac},{ip},{name},24h # rack {}", number / 10),
            _ => format!("dhcp-host={},set:known,{ip},{name}", mac.to_uppercase()),
        };
        let _ = writeln!(text, "{line}");
        if number < 80 {
            let _ = writeln!(text, "host-record={name}.{ZONE},{name},{ip}");
        }
        if let Some(alias) = &host.alias {
            let _ = writeln!(text, "cname={alias}.{ZONE},{name}.{ZONE}");
        }
    }
    text.push_str(
        "mx-host=corp.example,mail1.corp.example,10\nsrv-host=_ldap._tcp.corp.example,db1.corp.example,389\n\
         txt-record=corp.example,\"v=spf1 mx -all\"\n",
    );
    text
}

pub(super) fn isc() -> String {
    let mut text = String::from(
        "# dhcpd.conf\nauthoritative;\noption domain-name \"corp.example\";\noption domain-name-servers 10.20.0.10, 10.20.0.11;\n\
         default-lease-time 7200;\nmax-lease-time 86400;\nddns-update-style none;\n\n\
         class \"phones\" {\n  match if substring (hardware, 1, 3) = 00:04:13;\n}\n\n\
         subnet 10.20.0.0 netmask 255.255.255.0 {\n  option routers 10.20.0.1;\n  option ntp-servers 10.20.0.12;\n  default-lease-time 43200;\n  range 10.20.0.200 10.20.0.250;\n}\n\n\
         shared-network floor {\n  subnet 10.20.4.0 netmask 255.255.252.0 {\n    option routers 10.20.4.1;\n    pool {\n      deny unknown-clients;\n      range 10.20.7.0 10.20.7.254;\n    }\n  }\n}\n\ngroup {\n  next-server 10.20.0.9;\n",
    );
    for host in hosts() {
        let Host { name, mac, ip, .. } = host;
        let _ = writeln!(text, "  host {name} {{ hardware ethernet {mac}; fixed-address {ip}; }}");
    }
    text.push_str("}\n");
    text
}

pub(super) fn kea() -> String {
    let reservation = |host: &Host| {
        format!(
            "          {{ \"hw-address\": \"{}\", \"ip-address\": \"{}\", \"hostname\": \"{}.{ZONE}\" }}",
            host.mac, host.ip, host.name
        )
    };
    let all = hosts();
    let list = |hosts: &[Host]| hosts.iter().map(reservation).collect::<Vec<_>>().join(",\n");
    format!(
        "// Kea, in production since 2021\n{{ \"Dhcp4\": {{\n  \"interfaces-config\": {{ \"interfaces\": [\"eth1\"] }},\n  \"valid-lifetime\": 7200, # two hours\n  \"option-data\": [\n    {{ \"name\": \"domain-name-servers\", \"data\": \"10.20.0.10, 10.20.0.11\" }},\n    {{ \"name\": \"domain-name\", \"data\": \"corp.example\" }},\n  ],\n  \"subnet4\": [\n    {{ \"id\": 1, \"subnet\": \"10.20.0.0/24\", \"valid-lifetime\": 43200,\n      \"pools\": [ {{ \"pool\": \"10.20.0.200 - 10.20.0.250\" }} ],\n      \"option-data\": [ {{ \"name\": \"routers\", \"data\": \"10.20.0.1\" }}, {{ \"code\": 42, \"csv-format\": false, \"data\": \"0A14000C\" }} ],\n      \"reservations\": [\n{}\n      ] }},\n    {{ \"id\": 2, \"subnet\": \"10.20.4.0/22\", /* the floor */\n      \"pools\": [ {{ \"pool\": \"10.20.7.0-10.20.7.254\" }} ],\n      \"option-data\": [ {{ \"name\": \"routers\", \"data\": \"10.20.4.1\" }} ],\n      \"reservations\": [\n{}\n      ] }}\n  ],\n  \"hooks-libraries\": [ {{ \"library\": \"/usr/lib/kea/hooks/libdhcp_ha.so\" }} ]\n}} }}\n",
        list(&all[..80]),
        list(&all[80..])
    )
}

pub(super) fn forward() -> String {
    let mut text = String::from(
        "$TTL 3600\n$ORIGIN corp.example.\n@ IN SOA ns1.corp.example. hostmaster.corp.example. ( 2026010101 ; serial\n  7200 900 1209600 300 )\n\
         \tIN NS ns1\n\tIN NS ns2\n\tIN MX 10 mail1\n\tIN TXT \"v=spf1 mx -all\"\n_ldap._tcp 600 IN SRV 0 5 389 db1\n\
         ns1 IN A 10.20.0.2\nns2 IN A 10.20.0.3\n*.apps IN A 10.20.0.10\nlegacy IN CNAME www.elsewhere.example.\n",
    );
    for (number, host) in hosts().iter().enumerate() {
        let Host { name, ip, .. } = host;
        let _ = match number % 2 {
            0 => writeln!(text, "{name}\tIN\tA\t{ip} ; {}", host.mac),
            _ => writeln!(text, "{name}.corp.example. A {ip}"),
        };
        if number % 10 == 0 && number < 80 {
            let _ = writeln!(text, "\tIN AAAA 2001:db8:20::{}", number + 16);
        }
        if let Some(alias) = &host.alias {
            let _ = writeln!(text, "{alias} CNAME {name}");
        }
    }
    text
}

pub(super) fn backward() -> String {
    let mut text = String::from(
        "$TTL 3600\n@ SOA ns1.corp.example. hostmaster.corp.example. 1 7200 900 1209600 300\n NS ns1.corp.example.\n2 PTR ns1.corp.example.\n3 PTR ns2.corp.example.\n99 PTR forgotten.corp.example.\n",
    );
    for host in &hosts()[..80] {
        let last = host.ip.rsplit('.').next().unwrap();
        let _ = writeln!(text, "{last} PTR {}.corp.example.", host.name);
    }
    text
}

/// /etc/hosts and /etc/ethers.
pub(super) fn hosts_and_ethers() -> (String, String) {
    let (mut etc_hosts, mut ethers) = (
        String::from("127.0.0.1 localhost\n::1 localhost ip6-localhost\nfe80::1%lo0 localhost\n\n"),
        String::new(),
    );
    for host in hosts() {
        let alias = host.alias.map(|alias| format!(" {alias}")).unwrap_or_default();
        let _ = writeln!(etc_hosts, "{}\t{}.{ZONE} {}{alias}", host.ip, host.name, host.name);
        let _ = writeln!(ethers, "{} {}", host.mac.replace(":0", ":"), host.name);
    }
    (etc_hosts, ethers)
}
