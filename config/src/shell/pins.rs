//! The keys that a host is expected to show, as configuration of ssh.

use std::fs;
use std::io;
use std::path::Path;

use inventory_core::model::SshHostKey;

use super::select::{KeySource, Selected};
use crate::core::hex::hex;

/// Names that ssh knows signatures by, and the keys that make them: the number of the kind of key in SSHFP records
/// (IANA "SSHFP RR Types for public key algorithms") and its name in a key's file.
const ALGORITHMS: [(u8, &str, &str); 6] = [
    (4, "ssh-ed25519", "ssh-ed25519"),
    (3, "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"),
    (3, "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384"),
    (3, "ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521"),
    (1, "ssh-rsa", "rsa-sha2-512"),
    (1, "ssh-rsa", "rsa-sha2-256"),
];

/// SHA-256 in SSHFP records (RFC 6594).
const SHA256: u8 = 2;

/// What ssh is told so that only the keys count that the inventory or the installer has told of this host, by themselves
/// or by SHA-256 fingerprints; empty if there are none. Only for this host, not for others on the way to it.
///
/// A server with several keys shows the first that ssh asks for: so ssh asks for those alone that are pinned.
/// `known` is a file to put them into, `tool` the program that compares fingerprints.
///
/// # Errors
/// The file cannot be written, or the inventory has fingerprints of the host, and none that ssh can go by.
pub fn configuration(selected: &Selected, known: &Path, tool: &Path) -> io::Result<String> {
    let host = &selected.target.host;
    let (lines, algorithms, source): (String, _, _) = if !selected.host_keys.is_empty() {
        let lines = selected.host_keys.iter().map(|key| format!("{host} {key}\n")).collect();
        (lines, of_keys(&selected.host_keys), format!("UserKnownHostsFile {}", without_tokens(known)))
    } else if !selected.fingerprints.is_empty() {
        let algorithms = of_fingerprints(&selected.fingerprints);
        if algorithms.is_empty() {
            return Err(nothing_to_go_by(host));
        }
        let lines = selected.fingerprints.iter().map(|rdata| hex(rdata) + "\n").collect();
        // The program's own name is taken as it is.
        let command = format!("{} {} %H %t %K", quoted(tool), without_tokens(known));
        (lines, algorithms, format!("UserKnownHostsFile none\n    KnownHostsCommand {command}"))
    } else {
        return Ok(String::new());
    };
    fs::write(known, lines)?;
    let algorithms = algorithms.join(",");
    Ok(format!(
        "Host {host}\n    HostKeyAlias {host}\n    {source}\n    HostKeyAlgorithms {algorithms}\n    GlobalKnownHostsFile none\n    \
         StrictHostKeyChecking yes\n    VerifyHostKeyDNS no\n    UpdateHostKeys no\n    CheckHostIP no\nMatch all\n"
    ))
}

/// What ssh says of a host whose key it does not take.
pub const REFUSED: &str = "Host key verification failed";
/// And before that, of one that it has another key of.
const CHANGED: &str = "IDENTIFICATION HAS CHANGED";

/// What else is said after `error`: who was asked for the key, and what to do.
pub fn explanation(selected: &Selected, error: &str) -> String {
    let host = &selected.target.host;
    match &selected.key_source {
        KeySource::Ssh => String::new(),
        KeySource::Inventory => {
            "\nit shows none of the keys that the inventory has of it (`ssh-host-key`, `sshfp`)".to_owned()
        }
        KeySource::Installer => "\nit shows none of the keys that its installer reported (`hostbook status --installed`); \
                                 if they were changed since, write a new one into the inventory as `ssh-host-key`"
            .to_owned(),
        KeySource::Nobody(_) if error.contains(CHANGED) => format!(
            "\nssh's known_hosts have another key of a host on the way to `{host}`, and neither the inventory \
             (`ssh-host-key`) nor an installer says which one is right: find out before you trust the new one"
        ),
        KeySource::Nobody(why) => {
            let why = why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
            let to = selected.address.map_or_else(|| host.clone(), |address| address.to_string());
            format!(
                "\nits key is not known: the inventory has none (`ssh-host-key`), no installer has reported one to \
                 dhcpd{why}, and ssh's known_hosts have none of `{host}`; `ssh -o HostKeyAlias={host} {to}` shows it"
            )
        }
    }
}

/// Algorithms of keys, best first. The inventory takes no key of a kind that is not in the table.
fn of_keys(keys: &[SshHostKey]) -> Vec<&'static str> {
    let kinds: Vec<&str> = keys.iter().map(|key| &*key.algorithm).collect();
    ALGORITHMS.iter().filter(|(_, key, _)| kinds.contains(key)).map(|(_, _, name)| *name).collect()
}

/// Algorithms of the keys that SHA-256 fingerprints are of, best first.
fn of_fingerprints(all: &[Box<[u8]>]) -> Vec<&'static str> {
    let pinned = |number: u8| all.iter().any(|rdata| rdata.starts_with(&[number, SHA256]));
    ALGORITHMS.iter().filter(|(number, _, _)| pinned(*number)).map(|(_, _, name)| *name).collect()
}

fn nothing_to_go_by(host: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidInput,
        format!(
            "no fingerprint that the inventory has of `{host}` can be checked: SHA-1 is not trusted, and ssh has RSA, \
             ECDSA and Ed25519 keys; add the SHA-256 line of `ssh-keygen -r {host}` (its second number is 2) to \
             `sshfp`, or the public key as `ssh-host-key`"
        ),
    )
}

/// A path as one word of ssh's configuration, in which ssh replaces tokens that begin with a percent sign.
pub fn without_tokens(path: &Path) -> String {
    doubled(&quoted(path))
}

/// Text in which ssh replaces tokens, and has none to replace.
pub fn doubled(text: &str) -> String {
    text.replace('%', "%%")
}

/// A path as one word of ssh's configuration.
pub fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pinned(data: &[&str]) -> Vec<&'static str> {
        let rdata = |text: &&str| inventory_core::records::ssh_fingerprint(text).unwrap();
        of_fingerprints(&data.iter().map(rdata).collect::<Vec<_>>())
    }

    #[test]
    fn ssh_asks_for_the_kinds_of_keys_that_are_pinned() {
        let (sha1, sha256) = ("0".repeat(40), "0".repeat(64));
        assert_eq!(pinned(&[&format!("1 2 {sha256}")]), ["rsa-sha2-512", "rsa-sha2-256"]);
        let ecdsa = ["ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"];
        assert_eq!(pinned(&[&format!("3 2 {sha256}"), &format!("4 1 {sha1}")]), ecdsa);
        assert_eq!(pinned(&[&format!("1 1 {sha1}"), &format!("4 2 {sha256}")]), ["ssh-ed25519"]);
        assert!(pinned(&[&format!("4 1 {sha1}"), &format!("6 2 {sha256}")]).is_empty());

        let key = |kind: &&str| SshHostKey { algorithm: (*kind).into(), key: "AAAA".into() };
        let keys = |kinds: &[&str]| of_keys(&kinds.iter().map(key).collect::<Vec<_>>());
        assert_eq!(keys(&["ssh-rsa", "ssh-ed25519"]), ["ssh-ed25519", "rsa-sha2-512", "rsa-sha2-256"]);
    }

    #[test]
    fn paths_are_one_word_with_blanks_quotes_and_percent_signs_in_them() {
        assert_eq!(quoted(Path::new("/a b/\"c\\")), r#""/a b/\"c\\""#);
        assert_eq!(without_tokens(Path::new("/100% b")), r#""/100%% b""#);
    }
}
