//! `hostbook list` and `hostbook show`.

use integration_tests::place::Place;

use super::{first_words, hostbook, json, printed, slip};

#[test]
fn hosts_are_listed_by_name_and_picked_by_tag_state_and_network() {
    let place = Place::lab();
    let list = |args: &[&str]| {
        let table = printed(&place, args);
        first_words(&table)
            .into_iter()
            .map(|name| name.trim_end_matches(".lab.example.org.").to_owned())
            .collect()
    };
    let all: Vec<String> = list(&["list"]);
    assert_eq!(all, ["hv1", "mail", "ns1", "pbx", "web1", "web2"].map(|name| full(&place, name)));
    let picked: [(&[&str], &[&str]); 5] = [
        (&["list", "--tag", "web"], &["web1", "web2"]),
        (&["list", "--tag", "web", "--state", "install"], &["web2"]),
        (&["list", "--state", "planned", "--state", "retired"], &[]),
        (&["list", "hosts", "--network", "oob"], &["hv1"]),
        (&["list", "--tag", "web", "--tag", "nothing"], &[]),
    ];
    for (args, wanted) in picked {
        let wanted: Vec<String> = wanted.iter().map(|name| full(&place, name)).collect();
        assert_eq!(list(args), wanted, "{args:?}");
    }
}

/// How a host of the example is listed.
fn full(place: &Place, name: &str) -> String {
    json(place, &["show", name, "--json"])[0]["host"].as_str().unwrap().to_owned()
}

#[test]
fn networks_zones_and_tags_have_their_tables() {
    let place = Place::lab();
    assert_eq!(first_words(&printed(&place, &["list", "networks"])), ["oob", "servers"]);
    assert!(printed(&place, &["list", "networks"]).contains("10.20.0.200-10.20.0.250"));
    assert!(printed(&place, &["list", "zones"]).contains("0.20.10.in-addr.arpa"));
    let tags = printed(&place, &["list", "tags"]);
    assert_eq!(first_words(&tags), ["prod", "web"]);
    assert!(tags.lines().nth(1).unwrap().ends_with(" 2"), "{tags}");
}

#[test]
fn json_holds_what_the_tables_do() {
    let place = Place::lab();
    let hosts = json(&place, &["list", "--json"]);
    let web1 =
        hosts.as_array().unwrap().iter().find(|host| host["nics"][0]["mac"] == "52:54:00:aa:00:11").unwrap();
    assert_eq!(web1["nics"][0]["ip"], serde_json::json!(["10.20.0.11", "2001:db8:20::11"]));
    assert_eq!((&web1["state"], &web1["vmhost"], &web1["cpu"]), (&"active".into(), &"hv1".into(), &4.into()));
    assert_eq!(web1["memory"], 8_u64 << 30);
    let networks = json(&place, &["list", "networks", "--json"]);
    assert_eq!(networks[1]["gateway"], "10.20.0.1");
    assert_eq!(json(&place, &["list", "tags", "--json"]), serde_json::json!({ "prod": 2, "web": 2 }));
    assert!(json(&place, &["list", "zones", "--json"]).as_array().unwrap().len() >= 3);
}

#[test]
fn a_host_is_shown_by_its_name_its_alias_its_nic_its_mac_and_its_addresses() {
    let place = Place::lab();
    for what in
        ["web1", "web1.lab.example.org", "WEB1", "www", "52-54-00-AA-00-11", "10.20.0.11", "2001:db8:20::11"]
    {
        let text = printed(&place, &["show", what]);
        assert!(text.starts_with("host       web1.lab.example.org"), "{what}: {text}");
        assert!(text.contains("hosts/web.toml"), "{text}");
    }
    let text = printed(&place, &["show", "hv1-ipmi"]);
    assert!(text.contains("10.99.0.5") && text.contains("10.20.0.5"), "{text}");
    let ns1 = printed(&place, &["show", "ns1"]);
    assert!(ns1.contains("none: served by DNS only"), "{ns1}");
    assert_eq!(json(&place, &["show", "hv1", "--json"])[0]["file"], "hosts/machines.toml");
}

#[test]
fn what_is_not_there_is_code_1_with_what_may_be_meant() {
    let place = Place::lab();
    for (args, wanted) in [
        (&["show", "web11"][..], "did you mean `web"),
        (&["show", "10.20.0.99"], "no host has the name or address `10.20.0.99`"),
        (&["list", "--network", "server"], "did you mean `servers`?"),
    ] {
        let ran = hostbook(&place, args);
        assert_eq!((ran.code(), ran.out.as_str()), (1, ""), "{ran:?}");
        assert!(ran.err.starts_with("hostbook: ") && ran.err.contains(wanted), "{}", ran.err);
    }
}

#[test]
fn a_broken_inventory_is_code_65_and_shows_the_mistake() {
    let place = Place::lab();
    slip(&place);
    for args in [&["list"][..], &["show", "web1"]] {
        let ran = hostbook(&place, args);
        assert_eq!((ran.code(), ran.out.as_str()), (65, ""));
        assert!(ran.err.contains("hosts/web.toml:12:10: error[HB040]"), "{}", ran.err);
    }
}
