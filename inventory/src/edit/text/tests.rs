use super::*;

/// What hosts' keys come after each other.
const ORDER: &[&str] = &["use", "network", "mac", "ip", "alias", "tags", "state", "boot", "cpu", "disk"];

fn after(text: &str, edit: impl FnOnce(&mut Doc)) -> String {
    let mut doc = Doc::new(text);
    edit(&mut doc);
    assert!(doc.text().parse::<toml::Table>().is_ok(), "not TOML any more:\n{}", doc.text());
    doc.text().to_owned()
}

fn set(path: &'static [&'static str], value: Literal) -> impl FnOnce(&mut Doc) {
    move |doc| assert!(doc.set(path, &value, ORDER))
}

const ALIGNED: &str = "# Hardware.\n\n[host.ns1] # here\nnetwork = \"servers\"\nip      = '10.0.0.2' # static\n\n# the big one\n[host.hv1]\n[host.hv1.nic.lan]\nnetwork = \"servers\"\nip      = [\n    \"10.0.0.5\", # first\n    \"10.0.0.6\"  # second\n]\n";

#[test]
fn a_scalar_is_replaced_in_its_place_and_kind_of_quotes() {
    let text = after(ALIGNED, set(&["host", "ns1", "ip"], Literal::text("10.0.0.3")));
    assert_eq!(text, ALIGNED.replace("'10.0.0.2'", "'10.0.0.3'"));
}

#[test]
fn a_new_key_takes_its_place_among_the_others_and_their_column() {
    let text = after(ALIGNED, set(&["host", "ns1", "mac"], Literal::text("02:00:00:00:00:01")));
    assert_eq!(text, ALIGNED.replace("ip      = '1", "mac     = \"02:00:00:00:00:01\"\nip      = '1"));
    let text = after(ALIGNED, set(&["host", "hv1", "cpu"], Literal::One("8".into())));
    assert_eq!(text, ALIGNED.replace("[host.hv1]\n", "[host.hv1]\ncpu = 8\n"));
    let text = after(ALIGNED, set(&["host", "ns1", "disk", "root"], Literal::text("4 GiB")));
    assert_eq!(text, ALIGNED.replace("# static\n", "# static\ndisk    = { root = \"4 GiB\" }\n"));
}

#[test]
fn a_file_without_a_last_line_end_gets_one() {
    assert_eq!(
        after("[host.a]\r\nnetwork=\"n\"", set(&["host", "a", "cpu"], Literal::One("2".into()))),
        "[host.a]\r\nnetwork=\"n\"\r\ncpu=2\r\n"
    );
}

#[test]
fn items_of_a_list_come_and_go_with_their_comments() {
    let path: &[&str] = &["host", "hv1", "nic", "lan", "ip"];
    let list = |items: &[&str]| Literal::texts(items);
    let text = after(
        ALIGNED,
        set(&["host", "hv1", "nic", "lan", "ip"], list(&["10.0.0.5", "10.0.0.6", "10.0.0.7"])),
    );
    assert_eq!(
        text,
        ALIGNED.replace("\"10.0.0.6\"  # second\n", "\"10.0.0.6\",  # second\n    \"10.0.0.7\"\n")
    );
    let mut doc = Doc::new(ALIGNED);
    doc.set(path, &list(&["10.0.0.4", "10.0.0.5"]), ORDER);
    assert_eq!(
        doc.text(),
        ALIGNED.replace(
            "    \"10.0.0.5\", # first\n    \"10.0.0.6\"  # second\n",
            "    \"10.0.0.4\",\n    \"10.0.0.5\" # first\n"
        )
    );
    doc.set(path, &list(&["10.0.0.5"]), ORDER);
    doc.set(path, &list(&[]), ORDER);
    assert!(doc.text().ends_with("ip      = []\n"), "{}", doc.text());
}

#[test]
fn a_list_on_one_line_stays_on_it() {
    for (before, items, expected) in [
        ("[\"a\", \"b\"]", vec!["a", "b", "c"], "[\"a\", \"b\", \"c\"]"),
        ("[ \"a\", ]", vec!["a", "c"], "[ \"a\", \"c\", ]"),
        ("[\"a\", \"b\"]", vec!["b"], "[\"b\"]"),
        ("[\"a\", \"b\"]", vec!["a"], "[\"a\"]"),
        ("[\"a\", # one\n \"b\"]", vec!["a"], "[\"a\", # one\n ]"),
        ("[]", vec!["x", "y"], "[\"x\", \"y\"]"),
        ("\"a\"", vec!["a", "b"], "[\"a\", \"b\"]"),
        ("'a'", vec!["b"], "'b'"),
    ] {
        let text = after(&format!("x.tags = {before}\n"), |doc| {
            assert!(doc.set(&["x", "tags"], &Literal::texts(items), ORDER));
        });
        assert_eq!(text, format!("x.tags = {expected}\n"), "{before}");
    }
}

