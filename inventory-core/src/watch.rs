//! Waiting until an inventory directory should be looked at again.
//!
//! Events of the file system are *hints*: they say when to look, never what changed. What changed is
//! found by comparing `stat`s (see [`crate::source::Directory`]), which raises no events. So lost and
//! superfluous events cost time, not truth:
//!
//! * editors rename over files and `git checkout` makes storms: hints are gathered until 150 ms of quiet
//!   or 2 s have passed, and while git's index lock exists (at most 30 s);
//! * directories are watched, not files; also the parent of each symbolic link on the way to the root, where
//!   only the link itself counts: what else happens in `/srv` is nobody's business;
//! * a watch is the inode's, not the path's: a directory that was removed or renamed is watched anew, also
//!   if another one has its name (and perhaps its inode) by then;
//! * a queue that overflows, a directory made before its watch was set, and file systems without
//!   events are covered by looking every 60 s (every 5 s where events are not to be had).

mod tree;

use std::collections::HashSet;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{Config, RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::source::git;

/// Hints are gathered until none has come for this long…
const QUIET: Duration = Duration::from_millis(150);
/// …or this long after the first.
const GATHER_MAX: Duration = Duration::from_secs(2);
/// Longest wait for git to finish.
const GIT_HOLD_MAX: Duration = Duration::from_secs(30);
/// How often git's lock is looked for.
const GIT_POLL: Duration = Duration::from_millis(50);
/// Looks without a hint, where events work.
const RESCAN: Duration = Duration::from_secs(60);
/// Looks without a hint, where they do not.
const RESCAN_BLIND: Duration = Duration::from_secs(5);

/// Why [`Watcher::wait`] returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// Something may have changed.
    Hint,
    /// Nothing was heard for a while.
    Interval,
    /// [`Waker::look_now`] was called.
    Asked,
    /// [`Waker::stop`] was called.
    Stop,
}

/// Watches inventories: directories, and branches of repositories.
pub struct Watcher {
    roots: Vec<Root>,
    shared: Arc<Shared>,
    notify: Option<RecommendedWatcher>,
    watched: HashSet<PathBuf>,
    trouble: Option<String>,
}

/// What is watched for one inventory.
struct Root {
    path: PathBuf,
    /// It is a git directory, and its refs are what counts.
    refs: bool,
}

impl Root {
    fn of(place: &Path) -> Root {
        let Some(location) = git::Location::parse(place) else {
            return Root { path: place.to_owned(), refs: false };
        };
        let repository = location.repository;
        Root { path: tree::git_directory(&repository).unwrap_or(repository), refs: true }
    }

    fn places(&self) -> tree::Places {
        if self.refs { tree::Places::of_refs(&self.path) } else { tree::Places::of(&self.path) }
    }

    fn is_busy(&self) -> bool {
        !self.refs && tree::git_is_busy(&self.path)
    }
}

/// Ends a wait from another thread.
#[derive(Clone)]
pub struct Waker(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<Heard>,
    woken: Condvar,
}

/// What was heard since the last look.
#[derive(Default)]
struct Heard {
    hints: Option<(Instant, Instant)>,
    asked: bool,
    stop: bool,
    /// Paths that something else has now, or nothing: a watch that was set on them is not theirs.
    replaced: HashSet<PathBuf>,
    /// Events were lost: any path may be one of those.
    lost: bool,
    /// What events are told apart by.
    places: tree::Places,
}

impl Waker {
    /// Ends the wait with [`Wake::Asked`].
    pub fn look_now(&self) {
        self.0.lock().asked = true;
        self.0.woken.notify_all();
    }

