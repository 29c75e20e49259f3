//! From what files declare to a whole: references found, profiles merged, names completed.
//!
//! Two steps. [`merge`] joins the few things (site, zones, networks, profiles, boot profiles) of all
//! files; [`Context::hosts`] then resolves the hosts of one file against them. A file's hosts must be
//! resolved again only when the result of the first step changes in a way that shows in them, see
//! [`Context::shapes_hosts_like`].

mod globals;
mod host;
mod master;
mod names;
mod nic;
mod overlay;
mod profiles;
mod services;
mod transfer;
mod updates;
mod zones;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use globals::merge;
pub(crate) use globals::referenced;
pub use master::{MasterZone, Masters};

use crate::diag::Finding;
use crate::model::{Globals, Host, NetworkId};
use crate::parse::HostDecl;

/// What the hosts of every file are resolved against.
#[derive(Debug, Default)]
pub struct Context {
    /// Site, zones, networks, boot profiles.
    pub globals: Arc<Globals>,
    /// Profiles with the profiles they use merged in.
    profiles: BTreeMap<Box<str>, HostDecl>,
    /// Names of profiles that are defined but broken.
    broken_profiles: BTreeSet<Box<str>>,
    /// Networks whose prefixes are not all known, because one was refused.
    pub(crate) vague_prefix: BTreeSet<NetworkId>,
    /// Networks whose pools are not all known, because one was refused.
    pub(crate) vague_pool: BTreeSet<NetworkId>,
    /// Networks whose zone is written but was refused or is not defined.
    vague_zone: BTreeSet<NetworkId>,
}

impl Context {
    /// Resolves the hosts of one file. A host that cannot be resolved is reported and left out; its
    /// names are added to `refused`, a line each.
    pub fn hosts(
        &self,
        decls: Vec<HostDecl>,
        refused: &mut String,
        findings: &mut Vec<Finding>,
    ) -> Vec<Host> {
        let mut resolver = host::Resolver::new(self);
        let mut hosts = Vec::with_capacity(decls.len());
        for mut decl in decls {
            match resolver.host(&mut decl, refused, findings) {
                Some(host) => hosts.push(host),
                None => host::refuse(&decl.key.value, refused),
            }
        }
        hosts
    }

    /// Whether hosts resolved against `other` are as they would be against this one: same names of
    /// zones, networks and boot profiles in the same order, same profiles.
    pub fn shapes_hosts_like(&self, other: &Context) -> bool {
        let (a, b) = (&*self.globals, &*other.globals);
        let zones = a.zones.iter().map(|zone| &zone.name).eq(b.zones.iter().map(|zone| &zone.name));
        let boots = a.boots.iter().map(|boot| &boot.name).eq(b.boots.iter().map(|boot| &boot.name));
        let shape = |globals: &Globals| -> Vec<_> {
            globals.networks.iter().map(|network| (network.name.clone(), network.zone)).collect()
        };
        zones
            && boots
            && shape(a) == shape(b)
            && self.profiles == other.profiles
            && self.broken_profiles == other.broken_profiles
            && self.vague_zone == other.vague_zone
    }
}
