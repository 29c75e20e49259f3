//! A server under measure: started on its core, ended with the value.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::clock::{processor_time, resident_mebibytes};
use super::machine::SERVER_CORE;
use crate::run::wait_for;

/// A server and the processes that it starts.
#[derive(Debug)]
pub struct Server {
    /// Its name in the tables.
    pub name: &'static str,
    child: Child,
}

impl Server {
    /// Starts `program` on the servers' core; its output goes to a file in `place`.
    ///
    /// # Panics
    /// It cannot be started.
    pub fn start(name: &'static str, place: &Path, program: &Path, args: &[&str]) -> Server {
        fs::create_dir_all(place).unwrap();
        let log = File::create(place.join(format!("{name}.log"))).unwrap();
        let mut command = Command::new("taskset");
        command.arg("-c").arg(SERVER_CORE.to_string()).arg(program).args(args);
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        // Kea's, which would go to the system's directories.
        command.env("KEA_PIDFILE_DIR", place).env("KEA_LOCKFILE_DIR", "none");
        command.env("PATH", path());
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Server { name, child }
    }

    /// Waits until `is_ready` says so.
    ///
    /// # Panics
    /// It ends, or is not ready in time.
    pub fn wait(&mut self, place: &Path, mut is_ready: impl FnMut() -> bool) {
        let name = self.name;
        wait_for(&format!("{name} to answer"), || {
            if let Some(status) = self.child.try_wait().unwrap() {
                let log = fs::read_to_string(place.join(format!("{name}.log"))).unwrap_or_default();
                panic!("{name} ended at its start ({status}):\n{log}");
            }
            is_ready().then_some(())
        });
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Processor time that it has used.
    pub fn processor_time(&self) -> Duration {
        processor_time(self.child.id())
    }

    /// Memory that it has, in MiB.
    pub fn resident_mebibytes(&self) -> f64 {
        resident_mebibytes(self.child.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Several of them leave children behind when they are killed. All fail only if it has ended already.
        let _ = nix::sys::signal::kill(
            nix::unistd::Pid::from_raw(i32::try_from(self.child.id()).unwrap_or(0).max(1)),
            nix::sys::signal::Signal::SIGTERM,
        );
        for _ in 0..200 {
            if self.child.try_wait().is_ok_and(|status| status.is_some()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where programs are searched: those of servers are not on everybody's path.
pub fn path() -> String {
    format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default())
}

/// Whether a program is installed.
pub fn is_installed(program: &str) -> bool {
    path().split(':').any(|directory| Path::new(directory).join(program).exists())
}
