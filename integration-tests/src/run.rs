//! Running programs to their end, and waiting for what comes.

use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A slow machine under load takes this long for anything, and no test waits longer.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// What a program did.
#[derive(Clone, Debug)]
pub struct Ran {
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub err: String,
}

impl Ran {
    /// Its exit code.
    ///
    /// # Panics
    /// It was ended by a signal.
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or_else(|| panic!("{self:?}"))
    }
}

/// Runs `command` without input to its end.
///
/// # Panics
/// It cannot be started.
pub fn run(mut command: Command) -> Ran {
    let done = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    Ran {
        status: done.status,
        out: String::from_utf8_lossy(&done.stdout).into_owned(),
        err: String::from_utf8_lossy(&done.stderr).into_owned(),
    }
}

/// What `command` printed.
///
/// # Panics
/// It fails.
pub fn succeed(command: Command) -> String {
    let what = format!("{command:?}");
    let ran = run(command);
    assert!(ran.status.success(), "{what} failed ({}):\n{}{}", ran.status, ran.out, ran.err);
    ran.out
}

/// What the shell command `line` printed.
///
/// # Panics
/// It fails.
pub fn sh(line: &str) -> String {
    let mut command = Command::new("sh");
    command.args(["-ec", line]);
    succeed(command)
}

/// Asks `look` until it has an answer.
///
/// # Panics
/// It has none within [`PATIENCE`].
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Asks `look` until it says yes.
///
/// # Panics
/// It does not within [`PATIENCE`].
pub fn wait_until(what: &str, mut look: impl FnMut() -> bool) {
    wait_for(what, || look().then_some(()));
}
