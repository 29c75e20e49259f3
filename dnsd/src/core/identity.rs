//! What a server says of itself to clients that ask for it: cookies, and its name (NSID, RFC 5001).

use super::QueryContext;
use super::cookie::CookieSecret;
use super::header::Options;
use super::query::Edns;

/// Option codes (IANA "DNS EDNS0 Option Codes").
pub(super) mod option {
    pub(crate) const NSID: u16 = 3;
    pub(crate) const COOKIE: u16 = 10;
    pub(crate) const PADDING: u16 = 12;
    pub(crate) const EXTENDED_ERROR: u16 = 15;
}

/// Octets of a server's name that are told at most.
pub const NSID_OCTETS_MAX: usize = 32;

/// What a server is.
#[derive(Debug)]
pub struct Identity {
    /// What its cookies are made with.
    pub cookies: CookieSecret,
    /// Its name, for people who wonder which of several answered.
    nsid: Box<[u8]>,
}

impl Identity {
    /// The server called `name`, of which at most [`NSID_OCTETS_MAX`] octets are told.
    pub fn new(name: &[u8], cookies: CookieSecret) -> Identity {
        Identity { cookies, nsid: name.iter().copied().take(NSID_OCTETS_MAX).collect() }
    }

    /// Puts into `edns` what the reply has to say.
    pub(super) fn answer(&self, edns: &mut Edns, context: &QueryContext<'_>) {
        let mut options = Options::default();
        if let Some(cookie) = edns.cookie {
            let server = self.cookies.make(cookie.client, context.peer, context.now);
            options.push(option::COOKIE, &[&cookie.client, &server]);
            edns.proven = self.cookies.holds(&cookie, context.peer, context.now);
        }
        if edns.nsid {
            options.push(option::NSID, &[&self.nsid]);
        }
        edns.reply = options;
    }
}
