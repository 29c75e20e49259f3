//! Addresses that hosts have lost by edits, over restarts: a file in the state directory.
//!
//! It says which machine had which address when the daemon served last, so that an edit that comes while it is
//! down is found, and which addresses were lost before, until no machine can have a lease of them. Nothing
//! else is decided by it: where it is lost, a moved address is offered without looking for its user first.

use std::net::Ipv4Addr;
use std::sync::Arc;

use daemon::state::StateDir;
use inventory_core::model::{Inventory, Snapshot};
use tracing::warn;

use crate::view::{DhcpView, LEFT_MAX, Owners};

const FILE: &str = "owners";
/// Begins a line about an address that was lost.
const LOST: &str = "lost";

/// Writes down who has which address, and knows what was written by the process before.
#[derive(Debug)]
pub(super) struct Moved {
    state: Arc<StateDir>,
    /// Of the process before; `None` when it has been compared with.
    before: Option<Owners>,
    owners: Owners,
    lost: Vec<Lost>,
    /// Whether the file says all that.
    is_written: bool,
}

/// An address that was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lost {
    address: Ipv4Addr,
    /// Longest lease that its machine may have.
    seconds: u32,
    /// When it was lost, in seconds since 1970.
    since: i64,
}

impl Moved {
    /// What the process before has written.
    pub(super) fn load(state: &Arc<StateDir>) -> Moved {
        let octets = state.read(FILE).unwrap_or_else(|error| {
            warn!(%error, "addresses that moved before are not known");
            None
        });
        let text = String::from_utf8(octets.unwrap_or_default()).unwrap_or_default();
        let (mut before, mut lost) = (Owners::default(), Vec::new());
        for line in text.lines() {
            match line.strip_prefix(LOST).and_then(Lost::read) {
                Some(one) => lost.push(one),
                None if before.add_line(line) => {}
                None => warn!(file = FILE, line, "a line is left out that cannot be read"),
            }
        }
        let (state, owners) = (Arc::clone(state), Owners::default());
        Moved { state, before: Some(before), owners, lost, is_written: false }
    }

    /// The view of `snapshot`, which knows what was lost. To be called before it is in service, with the
    /// inventory that was in service before: so it is written before anybody gets another's address. Cost: as
    /// [`Owners::follow`], and a line for each host where an address has another owner.
    pub(super) fn follow(
        &mut self,
        view: DhcpView,
        last: Option<&Inventory>,
        snapshot: &Snapshot,
        unix_seconds: i64,
    ) -> DhcpView {
        let are_others = match last {
            Some(last) => self.owners.follow(last, &snapshot.inventory),
            None => {
                self.owners = Owners::of(&snapshot.inventory);
                true
            }
        };
        let lost_before = self.lost.clone();
        self.lost.retain(|lost| unix_seconds - lost.since < lost.seconds.into());
        let lost = |(address, seconds)| Lost { address, seconds, since: unix_seconds };
        let view = match self.before.take() {
            Some(before) => {
                self.lost.extend(before.lost(&self.owners).map(lost));
                view.with_left(self.lost.iter().map(|lost| (lost.address, lost.seconds)))
            }
            None => {
                self.lost.extend(view.left_by_last_edit().map(lost));
                view
            }
        };
        self.lost.drain(..self.lost.len().saturating_sub(LEFT_MAX));
        self.is_written &= !are_others && self.lost == lost_before;
        if !self.is_written {
            self.write();
        }
        view
    }

    fn write(&mut self) {
        let lost: String = self.lost.iter().map(Lost::line).collect();
        let text = self.owners.to_text() + &lost;
        let written = self.state.write(FILE, text.as_bytes());
        self.is_written = written.is_ok();
        if let Err(error) = written {
            warn!(%error, "a restart would not know which addresses have moved");
        }
    }
}

impl Lost {
    fn line(&self) -> String {
        format!("{LOST} {} {} {}\n", self.address, self.seconds, self.since)
    }

