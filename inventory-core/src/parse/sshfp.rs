//! `sshfp`: fingerprints of the keys of a host's ssh server.

use super::read::{self, Findings};
use crate::diag::Rule;
use crate::records::ssh_fingerprint;
use crate::toml::Value;

/// RDATA of one SSHFP record.
pub(super) fn fingerprint(value: Value<'_, '_>, findings: Findings<'_>) -> Option<Box<[u8]>> {
    let text = read::string(value, findings)?;
    match ssh_fingerprint(text) {
        Ok(rdata) => Some(rdata),
        Err(why) => {
            read::refuse(Rule::InvalidRecord, value, format!("`sshfp` cannot be read: {why}"), HELP, findings)
        }
    }
}

const HELP: &str = "write what `ssh-keygen -r NAME` prints behind `SSHFP`; a public key is `ssh-host-key`";
