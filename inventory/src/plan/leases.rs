//! Leases that are taken away: each client is made to renew, before and after, and dhcpd's core says
//! what it is answered.

use dhcpd::core::Record;
use dhcpd::view::DhcpView;
use inventory_core::model::Snapshot;
use serde::Serialize;

use crate::{packet, packet6};

/// A lease whose client keeps it now, and could not afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct LostLease {
    /// The address.
    pub(crate) address: String,
    /// Its hardware address; another identity where it has none.
    pub(crate) client: String,
    /// The name that the client gave itself; may be empty.
    pub(crate) name: String,
    /// The client asks again within that time, and is refused or not answered then.
    pub(crate) seconds_left: u32,
    /// Why, in the word that dhcpd counts.
    pub(crate) reason: String,
}

/// Leases that `before` lets their clients keep and `after` does not.
pub(crate) fn lost(before: &Snapshot, after: &Snapshot, leases: &[Record], unix_ms: i64) -> Vec<LostLease> {
    if before.hash == after.hash || leases.is_empty() {
        return Vec::new();
    }
    let (before, after) = (DhcpView::build(before), DhcpView::build(after));
    let fates = |view: &DhcpView| {
        let mut fates = packet::renewals(view, &before, leases, unix_ms);
        fates.extend(packet6::renewals(view, leases, unix_ms));
        fates
    };
    let both = fates(&before).into_iter().zip(fates(&after));
    let lost =
        both.filter_map(|((lease, now), (_, then))| Some((lease, now.is_ok().then_some(then.err()?)?)));
    lost.map(|(lease, reason)| LostLease {
        address: lease.address.to_string(),
        client: lease.mac.map_or_else(|| lease.client.to_string(), |mac| mac.to_string()),
        name: lease.name.as_deref().unwrap_or_default().to_owned(),
        seconds_left: lease.seconds,
        reason: reason.to_owned(),
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITE: &str = r#"
        [site]
        nameservers = ["ns1.lab.example.org"]
        contact = "h@lab.example.org"
        [zone."lab.example.org"]
        [network.n]
        zone = "lab.example.org"
        ipv4 = "10.0.0.0/24"
        pool = ["10.0.0.100-10.0.0.110"]
        [host.ns1]
        network = "n"
        ip = "10.0.0.2"
    "#;

    fn lease(last: u8, mac: &str) -> Record {
        let text = format!(
            r#"{{"address":"10.0.0.{last}","client":"hw:01:{mac}","mac":"{mac}","state":"bound","written":1000,"seconds":3600}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn leases_outside_the_new_pool_and_of_machines_with_another_address_are_lost() {
        let load = |text: &str| inventory_core::load_texts(&[("a.toml", text)]).unwrap();
        let (before, leases) = (
            load(SITE),
            [
                lease(100, "52:54:00:00:00:01"),
                lease(110, "52:54:00:00:00:02"),
                lease(101, "52:54:00:00:00:03"),
            ],
        );
        let smaller = load(&SITE.replace("100-10.0.0.110", "100-10.0.0.109"));
        let gone = |after: &Snapshot| -> Vec<_> {
            let lost = lost(&before, after, &leases, 1_000_000);
            lost.into_iter().map(|lease| (lease.address, lease.reason)).collect()
        };
        assert_eq!(gone(&smaller), [("10.0.0.110".to_owned(), "not-given".to_owned())]);
        let host = "[host.x]\nnetwork = \"n\"\nmac = \"52:54:00:00:00:03\"\nip = \"10.0.0.7\"\n";
        let adopted = load(&format!("{SITE}{host}"));
        assert_eq!(gone(&adopted), [("10.0.0.101".to_owned(), "wrong-address".to_owned())]);
        assert_eq!(gone(&before), []);
    }

    #[test]
    fn a_lease_of_a_pool_for_some_is_lost_when_the_pool_is_not_theirs_any_more() {
        let load = |text: &str| inventory_core::load_texts(&[("a.toml", text)]).unwrap();
        let phones = "[network.n.match.phones]\nvendor-class = \"snom*\"\narchitecture = 7\n\
                      pool = \"10.0.0.120-10.0.0.121\"\n";
        let before = load(&format!("{SITE}{phones}"));
        let leases = [lease(100, "52:54:00:00:00:01"), lease(120, "52:54:00:00:00:02")];
        let gone = |after: &str| -> Vec<_> {
            let lost = lost(&before, &load(&format!("{SITE}{after}")), &leases, 1_000_000);
            lost.into_iter().map(|lease| (lease.address, lease.reason)).collect()
        };
        let lost = [("10.0.0.120".to_owned(), "not-given".to_owned())];
        assert_eq!(gone(&phones.replace("snom*", "Cisco*")), lost);
        assert_eq!(gone(""), lost);
        assert_eq!(gone(&phones.replace("0.121", "0.125")), []);
    }
}
