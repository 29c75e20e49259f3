use super::*;
use crate::load_texts;
use std::sync::Arc;

const INVENTORY: &str = r#"
[site]
nameservers = ["ns1.lab.example.org"]
contact = "hostmaster@lab.example.org"

[zone."lab.example.org"]

[network.servers]
zone = "lab.example.org"
ipv4 = "10.20.0.0/24"
gateway = "10.20.0.1"
dns = ["10.20.0.2", "2001:db8::2"]

[network.oob]
zone = "lab.example.org"
ipv4 = "10.99.0.0/24"

[host.ns1]
network = "servers"
ip = "10.20.0.2"

[host.web1]
network = "servers"
mac = "52:54:00:AA:00:11"
ip = "10.20.0.11"
tags = ["web", "prod"]
cpu = 4
memory = "8 GiB"
disk = { root = "40 GiB" }

[host.hv1.nic.lan]
network = "servers"
mac = "0c:c4:7a:00:00:01"
ip = "10.20.0.5"
[host.hv1.nic.ipmi]
network = "oob"
mac = "0c:c4:7a:00:00:02"
ip = "10.99.0.5"
"#;

fn subject(name: &str) -> Subject {
    let snapshot = load_texts(&[("inventory.toml", INVENTORY)]).unwrap();
    let inventory = &snapshot.inventory;
    let urls = Arc::new(Urls::example());
    let shard = &inventory.shards[0];
    let fqdn = format!("{name}.lab.example.org");
    let host = shard.iter().find(|host| host.name.fqdn.to_string().starts_with(&fqdn)).unwrap();
    Subject::new(&inventory.globals, host.into(), &urls)
}

fn render(text: &str, name: &str) -> Result<String, Fault> {
    Engine::new().read(text)?.render(&subject(name))
}

#[test]
fn every_documented_variable_has_its_value() {
    let cases = [
        ("{{ host.name }} {{ host.fqdn }} {{ host.zone }}", "web1 web1.lab.example.org lab.example.org"),
        ("{{ host.mac }} {{ host.ip }} {{ host.state }}", "52:54:00:aa:00:11 10.20.0.11 active"),
        ("{{ host.tags | join(',') }} {{ 'web' in host.tags }}", "prod,web True"),
        ("{{ host.cpu }} {{ host.memory_mib }} {{ host.disks.root }}", "4 8192 42949672960"),
        ("{{ network.name }} {{ network.netmask }}/{{ network.prefix_length }}", "servers 255.255.255.0/24"),
        ("{{ network.gateway }} {{ network.dns4 | join(' ') }}", "10.20.0.1 10.20.0.2"),
        ("{{ network.dns | join(' ') }} {{ network.zone }}", "10.20.0.2 2001:db8::2 lab.example.org"),
        ("{{ site.nameservers[0] }}", "ns1.lab.example.org"),
        ("{{ server_url }} {{ boot_url }}", "http://192.0.2.1 http://192.0.2.1/hostbook/host.example/0"),
        ("{% for nic in host.nics %}{{ nic.ip }} {% endfor %}", "10.20.0.11 "),
    ];
    for (template, expected) in cases {
        assert_eq!(render(template, "web1").as_deref(), Ok(expected), "{template}");
    }
    let nics = "{% for nic in host.nics %}{{ nic.key }} {{ nic.name }} {{ nic.network.name }};{% endfor %}";
    assert_eq!(render(nics, "hv1").unwrap(), "lan hv1 servers;ipmi hv1-ipmi oob;");
}

#[test]
fn a_variable_that_a_host_does_not_have_is_an_error_at_its_place() {
    let text = "line one\nmac {{ host.mac }}\n";
    let fault = render(text, "ns1").unwrap_err();
    assert!(fault.is_undefined);
    assert_eq!(fault.message, "`host.mac` is not defined");
    let (start, end) = fault.range.unwrap();
    assert_eq!(&text[start..end], "host.mac");
    assert!(render("{{ hsot.name }}", "web1").unwrap_err().is_undefined);
    assert!(render("{{ host.nmae }}", "web1").unwrap_err().is_undefined);
    let guarded = "{% if host.mac is defined %}{{ host.mac }}{% else %}none{% endif %}";
    assert_eq!(render(guarded, "ns1").unwrap(), "none");
}

#[test]
fn wrong_syntax_is_told_with_its_line() {
    let text = "fine\n{% if host.name %}\nnever closed\n";
    let fault = Engine::new().read(text).err().unwrap();
    assert!(fault.message.starts_with("syntax error: "), "{}", fault.message);
    assert!(!fault.is_undefined && fault.range.is_some());
}

#[test]
fn text_is_neither_escaped_nor_trimmed() {
    assert_eq!(render("{{ '<a&b>' }}\n", "web1").unwrap(), "<a&b>\n");
}

#[test]
fn a_template_that_never_ends_is_stopped() {
    let text = "{% for a in range(10000) %}{% for b in range(10000) %}{{ b }}{% endfor %}{% endfor %}";
    assert_eq!(render(text, "web1").unwrap_err().message, "it takes too many steps");
}
