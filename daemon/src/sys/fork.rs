//! For tests: running a closure in a process of its own, where it may change what a whole process
//! shares: its user, capabilities, signals, namespaces.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

/// Set in a process that runs one test only.
const ALONE: &str = "HOSTBOOK_TEST_ALONE";

/// Runs `body` in a process with a single thread; panics when it panics there. To be called by the
/// thread that the test harness has started, as the last thing that the test does.
///
/// The harness runs other tests in other threads, and a fork would inherit the locks that they hold. So
/// this test is first run again by a process of its own, where nobody else holds any, and forks there.
pub(crate) fn in_child(body: impl FnOnce()) {
    if std::env::var_os(ALONE).is_some() {
        return fork_and_run(body);
    }
    let thread = std::thread::current();
    let test = thread.name().expect("the harness names its threads after their tests");
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args([test, "--exact", "--nocapture", "--test-threads=1"]).env(ALONE, "1");
    let output = again.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "in its own process:\n{text}\n{errors}");
}

fn fork_and_run(body: impl FnOnce()) {
    // SAFETY: the only other thread is the harness's, which waits for this one and holds no lock; the
    // child ends without running anybody's destructors.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            let failed = catch_unwind(AssertUnwindSafe(body)).is_err();
            // SAFETY: ends the process at once.
            unsafe { libc::_exit(failed.into()) }
        }
        ForkResult::Parent { child } => {
            let status = waitpid(child, None).unwrap();
            assert_eq!(status, WaitStatus::Exited(child, 0));
        }
    }
}
