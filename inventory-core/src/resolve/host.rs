//! Resolving one host.

use std::collections::HashSet;
use std::ops::Deref;
use std::sync::Arc;

use super::{Context, names, nic, overlay, profiles, services};
use crate::diag::{Finding, Rule};
use crate::model::{
    Alias, BootId, Disk, Empty, Globals, Hardware, Host, HostRest, Netboot, NetworkId, Rare, Service,
    SshHostKey, State,
};
use crate::options::DhcpOption;
use crate::parse::{Field, HostDecl};
use crate::records::fingerprint_of;
use crate::span::Span;

/// Resolves the hosts of one file; what is equal among them is shared.
pub(super) struct Resolver<'a> {
    pub(super) context: &'a Context,
    pub(super) option_sets: Vec<Arc<[DhcpOption]>>,
    tags: HashSet<Arc<str>>,
    tag_sets: Vec<Rare<Box<[Arc<str>]>>>,
    disks: Vec<Arc<[Disk]>>,
    vmhosts: Vec<Arc<str>>,
}

/// So many different values are looked through, the latest ones: neighbours are alike.
const SHARED_MAX: usize = 32;

/// Adds `fresh`; the oldest goes when there are many.
fn keep<T>(known: &mut Vec<T>, fresh: T) {
    if known.len() == SHARED_MAX {
        known.remove(0);
    }
    known.push(fresh);
}

/// `own`, or one of `known` that is equal.
fn shared_rare<T: Empty>(known: &mut Vec<Rare<T>>, own: T) -> Rare<T> {
    if let Some(shared) = known.iter().rev().find(|one| ***one == own) {
        return shared.clone();
    }
    let fresh = Rare::new(own);
    keep(known, fresh.clone());
    fresh
}

/// The same of what is shared whether it is empty or not.
pub(super) fn shared<T: ?Sized + PartialEq>(
    known: &mut Vec<Arc<T>>,
    own: impl Deref<Target = T> + Into<Arc<T>>,
) -> Arc<T> {
    if let Some(shared) = known.iter().rev().find(|one| ***one == *own) {
        return Arc::clone(shared);
    }
    let fresh: Arc<T> = own.into();
    keep(known, Arc::clone(&fresh));
    fresh
}

