//! What the boot service remembers, in the state directory.

use std::fs::File;
use std::io::Read;

use daemon::exit::Fatal;
use daemon::state::{StateDir, StateError};

use crate::boot::Installs;

const FILE: &str = "installs.json";
const SECRET_OCTETS: usize = 32;

/// Reads it, or begins anew where there is nothing yet.
///
/// # Errors
/// It cannot be read. To begin anew then would install machines again that are installed.
pub(super) fn load(state: &StateDir) -> Result<Installs, Fatal> {
    let path = state.path().join(FILE);
    let Some(text) = state.read(FILE)? else {
        let mut secret = [0; SECRET_OCTETS];
        File::open("/dev/urandom")
            .and_then(|mut random| random.read_exact(&mut secret))
            .map_err(|error| Fatal::system("read random numbers", &error))?;
        let installs = Installs::new(&secret);
        if let Err(error) = save(state, &installs) {
            // Tokens of this run are then of no use to the next one; everything else works.
            tracing::warn!(%error, "the boot service cannot remember anything");
        }
        return Ok(installs);
    };
    serde_json::from_slice(&text).map_err(|error| {
        Fatal::new(format!("cannot read `{}`: {error}", path.display())).with_help(
            "it says which machines are installed: bring it back from a backup, or set those hosts to \
             `state = \"active\"` and remove it",
        )
    })
}

/// Writes it; durable on return.
pub(super) fn save(state: &StateDir, installs: &Installs) -> Result<(), StateError> {
    let text = serde_json::to_vec_pretty(installs).unwrap_or_default();
    state.write(FILE, &text)
}

#[cfg(test)]
mod tests {
    use super::super::testing::TempDir;
    use super::*;

    #[test]
    fn what_was_learned_is_there_after_a_restart_and_rubbish_is_not_taken_for_nothing() {
        let temp = TempDir::new("installs");
        let state = StateDir::open(temp.path(), None).unwrap();
        let mut first = load(&state).unwrap();
        first.set_done("web1.example", "");
        save(&state, &first).unwrap();
        let second = load(&state).unwrap();
        assert!(second.is_done("web1.example", ""));
        assert_eq!(second.token("web1.example", "2"), first.token("web1.example", "2"));
        state.write(FILE, b"{\"secret\":").unwrap();
        assert!(load(&state).is_err());
    }
}
