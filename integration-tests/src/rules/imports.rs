//! The table of what must never import what, and the paths that a file uses.

use super::lex::{Kind, Token};

/// One line of the table.
#[derive(Debug)]
pub struct ImportRule {
    /// What the rule is about, for messages.
    pub name: &'static str,
    /// Files that it covers: they begin with one of these …
    within: &'static [&'static str],
    /// … and with none of these.
    except: &'static [&'static str],
    /// Paths that are not used, nor anything below them; `Instant::now` also at the end of a path.
    never: &'static [&'static str],
}

const RUNTIME: &str = "tokio";
const FILES: [&str; 2] = ["std::fs", "std::os::unix::fs"];
const SOCKETS: [&str; 6] = [
    "std::net::TcpListener",
    "std::net::TcpStream",
    "std::net::UdpSocket",
    "std::os::unix::net",
    "socket2",
    "nix",
];
const CLOCKS: [&str; 2] = ["Instant::now", "SystemTime::now"];
const RANDOM: [&str; 4] = ["rand", "getrandom", "fastrand", "std::hash::RandomState"];

/// The table of `ARCHITECTURE.md`.
pub const IMPORTS: [ImportRule; 7] = [
    ImportRule {
        name: "inventory-core",
        within: &["inventory-core/src/"],
        except: &["inventory-core/src/source/", "inventory-core/src/watch.rs", "inventory-core/src/watch/"],
        never: &[
            RUNTIME,
            "dhcproto",
            "hickory_proto",
            "hickory_server",
            FILES[0],
            FILES[1],
            SOCKETS[0],
            SOCKETS[1],
            SOCKETS[2],
            SOCKETS[3],
            SOCKETS[4],
            SOCKETS[5],
            CLOCKS[0],
            CLOCKS[1],
        ],
    },
    ImportRule {
        name: "a core",
        within: &["dhcpd/src/boot/", "dhcpd/src/core/", "dnsd/src/core/", "config/src/core/"],
        except: &[],
        never: &[
            RUNTIME,
            FILES[0],
            FILES[1],
            SOCKETS[0],
            SOCKETS[1],
            SOCKETS[2],
            SOCKETS[3],
            SOCKETS[4],
            SOCKETS[5],
            CLOCKS[0],
            CLOCKS[1],
            RANDOM[0],
            RANDOM[1],
            RANDOM[2],
            RANDOM[3],
            "std::thread",
            "std::process",
        ],
    },
    ImportRule { name: "dhcpd", within: &["dhcpd/"], except: &[], never: &["dnsd", "hostbook_config"] },
    ImportRule { name: "dnsd", within: &["dnsd/"], except: &[], never: &["dhcpd", "hostbook_config"] },
    ImportRule { name: "config", within: &["config/"], except: &[], never: &["dhcpd", "dnsd"] },
    ImportRule {
        name: "hostbook",
        within: &["inventory/"],
        except: &[],
        never: &["dhcpd::shell", "dnsd::shell"],
    },
    ImportRule {
        name: "a library that daemons stand on",
        within: &["inventory-core/", "daemon/"],
        except: &[],
        never: &["dhcpd", "dnsd", "hostbook_config"],
    },
];

/// A path somewhere in a file: `std::fs::read`, or each leaf of a `use`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Used {
    pub(super) segments: Vec<String>,
    pub(super) line: usize,
}

impl ImportRule {
    /// Whether the rule is about the file at `path`.
    pub fn covers(&self, path: &str) -> bool {
        self.within.iter().any(|start| path.starts_with(start))
            && !self.except.iter().any(|start| path.starts_with(start))
    }

    /// Whether the rule forbids the path `segments`.
    pub fn forbids(&self, segments: &[String]) -> bool {
        self.never.iter().any(|never| {
            let never: Vec<&str> = never.split("::").collect();
            let is_at = |at: usize| {
                segments.get(at..).is_some_and(|rest| {
                    rest.len() >= never.len() && rest.iter().zip(&never).all(|(have, never)| have == never)
                })
            };
            // `Instant::now` is one whatever stands before it.
            is_at(0) || never.len() == 2 && never[1] == "now" && (1..segments.len()).any(is_at)
        })
    }
}

