//! What the boot service remembers, in the state directory.

use std::sync::{Arc, Mutex, PoisonError};

use daemon::exit::Fatal;
use daemon::random::octets;
use daemon::state::{StateDir, StateError};

use crate::boot::Installs;

const FILE: &str = "installs.json";
const SECRET_OCTETS: usize = 32;

/// The file, and whether it holds all that it should.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    state: Arc<StateDir>,
    /// Why the last write failed; `None` if it did not.
    behind: Arc<Mutex<Option<String>>>,
}

impl Memory {
    /// Reads it, or begins anew where there is nothing yet.
    ///
    /// # Errors
    /// It cannot be read. To begin anew then would install machines again that are installed.
    pub(super) fn load(state: &Arc<StateDir>) -> Result<(Memory, Installs), Fatal> {
        let memory = Memory { state: Arc::clone(state), behind: Arc::default() };
        let installs = match state.read(FILE)? {
            Some(text) => serde_json::from_slice(&text).map_err(|error| {
                Fatal::new(format!("cannot read `{}`: {error}", state.path().join(FILE).display())).with_help(
                    "it says which machines are installed: bring it back from a backup, or set those hosts to \
                     `state = \"active\"` and remove it",
                )
            })?,
            None => {
                let secret = octets::<SECRET_OCTETS>();
                Installs::new(&secret.map_err(|error| Fatal::system("read random numbers", &error))?)
            }
        };
        // Also what was there: others could read the file of older versions.
        if let Err(error) = memory.save(&installs) {
            tracing::warn!(%error, "the boot service cannot remember anything yet");
        }
        Ok((memory, installs))
    }

    /// Writes it; durable on return.
    ///
    /// # Errors
    /// It cannot be written; [`Memory::problem`] says so until it can.
    pub(super) fn save(&self, installs: &Installs) -> Result<(), StateError> {
        let text = serde_json::to_vec_pretty(installs).unwrap_or_default();
        let saved = self.state.write_secret(FILE, &text);
        *self.lock() = saved.as_ref().err().map(ToString::to_string);
        saved
    }

    /// Whether there is something that could not be written.
    pub(super) fn is_behind(&self) -> bool {
        self.lock().is_some()
    }

    /// What an operator must know; `None`: nothing.
    pub(super) fn problem(&self) -> Option<String> {
        let why = self.lock().clone()?;
        Some(format!(
            "which machines are installed cannot be written down, and is lost with a restart: {why}"
        ))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.behind.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::super::testing::TempDir;
    use super::*;

    #[test]
    fn what_was_learned_is_there_after_a_restart_and_rubbish_is_not_taken_for_nothing() {
        let temp = TempDir::new("installs");
        let state = Arc::new(StateDir::open(temp.path(), None).unwrap());
        let (_, first) = Memory::load(&state).unwrap();
        let (memory, second) = Memory::load(&state).unwrap();
        assert_eq!(first, second, "the secret is the same");
        memory.save(&second).unwrap();
        assert_eq!(memory.problem(), None);
        let mode = || std::fs::metadata(temp.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode() & 0o777, 0o600, "its tokens are nobody else's to make");
        std::fs::set_permissions(temp.path().join(FILE), std::fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(Memory::load(&state).unwrap().1, first);
        assert_eq!(mode() & 0o777, 0o600, "also when it is of an older version");
        state.write(FILE, b"{\"secret\":").unwrap();
        assert!(Memory::load(&state).is_err());
    }

    #[test]
    fn a_failed_write_is_told_until_one_succeeds() {
        let temp = TempDir::new("installs");
        let state = Arc::new(StateDir::open(temp.path(), None).unwrap());
        let (memory, installs) = Memory::load(&state).unwrap();
        std::fs::remove_file(temp.path().join(FILE)).unwrap();
        // A directory in its place, so that even root cannot write it.
        std::fs::create_dir(temp.path().join(FILE)).unwrap();
        assert!(memory.save(&installs).is_err() && memory.is_behind());
        assert!(memory.problem().unwrap().contains("installs.json"), "{:?}", memory.problem());
        std::fs::remove_dir(temp.path().join(FILE)).unwrap();
        memory.save(&installs).unwrap();
        assert_eq!(memory.problem(), None);
    }
}
