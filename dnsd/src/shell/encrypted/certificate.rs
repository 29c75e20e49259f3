//! The certificate that clients are shown, from files that something else renews.
//!
//! Who renews one replaces two files, one after the other. So a pair that does not belong together, or a file that
//! cannot be read, changes nothing: the certificate in use stays, and the trouble is told until it is over.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use daemon::explain::Explain;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tracing::{info, warn};

use super::super::status::lock;

/// How often the files are looked at.
pub(super) const INTERVAL: Duration = Duration::from_secs(10);

/// A certificate and its key, as the files had them when they last belonged together.
pub struct Certificate {
    files: Files,
    current: ArcSwap<CertifiedKey>,
    seen: Mutex<Seen>,
}

/// Where they are.
#[derive(Clone, Debug)]
pub struct Files {
    /// The certificate and those that vouch for it, PEM, its own first.
    pub chain: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
}

/// What the files were when they were last looked at.
struct Seen {
    versions: [Option<(SystemTime, u64)>; 2],
    trouble: Option<String>,
}

/// Why there is no certificate.
#[derive(Debug)]
pub struct CertificateError {
    file: PathBuf,
    why: String,
    help: &'static str,
}

impl Certificate {
    /// Reads the files.
    ///
    /// # Errors
    /// The file that cannot be used, and why.
    pub fn open(files: Files) -> Result<Arc<Certificate>, CertificateError> {
        let seen = Seen { versions: files.versions(), trouble: None };
        let current = ArcSwap::from_pointee(files.read()?);
        Ok(Arc::new(Certificate { files, current, seen: Mutex::new(seen) }))
    }

    /// Reads the files again if they changed.
    pub(super) fn look(&self) {
        let mut seen = lock(&self.seen);
        let versions = self.files.versions();
        if versions == seen.versions && seen.trouble.is_none() {
            return;
        }
        let changed = versions != seen.versions;
        seen.versions = versions;
        match self.files.read() {
            Ok(read) => {
                self.current.store(Arc::new(read));
                seen.trouble = None;
                info!(certificate = %self.files.chain.display(), "a new certificate is in use");
            }
            Err(error) => {
                if changed {
                    let help = error.help;
                    warn!(%error, help, "the certificate in use stays");
                }
                seen.trouble = Some(error.to_string());
            }
        }
    }

    /// Why the files are not what is in use, if they are not.
    pub fn trouble(&self) -> Option<String> {
        lock(&self.seen).trouble.clone()
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.files.fmt(f)
    }
}

impl Files {
    fn versions(&self) -> [Option<(SystemTime, u64)>; 2] {
        [&self.chain, &self.key].map(|path| {
            let metadata = fs::metadata(path).ok()?;
            Some((metadata.modified().ok()?, metadata.len()))
        })
    }

    fn read(&self) -> Result<CertifiedKey, CertificateError> {
        let fail = |file: &Path, why: String, help| CertificateError { file: file.to_owned(), why, help };
        let chain = read_file(&self.chain)?;
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&chain).collect();
        let chain = chain.map_err(|error| fail(&self.chain, error.to_string(), CHAIN_HELP))?;
        if chain.is_empty() {
            return Err(fail(&self.chain, "it has no certificate".to_owned(), CHAIN_HELP));
        }
        let key = PrivateKeyDer::from_pem_slice(&read_file(&self.key)?)
            .map_err(|error| fail(&self.key, error.to_string(), KEY_HELP))?;
        CertifiedKey::from_der(chain, key, &ring::default_provider()).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                fail(&self.key, format!("it is not the key of `{}`", self.chain.display()), PAIR_HELP)
            }
            error => fail(&self.key, error.to_string(), KEY_HELP),
        })
    }
}

fn read_file(file: &Path) -> Result<Vec<u8>, CertificateError> {
    fs::read(file).map_err(|error| CertificateError {
        file: file.to_owned(),
        why: daemon::explain::reason(&error).to_string(),
        help: READ_HELP,
    })
}

const CHAIN_HELP: &str = "it has to be PEM: the server's own certificate first, then those that vouch for it";
const KEY_HELP: &str = "it has to be PEM, without a passphrase: RSA, ECDSA P-256 or P-384, or Ed25519";
const PAIR_HELP: &str = "give the key that the certificate was made for";
const READ_HELP: &str = "it is read again when it changes, so the user that the daemon runs as must be able to \
                         read it";

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot use `{}`: {}", self.file.display(), self.why)
    }
}

impl std::error::Error for CertificateError {}

impl Explain for CertificateError {
    fn help(&self) -> Option<String> {
        Some(self.help.to_owned())
    }
}
