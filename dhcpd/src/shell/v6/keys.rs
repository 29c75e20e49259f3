//! What Reconfigure needs over restarts: the secret that keys are made of, the number of this start, and the
//! clients that take one.
//!
//! The first two are a file that is written before anything is signed with them: numbers must never come
//! again, and a client that was told a key keeps it. The clients may be half a minute behind.

use std::time::{SystemTime, UNIX_EPOCH};

use daemon::random::octets;
use daemon::state::StateDir;
use tracing::warn;

use super::duid::hex;
use crate::core::v6::{Keys, RECONFIGURED_MAX, Reconfigured};

/// Two lines: the secret in hexadecimal digits, and the number of the last start.
const FILE: &str = "reconfigure-key";
/// The clients, as JSON.
pub(in crate::shell) const CLIENTS: &str = "reconfigured.json";

/// The keys of this start; `None` if they cannot be kept, and then no client is told one.
pub(in crate::shell) fn keys(state: &StateDir) -> Option<Keys> {
    match open(state) {
        Ok(keys) => Some(keys),
        Err(error) => {
            warn!(%error, "no key can be kept: DHCPv6 clients hear of edits when they renew, not before");
            None
        }
    }
}

fn open(state: &StateDir) -> Result<Keys, String> {
    let kept = state.read(FILE).map_err(|error| error.to_string())?;
    let kept = kept.as_deref().and_then(parse);
    let (secret, last) = match kept {
        Some(kept) => kept,
        None => (octets().map_err(|error| error.to_string())?, 0),
    };
    // Above what another file, which is lost, may have said.
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let start = last.saturating_add(1).max(u32::try_from(seconds).unwrap_or(u32::MAX));
    let text = format!("{}\n{start}\n", hex(&secret));
    state.write_secret(FILE, text.as_bytes()).map_err(|error| error.to_string())?;
    Ok(Keys::new(secret, start))
}

fn parse(octets: &[u8]) -> Option<([u8; 32], u32)> {
    let text = std::str::from_utf8(octets).ok()?;
    let (secret, start) = text.split_once('\n')?;
    Some((super::duid::parse_hex(secret)?.try_into().ok()?, start.trim_end().parse().ok()?))
}

/// The clients that were known when they were written down last.
pub(in crate::shell) fn clients(state: &StateDir) -> Vec<Reconfigured> {
    let text = state.read(CLIENTS).unwrap_or_else(|error| {
        warn!("{error}: DHCPv6 clients that take a Reconfigure are learned anew");
        None
    });
    let read = text.map(|text| serde_json::from_slice::<Vec<Reconfigured>>(&text));
    match read.transpose() {
        Ok(clients) => clients.unwrap_or_default().into_iter().take(RECONFIGURED_MAX).collect(),
        Err(error) => {
            warn!(file = CLIENTS, %error, "DHCPv6 clients that take a Reconfigure are learned anew");
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_secret_stays_and_the_start_grows() {
        let path = std::env::temp_dir().join(format!("hostbook-keys-{}", std::process::id()));
        let state = StateDir::open(&path, None).unwrap();
        let read = || parse(&state.read(FILE).unwrap().unwrap()).unwrap();
        open(&state).unwrap();
        let first = read();
        let mode = std::fs::metadata(path.join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "who reads it could sign for this server");
        open(&state).unwrap();
        let second = read();
        assert_eq!(first.0, second.0);
        assert!(second.1 > first.1, "{first:?} {second:?}");
        state.write(FILE, format!("{}\n{}\n", hex(&first.0), u32::MAX - 5).as_bytes()).unwrap();
        open(&state).unwrap();
        assert_eq!(read(), (first.0, u32::MAX - 4), "whatever the clock says");
        state.write(FILE, b"nonsense").unwrap();
        open(&state).unwrap();
        assert_ne!(read().0, first.0);
        let _ = std::fs::remove_dir_all(&path);
    }
}
