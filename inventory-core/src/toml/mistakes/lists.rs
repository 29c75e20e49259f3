//! Brackets, commas and lists over several lines.

use super::*;

#[test]
fn an_open_bracket_ends_where_the_next_entry_or_header_begins() {
    let text = "[host.a]\nip = [\"1\", \"2\"\nalias = [\"x\"]\n[host.b]\nip = [\n  \"1\",\n\n[host.c]\n\
                disk = { root = \"1\"\nvmhost = \"hv1\"\n[host.d]\ndisk = { root = \"1\",\n[host.e]\nlast = [ \"a\",\n";
    reports(
        text,
        "2:6-7 `[` is never closed
         = put `]` after the last item
         5:6-7 `[` is never closed
         9:8-9 `{` is never closed
         = put `}` after the last item
         12:8-9 `{` is never closed
         14:8-9 `[` is never closed",
    );
    assert_eq!(shown(text), r#"{host={a=~{alias=["x"]} b=~{} c=~{vmhost="hv1"} d=~{} e=~{}}}"#);
    let (_, findings) = read(text);
    assert_eq!(range(text, findings[0].others[0].0), "3:1-14");
    assert!(findings[4].others.is_empty(), "the text ends there");
}

#[test]
fn commas_and_brackets_are_missed_and_found_one_by_one() {
    let text = "a = [1,,2]\nc = [\"a\" \"b\"]\ne = { a = 1 b = 2 }\ng = {\n  a = 1\n  b = 2,\n}\nh = [1}\ni = { a = 1 ]\n\
                j = [\"a\"; \"b\"]\nk = [\"a\"]]\nl = { root: \"x\" }\nm = {{ x }}\n";
    reports(
        text,
        "1:8-9 a `,` too many
         2:10-11 a `,` is missing before this
         3:13-14 a `,` is missing before this
         6:3-4 a `,` is missing before this
         8:7-8 `[` is closed by `}`
         9:13-14 `{` is closed by `]`
         10:9-10 `;` stands where `,` or `]` should
         11:10-11 `]` closes nothing
         12:11-12 `:` stands where TOML has `=`
         = write `root = …`
         13:5-12 a template is not in quotes",
    );
    assert_eq!(
        shown(text),
        r#"~{a=[1 2] c=["a" "b"] e={a=1 b=2} g={a=1 b=2} j=["a" "b"] k=["a"] l={root="x"}}"#
    );
}

#[test]
fn a_mistake_in_a_list_over_lines_costs_that_item_only() {
    let text = "ips = [\n  \"1\",\n  \"2,\n  \"3\",\n]\ndisk = {\n  root = \"1\n  home = \"2\",\n}\nx = [\n  \"a]\nok = 1\n";
    reports(
        text,
        "3:3-6 the closing quote of a string is missing
         7:10-12 the closing quote of a string is missing
         11:3-6 the closing quote of a string is missing",
    );
    assert_eq!(shown(text), r#"{ips=~["1" "3"] disk=~{home="2"} x=~[] ok=1}"#);
}