/// Every path of two or more segments, and every leaf of a `use`, with `as` names left out.
pub(super) fn paths(tokens: &[Token]) -> Vec<Used> {
    let mut paths = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at].is_word("use") {
            at = use_tree(tokens, at + 1, &mut Vec::new(), &mut paths);
        } else if tokens[at].word().is_some() {
            at = plain_path(tokens, at, &mut paths);
        } else {
            at += 1;
        }
    }
    paths
}

/// A path in an expression or a type, from `at`; returns where it ends.
fn plain_path(tokens: &[Token], mut at: usize, paths: &mut Vec<Used>) -> usize {
    let line = tokens[at].line;
    let mut segments = Vec::new();
    while let Some(word) = tokens.get(at).and_then(Token::word) {
        segments.push(word.to_owned());
        at += 1;
        if !is_path_separator(tokens, at) {
            break;
        }
        at += 2;
    }
    if segments.len() > 1 {
        paths.push(Used { segments, line });
    }
    at
}

/// The tree after `use`, below `prefix`; returns where it ends.
fn use_tree(tokens: &[Token], mut at: usize, prefix: &mut Vec<String>, paths: &mut Vec<Used>) -> usize {
    let depth = prefix.len();
    while let Some(token) = tokens.get(at) {
        match &token.kind {
            Kind::Word(word) if word == "as" => at += 2,
            Kind::Word(word) => {
                prefix.push(word.clone());
                at += 1;
                if !is_path_separator(tokens, at) {
                    // `self` names what stands before it.
                    let named = prefix.len() - usize::from(word == "self" && prefix.len() > 1);
                    paths.push(Used { segments: prefix[..named].to_vec(), line: token.line });
                }
            }
            Kind::Punct('*') => {
                paths.push(Used { segments: prefix.clone(), line: token.line });
                at += 1;
            }
            Kind::Punct('{') => at = use_tree(tokens, at + 1, &mut prefix.clone(), paths),
            Kind::Punct(',') => {
                prefix.truncate(depth);
                at += 1;
            }
            Kind::Punct('}' | ';') => {
                at += 1;
                break;
            }
            Kind::Punct(_) | Kind::Literal => at += 1,
        }
    }
    at
}

fn is_path_separator(tokens: &[Token], at: usize) -> bool {
    [at, at + 1].iter().all(|at| tokens.get(*at).is_some_and(|token| token.is_punct(':')))
}

#[cfg(test)]
mod tests {
    use super::super::lex::tokens;
    use super::*;

    fn found(text: &str) -> Vec<String> {
        paths(&tokens(text)).into_iter().map(|used| used.segments.join("::")).collect()
    }

    #[test]
    fn every_leaf_of_a_use_is_found() {
        let text = "pub use std::{fs::{self, File as F}, net::*, io}; use ::tokio; let x = 1;";
        assert_eq!(found(text), ["std::fs", "std::fs::File", "std::net", "std::io", "tokio"]);
    }

    #[test]
    fn paths_in_code_are_found_with_generics_between() {
        assert_eq!(found("a.b(std::fs::read::<u8>(x)); Vec::<T>::new()"), ["std::fs::read"]);
        assert_eq!(found("let now = time::Instant::now();"), ["time::Instant::now"]);
    }

    #[test]
    fn a_rule_forbids_what_is_below_and_clocks_wherever_they_are() {
        let rule = &IMPORTS[0];
        let forbids = |path: &str| rule.forbids(&path.split("::").map(str::to_owned).collect::<Vec<_>>());
        assert!(forbids("std::fs") && forbids("std::fs::File") && forbids("tokio::net::UdpSocket"));
        assert!(forbids("std::time::Instant::now") && forbids("Instant::now"));
        assert!(
            !forbids("std::net::IpAddr") && !forbids("std::time::Duration") && !forbids("crate::tokio_like")
        );
        assert!(
            rule.covers("inventory-core/src/load/mod.rs") && !rule.covers("inventory-core/src/source/dir.rs")
        );
    }
}
