//! ISC's dhcpd.conf.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use inventory_core::mac::MacAddr;
use inventory_core::model::Range;
use ipnet::{IpNet, Ipv4Net};

use super::book::{Book, Net, host_option};
use crate::edit::key;

/// A word, a quoted string, or one of `{ } ;`, and the line it stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Token {
    text: String,
    line: usize,
}

/// What outer blocks say.
#[derive(Clone, Debug, Default)]
struct Scope {
    options: BTreeMap<String, Vec<String>>,
    lease: Option<u64>,
    net: Option<IpNet>,
    /// Options that groups around say to their hosts; `None` outside of groups.
    of_group: Option<BTreeMap<String, Vec<String>>>,
    /// Name of the link that networks share.
    link: Option<String>,
}

/// Settings that are about the server itself.
const ITS_OWN: [&str; 14] = [
    "authoritative",
    "ddns-update-style",
    "log-facility",
    "update-static-leases",
    "ping-check",
    "server-identifier",
    "min-lease-time",
    "one-lease-per-client",
    "get-lease-hostnames",
    "use-host-decl-names",
    "ddns-updates",
    "lease-file-name",
    "pid-file-name",
    "not",
];

/// Reads one file.
pub(super) fn read(name: &str, text: &str, book: &mut Book) {
    let tokens = tokens(text);
    let mut reader = Reader { file: name, tokens: &tokens, at: 0, book };
    reader.block(&mut Scope::default());
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let mut rest = line;
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
            let Some(first) = rest.chars().next() else { break };
            let end = match first {
                '#' => break,
                '{' | '}' | ';' => 1,
                '"' => rest[1..].find('"').map_or(rest.len(), |end| end + 2),
                _ => rest.find(|c: char| c.is_whitespace() || "{};,".contains(c)).unwrap_or(rest.len()),
            };
            tokens.push(Token { text: rest[..end].to_owned(), line: number });
            rest = &rest[end..];
        }
    }
    tokens
}

struct Reader<'r> {
    file: &'r str,
    tokens: &'r [Token],
    at: usize,
    book: &'r mut Book,
}