#[test]
fn removing_a_table_takes_its_comments_and_leaves_headings() {
    assert_eq!(
        after(ALIGNED, |doc| assert!(doc.remove(&["host", "hv1"]))),
        "# Hardware.\n\n[host.ns1] # here\nnetwork = \"servers\"\nip      = '10.0.0.2' # static\n"
    );
    let text = after(ALIGNED, |doc| assert!(doc.remove(&["host", "ns1"])));
    assert_eq!(text, format!("# Hardware.\n\n{}", &ALIGNED[ALIGNED.find("# the big").unwrap()..]));
    assert_eq!(
        after("# file\n[host.a]\nx = 1\n# of a\n\n# free\n\n[host.b]\ny = 1\n", |doc| assert!(
            doc.remove(&["host", "a"])
        )),
        "# file\n\n# free\n\n[host.b]\ny = 1\n"
    );
}

const INLINE: &str = "[host]\nweb1 = { network = \"n\", disk = { root = \"1 GiB\" } } # one\nweb2.network = \"n\"\nweb2.mac = \"02:00:00:00:00:02\"\n";

#[test]
fn inline_and_dotted_tables_are_edited_in_their_own_form() {
    let text = after(INLINE, set(&["host", "web1", "cpu"], Literal::One("2".into())));
    assert!(text.contains("{ network = \"n\", disk = { root = \"1 GiB\" }, cpu = 2 } # one"), "{text}");
    let text = after(INLINE, set(&["host", "web2", "cpu"], Literal::One("2".into())));
    assert!(text.ends_with("web2.mac = \"02:00:00:00:00:02\"\nweb2.cpu = 2\n"), "{text}");
    let text = after(INLINE, |doc| assert!(doc.unset(&["host", "web1", "disk", "root"])));
    assert!(text.contains("web1 = { network = \"n\" } # one"), "{text}");
    let text = after(INLINE, |doc| doc.rename(&["host", "web2"], "a.b"));
    assert!(text.contains("\"a.b\".network = \"n\"\n\"a.b\".mac"), "{text}");
    let text = after(INLINE, |doc| assert!(doc.remove(&["host", "web2"])));
    assert_eq!(text, &INLINE[..INLINE.find("web2").unwrap()]);
}

fn web3() -> NewTable {
    let entries = vec![
        ("network".to_owned(), Literal::text("n")),
        ("ip".to_owned(), Literal::texts(["10.0.0.1", "10.0.0.2"])),
    ];
    NewTable { path: vec!["host".into(), "web3".into()], entries, below: Vec::new() }
}

#[test]
fn a_new_table_takes_the_form_of_its_neighbour() {
    let text = after(INLINE, |doc| doc.insert(Some(&["host", "web1"]), &web3()));
    assert!(
        text.contains("# one\nweb3 = { network = \"n\", ip = [\"10.0.0.1\", \"10.0.0.2\"] }\nweb2"),
        "{text}"
    );
    let text = after(INLINE, |doc| doc.insert(Some(&["host", "web2"]), &web3()));
    assert!(text.ends_with("web3.network = \"n\"\nweb3.ip = [\"10.0.0.1\", \"10.0.0.2\"]\n"), "{text}");
    let text = after(ALIGNED, |doc| doc.insert(Some(&["host", "ns1"]), &web3()));
    assert_eq!(
        text,
        ALIGNED.replace(
            "# static\n",
            "# static\n\n[host.web3]\nnetwork = \"n\"\nip      = [\"10.0.0.1\", \"10.0.0.2\"]\n"
        )
    );
    let text = after("host = { a = { network = \"n\" } }\n", |doc| doc.insert(Some(&["host", "a"]), &web3()));
    assert_eq!(
        text,
        "host = { a = { network = \"n\" }, web3 = { network = \"n\", ip = [\"10.0.0.1\", \"10.0.0.2\"] } }\n"
    );
    let text = after("", |doc| doc.insert(None, &web3()));
    assert_eq!(text, "[host.web3]\nnetwork = \"n\"\nip      = [\"10.0.0.1\", \"10.0.0.2\"]\n");
}

#[test]
fn names_and_places_are_found_in_every_form() {
    let doc = Doc::new(format!("{INLINE}[host.web3]\n[network]\nn = {{}}\n"));
    assert_eq!(doc.names(&["host"]), ["web1", "web2", "web3"]);
    assert_eq!(doc.names(&["host", "web1"]), ["network", "disk"]);
    assert_eq!(doc.names(&["network"]), ["n"]);
    assert_eq!(doc.line_of(&["host", "web2"]), Some(3));
    assert_eq!(doc.strings(&["host", "web1", "disk", "root"]), Some(vec!["1 GiB".to_owned()]));
    assert!(!doc.has(&["host", "web4"]));
}
