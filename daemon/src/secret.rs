//! Secrets of transaction signatures, read from the files that the inventory names; never logged.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;

use inventory_core::model::Key;
use inventory_core::records::octets_of_base64;

/// Octets of a file that are read at most.
const FILE_OCTETS_MAX: u64 = 64 * 1024;
/// Octets of a secret at least: RFC 8945, section 8, wants as many as the hash has; shorter ones are
/// only warned of.
const SECRET_OCTETS: usize = 16;

/// The secret of `key`, and what is odd about it.
///
/// # Errors
/// Why there is none, for people.
pub fn read_secret(key: &Key) -> Result<(Vec<u8>, Option<String>), String> {
    let path = &*key.file;
    let failed = |error: io::Error| format!("`{path}` cannot be read: {error}");
    let found = fs::metadata(path).map_err(failed)?;
    if !found.is_file() || found.len() > FILE_OCTETS_MAX {
        return Err(format!("`{path}` is no file with a secret"));
    }
    let text = fs::read_to_string(path).map_err(failed)?;
    let secret = secret_in(&text, key)?;
    let odd = if found.mode() & 0o007 != 0 {
        Some(format!("everybody on this machine can read `{path}`"))
    } else if secret.len() < SECRET_OCTETS {
        Some(format!("the secret in `{path}` has only {} octets", secret.len()))
    } else {
        None
    };
    Ok((secret, odd))
}

/// The secret that `text` says: base64 alone, or the `key` statement of BIND and NSD's tools.
fn secret_in(text: &str, key: &Key) -> Result<Vec<u8>, String> {
    let path = &key.file;
    let statement = |word: &str| {
        let (_, rest) = text.split_once(word)?;
        let value = rest.trim_start().trim_start_matches('"');
        value.split(['"', ';', '\n']).next().map(str::trim)
    };
    let Some(secret) = statement("secret") else {
        let secret = octets_of_base64(text).filter(|secret| !secret.is_empty());
        return secret.ok_or_else(|| format!("`{path}` holds no secret in base64"));
    };
    let algorithm = key.algorithm.word();
    if let Some(other) = statement("algorithm").filter(|other| !other.eq_ignore_ascii_case(algorithm)) {
        return Err(format!("`{path}` is for {other}, and the inventory says {algorithm}"));
    }
    let secret = octets_of_base64(secret).filter(|secret| !secret.is_empty());
    secret.ok_or_else(|| format!("the `secret` in `{path}` is not base64"))
}

#[cfg(test)]
mod tests {
    use inventory_core::model::KeyAlgorithm;
    use inventory_core::name::Name;
    use inventory_core::span::{FileId, Span};

    use super::*;

    fn key(path: &str) -> Key {
        let (span, name) = (Span::whole(FileId(0)), Name::root().child("k").unwrap());
        Key { name, span, algorithm: KeyAlgorithm::HmacSha256, file: path.into() }
    }

    #[test]
    fn a_secret_is_base64_alone_or_what_key_generators_print() {
        let secret = |text: &str| secret_in(text, &key("/k"));
        assert_eq!(secret("c2Vj\nret0\n"), Ok(b"sec\xad\xeb\x74".to_vec()));
        let bind = "key \"k\" {\n\talgorithm hmac-sha256;\n\tsecret \"c2VjcmV0\";\n};\n";
        assert_eq!(secret(bind), Ok(b"secret".to_vec()));
        assert!(secret(&bind.replace("256", "512")).unwrap_err().contains("hmac-sha512"));
        assert!(secret("").is_err());
        assert!(secret("not base64!").is_err());
        assert!(secret("key k { secret \"!\"; };").is_err());
    }
}
