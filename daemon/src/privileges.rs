//! Giving up what a daemon no longer needs once its sockets are open.
//!
//! Order at start: resolve the [`User`], open the state directory and the sockets, call [`give_up`],
//! start threads. Capabilities belong to threads, so [`give_up`] refuses a process that has several.

use std::error::Error;
use std::fmt;
use std::io;

use nix::sys::prctl;
use nix::unistd::{
    Gid, Uid, getegid, geteuid, getgroups, getresgid, getresuid, setgroups, setresgid, setresuid, setuid,
};

use crate::explain::{Explain, reason};
use crate::sys::caps;

/// A user of this machine, to own a daemon's files and to run it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Login name.
    pub name: String,
    /// User id.
    pub uid: u32,
    /// Id of the primary group.
    pub gid: u32,
}

/// Capabilities that a daemon still needs after its start. The default is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// `CAP_NET_RAW`: to open packet sockets later, for interfaces that appear.
    pub net_raw: bool,
    /// `CAP_NET_BIND_SERVICE`: to listen on ports below 1024 later, on addresses that appear.
    pub net_bind_service: bool,
}

/// What keeps a daemon from giving up its privileges. It must not go on then.
#[derive(Debug)]
pub enum PrivilegeError {
    /// The user database has no such user.
    NoSuchUser(String),
    /// The group database has no such group.
    NoSuchGroup(String),
    /// Only root can become another user.
    NotRoot {
        /// Who was asked for.
        wanted: String,
    },
    /// Only root can enter another group.
    NotInGroup {
        /// Which was asked for.
        wanted: String,
    },
    /// Other threads run already and would keep their capabilities.
    Threads(usize),
    /// A system call failed.
    System {
        /// What was tried.
        action: &'static str,
        /// Why it failed.
        source: io::Error,
    },
}

impl User {
    /// Looks up a user by name.
    pub fn find(name: &str) -> Result<User, PrivilegeError> {
        let found = nix::unistd::User::from_name(name)
            .map_err(|errno| PrivilegeError::system("read the user database", errno))?
            .ok_or_else(|| PrivilegeError::NoSuchUser(name.to_owned()))?;
        Ok(User { name: found.name, uid: found.uid.as_raw(), gid: found.gid.as_raw() })
    }

    /// The same user in the group `name` in place of its own.
    ///
    /// # Errors
    /// There is no such group; or this process, which is not root's and so cannot change its groups, is not
    /// in it.
    pub fn in_group(self, name: &str) -> Result<User, PrivilegeError> {
        let found = nix::unistd::Group::from_name(name)
            .map_err(|errno| PrivilegeError::system("read the group database", errno))?
            .ok_or_else(|| PrivilegeError::NoSuchGroup(name.to_owned()))?;
        let own = getgroups().map_err(|errno| PrivilegeError::system("read the own groups", errno))?;
        if !geteuid().is_root() && getegid() != found.gid && !own.contains(&found.gid) {
            return Err(PrivilegeError::NotInGroup { wanted: name.to_owned() });
        }
        Ok(User { gid: found.gid.as_raw(), ..self })
    }
}

impl Keep {
    fn mask(self) -> u64 {
        let raw = if self.net_raw { caps::NET_RAW } else { 0 };
        let bind = if self.net_bind_service { caps::NET_BIND_SERVICE } else { 0 };
        raw | bind
    }
}

/// Gives up privileges, for good.
///
/// Whoever runs the process: no program that it starts can gain any (`PR_SET_NO_NEW_PRIVS`).
/// As root with a `user`: becomes that user, without supplementary groups and with no capability but
/// those of `keep`. As root without one: stays root, capabilities untouched.
/// As somebody else: keeps of its capabilities only those of `keep`; a `user` must be that somebody.
///
/// Call it before the first thread is started, a runtime's included.
pub fn give_up(user: Option<&User>, keep: Keep) -> Result<(), PrivilegeError> {
    let threads = threads();
    if threads > 1 {
        return Err(PrivilegeError::Threads(threads));
    }
    let euid = geteuid();
    match user {
        Some(user) if euid.is_root() && user.uid != 0 => become_user(user, keep.mask())?,
        Some(user) if euid.as_raw() != user.uid => {
            return Err(PrivilegeError::NotRoot { wanted: user.name.clone() });
        }
        _ if euid.is_root() => {}
        _ => reduce_capabilities(keep.mask())?,
    }
    prctl::set_no_new_privs().map_err(|errno| PrivilegeError::system("forbid new privileges", errno))
}

