//! What a path asks for: a file below the boot root, or something made for one host.
//!
//! ```text
//! /debian12/linux                             a file below the boot root
//! /hostbook/web1.lab.example.org/boot.ipxe    the script, by the inventory of this moment
//! /hostbook/web1.lab.example.org/3f5a…/…      by the inventory with this hash, as long as it is known
//!     boot.ipxe  cmdline  file/preseed.cfg
//! /hostbook/web1.lab.example.org/done/6b1f…   tells that the installation is done, perhaps with host keys
//! /hostbook/-/servers/…                       the same for a machine that nobody has written down
//! ```

use inventory_core::model::SshHostKey;

use super::event::BootEvent;

/// First component of all paths that are no files.
pub const PREFIX: &str = "hostbook";
/// Stands for a name where there is none; no host is called so.
pub(super) const NOBODY: &str = "-";
/// Longest path that is looked at.
const PATH_OCTETS_MAX: usize = 1024;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A file: relative path, each component of which is a plain name.
    File(Box<str>),
    /// Something made from the inventory.
    Made {
        /// For whom.
        whom: Whom,
        /// First digits of the hash of the inventory that it is to be made from.
        version: Option<Box<str>>,
        /// What.
        what: What,
    },
}

/// For whom something is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    /// A host, by its FQDN.
    Host(Box<str>),
    /// A machine that nobody has written down, by its network.
    Unknown(Box<str>),
}

/// What is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The iPXE script.
    Script,
    /// The kernel command line.
    CommandLine,
    /// A file of the boot profile, by its name there.
    File(Box<str>),
    /// Nothing: it is a report that an installation is done.
    Done(Report),
}

/// The report that an installation is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Says which installation.
    pub token: Box<str>,
    /// Public keys of the ssh server of what was installed, if they came along.
    pub host_keys: Vec<SshHostKey>,
}

impl Target {
    /// Reads a path as TFTP clients send it. Backslashes count as slashes, since some loaders write them;
    /// slashes at the front and doubled ones do not count.
    ///
    /// # Errors
    /// It leaves the root, or holds what no path has.
    pub fn parse(path: &str) -> Result<Target, BootEvent> {
        if path.len() > PATH_OCTETS_MAX {
            return Err(BootEvent::BadRequest);
        }
        let mut parts = Vec::new();
        for part in path.split(['/', '\\']).filter(|part| !matches!(*part, "" | ".")) {
            if part == ".." {
                return Err(BootEvent::OutsideRoot);
            }
            if part.chars().any(char::is_control) {
                return Err(BootEvent::BadRequest);
            }
            parts.push(part);
        }
        match parts.as_slice() {
            [] => Err(BootEvent::NotFound),
            [PREFIX, NOBODY, network, rest @ ..] => made(Whom::Unknown((*network).into()), rest),
            [PREFIX, name, rest @ ..] => made(Whom::Host((*name).to_ascii_lowercase().into()), rest),
            [PREFIX] => Err(BootEvent::NotFound),
            _ => Ok(Target::File(parts.join("/").into())),
        }
    }

    /// Reads the path of a URL: percent signs are resolved, a query does not count.
    ///
    /// # Errors
    /// As [`Target::parse`], or a percent sign is followed by no two digits.
    pub fn parse_url(path: &str) -> Result<Target, BootEvent> {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let mut octets = Vec::with_capacity(path.len());
        let mut rest = path.as_bytes();
        while let [octet, after @ ..] = rest {
            rest = after;
            octets.push(match (octet, after) {
                (b'%', [high, low, after @ ..]) => {
                    rest = after;
                    let digit = |octet: &u8| char::from(*octet).to_digit(16);
                    let value = digit(high).zip(digit(low)).map(|(high, low)| high * 16 + low);
                    value.and_then(|value| u8::try_from(value).ok()).ok_or(BootEvent::BadRequest)?
                }
                (b'%', _) => return Err(BootEvent::BadRequest),
                (other, _) => *other,
            });
        }
        Target::parse(std::str::from_utf8(&octets).map_err(|_| BootEvent::BadRequest)?)
    }
}

