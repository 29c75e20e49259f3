//! What is served on an interface by itself, and follows it when that goes away and comes back.

use std::fmt::Display;
use std::time::Duration;

use daemon::interfaces::interfaces;
use tracing::warn;

/// How often the interface is looked at.
const LOOK_INTERVAL: Duration = Duration::from_secs(3);

/// While there is an interface called `name` and this `is_wanted`, has `open` open it, which gets its index, and
/// `serve` it; anew when it changes. Ends when it is dropped. `trouble` is told when it cannot be opened, once.
pub(super) async fn follow<T, E: Display, S: Future<Output = ()>>(
    name: &str,
    trouble: &str,
    is_wanted: impl Fn() -> bool,
    mut open: impl FnMut(u32) -> Result<T, E>,
    serve: impl Fn(T) -> S,
) {
    let mut told = false;
    loop {
        if let Some(index) = index_of(name)
            && is_wanted()
        {
            match open(index) {
                Ok(opened) => {
                    told = false;
                    let changed = async {
                        while index_of(name) == Some(index) && is_wanted() {
                            tokio::time::sleep(LOOK_INTERVAL).await;
                        }
                    };
                    tokio::select! {
                        () = serve(opened) => {}
                        () = changed => {}
                    }
                    // What has changed may be there already.
                    continue;
                }
                Err(error) if !told => {
                    warn!(interface = %name, %error, "{trouble}; trying on");
                    told = true;
                }
                Err(_) => {}
            }
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}

fn index_of(name: &str) -> Option<u32> {
    let all = interfaces().ok()?;
    all.iter().find(|interface| interface.name == name).map(|interface| interface.index)
}
