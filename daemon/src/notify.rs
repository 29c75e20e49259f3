//! Telling the service manager how the daemon does (sd_notify(3)).
//!
//! The socket is connected once at start, so no sandbox entered later cuts it off. Without a service
//! manager every call does nothing. Never blocks: a manager that does not read misses messages.

use std::env;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sd_notify::NotifyState;

/// The service manager, if there is one. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Notifier {
    manager: Option<Arc<Manager>>,
    watchdog: Option<Duration>,
}

#[derive(Debug)]
struct Manager {
    address: SocketAddr,
    socket: Mutex<UnixDatagram>,
}

impl Notifier {
    /// The manager that `NOTIFY_SOCKET` names. An address that cannot be reached is logged, no error.
    pub fn from_env() -> Notifier {
        let Some(name) = env::var_os("NOTIFY_SOCKET") else { return Notifier::default() };
        match Notifier::connect(&name) {
            Ok(mut notifier) => {
                notifier.watchdog = sd_notify::watchdog_enabled().map(|time| time / 2);
                notifier
            }
            Err(error) => {
                tracing::warn!(?name, %error, "the service manager cannot be reached");
                Notifier::default()
            }
        }
    }

    /// The manager at `name`: a path, or `@` and an abstract name.
    pub fn connect(name: &OsStr) -> io::Result<Notifier> {
        let address = match name.as_bytes().split_first() {
            Some((b'@', name)) => SocketAddr::from_abstract_name(name)?,
            _ => SocketAddr::from_pathname(name)?,
        };
        let socket = Mutex::new(open(&address)?);
        Ok(Notifier { manager: Some(Arc::new(Manager { address, socket })), watchdog: None })
    }

    /// Start or reload is complete.
    pub fn ready(&self) {
        self.send(&[NotifyState::Ready]);
    }

    /// A reload begins; [`ready`](Notifier::ready) must follow, whether it succeeded or not.
    pub fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => self.send(&[NotifyState::Reloading, now]), // systemd ignores RELOADING without it
            Err(error) => tracing::warn!(%error, "the monotonic clock cannot be read"),
        }
    }

    /// The daemon finishes.
    pub fn stopping(&self) {
        self.send(&[NotifyState::Stopping]);
    }

    /// One line for people, shown by `systemctl status`. Control characters become spaces.
    pub fn status(&self, text: &str) {
        // A line feed would begin another assignment of the protocol.
        let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        self.send(&[NotifyState::Status(&line)]);
    }

    /// How often [`watchdog`](Notifier::watchdog) shall be called: half the time after which the manager
    /// would kill the daemon. `None`: it does not watch.
    pub fn watchdog_interval(&self) -> Option<Duration> {
        self.watchdog
    }

    /// The daemon is alive.
    pub fn watchdog(&self) {
        self.send(&[NotifyState::Watchdog]);
    }

    /// Calls [`watchdog`](Notifier::watchdog) in time, as long as `alive` says so, until the future is
    /// dropped. Without a watchdog it does nothing, for ever. Needs a tokio runtime with time.
    ///
    /// `alive` should ask the threads that answer packets, not just return.
    pub async fn keep_watchdog(&self, alive: impl Fn() -> bool) {
        let Some(interval) = self.watchdog else { return std::future::pending().await };
        let mut ticks = tokio::time::interval(interval);
        loop {
            ticks.tick().await;
            if alive() {
                self.watchdog();
            } else {
                tracing::error!(
                    "a worker makes no progress: the service manager is not told that all is well"
                );
            }
        }
    }

    fn send(&self, states: &[NotifyState<'_>]) {
        let Some(manager) = &self.manager else { return };
        let mut message = String::new();
        for state in states {
            let _ = writeln!(message, "{state}"); // writing to a String cannot fail
        }
        if let Err(error) = manager.send(message.as_bytes()) {
            tracing::debug!(%error, "the service manager misses a message");
        }
    }
}

impl Manager {
    fn send(&self, message: &[u8]) -> io::Result<()> {
        let mut socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        match socket.send(message) {
            Ok(_) => Ok(()),
            // Its socket was made anew, perhaps: once more.
            Err(error)
                if matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotConnected) =>
            {
                *socket = open(&self.address)?;
                socket.send(message).map(drop)
            }
            Err(error) => Err(error),
        }
    }
}

fn open(address: &SocketAddr) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.connect_addr(address)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TempDir;

    fn received(manager: &UnixDatagram) -> String {
        let mut buffer = [0; 1024];
        let count = manager.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..count].to_vec()).unwrap()
    }

    #[test]
    fn the_manager_hears_each_step_of_a_daemons_life() {
        let temp = TempDir::new("notify");
        let path = temp.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        let notifier = Notifier::connect(path.as_os_str()).unwrap();
        notifier.ready();
        assert_eq!(received(&manager), "READY=1\n");
        notifier.reloading();
        let reloading = received(&manager);
        let micros = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap().trim();
        assert!(micros.parse::<u64>().unwrap() > 0);
        notifier.watchdog();
        assert_eq!(received(&manager), "WATCHDOG=1\n");
        notifier.stopping();
        assert_eq!(received(&manager), "STOPPING=1\n");
    }

    #[test]
    fn a_status_cannot_smuggle_in_another_assignment() {
        let temp = TempDir::new("notify");
        let path = temp.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        Notifier::connect(path.as_os_str()).unwrap().status("generation 7\nMAINPID=1");
        assert_eq!(received(&manager), "STATUS=generation 7 MAINPID=1\n");
    }

    #[test]
    fn an_abstract_address_works_as_a_path_does() {
        let name = format!("hostbook-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let manager = UnixDatagram::bind_addr(&address).unwrap();
        Notifier::connect(OsStr::new(&format!("@{name}"))).unwrap().ready();
        assert_eq!(received(&manager), "READY=1\n");
    }

    #[test]
    fn a_manager_that_came_back_is_found_again_and_one_that_is_gone_is_no_error() {
        let temp = TempDir::new("notify");
        let path = temp.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        let notifier = Notifier::connect(path.as_os_str()).unwrap();
        drop(manager);
        notifier.ready();
        std::fs::remove_file(&path).unwrap();
        let manager = UnixDatagram::bind(&path).unwrap();
        notifier.ready();
        assert_eq!(received(&manager), "READY=1\n");
        Notifier::default().ready();
    }
}