impl Reader<'_> {
    /// Statements up to the end of the block.
    fn block(&mut self, scope: &mut Scope) {
        while let Some((words, line, opens)) = self.statement() {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let at = format!("{}:{line}", self.file);
            if !opens {
                if words.is_empty() {
                    return;
                }
                self.setting(&words, &at, scope);
                continue;
            }
            let mut inner = scope.clone();
            if let ["subnet" | "shared-network", ..] = words.as_slice() {
                inner.options.extend(inner.of_group.take().unwrap_or_default());
            }
            match words.as_slice() {
                ["subnet", address, "netmask", mask] => {
                    let net = address.parse().ok().zip(mask.parse().ok());
                    let net = net.and_then(|(address, mask): (Ipv4Addr, Ipv4Addr)| {
                        Ipv4Net::with_netmask(address, mask).ok()
                    });
                    inner.net = net.map(IpNet::V4);
                    if let Some(net) = inner.net {
                        self.book.network(net).link.clone_from(&inner.link);
                    }
                    self.block(&mut inner);
                    self.apply(&inner, &at);
                }
                ["group", ..] => {
                    inner.of_group.get_or_insert_default();
                    self.block(&mut inner);
                }
                ["shared-network", name] => {
                    inner.link = Some((*name).to_owned());
                    self.block(&mut inner);
                }
                ["pool"] => self.block(&mut inner),
                ["host", name] => self.host(name, &at, inner.of_group.unwrap_or_default()),
                _ => {
                    self.book.lose(&at, format!("`{} {{…}}`", words.join(" ")));
                    self.skip();
                }
            }
        }
    }

    /// The next statement: its words, its line, and whether a block follows. No words: the block ends.
    fn statement(&mut self) -> Option<(Vec<String>, usize, bool)> {
        let mut words = Vec::new();
        let line = self.tokens.get(self.at)?.line;
        while let Some(token) = self.tokens.get(self.at) {
            self.at += 1;
            match token.text.as_str() {
                ";" => {
                    if words.is_empty() {
                        continue;
                    }
                    return Some((words, line, false));
                }
                "{" => return Some((words, line, true)),
                "}" => return Some((Vec::new(), line, false)),
                text => words.push(text.trim_matches('"').to_owned()),
            }
        }
        (!words.is_empty()).then_some((words, line, false))
    }

    fn skip(&mut self) {
        let mut depth = 1;
        while let Some(token) = self.tokens.get(self.at) {
            self.at += 1;
            match token.text.as_str() {
                "{" => depth += 1,
                "}" => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return;
            }
        }
    }

    fn setting(&mut self, words: &[&str], at: &str, scope: &mut Scope) {
        match words {
            // The definition of an option of the site's own.
            ["option", _, "code", ..] => self.book.lose(at, format!("`{}`", words.join(" "))),
            ["option", name, values @ ..] => {
                let options = scope.of_group.as_mut().unwrap_or(&mut scope.options);
                options.insert((*name).to_owned(), values.iter().map(|value| (*value).to_owned()).collect());
            }
            ["default-lease-time", seconds] => scope.lease = seconds.parse().ok(),
            ["max-lease-time", _] => {}
            ["range", rest @ ..] => {
                let ends: Vec<IpAddr> = rest.iter().filter_map(|word| word.parse().ok()).collect();
                let range = match ends.as_slice() {
                    [first, last] => Range::new(*first, *last),
                    [only] => Range::new(*only, *only),
                    _ => None,
                };
                match (scope.net, range) {
                    (Some(net), Some(range)) => self.book.network(net).pools.push(range),
                    _ => self.book.lose(at, format!("`{}`", words.join(" "))),
                }
            }
            [
                "allow" | "deny" | "ignore",
                "unknown-clients" | "booting" | "bootp" | "client-updates" | "declines",
            ] => {}
            [own, ..] if ITS_OWN.contains(own) => {}
            _ => self.book.lose(at, format!("`{}`", words.join(" "))),
        }
    }

    /// Gives the network what its block and those around it say.
    fn apply(&mut self, scope: &Scope, at: &str) {
        let Some(net) = scope.net else { return };
        let mut lost = Vec::new();
        let net: &mut Net = self.book.network(net);
        net.lease_seconds = net.lease_seconds.or(scope.lease);
        for (name, values) in &scope.options {
            if !net.take_option(name, values) {
                lost.push(format!("`option {name} {}`", values.join(", ")));
            }
        }
        for what in lost {
            self.book.lose(at, what);
        }
    }

    /// A host, and the options that the groups around it say.
    fn host(&mut self, name: &str, at: &str, mut options: BTreeMap<String, Vec<String>>) {
        let (mut mac, mut addresses, mut own_name) = (None::<MacAddr>, Vec::<IpAddr>::new(), None);
        while let Some((words, line, opens)) = self.statement() {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let at = format!("{}:{line}", self.file);
            match words.as_slice() {
                [] => break,
                _ if opens => self.skip(),
                ["hardware", "ethernet", text] => mac = text.parse().ok(),
                ["fixed-address" | "fixed-address6", rest @ ..] => {
                    addresses.extend(rest.iter().filter_map(|word| word.parse::<IpAddr>().ok()));
                    if addresses.len() != rest.len() {
                        self.book.lose(&at, format!("`{}`: names are not looked up", words.join(" ")));
                    }
                }
                ["option", "host-name", text] => own_name = Some((*text).to_owned()),
                ["option", option, values @ ..] => {
                    let values = values.iter().map(|value| (*value).to_owned()).collect();
                    options.insert((*option).to_owned(), values);
                }
                _ => self.book.lose(&at, format!("`{}` of host {name}", words.join(" "))),
            }
        }
        let mut written = Vec::new();
        for (option, values) in options {
            match host_option(&option, &values) {
                Some((option, value)) => written.push(format!("{} = {value}", key(&option))),
                None => {
                    self.book.lose(at, format!("`option {option} {}` of host {name}", values.join(", ")));
                }
            }
        }
        let name = own_name.unwrap_or_else(|| name.to_owned());
        let machine = self.book.machine(&name, mac, &addresses, at.to_owned());
        if !written.is_empty() {
            machine.keys.insert("options".to_owned(), format!("{{ {} }}", written.join(", ")));
        }
    }
}