    /// Ends this and every later wait with [`Wake::Stop`].
    pub fn stop(&self) {
        self.0.lock().stop = true;
        self.0.woken.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Heard> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn hint(&self, event: notify::Event) {
        let now = Instant::now();
        let mut heard = self.lock();
        if !event.paths.is_empty() && !event.paths.iter().any(|path| heard.places.concerns(path)) {
            return;
        }
        heard.hints = Some((heard.hints.map_or(now, |(first, _)| first), now));
        heard.lost |= event.need_rescan();
        if moves_names(event.kind) {
            heard.replaced.extend(event.paths);
        }
        self.woken.notify_all();
    }
}

impl Watcher {
    /// Watches `root`, which need not exist yet. Watches are set before this returns, so a look after
    /// it misses nothing. When events cannot be had, looking by the clock remains; see [`Watcher::trouble`].
    ///
    /// A branch of a git repository, as [`crate::source::open`] takes it, is watched where its refs are.
    pub fn new(root: &Path) -> Watcher {
        Watcher::of([root])
    }

    /// Watches several as [`Watcher::new`] does one: a hint is of any of them.
    pub fn of<'a>(roots: impl IntoIterator<Item = &'a Path>) -> Watcher {
        let roots = roots.into_iter().map(Root::of).collect();
        let shared = Arc::new(Shared::default());
        let heard = Arc::clone(&shared);
        let handler = move |event: notify::Result<notify::Event>| {
            if let Some(event) = event.ok().filter(|event| !is_read(event.kind)) {
                heard.hint(event);
            }
        };
        let (notify, trouble) = match RecommendedWatcher::new(handler, Config::default()) {
            Ok(notify) => (Some(notify), None),
            Err(error) => (None, Some(error.to_string())),
        };
        let mut watcher = Watcher { roots, shared, notify, watched: HashSet::new(), trouble };
        watcher.refresh();
        watcher
    }

    /// A handle that ends waits.
    pub fn waker(&self) -> Waker {
        Waker(Arc::clone(&self.shared))
    }

    /// Why the clock must stand in for events; `None` when they work.
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Sets watches on directories that appeared and drops those of directories that went. Call it
    /// after each look. `true`: there are new ones, and what was made in them before their watch was
    /// set raised no event, so look once more.
    pub fn refresh(&mut self) -> bool {
        let Some(notify) = &mut self.notify else {
            return false;
        };
        let (replaced, lost) = {
            let mut heard = self.shared.lock();
            (mem::take(&mut heard.replaced), mem::take(&mut heard.lost))
        };
        let mut places = tree::Places::default();
        for root in &self.roots {
            places.extend(root.places());
        }
        let wanted = places.directories();
        self.shared.lock().places = places;
        self.watched.retain(|directory| {
            let keep = wanted.contains(directory) && !lost && !replaced.contains(directory);
            if !keep {
                // An error means that the directory went and took its watch along.
                let _ = notify.unwatch(directory);
            }
            keep
        });
        let mut new = false;
        for directory in &wanted {
            if self.watched.contains(directory) {
                continue;
            }
            match notify.watch(directory, RecursiveMode::NonRecursive) {
                Ok(()) => new |= self.watched.insert(directory.clone()),
                Err(error) if directory.exists() => self.trouble = Some(error.to_string()),
                Err(_) => {}
            }
        }
        if self.trouble.is_none() && self.roots.iter().any(|root| tree::is_without_events(&root.path)) {
            self.trouble = Some("the file system reports no changes made elsewhere".to_owned());
        }
        new
    }

    /// Blocks until it is time to look.
    pub fn wait(&self) -> Wake {
        let started = Instant::now();
        let blind = self.trouble.is_some() || !self.roots.iter().all(|root| root.path.exists());
        let rescan = if blind { RESCAN_BLIND } else { RESCAN };
        let mut heard = self.shared.lock();
        loop {
            let now = Instant::now();
            if heard.stop {
                return Wake::Stop;
            }
            if mem::take(&mut heard.asked) {
                heard.hints = None;
                return Wake::Asked;
            }
            let (due, wake) = match heard.hints {
                Some((first, last)) => ((last + QUIET).min(first + GATHER_MAX), Wake::Hint),
                None => (started + rescan, Wake::Interval),
            };
            if now < due {
                heard = self.pause(heard, due - now);
                continue;
            }
            let held_since = heard.hints.map_or(due, |(first, _)| first);
            if now < held_since + GIT_HOLD_MAX && self.roots.iter().any(Root::is_busy) {
                heard = self.pause(heard, GIT_POLL);
                continue;
            }
            heard.hints = None;
            return wake;
        }
    }