fn become_user(user: &User, keep: u64) -> Result<(), PrivilegeError> {
    let (uid, gid) = (Uid::from_raw(user.uid), Gid::from_raw(user.gid));
    caps::limit_bounding(keep).map_err(|error| PrivilegeError::io("limit capabilities", error))?;
    prctl::set_keepcaps(true).map_err(|errno| PrivilegeError::system("keep capabilities", errno))?;
    setgroups(&[]).map_err(|errno| PrivilegeError::system("leave supplementary groups", errno))?;
    setresgid(gid, gid, gid).map_err(|errno| PrivilegeError::system("change the group", errno))?;
    setresuid(uid, uid, uid).map_err(|errno| PrivilegeError::system("change the user", errno))?;
    reduce_capabilities(keep)?;
    prctl::set_keepcaps(false).map_err(|errno| PrivilegeError::system("keep capabilities", errno))?;
    verify(uid, gid)
}

fn reduce_capabilities(keep: u64) -> Result<(), PrivilegeError> {
    let failed = |error| PrivilegeError::io("give up capabilities", error);
    caps::clear_ambient().map_err(failed)?;
    let kept = caps::get().map_err(failed)?.permitted & keep;
    caps::set(caps::Sets { effective: kept, permitted: kept, inheritable: 0 }).map_err(failed)
}

/// Trust nothing: a kernel or sandbox that lies about a call's success has been seen before.
fn verify(uid: Uid, gid: Gid) -> Result<(), PrivilegeError> {
    let failed = |errno| PrivilegeError::system("read the user ids", errno);
    let users = getresuid().map_err(failed)?;
    let groups = getresgid().map_err(failed)?;
    let changed = [users.real, users.effective, users.saved].iter().all(|id| *id == uid)
        && [groups.real, groups.effective, groups.saved].iter().all(|id| *id == gid);
    if !changed || setuid(Uid::from_raw(0)).is_ok() {
        let source = io::Error::other("root could be regained");
        return Err(PrivilegeError::io("become another user", source));
    }
    Ok(())
}

/// Number of threads of this process; 1 where `/proc` cannot be read.
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").map_or(1, Iterator::count)
}

impl PrivilegeError {
    fn system(action: &'static str, errno: nix::errno::Errno) -> PrivilegeError {
        PrivilegeError::io(action, errno.into())
    }

    fn io(action: &'static str, source: io::Error) -> PrivilegeError {
        PrivilegeError::System { action, source }
    }
}

impl fmt::Display for PrivilegeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PrivilegeError::NoSuchUser(name) => write!(f, "no user `{name}` on this machine"),
            PrivilegeError::NoSuchGroup(name) => write!(f, "no group `{name}` on this machine"),
            PrivilegeError::NotInGroup { wanted } => {
                write!(f, "cannot enter group `{wanted}`: not started as root")
            }
            PrivilegeError::NotRoot { wanted } => {
                write!(f, "cannot become user `{wanted}`: not started as root")
            }
            PrivilegeError::Threads(count) => {
                write!(f, "cannot give up privileges: {count} threads run already")
            }
            PrivilegeError::System { action, source } => {
                write!(f, "cannot {action} to give up privileges: {}", reason(source))
            }
        }
    }
}

