//! Random edits of random files, beside the same edits of what the `toml` crate reads from them.

use proptest::prelude::*;
use toml::{Table, Value as Toml};

use super::*;

const ORDER: &[&str] = &["network", "mac", "ip", "tags", "cpu"];
const KEYS: &[&str] = &["network", "mac", "state", "boot"];

/// One edit; hosts are meant by their place among those that are there.
#[derive(Clone, Debug)]
enum Edit {
    Set(usize, usize, String),
    Tags(usize, Vec<String>),
    Disk(usize, String),
    Unset(usize, usize),
    Remove(usize),
    Rename(usize, String),
    Insert(usize, String),
}

/// A host as text, in one of the ways people write them. Comments say whose they are.
fn host(name: &str, form: u8, gap: bool, tags: &[String]) -> String {
    let list = |newline: &str| {
        let items: Vec<String> = tags.iter().map(|tag| format!("{}, # own {name} tag", quote(tag))).collect();
        if items.is_empty() {
            "[]".to_owned()
        } else {
            format!("[{newline}{newline}{}\n]", items.join("\n  "))
        }
    };
    let one_line = format!("[{}]", tags.iter().map(|tag| quote(tag)).collect::<Vec<_>>().join(", "));
    let blank = if gap { "\n" } else { "" };
    match form % 5 {
        0 => format!(
            "{blank}# own {name} above\n[host.{name}] # own {name} header\nnetwork = \"n\" # own {name} network\nmac     = 'x'\n# own {name} between\ntags    = {}\n",
            list("\n  ")
        ),
        1 => format!(
            "\n[host.{name}]\nnetwork=\"n\"\ntags=[ ] # own {name}\n\n[host.{name}.nic.lan] # own {name} nic\nmac=\"y\"\n"
        ),
        2 => format!(
            "\n# free heading of {name}\n\n[host.{name}]\n  network = \"n\"\n  tags = {one_line} # own {name}\n# own {name} below\n\n# free after {name}\n\n"
        ),
        3 => format!(
            "\n[host.{name}]\ndisk = {{ root = \"1\", \"a b\" = \"2\" }} # own {name} disks\ntags = {one_line}\n"
        ),
        _ => format!(
            "\n[host.{name}]\nnic.lan.mac = \"z\" # own {name} mac\nnic.lan.network = \"n\"\ncpu = 1\n"
        ),
    }
}

fn file() -> impl Strategy<Value = String> {
    let tags = prop::collection::vec("[a-c]{1,2}", 0..4);
    let hosts = prop::collection::vec((0..5u8, any::<bool>(), tags), 1..6);
    let dotted = prop::collection::vec(0..3u8, 0..3);
    (hosts, dotted, any::<bool>(), any::<bool>()).prop_map(|(hosts, dotted, crlf, ends)| {
        let mut text = "# free: the file\n\n".to_owned();
        for (index, form) in dotted.iter().enumerate() {
            text += &match form {
                0 => format!("host.d{index}.network = \"n\" # own d{index}\nhost.d{index}.mac = \"m\"\n"),
                1 => format!("host.d{index} = {{ network = \"n\", tags = [\"a\", \"b\"] }} # own d{index}\n"),
                _ => format!("# free line\n\nhost.d{index}.disk.root = \"1 GiB\" # own d{index}\n"),
            };
        }
        for (index, (form, gap, tags)) in hosts.iter().enumerate() {
            text += &host(&format!("h{index}"), *form, *gap, tags);
        }
        if !ends {
            text = text.trim_end().to_owned();
        }
        if crlf { text.replace('\n', "\r\n") } else { text }
    })
}

fn edit() -> impl Strategy<Value = Edit> {
    let at = 0..8usize;
    let text = "[a-z\"'#\\\\]{0,6}";
    prop_oneof![
        (at.clone(), 0..KEYS.len(), text).prop_map(|(at, key, text)| Edit::Set(at, key, text)),
        (at.clone(), prop::collection::vec("[a-d]{1,2}", 0..4)).prop_map(|(at, tags)| Edit::Tags(at, tags)),
        (at.clone(), text).prop_map(|(at, text)| Edit::Disk(at, text)),
        (at.clone(), 0..KEYS.len()).prop_map(|(at, key)| Edit::Unset(at, key)),
        at.clone().prop_map(Edit::Remove),
        (at.clone(), "[a-z]{3}[.]?[a-z]").prop_map(|(at, name)| Edit::Rename(at, name)),
        (at, "[a-z]{4}").prop_map(|(at, name)| Edit::Insert(at, name)),
    ]
}

fn comments(text: &str) -> Vec<String> {
    let mut all: Vec<String> = Outline::of(text)
        .statements
        .iter()
        .flat_map(|statement| text[statement.span.clone()].lines())
        .filter_map(|line| line.rsplit_once("# "))
        .filter(|(_, comment)| comment.starts_with("own") || comment.starts_with("free"))
        .map(|(_, comment)| comment.trim().to_owned())
        .collect();
    all.sort();
    all
}