    fn pause<'a>(&self, heard: MutexGuard<'a, Heard>, time: Duration) -> MutexGuard<'a, Heard> {
        self.shared.woken.wait_timeout(heard, time).unwrap_or_else(std::sync::PoisonError::into_inner).0
    }
}

/// Whether an event only says that somebody read: our own looks raise those.
fn is_read(kind: EventKind) -> bool {
    matches!(kind, EventKind::Access(access) if access != AccessKind::Close(AccessMode::Write))
}

/// Whether after such an event a path may belong to another file, or to none.
fn moves_names(kind: EventKind) -> bool {
    matches!(kind, EventKind::Create(_) | EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn directory(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("hostbook-watch-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        path
    }

    #[test]
    fn a_rename_over_a_file_wakes() {
        let root = directory("rename");
        fs::write(root.join("a.toml"), "").unwrap();
        let watcher = Watcher::new(&root);
        assert_eq!(watcher.trouble(), None);
        fs::write(root.join(".a.tmp"), "new").unwrap();
        fs::rename(root.join(".a.tmp"), root.join("a.toml")).unwrap();
        assert_eq!(watcher.wait(), Wake::Hint);
    }

    #[test]
    fn a_new_directory_is_watched_after_a_refresh() {
        let root = directory("new");
        let mut watcher = Watcher::new(&root);
        fs::create_dir(root.join("rack1")).unwrap();
        assert_eq!(watcher.wait(), Wake::Hint);
        assert!(watcher.refresh(), "what was made before the watch must be looked for");
        assert!(!watcher.refresh());
        fs::write(root.join("rack1/a.toml"), "").unwrap();
        assert_eq!(watcher.wait(), Wake::Hint);
    }

    #[test]
    fn a_swapped_link_to_the_root_wakes() {
        let base = directory("swap");
        for version in ["v1", "v2"] {
            fs::create_dir(base.join(version)).unwrap();
        }
        let link = base.join("current");
        std::os::unix::fs::symlink("v1", &link).unwrap();
        let watcher = Watcher::new(&link);
        std::os::unix::fs::symlink("v2", base.join("next")).unwrap();
        fs::rename(base.join("next"), &link).unwrap();
        assert_eq!(watcher.wait(), Wake::Hint);
    }

    #[test]
    fn looks_hold_while_git_is_busy() {
        let root = directory("git");
        fs::create_dir(root.join(".git")).unwrap();
        fs::write(root.join(".git/index.lock"), "").unwrap();
        let watcher = Watcher::new(&root);
        fs::write(root.join("a.toml"), "").unwrap();
        let lock = root.join(".git/index.lock");
        let (told, hears) = std::sync::mpsc::channel();
        let waiter = std::thread::spawn(move || told.send(watcher.wait()).unwrap());
        let early = hears.recv_timeout(QUIET * 4);
        assert!(early.is_err(), "woke up while the lock was there: {early:?}");
        fs::remove_file(lock).unwrap();
        waiter.join().unwrap();
        assert_eq!(hears.recv().unwrap(), Wake::Hint);
    }

    #[test]
    fn asking_and_stopping_end_a_wait() {
        let root = directory("ask");
        let watcher = Watcher::new(&root);
        watcher.waker().look_now();
        assert_eq!(watcher.wait(), Wake::Asked);
        watcher.waker().stop();
        assert_eq!(watcher.wait(), Wake::Stop);
    }
}
