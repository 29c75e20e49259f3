//! Taking a view into service: one pointer is swapped, and the old view is freed off the packets' way.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;

/// How long a worker may hold an old view until it is left to that worker to free it.
const GRACE: Duration = Duration::from_secs(1);

/// Puts `view` into `views`, and drops the one before here, not in the worker that happens to hold it
/// last: that takes milliseconds. Waits for the workers to let go of it, a second at most.
pub fn swap<V>(views: &ArcSwap<V>, view: V) {
    let old = views.swap(Arc::new(view));
    let until = Instant::now() + GRACE;
    while Arc::strong_count(&old) > 1 && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_view_is_gone_once_nobody_holds_it() {
        let views = ArcSwap::from_pointee(vec![1]);
        let old = Arc::downgrade(&views.load_full());
        let reader = views.load_full();
        let holder = std::thread::spawn(move || drop(reader));
        swap(&views, vec![2]);
        holder.join().unwrap();
        assert!(old.upgrade().is_none());
        assert_eq!(**views.load(), [2]);
    }
}
