//! Profiles under hosts: scalars and lists of the host win, tables merge by key.

use crate::options::DhcpOption;
use crate::parse::{HostDecl, NicDecl};

/// Fills what `host` does not say from `base`.
pub(super) fn inherit(host: &mut HostDecl, base: &HostDecl) {
    host.vague |= base.vague;
    host.state.inherit(&base.state);
    host.alias.inherit(&base.alias);
    host.tags.inherit(&base.tags);
    host.ttl.inherit(&base.ttl);
    host.ssh_host_key.inherit(&base.ssh_host_key);
    host.sshfp.inherit(&base.sshfp);
    host.services.inherit(&base.services);
    host.ssh_user.inherit(&base.ssh_user);
    host.boot.inherit(&base.boot);
    host.netboot.inherit(&base.netboot);
    host.reinstall.inherit(&base.reinstall);
    host.cpu.inherit(&base.cpu);
    host.memory.inherit(&base.memory);
    host.firmware.inherit(&base.firmware);
    host.vmhost.inherit(&base.vmhost);
    for disk in &base.disks {
        if !host.disks.iter().any(|own| own.name == disk.name) {
            host.disks.push(disk.clone());
        }
    }
    inherit_nic(&mut host.own, &base.own);
    for nic in &base.nics {
        match host.nics.iter_mut().find(|own| own.key == nic.key) {
            Some(own) => inherit_nic(own, nic),
            None => host.nics.push(nic.clone()),
        }
    }
}

fn inherit_nic(nic: &mut NicDecl, base: &NicDecl) {
    nic.network.inherit(&base.network);
    nic.mac.inherit(&base.mac);
    if nic.ip.is_absent() {
        nic.auto6 = base.auto6;
    }
    nic.ip.inherit(&base.ip);
    nic.pd.inherit(&base.pd);
    nic.pd_nameservers.inherit(&base.pd_nameservers);
    nic.name.inherit(&base.name);
    nic.primary.inherit(&base.primary);
    nic.duid.inherit(&base.duid);
    nic.client_id.inherit(&base.client_id);
    nic.port.inherit(&base.port);
    inherit_settings(nic, base);
}

/// What a `nic.NAME` table takes from the host it stands in.
pub(super) fn inherit_settings(nic: &mut NicDecl, base: &NicDecl) {
    inherit_options(&mut nic.options, &base.options);
    inherit_options(&mut nic.options6, &base.options6);
    nic.lease.inherit(&base.lease);
    nic.dhcp.inherit(&base.dhcp);
    nic.duid.inherit(&base.duid);
}

fn inherit_options(own: &mut Vec<DhcpOption>, base: &[DhcpOption]) {
    if base.is_empty() {
        return;
    }
    // DHCPv6 has options that occur several times, so codes are compared with what was there before.
    let had: Vec<u16> = own.iter().map(|option| option.code).collect();
    own.extend(base.iter().filter(|option| !had.contains(&option.code)).cloned());
    own.sort_by_key(|option| option.code);
}
