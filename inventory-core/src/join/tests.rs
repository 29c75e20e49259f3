//! Two customers and what they cannot share.

use super::*;
use crate::diag::Finding;

fn customer(zone: &str, net: &str, more: &str) -> Snapshot {
    customer_on(zone, net, "", more)
}

/// With further keys of the network.
fn customer_on(zone: &str, net: &str, keys: &str, more: &str) -> Snapshot {
    let text = format!(
        "[site]\nnameservers = [\"ns1.{zone}\"]\ncontact = \"h@lab.example.org\"\n[zone.\"{zone}\"]\n[network.servers]\nzone = \"{zone}\"\nipv4 = \"{net}.0/24\"\n{keys}[host.ns1]\nnetwork = \"servers\"\nip = \"{net}.2\"\n[host.web]\nnetwork = \"servers\"\nmac = \"52:54:00:00:00:01\"\nip = \"{net}.3\"\nalias = \"www\"\nboot = \"installer\"\n[boot.installer]\nscript = \"boot.ipxe\"\n{more}"
    );
    crate::load_texts(&[("a.toml", &text), ("boot.ipxe", "#!ipxe\n")]).unwrap()
}

fn codes(findings: &[Finding]) -> Vec<&'static str> {
    findings.iter().map(|finding| finding.rule.code()).collect()
}

#[test]
fn two_customers_keep_their_own_names_networks_and_files() {
    let (a, b) = (customer("a.example", "10.1.0", ""), customer("b.example", "10.2.0", ""));
    let parts = [Part { label: "a", snapshot: &a }, Part { label: "b", snapshot: &b }];
    assert!(clashes(&parts[..1], &b.inventory).is_empty());
    let (hash, joined) = Joiner::default().join(&parts);
    assert_ne!(hash, a.hash);
    let networks: Vec<&str> = joined.globals.networks.iter().map(|network| &*network.name).collect();
    assert_eq!(networks, ["servers", "servers@b"]);
    for host in joined.hosts() {
        let network = joined.globals.network(host.primary().network);
        assert!(network.contains(host.primary().addresses[0]), "{host:?} is in {}", network.name);
        assert!(host.name.fqdn.is_within(&joined.globals.zone(host.name.zone).name));
        assert_eq!(network.zone, Some(host.name.zone));
    }
    let paths: Vec<&str> = joined.shards.iter().map(|shard| &*shard.path).collect();
    assert_eq!(paths, ["a.toml", "b:a.toml"]);
    assert!(joined.files.contains_key("boot.ipxe") && joined.files.contains_key("b:boot.ipxe"));
    let second = joined.hosts().last().and_then(|host| host.boot).unwrap();
    assert_eq!(&*joined.globals.boot(second).name, "installer@b");
    let zones: Vec<String> = joined.globals.zones.iter().map(|zone| zone.name.to_string()).collect();
    assert_eq!(zones.len(), 4, "{zones:?}");
    for zone in &joined.globals.zones {
        assert_eq!(
            joined.globals.zone_named(&zone.name).map(|id| &joined.globals.zone(id).name),
            Some(&zone.name)
        );
    }
}

#[test]
fn links_of_one_name_are_each_customers_own() {
    let two = |zone: &str, net: &str, third: u8| {
        let more = format!("[network.annex]\nlink = \"floor\"\nipv4 = \"10.9.{third}.0/24\"\n");
        customer_on(zone, net, "link = \"floor\"\n", &more)
    };
    let (a, b) = (two("a.example", "10.1.0", 1), two("b.example", "10.2.0", 2));
    let parts = [Part { label: "a", snapshot: &a }, Part { label: "b", snapshot: &b }];
    let (_, joined) = Joiner::default().join(&parts);
    let networks = &joined.globals.networks;
    let on_link = |name: &str| {
        let network = networks.iter().find(|network| *network.name == *name).unwrap();
        let others = network.link.as_ref().unwrap().others.iter();
        others.map(|id| &*joined.globals.network(*id).name).collect::<Vec<_>>()
    };
    for (name, other) in
        [("annex", "servers"), ("servers", "annex"), ("annex@b", "servers@b"), ("servers@b", "annex@b")]
    {
        assert_eq!(on_link(name), [other], "{name}");
    }
}

#[test]
fn an_unchanged_customers_files_stay_shared_when_another_changes() {
    let a = customer("a.example", "10.1.0", "");
    let b = [
        customer("b.example", "10.2.0", ""),
        customer("b.example", "10.2.0", "[host.new]\nnetwork = \"servers\"\n"),
    ];
    let mut joiner = Joiner::default();
    let mut join =
        |b: &Snapshot| joiner.join(&[Part { label: "a", snapshot: &a }, Part { label: "b", snapshot: b }]).1;
    let (first, second) = (join(&b[0]), join(&b[1]));
    let changes = second.changes_since(&first);
    assert!(!changes.globals);
    let paths = |shards: &[Arc<Shard>]| shards.iter().map(|shard| shard.path.to_string()).collect::<Vec<_>>();
    assert_eq!(
        (paths(&changes.removed), paths(&changes.added)),
        (vec!["b:a.toml".to_owned()], vec!["b:a.toml".to_owned()])
    );
}