fn made(whom: Whom, rest: &[&str]) -> Result<Target, BootEvent> {
    let (version, rest) = match rest {
        [version, rest @ ..] if !rest.is_empty() && is_version(version) => (Some((*version).into()), rest),
        rest => (None, rest),
    };
    let what = match rest {
        ["boot.ipxe"] => What::Script,
        ["cmdline"] => What::CommandLine,
        ["file", name @ ..] if !name.is_empty() => What::File(name.join("/").into()),
        ["done", token] => What::Done(Report { token: (*token).into(), host_keys: Vec::new() }),
        _ => return Err(BootEvent::NotFound),
    };
    Ok(Target::Made { whom, version, what })
}

/// Digits of [`super::version_of`].
fn is_version(text: &str) -> bool {
    text.len() == super::VERSION_DIGITS && text.bytes().all(|octet| octet.is_ascii_hexdigit())
}

/// A path as it stands in a URL.
pub fn encoded(path: &str) -> String {
    let mut url = String::with_capacity(path.len());
    for octet in path.bytes() {
        if octet.is_ascii_alphanumeric() || b"-._~/+:@,=!$&'()*;".contains(&octet) {
            url.push(char::from(octet));
        } else {
            url.push_str(&format!("%{octet:02X}"));
        }
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str) -> Result<Target, BootEvent> {
        Ok(Target::File(path.into()))
    }

    #[test]
    fn loaders_write_paths_in_many_ways() {
        for path in ["a/b.efi", "/a/b.efi", "//a//b.efi", "\\a\\b.efi", "./a/./b.efi"] {
            assert_eq!(Target::parse(path), file("a/b.efi"), "{path}");
        }
    }

    #[test]
    fn no_path_leaves_the_root() {
        for path in ["..", "../x", "a/../../x", "a/..", "\\..\\x", "/../etc/passwd"] {
            assert_eq!(Target::parse(path), Err(BootEvent::OutsideRoot), "{path}");
        }
        assert_eq!(Target::parse_url("/%2e%2e/x"), Err(BootEvent::OutsideRoot));
        assert_eq!(Target::parse_url("/a%2f..%2f..%2fx"), Err(BootEvent::OutsideRoot));
        assert_eq!(Target::parse("a\nb"), Err(BootEvent::BadRequest));
        assert_eq!(Target::parse_url("/a%00b"), Err(BootEvent::BadRequest));
        assert_eq!(Target::parse(""), Err(BootEvent::NotFound));
        assert_eq!(Target::parse(&"a/".repeat(600)), Err(BootEvent::BadRequest));
    }

    #[test]
    fn percent_signs_are_resolved_once_and_only_in_urls() {
        assert_eq!(Target::parse_url("/a%20b%25?x=1"), file("a b%"));
        assert_eq!(Target::parse("a%20b"), file("a%20b"));
        for bad in ["/%", "/%2", "/%zz", "/%ff"] {
            assert_eq!(Target::parse_url(bad), Err(BootEvent::BadRequest), "{bad}");
        }
        for path in ["a b/ü%.gz", "plain/x-1.efi"] {
            assert_eq!(Target::parse_url(&encoded(path)), file(path));
        }
    }

    #[test]
    fn what_is_made_for_a_host_has_paths_of_its_own() {
        let whom = || Whom::Host("web1.lab.example.org".into());
        let made = |version: Option<&str>, what| {
            Ok(Target::Made { whom: whom(), version: version.map(Box::from), what })
        };
        let of = |rest: &str| Target::parse(&format!("/hostbook/Web1.lab.example.org/{rest}"));
        assert_eq!(of("boot.ipxe"), made(None, What::Script));
        assert_eq!(of("0123456789ab/boot.ipxe"), made(Some("0123456789ab"), What::Script));
        assert_eq!(of("0123456789ab/cmdline"), made(Some("0123456789ab"), What::CommandLine));
        assert_eq!(of("file/a/b.cfg"), made(None, What::File("a/b.cfg".into())));
        assert_eq!(
            of("done/77"),
            made(None, What::Done(Report { token: "77".into(), host_keys: Vec::new() }))
        );
        for nothing in ["", "file", "file/", "0123456789ab", "other", "done", "done/a/b"] {
            assert_eq!(of(nothing), Err(BootEvent::NotFound), "{nothing}");
        }
        let unknown = Target::Made { whom: Whom::Unknown("lan".into()), version: None, what: What::Script };
        assert_eq!(Target::parse("hostbook/-/lan/boot.ipxe"), Ok(unknown));
        assert_eq!(Target::parse("hostbook/"), Err(BootEvent::NotFound));
    }
}