impl Error for PrivilegeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            PrivilegeError::System { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl Explain for PrivilegeError {
    fn help(&self) -> Option<String> {
        match self {
            PrivilegeError::NoSuchUser(name) => {
                Some(format!("create it: `useradd --system --user-group --no-create-home {name}`"))
            }
            PrivilegeError::NoSuchGroup(name) => Some(format!("create it: `groupadd --system {name}`")),
            PrivilegeError::NotInGroup { wanted } => Some(format!(
                "start it as root, or in that group without `--group` (`Group={wanted}` in its unit)"
            )),
            PrivilegeError::NotRoot { wanted } => Some(format!(
                "start it as root, or as `{wanted}` without `--user` (`User={wanted}` in its unit)"
            )),
            PrivilegeError::Threads(_) => {
                Some("this is a mistake in the program: please report it".to_owned())
            }
            PrivilegeError::System { .. } => Some(
                "leave out `--user` where a container or sandbox has already dropped privileges".to_owned(),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::fork::in_child;
    use std::net::UdpSocket;

    fn nobody() -> User {
        User { name: "nobody".to_owned(), uid: 65_534, gid: 65_534 }
    }

    #[test]
    fn root_becomes_a_user_with_the_asked_capability_only_and_no_way_back() {
        if !geteuid().is_root() {
            println!("skipped: needs root");
            return;
        }
        in_child(|| {
            give_up(Some(&nobody()), Keep { net_raw: true, net_bind_service: false }).unwrap();
            assert_eq!(geteuid().as_raw(), 65_534);
            let sets = caps::get().unwrap();
            assert_eq!((sets.permitted, sets.effective), (caps::NET_RAW, caps::NET_RAW));
            assert_eq!(getgroups(), Ok(Vec::new()));
            assert_eq!(prctl::get_no_new_privs(), Ok(true));
            assert!(crate::udp::open_packet_socket().is_ok());
            assert!(setuid(Uid::from_raw(0)).is_err());
            assert!(setgroups(&[Gid::from_raw(0)]).is_err());
            let status = std::fs::read_to_string("/proc/self/status").unwrap();
            assert!(status.contains("CapBnd:\t0000000000002000"), "{status}");
        });
    }

    #[test]
    fn without_capabilities_a_low_port_is_refused_and_what_is_open_stays() {
        if !geteuid().is_root() {
            println!("skipped: needs root");
            return;
        }
        in_child(|| {
            let open = UdpSocket::bind("127.0.0.1:0").unwrap();
            give_up(Some(&nobody()), Keep::default()).unwrap();
            assert_eq!(caps::get().unwrap().permitted, 0);
            let packet = crate::udp::open_packet_socket().unwrap_err();
            assert!(packet.help().unwrap().contains("CAP_NET_RAW"));
            let low_ports_are_free = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start")
                .is_ok_and(|first| first.trim() == "0");
            if !low_ports_are_free {
                let error =
                    crate::udp::bind(&crate::udp::Options::new(([127, 0, 0, 1], 53).into())).unwrap_err();
                assert!(error.help().unwrap().contains("CAP_NET_BIND_SERVICE"), "{error}");
            }
            open.send_to(b"x", "127.0.0.1:9").unwrap();
        });
    }

    #[test]
    fn only_root_becomes_somebody_else() {
        if !geteuid().is_root() {
            println!("skipped: needs root");
            return;
        }
        in_child(|| {
            give_up(Some(&nobody()), Keep::default()).unwrap();
            give_up(Some(&nobody()), Keep::default()).unwrap();
            let other = User { name: "dns".to_owned(), uid: 4242, gid: 4242 };
            let error = give_up(Some(&other), Keep::default()).unwrap_err();
            assert!(matches!(error, PrivilegeError::NotRoot { .. }), "{error}");
        });
    }

    #[test]
    fn a_process_with_threads_is_refused() {
        let (send, receive) = std::sync::mpsc::channel::<()>();
        let waiting = std::thread::spawn(move || receive.recv().is_err());
        let refused = give_up(None, Keep::default());
        drop(send);
        assert!(waiting.join().unwrap());
        assert!(matches!(refused, Err(PrivilegeError::Threads(2..))), "{refused:?}");
    }

    #[test]
    fn an_unknown_user_is_an_error_with_the_command_that_makes_one() {
        let error = User::find("hostbook-nobody-has-this").unwrap_err();
        assert_eq!(error.to_string(), "no user `hostbook-nobody-has-this` on this machine");
        assert!(error.help().unwrap().contains("useradd"));
        assert_eq!(User::find("root").unwrap().uid, 0);
        let error = nobody().in_group("hostbook-nobody-has-this").unwrap_err();
        assert_eq!(error.to_string(), "no group `hostbook-nobody-has-this` on this machine");
        assert!(error.help().unwrap().contains("groupadd"));
    }
}
