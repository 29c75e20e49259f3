//! One test per typical mistake: where it is reported, in which words, and what is read all the same.

use super::{Array, Entry, Kind, Table, Tree, Value, parse};
use crate::diag::Finding;
use crate::span::{FileId, Span};

mod lists;

fn read(text: &str) -> (Tree<'_>, Vec<Finding>) {
    let mut findings = Vec::new();
    let tree = parse(text, FileId(0), &mut findings);
    (tree, findings)
}

/// Line and column, from 1, columns in characters.
fn place(text: &str, at: u32) -> String {
    let before = &text[..at as usize];
    let line_start = before.rfind('\n').map_or(0, |feed| feed + 1);
    format!("{}:{}", before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

fn range(text: &str, span: Span) -> String {
    let (start, end) = (place(text, span.start), place(text, span.end));
    let (line, column) = end.split_once(':').unwrap();
    if start.starts_with(&format!("{line}:")) {
        format!("{start}-{column}")
    } else {
        format!("{start}-{end}")
    }
}

/// Holds the findings against lines `place message`, and `= help` where the help is told.
#[track_caller]
fn reports(text: &str, expected: &str) {
    let (_, findings) = read(text);
    let mut told = Vec::new();
    let mut wanted = expected.lines().map(str::trim).filter(|line| !line.is_empty()).peekable();
    let mut lines = Vec::new();
    for finding in &findings {
        told.push(format!("{} {}", range(text, finding.span), finding.message));
        lines.extend(wanted.next());
        if let Some(help) = wanted.next_if(|line| line.starts_with("= ")) {
            told.push(format!("= {}", finding.help.as_deref().unwrap_or_default()));
            lines.push(help);
        }
    }
    lines.extend(wanted);
    assert_eq!(told, lines, "\n{}\n", told.join("\n"));
}

/// The tree in one line; `~` marks gaps.
fn shown(text: &str) -> String {
    let (tree, _) = read(text);
    table(tree.root())
}

fn table(table: Table<'_, '_>) -> String {
    let entries: Vec<String> =
        table.entries().map(|entry| format!("{}={}", entry.key(), value(entry.value()))).collect();
    format!("{}{{{}}}", if table.has_gaps() { "~" } else { "" }, entries.join(" "))
}

fn list(list: Array<'_, '_>) -> String {
    let items: Vec<String> = list.items().map(value).collect();
    format!("{}[{}]", if list.has_gaps() { "~" } else { "" }, items.join(" "))
}

fn value(value: Value<'_, '_>) -> String {
    match value.kind() {
        Kind::String(text) => format!("{text:?}"),
        Kind::Integer(number) => number.to_string(),
        Kind::Float(number) => number.to_string(),
        Kind::Boolean(truth) => truth.to_string(),
        Kind::Datetime(text) => text.to_owned(),
        Kind::Array(items) => list(items),
        Kind::Table(entries) => table(entries),
    }
}

#[test]
fn a_value_without_quotes_is_called_by_its_name_and_taken_as_meant() {
    let text = "[host.web1]\nmac = 52:54:00:aa:00:11\nip = [10.0.0.1, 2001:db8::1] # both\nlease = 12h\n\
                memory = 8 GiB\nnet = 10.20.0.0/24\nname = servers  # c\ncmdline = auto=true url=http://x/y\n";
    reports(
        text,
        r#"2:7-24 the hardware address `52:54:00:aa:00:11` is not in quotes
           = write `"52:54:00:aa:00:11"`
           3:7-15 the IP address `10.0.0.1` is not in quotes
           3:17-28 the IP address `2001:db8::1` is not in quotes
           4:9-12 the duration `12h` is not in quotes
           5:10-15 the size `8 GiB` is not in quotes
           = write `"8 GiB"`
           6:7-19 the network `10.20.0.0/24` is not in quotes
           7:8-15 the text `servers` is not in quotes
           8:11-35 the text `auto=true url=http://x/y` is not in quotes"#,
    );
    assert_eq!(
        shown(text),
        r#"{host={web1={mac="52:54:00:aa:00:11" ip=["10.0.0.1" "2001:db8::1"] lease="12h" memory="8 GiB" net="10.20.0.0/24" name="servers" cmdline="auto=true url=http://x/y"}}}"#
    );
}

#[test]
fn words_and_numbers_of_other_languages_are_translated() {
    let text = "a = True\nb = yes\nc = null\nd = 007\ne = 10.0.0.1, \"10.0.0.2\"\nf = 99999999999999999999\n";
    reports(
        text,
        r#"1:5-9 `True` is written in small letters
           = write `true`
           2:5-8 TOML has no `yes`
           = write `true`, or `"yes"` if a text is meant
           3:5-9 TOML has no `null`
           = delete the line, or write `"null"` if a text is meant
           4:5-8 the number `007` begins with a zero
           = write `7`, or `"007"` if a text is meant
           5:5-25 a list needs brackets, and its texts quotes
           = write `["10.0.0.1", "10.0.0.2"]`
           6:5-25 the number `99999999999999999999` is too large"#,
    );
    assert_eq!(shown(text), "~{a=true}");
}

#[test]
fn a_missing_quote_is_reported_where_its_string_begins() {
    let text = "mac = \"52:54:00:aa:00:11\nip = 10.0.0.1\"\na = '52:54\"\nips = [\"10.0.0.1, \"10.0.0.2\"]\n\
                ips2 = [\"10.0.0.1\", \"10.0.0.2]\nok = 1\n";
    reports(
        text,
        r#"1:7-25 the closing quote of a string is missing
           = put `"` at its end
           2:6-15 the opening quote of a string is missing
           = write `"10.0.0.1"`
           3:5-12 the closing quote of a string is missing
           = it begins with `'` and ends with `"`; both must be the same
           4:8-30 the quotes do not pair up
           5:21-31 the closing quote of a string is missing"#,
    );
    assert_eq!(shown(text), r#"~{ip="10.0.0.1" ok=1}"#);
}

#[test]
fn a_long_string_that_is_not_closed_does_not_swallow_the_next_table() {
    let text = "[zone.a]\nrecords = \"\"\"\n@ MX 10 mail\n\n[zone.b]\nrecords = \"\"\"\n@ MX 10 mail\n\"\"\"\nok = 1\n";
    reports(text, "2:11-14 the closing `\"\"\"` of a string is missing\n= put `\"\"\"` at its end");
    assert_eq!(shown(text), r#"{zone={a=~{} b={records="@ MX 10 mail\n" ok=1}}}"#);

    let text = "[zone.a]\nrecords = '''\n@ MX 10 mail\n";
    reports(text, "2:11-14 the closing `'''` of a string is missing");
    assert_eq!(shown(text), "~{zone={a=~{}}}", "there may have been more tables");

    let toml_in_toml = "a = \"\"\"\n[b]\nc = \"\"\"\nd = 1\n";
    reports(toml_in_toml, "");
}

#[test]
fn headers_are_mended_or_their_entries_set_aside() {
    let text = "[host.a\nx = 1\n[host b]\nx = 2\n[host.]\nx = 3\n[[host.c]\nx = 4\n[host.d]]\nx = 5\n[host.e] x = 6\n\
                [host.f/1]\nx = 7\n[host.\"g]\nx = 8\n[host.h] text\n";
    reports(
        text,
        r#"1:1-8 `]` is missing at the end of the header
           = write `[host.a]`
           3:1-9 the names in a header are joined with dots
           = write `[host.b]`
           5:1-8 a name is missing before `]`
           7:1-10 a header that begins with `[[` ends with `]`
           = write `[host.c]`, or `[[host.c]]` for a list of tables
           9:9-10 `]` closes nothing
           11:10-15 an entry on the line of a header
           = put it on the next line
           12:7-10 the name `f/1` needs quotes because of its `/`
           = write `"f/1"`
           14:7-10 the closing quote of a name is missing
           16:10-14 text after the header"#,
    );
    assert_eq!(shown(text), "~{host={a={x=1} c={x=4} d={x=5} e={} f/1={x=7} h={}}}");
}

#[test]
fn what_stands_between_key_and_value_is_reported_and_the_value_taken() {
    let text = "mac: \"a\"\nip := \"b\"\nnetwork \"c\"\nstate active\nx\ny =\nz = # none\n= 1\na b = 1\nw = = 1\n\
                this is a note without a mark\n10.0.0.0/24 = 1\nu = 1 v = 2\nt = \"a\",\ns = \"a\", \"b\"\nr = \"a\" // b\n";
    reports(
        text,
        r#"1:4-5 `:` stands where TOML has `=`
           = write `mac = …`
           2:4-6 `:=` stands where TOML has `=`
           3:1-8 `=` is missing after `network`
           = write `network = …`
           4:1-6 `=` is missing after `state`
           5:1-2 `x` has no value
           6:3-4 a value is missing after `=`
           7:3-4 a value is missing after `=`
           8:1-2 a key is missing before `=`
           9:1-4 the key `a b` needs quotes because of its space
           = write `"a b"`
           10:5-6 `=` stands twice
           11:1-30 this line is neither an entry nor a header nor a comment
           12:1-12 the key `10.0.0.0/24` needs quotes because of its `/`
           = write `"10.0.0.0/24"`
           13:7-12 a second entry on one line
           = put it on a line of its own
           14:8-9 a `,` after the value
           15:8-13 more than one value
           16:9-13 text after the end of the entry
           = a comment begins with `#`"#,
    );
    assert_eq!(
        shown(text),
        r#"~{mac="a" ip="b" network="c" state="active" w=1 10.0.0.0/24=1 u=1 t="a" s="a" r="a"}"#
    );
}

#[test]
fn a_text_in_another_language_is_one_mistake() {
    reports(
        "hosts:\n  web1:\n    mac: 52:54:00:aa:00:11\n    ips:\n      - 10.0.0.1\n\n  web2:\n    mac: x\n",
        "1:1-7 this looks like YAML, not like TOML",
    );
    reports("---\n- name: web1\n  mac: x\n", "1:1-4 this looks like YAML, not like TOML");
    reports("mac: x\nip: y\n", "1:1-7 this looks like YAML, not like TOML");
    reports("# note\n{\n  \"host\": { \"web1\": {} }\n}\n", "2:1-2 this looks like JSON, not like TOML");
    let text = "- a\n- b\n[host.a]\nx = 1\n";
    reports(text, "1:1-4 this looks like YAML, not like TOML");
    assert_eq!(shown(text), "~{host={a={x=1}}}");
}

#[test]
fn a_merge_conflict_is_one_mistake_and_its_first_side_is_read() {
    let text = "[host.a]\n<<<<<<< HEAD\nip = \"1\"\n||||||| base\nip = \"0\"\n=======\nip = \"2\"\n>>>>>>> topic\nx = 1\n\
                y = [\n<<<<<<< HEAD\n  \"1\",\n=======\n  \"2\",\n>>>>>>> topic\n]\n";
    reports(
        text,
        "2:1-13 an unresolved merge conflict
         = choose between the two sides and delete the lines `<<<<<<<`, `=======` and `>>>>>>>`
         11:1-13 an unresolved merge conflict",
    );
    assert_eq!(shown(text), r#"{host={a={ip="1" x=1 y=["1"]}}}"#);
    let (_, findings) = read(text);
    assert_eq!(range(text, findings[0].others[0].0), "8:1-14");
    assert_eq!(range(text, findings[1].others[0].0), "15:1-14");
}

#[test]
fn characters_that_look_like_others_are_named() {
    let text = "a = \u{201c}1\u{201d}\nb = \"2\u{201d}\n\u{a0}c = 3\nd\u{a0}= 4\ne = 5\u{a0}\nf = \u{200b}6\ng = \"\u{1}\"\n# \u{7}\nh = 8\ri = 9\n";
    reports(
        text,
        "1:5-6 \u{201c} is not a quote that TOML knows
         = write `\"`
         2:7-8 \u{201d} is not a quote that TOML knows
         3:1-2 an invisible character: a no-break space (U+00A0)
         4:2-3 an invisible character: a no-break space (U+00A0)
         5:6-7 an invisible character: a no-break space (U+00A0)
         6:5-6 an invisible character: a zero-width space (U+200B)
         = delete it and type a space if one belongs here
         7:6-7 a control character (U+0001) in a string
         = delete it, or write it as `\\u0001` between double quotes
         8:3-4 a control character (U+0007) in a comment
         9:6-7 a carriage return without line feed",
    );
    assert_eq!(shown(text), "~{a=\"1\" h=8 i=9}");
}

#[test]
fn a_backslash_that_escapes_nothing_is_pointed_at() {
    let text = "a = \"C:\\dir\"\nb = \"\\u12\"\nc = \"\\ud800\"\nd = \"\"\"\nx\n y\\q \"\"\"\n\"e\\w\" = 1\nf = 'C:\\dir'\n";
    reports(
        text,
        "1:8-10 `\\d` is no escape
         = write `\\\\` for a backslash, or put the string in single quotes
         2:6-8 `\\u` needs four hexadecimal digits that stand for a character
         3:6-8 `\\u` needs four hexadecimal digits that stand for a character
         6:3-5 `\\q` is no escape
         7:3-5 `\\w` is no escape",
    );
}

#[test]
fn what_is_defined_twice_shows_both_places() {
    let text = "[host.a]\nip = \"1\"\nip = \"2\"\n[host.a]\nip = \"3\"\n[host.a.nic.lan]\nx = 1\n[host.a.nic.lan]\n\
                [host.b]\nnic.x = 1\n[host.b.nic]\n[host.c.nic]\n[host.c]\nnic.x = 1\ns = \"a\"\ns.t = 1\nd = { x = 1 }\nd.y = 2\n\
                [[host.c]]\n";
    reports(
        text,
        "3:1-3 `ip` is defined twice
         4:1-9 table `[host.a]` is defined twice
         8:1-17 table `[host.a.nic.lan]` is defined twice
         11:1-13 table `nic` is defined twice
         14:1-4 a dotted key cannot add to `nic`, which has a header of its own
         = write this entry below `[host.c.nic]`
         16:1-2 nothing can be below `s`: it is a string
         18:1-2 nothing can be added to `d`: its braces are closed
         19:1-11 `[[host.c]]`: `c` cannot be both a table and a list of tables",
    );
    assert_eq!(shown(text), r#"{host={a={ip="1"} b={nic={x=1}} c={nic={} s="a" d={x=1}}}}"#);
    let (_, findings) = read(text);
    let others: Vec<String> = findings.iter().map(|finding| range(text, finding.others[0].0)).collect();
    assert_eq!(others, ["2:1-3", "1:1-9", "6:1-17", "10:1-4", "12:1-13", "15:1-2", "17:1-2", "13:1-9"]);
}

#[test]
fn depth_is_bounded() {
    let deep = |levels: usize| format!("a = {}1{}\n", "[".repeat(levels), "]".repeat(levels));
    reports(&deep(31), "");
    reports(&deep(32), "1:36-37 tables and lists are nested more than 32 levels deep");
    reports(&deep(100_000), "1:36-37 tables and lists are nested more than 32 levels deep");
    let path = vec!["a"; 33].join(".");
    reports(&format!("[{path}]\n"), "1:1-2 tables and lists are nested more than 32 levels deep");
    reports(&format!("{path} = 1\n"), "1:1-2 tables and lists are nested more than 32 levels deep");
    let path = vec!["a"; 32].join(".");
    reports(&format!("[{path}]\n"), "");
    reports(&format!("{path} = 1\n"), "");
}

#[test]
fn reading_stops_after_twenty_mistakes() {
    let few = "a = x\n".repeat(3);
    let (tree, findings) = read(&few);
    assert_eq!(findings.len(), 5, "two of them define `a` again");
    assert!(!tree.root().has_gaps());
    let many: String = (0..100).map(|n| format!("a{n} = x\n")).collect();
    let (tree, findings) = read(&many);
    assert_eq!(findings.len(), 20);
    assert!(tree.root().has_gaps());
    assert_eq!(tree.root().entries().count(), 20);
    let twice = "[a]\n".repeat(1000);
    assert_eq!(read(&twice).1.len(), 100);
}

#[test]
fn parts_of_strings_are_found_in_the_text() {
    let text = "a = \"10.0.0.1-10.0.0.9\"\r\nb = \"\"\"\r\n@ MX 10 mail\r\nx A 1\r\n\"\"\"\nc = 'lit'\nd = \"t\\tx\\u00e9y\"\ne = bare\nf = \"\"\"x\"\"\"\"\n";
    let (tree, _) = read(text);
    let part = |key: &str, part: &str| {
        let value = tree.root().get(key).unwrap().value();
        let Kind::String(string) = value.kind() else { panic!("{key} is no string") };
        let from = string.find(part).unwrap();
        let span = value.string_part(from, from + part.len());
        (range(text, span), text[span.start as usize..span.end as usize].to_owned())
    };
    assert_eq!(part("a", "10.0.0.9"), ("1:15-23".to_owned(), "10.0.0.9".to_owned()));
    assert_eq!(part("b", "x A 1"), ("4:1-6".to_owned(), "x A 1".to_owned()));
    assert_eq!(part("c", "it"), ("6:7-9".to_owned(), "it".to_owned()));
    assert_eq!(part("d", "xé"), ("7:9-16".to_owned(), "x\\u00e9".to_owned()));
    assert_eq!(part("e", "re"), ("8:7-9".to_owned(), "re".to_owned()));
    assert_eq!(part("f", "\""), ("9:9-10".to_owned(), "\"".to_owned()));
    let whole = tree.root().get("a").unwrap().value();
    assert_eq!(range(text, whole.string_part(9, 1000)), "1:15-23", "held within the quotes");
}

#[test]
fn tables_know_where_they_were_defined() {
    let text = "[host.a.nic.lan]\nx = 1\n[host.a]\n\"y\" = { z = 1 }\n[[list]]\n[[list]]\n";
    let (tree, findings) = read(text);
    assert!(findings.is_empty());
    let host = tree.root().get("host").unwrap();
    let Kind::Table(hosts) = host.value().kind() else { panic!("no table") };
    assert_eq!((range(text, hosts.span()), hosts.is_implicit()), ("1:2-6".to_owned(), true));
    let a = hosts.get("a").unwrap();
    let Kind::Table(table) = a.value().kind() else { panic!("no table") };
    assert_eq!((range(text, table.span()), table.is_implicit()), ("3:1-9".to_owned(), false));
    assert_eq!(range(text, a.key_span()), "3:7-8");
    let y = table.get("y").unwrap();
    assert!(y.key_is_quoted() && !a.key_is_quoted());
    assert_eq!(
        (y.key(), range(text, y.key_span()), range(text, y.value().span())),
        ("y", "4:1-4".to_owned(), "4:7-16".to_owned())
    );
    let Kind::Array(list) = tree.root().get("list").unwrap().value().kind() else { panic!("no list") };
    assert_eq!(list.len(), 2);
    assert!(!list.is_empty());
    let spans: Vec<String> = list.items().map(|item| range(text, item.span())).collect();
    assert_eq!(spans, ["5:1-9", "6:1-9"]);
    assert_eq!(tree.root().get("nobody").map(Entry::key), None);
}