/// Comments of `before` that `after` has not.
fn lost(before: &[String], after: &[String]) -> Vec<String> {
    let mut left = after.to_vec();
    let mut lost = Vec::new();
    for comment in before {
        match left.iter().position(|other| other == comment) {
            Some(at) => drop(left.swap_remove(at)),
            None => lost.push(comment.clone()),
        }
    }
    lost
}

fn hosts(model: &mut Table) -> Option<&mut Table> {
    model.get_mut("host")?.as_table_mut()
}

/// Applies `edit` to both; returns whose comments may go.
fn apply(doc: &mut Doc, model: &mut Table, edit: &Edit) -> Option<String> {
    let names = doc.names(&["host"]);
    let (Edit::Set(at, ..) | Edit::Tags(at, _) | Edit::Disk(at, _) | Edit::Unset(at, _)) = edit else {
        return apply_to_tables(doc, model, edit, &names);
    };
    let name = names.get(at % names.len().max(1))?;
    let table = hosts(model)?.get_mut(name)?.as_table_mut()?;
    match edit {
        Edit::Set(_, key, text) => {
            assert!(doc.set(&["host", name, KEYS[*key]], &Literal::text(text), ORDER));
            table.insert(KEYS[*key].to_owned(), Toml::String(text.clone()));
            None
        }
        Edit::Tags(_, tags) => {
            assert!(doc.set(&["host", name, "tags"], &Literal::texts(tags), ORDER));
            table.insert("tags".to_owned(), Toml::Array(tags.iter().cloned().map(Toml::String).collect()));
            Some(format!("own {name} tag"))
        }
        Edit::Disk(_, text) => {
            assert!(doc.set(&["host", name, "disk", "x"], &Literal::text(text), ORDER));
            let disk = table.entry("disk").or_insert_with(|| Toml::Table(Table::new()));
            disk.as_table_mut()?.insert("x".to_owned(), Toml::String(text.clone()));
            None
        }
        // A host written by dotted keys goes with its last one; the verb refuses that.
        Edit::Unset(..) if table.len() == 1 => None,
        Edit::Unset(_, key) => {
            doc.unset(&["host", name, KEYS[*key]]);
            table.remove(KEYS[*key]);
            Some(format!("own {name}"))
        }
        _ => None,
    }
}

fn apply_to_tables(doc: &mut Doc, model: &mut Table, edit: &Edit, names: &[String]) -> Option<String> {
    let pick = |at: &usize| names.get(at % names.len().max(1));
    match edit {
        Edit::Remove(at) => {
            let name = pick(at)?;
            assert!(doc.remove(&["host", name]));
            hosts(model)?.remove(name);
            assert!(!doc.text().contains(&format!("own {name}")), "something of {name} stays");
            return Some(format!("own {name}"));
        }
        Edit::Rename(at, new) if !names.contains(new) => {
            let name = pick(at)?;
            doc.rename(&["host", name], new);
            let value = hosts(model)?.remove(name)?;
            hosts(model)?.insert(new.clone(), value);
            // So that it is still known whose they are.
            let renamed = doc.text().replace(&format!("own {name}"), &format!("own {new}"));
            *doc = Doc::new(renamed);
            return Some(format!("own {name}"));
        }
        Edit::Insert(at, name) if !names.contains(name) => {
            let entries = vec![("network".to_owned(), Literal::text("n"))];
            let table = NewTable { path: vec!["host".into(), name.clone()], entries, below: Vec::new() };
            let neighbour = pick(at).map(|neighbour| ["host", neighbour.as_str()]);
            doc.insert(neighbour.as_ref().map(|path| &path[..]), &table);
            let hosts = model.entry("host").or_insert_with(|| Toml::Table(Table::new()));
            let mut new = Table::new();
            new.insert("network".to_owned(), Toml::String("n".to_owned()));
            hosts.as_table_mut()?.insert(name.clone(), Toml::Table(new));
        }
        _ => {}
    }
    None
}

/// The tables without those that are empty: whether an empty `host` stays is of no consequence.
fn pruned(mut table: Table) -> Table {
    if table.get("host").and_then(Toml::as_table).is_some_and(Table::is_empty) {
        table.remove("host");
    }
    table
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn edits_keep_every_comment_and_equal_the_same_edits_of_the_parsed_file(
        text in file(),
        edits in prop::collection::vec(edit(), 1..12),
    ) {
        let mut model: Table = text.parse().unwrap();
        let mut doc = Doc::new(text);
        for edit in &edits {
            let before = comments(doc.text());
            let was = doc.text().to_owned();
            let own = apply(&mut doc, &mut model, edit);
            let parsed: Result<Table, _> = doc.text().parse();
            prop_assert!(parsed.is_ok(), "{edit:?} made\n{}\nof\n{was}", doc.text());
            prop_assert_eq!(
                pruned(parsed.unwrap()), pruned(model.clone()), "{:?} made\n{}\nof\n{}", edit, doc.text(), was
            );
            for comment in lost(&before, &comments(doc.text())) {
                let own = own.as_deref().is_some_and(|own| comment.starts_with(own));
                prop_assert!(own, "{edit:?} lost `{comment}`\n{}\nof\n{was}", doc.text());
            }
        }
    }
}