impl<'a> Resolver<'a> {
    pub(super) fn new(context: &'a Context) -> Resolver<'a> {
        Resolver {
            context,
            option_sets: vec![Arc::default()],
            tags: HashSet::new(),
            tag_sets: Vec::new(),
            disks: Vec::new(),
            vmhosts: Vec::new(),
        }
    }

    /// `None` after it has been reported why. Names of its nics and aliases that cannot be had go to
    /// `refused`.
    pub(super) fn host(
        &mut self,
        decl: &mut HostDecl,
        refused: &mut String,
        findings: &mut Vec<Finding>,
    ) -> Option<Host> {
        let complete = self.use_profiles(decl, findings);
        let before = findings.len();
        let nics = nic::ordered(decl, findings)?;
        let complete = complete && !nics.iter().any(|nic| nic.vague);
        let networks: Vec<Option<NetworkId>> =
            nics.iter().map(|nic| nic::network_of(self, &decl.key.value, nic, findings)).collect();
        let name = names::host_name(self.context, &decl.key.value, decl.key.span, networks[0], findings);
        let boot = self.boot(decl, findings);
        if !complete {
            // What is missing may stand in the profile that could not be found.
            let dependent = [Rule::MissingKey, Rule::InstallWithoutBoot, Rule::NoZone];
            let mut index = 0;
            findings.retain(|finding| {
                index += 1;
                index <= before || !dependent.contains(&finding.rule)
            });
        }
        let Some(name) = name else {
            decl.alias.get().into_iter().flatten().for_each(|alias| refuse(&alias.value, refused));
            return None;
        };
        let aliases = self.aliases(decl, name.zone, findings);
        // What could not be read may be what seems missing: nobody is told that there is no address, or
        // not enough memory.
        let certain = complete && !decl.state.is_broken() && !nics.iter().any(|nic| nic.ip.is_broken());
        if !certain {
            refuse(&decl.key.value, refused);
            decl.memory = Field::Broken;
        }
        let mut resolved = Vec::with_capacity(nics.len());
        for (index, (mut nic, network)) in nics.into_iter().zip(networks).enumerate() {
            nic.vague |= !certain;
            let key = nic.key.clone();
            let nic =
                network.and_then(|network| nic::resolve(self, &name, nic, network, index == 0, findings));
            match nic {
                Some(nic) => resolved.push(nic),
                None => refuse(&format!("{}-{key}", decl.key.value), refused),
            }
        }
        if resolved.is_empty() {
            return None;
        }
        let (memory_at, vmhost_at) = (decl.memory.span(), decl.vmhost.span());
        let hardware = self.hardware(decl);
        let services = services::of_host(decl, &name, self.context, findings);
        Some(Host {
            name,
            span: decl.key.span,
            state: decl.state.get().copied().unwrap_or_default(),
            nics: resolved.into(),
            aliases: aliases.into(),
            tags: self.tags(decl),
            boot,
            rest: rest(decl, services),
            hardware,
            memory_at,
            vmhost_at,
        })
    }

    /// Merges the profiles in; `false` if one of them could not be had.
    fn use_profiles(&self, decl: &mut HostDecl, findings: &mut Vec<Finding>) -> bool {
        let mut complete = !decl.profiles.is_broken();
        let used = std::mem::take(&mut decl.profiles);
        for profile in used.get().into_iter().flatten().rev() {
            match self.context.profiles.get(&profile.value) {
                Some(base) => overlay::inherit(decl, base),
                None => {
                    complete = false;
                    if !self.context.broken_profiles.contains(&profile.value) {
                        let known = self.context.profiles.keys().map(|name| &**name);
                        findings.push(profiles::unknown(&profile.value, profile.span, known));
                    }
                }
            }
        }
        complete && !decl.vague
    }

    fn boot(&self, decl: &HostDecl, findings: &mut Vec<Finding>) -> Option<BootId> {
        match &decl.boot {
            Field::Set(name, span) => find_boot(&self.context.globals, name, *span, findings),
            Field::Broken => None,
            Field::Absent => {
                if let Field::Set(State::Install, span) = decl.state {
                    let message = format!("host `{}` is to be installed and has no `boot`", decl.key.value);
                    let finding = Finding::new(Rule::InstallWithoutBoot, span, message);
                    findings.push(finding.help("name the boot profile: `boot = \"debian12\"`"));
                }
                None
            }
        }
    }

    fn aliases(
        &self,
        decl: &HostDecl,
        zone: crate::model::ZoneId,
        findings: &mut Vec<Finding>,
    ) -> Vec<Alias> {
        let written = decl.alias.get().into_iter().flatten();
        written
            .filter_map(|alias| {
                let name = names::alias_name(self.context, zone, &alias.value, alias.span, findings)?;
                Some(Alias { name, span: alias.span })
            })
            .collect()
    }

    fn tags(&mut self, decl: &HostDecl) -> Rare<Box<[Arc<str>]>> {
        let mut tags: Vec<Arc<str>> = Vec::new();
        for tag in decl.tags.get().into_iter().flatten() {
            let shared = self.tags.get(&*tag.value).cloned().unwrap_or_else(|| {
                let fresh: Arc<str> = Arc::from(&*tag.value);
                self.tags.insert(Arc::clone(&fresh));
                fresh
            });
            tags.push(shared);
        }
        tags.sort_unstable();
        tags.dedup();
        shared_rare(&mut self.tag_sets, tags.into())
    }

    /// Takes it out of `decl`.
    fn hardware(&mut self, decl: &mut HostDecl) -> Hardware {
        let vmhost = std::mem::take(&mut decl.vmhost).into_value();
        Hardware {
            cpu: decl.cpu.get().copied(),
            memory: decl.memory.get().copied(),
            vmhost: vmhost.map(|vmhost| shared(&mut self.vmhosts, vmhost)),
            firmware: decl.firmware.get().copied(),
            disks: shared(&mut self.disks, std::mem::take(&mut decl.disks)),
        }
    }
}

fn rest(decl: &HostDecl, services: Box<[Service]>) -> Rare<HostRest> {
    Rare::new(HostRest {
        ttl: decl.ttl.get().copied(),
        ssh_host_keys: ssh_host_keys(decl),
        sshfp: fingerprints(decl),
        services,
        ssh_user: decl.ssh_user.get().cloned(),
        netboot: netboot(decl),
    })
}

fn ssh_host_keys(decl: &HostDecl) -> Box<[SshHostKey]> {
    decl.ssh_host_key.get().into_iter().flatten().map(|key| key.value.clone()).collect()
}

/// Those that are written, and those of the keys that are.
fn fingerprints(decl: &HostDecl) -> Box<[Box<[u8]>]> {
    let written = decl.sshfp.get().into_iter().flatten().map(|one| one.value.clone());
    let keys = decl.ssh_host_key.get().into_iter().flatten();
    written.chain(keys.filter_map(|key| fingerprint_of(&key.value.algorithm, &key.value.key))).collect()
}

fn netboot(decl: &HostDecl) -> Netboot {
    Netboot { always: decl.netboot.get().copied().unwrap_or(false), reinstall: decl.reinstall.get().cloned() }
}

/// The boot profile called `name`, or a report that there is none.
pub(super) fn find_boot(
    globals: &Globals,
    name: &str,
    span: Span,
    findings: &mut Vec<Finding>,
) -> Option<BootId> {
    let found = globals.boot_named(name);
    if found.is_none() {
        let known = globals.boots.iter().map(|boot| &*boot.name);
        let define = format!("[boot.{name}]");
        findings.push(Finding::unknown(Rule::UnknownBoot, span, "boot profile", name, known, &define));
    }
    found
}

/// Notes a name that is declared and cannot be had: references to it are not wrong.
pub(super) fn refuse(name: &str, refused: &mut String) {
    refused.push_str(name);
    refused.push('\n');
}