#[test]
fn addresses_zones_and_names_in_anothers_zone_are_clashes_of_the_later_one() {
    let a = customer("a.example", "10.1.0", "[host.\"x.c.a.example\"]\nnetwork = \"servers\"\n");
    let earlier = [Part { label: "a", snapshot: &a }];
    let judged =
        |zone: &str, net: &str, more: &str| codes(&clashes(&earlier, &customer(zone, net, more).inventory));
    assert_eq!(judged("b.example", "10.2.0", ""), [""; 0]);
    assert_eq!(judged("b.example", "10.1.0", ""), ["HB045"]);
    assert_eq!(judged("a.example", "10.2.0", ""), ["HB007"]);
    assert_eq!(judged("c.a.example", "10.2.0", ""), ["HB056"], "it would hide x.c.a.example");
    assert_eq!(judged("d.a.example", "10.2.0", ""), [""; 0], "a zone of one's own below another's");
    assert_eq!(judged("example", "10.2.0", "[host.\"www.a.example\"]\nnetwork = \"servers\"\n"), ["HB056"]);
}

#[test]
fn a_delegated_prefix_shares_no_addresses_with_anothers() {
    let with = |zone: &str, net: &str, network: &str, host: &str| {
        let more = format!(
            "[network.v6]\nzone = \"{zone}\"\nipv6 = \"2001:db8:{net}::/64\"\n{network}[host.cpe]\nnetwork = \"v6\"\nmac = \"02:00:00:00:00:01\"\n{host}"
        );
        customer(zone, &format!("10.{net}.0"), &more)
    };
    let a = with("a.example", "1", "pd-pool = \"2001:db8:10::/44\"\n", "pd = \"2001:db8:40::/56\"\n");
    let earlier = [Part { label: "a", snapshot: &a }];
    let judged = |network: &str, host: &str| {
        codes(&clashes(&earlier, &with("b.example", "2", network, host).inventory))
    };
    assert_eq!(judged("pd-pool = \"2001:db8:20::/44\"\n", "pd = \"2001:db8:40:100::/56\"\n"), [""; 0]);
    assert_eq!(judged("", "pd = \"2001:db8:1f::/56\"\n"), ["HB041"], "inside the pool");
    assert_eq!(judged("", "pd = \"2001:db8:40::/48\"\n"), ["HB041"], "around the host's prefix");
    assert_eq!(judged("", "pd = \"2001:db8:1::/48\"\n"), ["HB041"], "around the network");
    assert_eq!(judged("pd-pool = \"2001:db8:40::/56\"\n", ""), ["HB041"], "the same");
    // Of several sources, each is named that has addresses of it, with what has them.
    let c = with("c.example", "3", "", "pd = \"2001:db8:41::/56\"\n");
    let earlier = [earlier[0], Part { label: "c", snapshot: &c }];
    let later = with("b.example", "2", "", "pd = \"2001:db8:40::/47\"\n");
    let findings = clashes(&earlier, &later.inventory);
    let messages: Vec<&str> = findings.iter().map(|finding| &*finding.message).collect();
    let of = |other: &str| format!("host `cpe.b.example` (2001:db8:40::/47) shares addresses with {other}");
    assert_eq!(
        messages,
        [
            of("host `cpe.a.example` (2001:db8:40::/56) of `a`"),
            of("host `cpe.c.example` (2001:db8:41::/56) of `c`")
        ]
    );
    let later = with("b.example", "2", "", "pd = \"2001:db8:1f::/56\"\n");
    let message = &clashes(&earlier, &later.inventory)[0].message;
    assert!(message.ends_with("shares addresses with network `v6` (2001:db8:10::/44) of `a`"), "{message}");
}

#[test]
fn a_reverse_zone_of_networks_of_both_is_one() {
    let half = |zone: &str, half: &str| {
        let text = format!(
            "[site]\nnameservers = [\"ns.elsewhere.example\"]\ncontact = \"h@lab.example.org\"\n[zone.\"{zone}\"]\n[network.n]\nzone = \"{zone}\"\nipv4 = \"10.3.0.{half}/25\"\n"
        );
        crate::load_texts(&[("a.toml", &text)]).unwrap()
    };
    let (a, b) = (half("a.example", "0"), half("b.example", "128"));
    let parts = [Part { label: "a", snapshot: &a }, Part { label: "b", snapshot: &b }];
    assert!(clashes(&parts[..1], &b.inventory).is_empty());
    let (_, joined) = Joiner::default().join(&parts);
    let zones: Vec<String> = joined.globals.zones.iter().map(|zone| zone.name.to_string()).collect();
    assert_eq!(zones.iter().filter(|zone| zone.as_str() == "0.3.10.in-addr.arpa").count(), 1, "{zones:?}");
}

#[test]
fn the_keys_of_all_are_known_and_one_name_means_one_secret() {
    let key = |name: &str, file: &str| format!("[key.{name}]\nfile = \"{file}\"\n");
    let a = customer("a.example", "10.1.0", &key("one", "/k/1"));
    let b = customer("b.example", "10.2.0", &format!("{}{}", key("one", "/k/1"), key("two", "/k/2")));
    let parts = [Part { label: "a", snapshot: &a }, Part { label: "b", snapshot: &b }];
    assert!(clashes(&parts[..1], &b.inventory).is_empty());
    let (_, joined) = Joiner::default().join(&parts);
    let keys: Vec<(String, &str)> =
        joined.globals.keys.iter().map(|key| (key.name.to_string(), &*key.file)).collect();
    assert_eq!(keys, [("one".to_owned(), "/k/1"), ("two".to_owned(), "/k/2")]);
    let other = customer("b.example", "10.2.0", &key("one", "/k/9"));
    assert_eq!(codes(&clashes(&parts[..1], &other.inventory)), ["HB007"]);
}
