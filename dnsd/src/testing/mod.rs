//! What the tests of view, core and shell share: inventories in memory, queries, replies read back, and
//! a reference that knows nothing of the code under test.

pub(crate) mod book;
pub(crate) mod query;
pub(crate) mod random;
pub(crate) mod reply;
pub(crate) mod resolver;
pub(crate) mod validator;

use std::sync::{Arc, Mutex};

use inventory_core::load::{Loaded, Loader};
use inventory_core::model::Snapshot;
use inventory_core::name::Name;
use inventory_core::source::{Listing, Memory, ReadError, Source, Version};

use crate::core::{QueryContext, Transport};
use crate::view::DnsView;

pub(crate) use query::Ask;
pub(crate) use reply::Reply;

pub(crate) const TCP: QueryContext<'static> = QueryContext::anonymous(Transport::Tcp);
pub(crate) const UDP: QueryContext<'static> = QueryContext::anonymous(Transport::Udp);

/// The name that `text` says, as an absolute one.
pub(crate) fn name(text: &str) -> Name {
    Name::parse(text, None).unwrap()
}

/// The snapshot of these files.
#[track_caller]
pub(crate) fn snapshot(files: &[(&str, &str)]) -> Snapshot {
    inventory_core::load_texts(files).unwrap_or_else(|all| panic!("{all:#?}"))
}

/// The view of a site with `zones.toml` before these lines: a zone `lab.example` with name server
/// `ns1.lab.example` and a network 10.20.0.0/24 and 2001:db8:20::/64.
#[track_caller]
pub(crate) fn view(text: &str) -> DnsView {
    let mut view = DnsView::build(&snapshot(&[("zones.toml", &format!("{SITE}{text}"))]));
    view.set_serials(|_| 7);
    view
}

pub(crate) const SITE: &str = r#"
[site]
nameservers = ["ns1.lab.example", "ns2.lab.example"]
contact = "hostmaster@lab.example"
[network.lan]
zone = "lab.example"
ipv4 = "10.20.0.0/24"
ipv6 = "2001:db8:20::/64"
[host.ns1]
network = "lan"
ip = ["10.20.0.2", "2001:db8:20::2"]
[host.ns2]
network = "lan"
ip = "10.20.0.3"
"#;

/// An inventory that is edited: successive snapshots share what did not change.
pub(crate) struct Edited {
    files: Arc<Mutex<Memory>>,
    loader: Loader,
}

impl Edited {
    pub(crate) fn new() -> Edited {
        let files = Arc::<Mutex<Memory>>::default();
        let loader = Loader::new(Box::new(Shared(Arc::clone(&files))));
        Edited { files, loader }
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        self.files.lock().unwrap().write(path, text);
    }

    pub(crate) fn remove(&self, path: &str) {
        self.files.lock().unwrap().remove(path);
    }

    /// The state now; `Err` if it has mistakes, those that are errors.
    pub(crate) fn load(&mut self) -> Result<Snapshot, Vec<inventory_core::diag::Diagnostic>> {
        match self.loader.load() {
            Loaded::Good { snapshot, .. } => Ok(snapshot),
            Loaded::Unchanged => Ok(self.loader.current().unwrap().clone()),
            Loaded::Broken { diagnostics } => {
                Err(diagnostics.into_iter().filter(inventory_core::diag::Diagnostic::is_error).collect())
            }
        }
    }
}

struct Shared(Arc<Mutex<Memory>>);

impl Source for Shared {
    fn list(&self) -> Listing {
        self.0.lock().unwrap().list()
    }

    fn version(&self, path: &str) -> Result<Version, ReadError> {
        self.0.lock().unwrap().version(path)
    }

    fn read(&self, path: &str) -> Result<(Version, Vec<u8>), ReadError> {
        self.0.lock().unwrap().read(path)
    }

    fn describe(&self) -> String {
        "memory".to_owned()
    }
}
