//! Services of a host: their names.

use super::Context;
use crate::diag::{Finding, Rule};
use crate::model::{HostName, Service};
use crate::parse::HostDecl;

/// The services of the host called `name`. Names that are too long are reported.
pub(super) fn of_host(
    decl: &HostDecl,
    name: &HostName,
    context: &Context,
    findings: &mut Vec<Finding>,
) -> Box<[Service]> {
    let zone = &context.globals.zone(name.zone).name;
    let label = name.fqdn.labels().next().map(String::from_utf8_lossy).unwrap_or_default();
    let mut all = Vec::new();
    for one in decl.services.get().into_iter().flatten().map(|one| &one.value) {
        let (service, protocol) = one.kind.clone();
        let instance = one.name.as_ref().map_or(&*label, |name| &name.value);
        let kind = zone.child(protocol).and_then(|below| below.child(&service));
        match kind.and_then(|kind| kind.child(instance)) {
            Ok(full) => all.push(Service {
                instance: instance.into(),
                service,
                protocol,
                port: one.port,
                txt: one.txt.clone(),
                subtypes: one.subtypes.clone().into(),
                name: full,
                zone: zone.clone(),
                span: one.span,
            }),
            Err(why) => {
                let span = one.name.as_ref().map_or(one.span, |name| name.span);
                let message = format!("the name of service `{instance}` in zone `{zone}` {why}");
                findings.push(Finding::new(Rule::InvalidName, span, message).help("choose a shorter name"));
            }
        }
    }
    all.into()
}
