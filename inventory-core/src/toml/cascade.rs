//! One slip of the keyboard gives one finding: every quote, bracket, comma and `=` of an inventory
//! is left out, doubled or mistaken in turn.

use super::parse;
use crate::span::FileId;

const INVENTORY: &str = r#"
[site]
nameservers = ["ns1.lab.example.org"]
contact     = "hostmaster@lab.example.org"

[zone."lab.example.org"]
ttl = "1h"

[network.servers]
zone    = "lab.example.org"
ipv4    = "10.20.0.0/24"
dns     = ["10.20.0.2", "2001:db8:20::2"]
options = { ntp-servers = ["10.20.0.3"], domain-search = ["lab.example.org", "example.org"] }

[host.web1]
network = "servers"
ip      = [
  "10.20.0.11",
  "2001:db8:20::11",
]
alias   = ["www", "shop"]
cpu     = 4
disk    = { root = "40 GiB" }
vmhost  = "hv1"

[host.hv1]
state = "active"
nic.lan = { mac = "0c:c4:7a:00:00:01",
            ip = "10.20.0.5" }
[host.hv1.nic.ipmi]
network = 'oob'
"#;

/// What stands for `mark` after a slip.
fn slips(mark: char) -> &'static [&'static str] {
    match mark {
        '=' => &["", ":", "=="],
        '"' => &["", "'", "\u{201c}"],
        '\'' => &["", "\""],
        ',' => &["", ";", ",,"],
        '{' => &["", "(", "{{"],
        '[' => &["", "("],
        '}' => &["", "}}"],
        ']' => &["", "]]"],
        _ => &[],
    }
}

#[test]
fn one_slip_gives_at_most_one_finding() {
    let mut refused = 0;
    for (at, mark) in INVENTORY.char_indices() {
        for slip in slips(mark) {
            let mut text = INVENTORY.to_owned();
            text.replace_range(at..=at, slip);
            let mut findings = Vec::new();
            parse(&text, FileId(0), &mut findings);
            let messages: Vec<&str> = findings.iter().map(|finding| finding.message.as_str()).collect();
            assert!(messages.len() <= 1, "`{mark}` at {at} as `{slip}`: {messages:#?}");
            refused += messages.len();
        }
    }
    assert!(refused > 250, "most of them are mistakes: {refused}");
}