    fn read(words: &str) -> Option<Lost> {
        let mut words = words.trim_start().split(' ');
        let mut word = || words.next();
        Some(Lost {
            address: word()?.parse().ok()?,
            seconds: word()?.parse().ok()?,
            since: word()?.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use inventory_core::load::load_texts;

    /// A directory of the test's own, gone at its end.
    struct Dir(std::path::PathBuf);

    impl Drop for Dir {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn state(name: &str) -> (Dir, Arc<StateDir>) {
        let path = std::env::temp_dir().join(format!("hostbook-moved-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        let state = StateDir::open(&path, None).unwrap();
        (Dir(path), Arc::new(state))
    }

    /// Two hosts with these last octets.
    fn snapshot(generation: u64, a: u8, b: u8) -> Snapshot {
        let host = |name: &str, mac: u8, ip: u8| {
            format!(
                "[host.{name}]\nnetwork = \"lab\"\nmac = \"02:00:00:00:00:{mac:02x}\"\nip = \"10.77.0.{ip}\"\n"
            )
        };
        let site = "[site]\nnameservers = [\"ns1.lab.test\"]\ncontact = \"a@lab.test\"\n[zone.\"lab.test\"]\n\
                    [network.lab]\nzone = \"lab.test\"\nipv4 = \"10.77.0.0/24\"\nlease = \"1h\"\n\
                    [host.ns1]\nnetwork = \"lab\"\nip = \"10.77.0.1\"\n";
        let text = format!("{site}{}{}", host("a", 1, a), host("b", 2, b));
        Snapshot { generation, ..load_texts(&[("inventory.toml", &text)]).unwrap() }
    }

    fn lost(view: &DhcpView) -> Vec<u8> {
        view.left_since(0).map(|left| left.address.octets()[3]).collect()
    }

    #[test]
    fn an_edit_while_nobody_served_is_found() {
        let (_dir, state) = state("down");
        let first = snapshot(1, 11, 12);
        let view = Moved::load(&state).follow(DhcpView::build(&first), None, &first, 1000);
        assert_eq!(lost(&view), [] as [u8; 0], "nobody served before");
        let second = snapshot(1, 13, 11);
        let mut moved = Moved::load(&state);
        let view = moved.follow(DhcpView::build(&second), None, &second, 2000);
        assert_eq!(lost(&view), [11, 12]);
        // It is known for as long as a lease may last, however often the daemon starts.
        for (at, expected) in [(3000, &[11, 12][..]), (5599, &[11, 12]), (5600, &[])] {
            let view = Moved::load(&state).follow(DhcpView::build(&second), None, &second, at);
            assert_eq!(lost(&view), expected, "at {at}");
        }
    }

    #[test]
    fn an_edit_before_a_restart_is_remembered() {
        let (_dir, state) = state("up");
        let (first, second) = (snapshot(1, 11, 12), snapshot(2, 13, 11));
        let mut moved = Moved::load(&state);
        let view = moved.follow(DhcpView::build(&first), None, &first, 1000);
        let view = view.updated(&first.inventory, &second);
        assert_eq!(lost(&moved.follow(view, Some(&first.inventory), &second, 1500)), [11, 12]);
        let again = Moved::load(&state).follow(DhcpView::build(&second), None, &second, 2000);
        assert_eq!(lost(&again), [11, 12]);
    }

    #[test]
    fn an_edit_that_moves_no_address_writes_nothing_unless_something_is_missing() {
        let (dir, state) = state("same");
        let file = dir.0.join(FILE);
        let (first, again) = (snapshot(1, 11, 12), snapshot(2, 11, 12));
        let mut moved = Moved::load(&state);
        moved.follow(DhcpView::build(&first), None, &first, 1000);
        let written = std::fs::read(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        let mut next = again.inventory.as_ref().clone();
        next.globals = Arc::clone(&first.inventory.globals);
        let again = Snapshot { inventory: Arc::new(next), ..again };
        moved.follow(DhcpView::build(&again), Some(&first.inventory), &again, 1001);
        assert!(!file.exists());
        std::fs::create_dir(&file).unwrap();
        let third = snapshot(3, 11, 13);
        moved.follow(DhcpView::build(&third), Some(&again.inventory), &third, 1002);
        std::fs::remove_dir(&file).unwrap();
        moved.follow(DhcpView::build(&third), Some(&third.inventory), &third, 1003);
        assert_ne!(std::fs::read(&file).unwrap(), written, "what could not be written is written later");
    }

    #[test]
    fn a_file_that_cannot_be_read_is_no_reason_not_to_start() {
        let (dir, state) = state("broken");
        std::fs::write(dir.0.join(FILE), b"lost 10.77.0.9 x\n\xff").unwrap();
        let first = snapshot(1, 11, 12);
        let view = Moved::load(&state).follow(DhcpView::build(&first), None, &first, 1000);
        assert_eq!(lost(&view), [] as [u8; 0]);
    }
}
