//! `KEY=VALUE` on the command line: what it sets, and how that is written.

use inventory_core::span::FileId;

use super::text::{Literal, quote};
use crate::exit::Failure;

/// What is done to a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// `KEY=VALUE`
    Set(Vec<String>, Literal),
    /// `KEY+=VALUE`: items for a list.
    Add(Vec<String>, Vec<String>),
    /// `KEY-=VALUE`: items that the list loses.
    Remove(Vec<String>, Vec<String>),
}

/// Keys with lists. One element is written alone where that is usual.
const LISTS: [&str; 8] = ["ip", "alias", "tags", "use", "dns", "pool", "exclude", "nameservers"];
/// Lists that are written in brackets even with one element.
const ALWAYS_BRACKETS: [&str; 5] = ["alias", "tags", "dns", "pool", "nameservers"];
/// Keys with numbers.
const NUMBERS: [&str; 1] = ["cpu"];
/// Keys with `true` or `false`.
const TRUTHS: [&str; 2] = ["dhcp", "primary"];

/// The order in which keys are written, of every kind of table.
pub(crate) const ORDER: &[&str] = &[
    "use",
    "network",
    "zone",
    "ipv4",
    "ipv6",
    "gateway",
    "dns",
    "pool",
    "exclude",
    "name",
    "primary",
    "mac",
    "ip",
    "alias",
    "tags",
    "state",
    "boot",
    "cpu",
    "memory",
    "disk",
    "vmhost",
    "ttl",
    "ssh-host-key",
    "sshfp",
    "ssh-user",
    "negative-ttl",
    "nameservers",
    "contact",
    "mac-prefix",
    "duid",
    "client-id",
    "port",
    "lease",
    "dhcp",
    "reverse",
    "options",
    "options6",
    "nic",
    "records",
    "file",
];

impl Change {
    /// Reads one argument.
    pub(crate) fn parse(argument: &str) -> Result<Change, Failure> {
        let Some((key, value)) = argument.split_once('=') else {
            return Err(Failure::usage(format!("`{argument}` is not KEY=VALUE, as in `state=retired`")));
        };
        let (key, sign) = match key.strip_suffix(['+', '-']) {
            Some(plain) => (plain, &key[plain.len()..]),
            None => (key, ""),
        };
        let path = key_path(key);
        let last = path.last().map_or("", String::as_str);
        if path.iter().any(String::is_empty) {
            return Err(Failure::usage(format!("`{argument}` names no key")));
        }
        match sign {
            "" => {
                let literal = literal(&path, value)?;
                Ok(Change::Set(path, literal))
            }
            _ if !LISTS.contains(&last) => {
                Err(Failure::usage(format!("`{last}` is no list; lists are {}", LISTS.join(", "))))
            }
            "+" => Ok(Change::Add(path, items(value))),
            _ => Ok(Change::Remove(path, items(value))),
        }
    }

    /// The keys that it is about.
    pub(crate) fn path(&self) -> &[String] {
        match self {
            Change::Set(path, _) | Change::Add(path, _) | Change::Remove(path, _) => path,
        }
    }
}

/// `disk.root` as its keys; a quoted part may hold dots.
pub(crate) fn key_path(key: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    for character in key.trim().chars() {
        match (character, parts.last_mut()) {
            ('"', _) => quoted = !quoted,
            ('.', _) if !quoted => parts.push(String::new()),
            (other, Some(part)) => part.push(other),
            (_, None) => {}
        }
    }
    parts
}

/// Items of a list: between commas.
pub(crate) fn items(value: &str) -> Vec<String> {
    value.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

/// A list of texts under `key`, in brackets or alone as is usual.
pub(crate) fn list(key: &str, items: &[String]) -> Literal {
    match items {
        [only] if !ALWAYS_BRACKETS.contains(&key) => Literal::text(only),
        _ => Literal::texts(items),
    }
}

/// `value` as the key at `path` takes it.
pub(crate) fn literal(path: &[String], value: &str) -> Result<Literal, Failure> {
    let last = path.last().map_or("", String::as_str);
    let under_options = path.iter().rev().nth(1).is_some_and(|above| above.starts_with("options"));
    if value.starts_with(['[', '{', '"', '\'']) {
        let text = format!("x = {value}");
        let mut findings = Vec::new();
        inventory_core::toml::parse(&text, FileId(0), &mut findings);
        return match findings.first() {
            None => Ok(Literal::One(value.to_owned())),
            Some(finding) => Err(Failure::usage(format!("`{value}` is no TOML: {}", finding.message))),
        };
    }
    if LISTS.contains(&last) && !under_options {
        return Ok(list(last, &items(value)));
    }
    if NUMBERS.contains(&last) || TRUTHS.contains(&last) {
        return Ok(Literal::One(if bare(value) { value.to_owned() } else { quote(value) }));
    }
    if under_options && value.contains(',') {
        return Ok(Literal::texts(items(value)));
    }
    let number = under_options && bare(value);
    Ok(if number { Literal::One(value.to_owned()) } else { Literal::text(value) })
}

/// Whether `value` can stand without quotes: a whole number, `true`, `false`.
fn bare(value: &str) -> bool {
    let digits = !value.is_empty() && value.len() < 19 && value.bytes().all(|byte| byte.is_ascii_digit());
    matches!(value, "true" | "false") || (digits && (value == "0" || !value.starts_with('0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(argument: &str) -> String {
        match Change::parse(argument).unwrap() {
            Change::Set(path, literal) => format!("{} = {}", path.join("|"), literal.fresh()),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn values_are_written_as_their_keys_take_them() {
        for (argument, written) in [
            ("cpu=4", "cpu = 4"),
            ("memory=8 GiB", "memory = \"8 GiB\""),
            ("ip=10.0.0.1", "ip = \"10.0.0.1\""),
            ("ip=10.0.0.1,2001:db8::1", "ip = [\"10.0.0.1\", \"2001:db8::1\"]"),
            ("tags=web", "tags = [\"web\"]"),
            ("tags=", "tags = []"),
            ("disk.root=40 GiB", "disk|root = \"40 GiB\""),
            ("dhcp=false", "dhcp = false"),
            ("options.ntp-servers=10.0.0.1,10.0.0.2", "options|ntp-servers = [\"10.0.0.1\", \"10.0.0.2\"]"),
            ("options.interface-mtu=1400", "options|interface-mtu = 1400"),
            ("cpu=many", "cpu = \"many\""),
            ("port={ circuit-id = \"7\" }", "port = { circuit-id = \"7\" }"),
            ("nic.\"a.b\".mac=x", "nic|a.b|mac = \"x\""),
        ] {
            assert_eq!(set(argument), written);
        }
    }

    #[test]
    fn lists_grow_and_shrink_and_nothing_else_does() {
        assert_eq!(
            Change::parse("tags+=a, b").unwrap(),
            Change::Add(vec!["tags".into()], vec!["a".into(), "b".into()])
        );
        assert_eq!(
            Change::parse("alias-=www").unwrap(),
            Change::Remove(vec!["alias".into()], vec!["www".into()])
        );
        for wrong in ["cpu+=1", "state", "=x", "a..b=1", "port={ x"] {
            assert!(Change::parse(wrong).is_err(), "{wrong}");
        }
    }
}
