//! Options, addresses and lease times for those clients of a network that answer to a description:
//! `[network.X.match.NAME]`.

use std::net::Ipv4Addr;

use inventory_core::model::{Conditions, Match, Pattern, Range};

use super::block::OptionBlock;
use super::networks::NetworkView;
use super::pool::Pool;
use crate::code;

/// What some clients of a network are told and given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchView {
    /// Its name in the inventory.
    pub name: Box<str>,
    /// What they are told.
    pub options: OptionBlock,
    /// Addresses for them alone.
    pub pool: Pool<Ipv4Addr>,
    /// Seconds of their leases, where that is not as in all of the network.
    pub lease_seconds: Option<u32>,
    conditions: Conditions,
}

/// One of the pools of a network: 0 is for clients that answer to no description with addresses of its own, others
/// are one more than the place of their description.
pub type Part = u8;

/// What a client's message says of it.
#[derive(Clone, Debug, Default)]
pub struct Traits<'a> {
    /// Vendor class (option 60).
    pub vendor_class: Option<&'a [u8]>,
    /// User class (option 77).
    pub user_class: Option<&'a [u8]>,
    /// Architecture types (option 93), two octets each.
    pub architectures: Option<&'a [u8]>,
    /// Address of the relay agent.
    pub relay: Option<Ipv4Addr>,
    /// Circuit id of the relay agent.
    pub circuit_id: Option<&'a [u8]>,
    /// Remote id of the relay agent.
    pub remote_id: Option<&'a [u8]>,
    /// Tags of the host that it is.
    pub tags: &'a [std::sync::Arc<str>],
}

impl MatchView {
    /// `pool_of` makes a pool of ranges.
    pub(super) fn new(one: &Match, pool_of: impl Fn(&[Range]) -> Pool<Ipv4Addr>) -> MatchView {
        let options = one.options.iter().filter_map(|option| {
            let code = u8::try_from(option.code).ok()?;
            Some((code, &*option.data))
        });
        MatchView {
            name: one.name.clone(),
            options: OptionBlock::new(options),
            pool: pool_of(&one.pools),
            lease_seconds: one.lease_seconds,
            conditions: one.conditions.clone(),
        }
    }

    /// Whether a client answers to the description.
    pub fn holds(&self, traits: &Traits<'_>) -> bool {
        let Conditions { relay, circuit_id, remote_id, .. } = &self.conditions;
        self.holds_of_client(traits)
            && (relay.is_empty() || traits.relay.is_some_and(|agent| relay.contains(&agent)))
            && one_of(circuit_id, traits.circuit_id)
            && one_of(remote_id, traits.remote_id)
    }

    /// Options of a client that answers to what the description asks of clients themselves: each with its code.
    pub fn example(&self) -> impl Iterator<Item = (u8, Vec<u8>)> {
        let Conditions { vendor_class, user_class, architecture, .. } = &self.conditions;
        let first = |patterns: &[Pattern]| patterns.first().map(|pattern| pattern.octets.to_vec());
        let options = [
            (code::VENDOR_CLASS, first(vendor_class)),
            (code::USER_CLASS, first(user_class)),
            (code::CLIENT_ARCHITECTURE, architecture.first().map(|number| number.to_be_bytes().to_vec())),
        ];
        options.into_iter().filter_map(|(code, data)| Some((code, data?)))
    }

    /// Whether all holds that a client itself answers to, whatever its relay agent would add.
    fn holds_of_client(&self, traits: &Traits<'_>) -> bool {
        let Conditions { vendor_class, user_class, architecture, tags, .. } = &self.conditions;
        one_of(vendor_class, traits.vendor_class)
            && (one_of(user_class, traits.user_class) || any_class(user_class, traits.user_class))
            && (architecture.is_empty() || has_architecture(architecture, traits.architectures))
            && (tags.is_empty() || tags.iter().any(|tag| traits.tags.iter().any(|own| **own == **tag)))
    }
}

impl NetworkView {
    /// Whether some of its addresses are for some clients alone.
    #[inline]
    pub fn has_parts(&self) -> bool {
        self.matches.iter().any(|one| !one.pool.is_empty())
    }

    /// The pool with this number.
    pub fn part(&self, part: Part) -> Option<&Pool<Ipv4Addr>> {
        match usize::from(part).checked_sub(1) {
            Some(place) => self.matches.get(place).map(|one| &one.pool),
            None => Some(&self.open),
        }
    }

    /// The description whose clients alone are given `address`.
    pub fn reserved_for(&self, address: Ipv4Addr) -> Option<&MatchView> {
        self.parts().map(|(_, one)| one).find(|one| one.pool.contains(address))
    }

    /// The pool that gives `address`, an address of the network; the open one if none does.
    pub fn part_of(&self, address: Ipv4Addr) -> Part {
        self.parts().find(|(_, one)| one.pool.contains(address)).map_or(0, |(part, _)| part)
    }

    /// The pool that a client is given an address of: that of the first description with addresses that it answers to.
    pub fn part_for(&self, traits: &Traits<'_>) -> Part {
        self.parts().find(|(_, one)| one.holds(traits)).map_or(0, |(part, _)| part)
    }

    /// Whether `address` may stay a client's that asks without its relay agent: which descriptions it answers to
    /// there is not known as far as they name the agent.
    pub fn may_keep(&self, traits: &Traits<'_>, address: Ipv4Addr) -> bool {
        let mine = self.part_of(address);
        let mut of_client = self.parts().filter(|(_, one)| one.holds_of_client(traits));
        let last = of_client.find(|(part, one)| *part == mine || one.holds(traits));
        last.map_or(0, |(part, _)| part) == mine
    }

    fn parts(&self) -> impl Iterator<Item = (Part, &MatchView)> {
        (1..).zip(&self.matches).filter(|(_, one)| !one.pool.is_empty())
    }
}

fn one_of(patterns: &[Pattern], octets: Option<&[u8]>) -> bool {
    patterns.is_empty() || octets.is_some_and(|octets| patterns.iter().any(|pattern| pattern.holds(octets)))
}

/// Whether one of several user classes holds, each with its length before it (RFC 3004, section 4).
fn any_class(patterns: &[Pattern], octets: Option<&[u8]>) -> bool {
    let mut rest = octets.unwrap_or_default();
    let mut holds = false;
    while let [length, tail @ ..] = rest {
        let Some((class, after)) = tail.split_at_checked(usize::from(*length)) else { return false };
        holds |= patterns.iter().any(|pattern| pattern.holds(class));
        rest = after;
    }
    holds
}

fn has_architecture(wanted: &[u16], octets: Option<&[u8]>) -> bool {
    let numbers = octets.unwrap_or_default().chunks_exact(2);
    numbers.filter_map(|two| Some(u16::from_be_bytes(two.try_into().ok()?))).any(|own| wanted.contains(&own))
}

#[cfg(test)]
mod tests {
    use inventory_core::model::ARCHITECTURES;

    use super::*;
    use crate::boot::Architecture;

    fn view(text: &str) -> MatchView {
        let text = format!(
            "[site]\nnameservers = [\"ns1.lab.example\"]\n[zone.\"lab.example\"]\n[host.ns1]\nnetwork = \"lan\"\n\
             ip = \"10.0.0.2\"\n[network.lan]\nzone = \"lab.example\"\nipv4 = \"10.0.0.0/24\"\n\
             [network.lan.match.m]\noptions = {{ tftp-server-name = \"x\" }}\n{text}"
        );
        let snapshot = inventory_core::load_texts(&[("a.toml", &text)]).unwrap_or_else(|e| panic!("{e:?}"));
        let network = &snapshot.inventory.globals.networks[0];
        let prefix = network.ipv4.unwrap();
        MatchView::new(&network.matches[0], |ranges| Pool::v4(network, ranges, prefix))
    }

    #[test]
    fn every_condition_must_hold_and_one_of_its_list_is_enough() {
        let view = view("vendor-class = [\"Cisco*\", \"snom\"]\nrelay = \"10.9.0.1\"");
        let class = |text: &'static str| Traits {
            vendor_class: Some(text.as_bytes()),
            relay: Some([10, 9, 0, 1].into()),
            ..Traits::default()
        };
        for (text, holds) in [("Cisco 7940", true), ("snom", true), ("snom 300", false), ("cisco", false)] {
            assert_eq!(view.holds(&class(text)), holds, "{text}");
        }
        assert!(!view.holds(&Traits { relay: None, ..class("snom") }));
        assert!(!view.holds(&Traits { vendor_class: None, ..class("snom") }));
    }

    #[test]
    fn user_classes_are_compared_raw_and_with_their_lengths() {
        let view = view("user-class = \"iPXE\"");
        let class = |octets: &'static [u8]| Traits { user_class: Some(octets), ..Traits::default() };
        assert!(view.holds(&class(b"iPXE")) && view.holds(&class(b"\x01a\x04iPXE")));
        assert!(!view.holds(&class(b"\x01a\x05iPXE")) && !view.holds(&class(b"")));
    }

    #[test]
    fn ports_tags_and_architectures_are_compared() {
        let port = view("circuit-id = [\"0x0004\", \"eth1/*\"]\nremote-id = \"sw1\"");
        let at = |circuit: &'static [u8]| Traits {
            circuit_id: Some(circuit),
            remote_id: Some(b"sw1"),
            ..Traits::default()
        };
        assert!(port.holds(&at(&[0, 4])) && port.holds(&at(b"eth1/7")) && !port.holds(&at(b"eth2/7")));
        let tagged = view("tag = [\"web\", \"db\"]");
        assert!(tagged.holds(&Traits { tags: &["db".into()], ..Traits::default() }));
        assert!(!tagged.holds(&Traits { tags: &["dbx".into()], ..Traits::default() }));
        let arch = view("architecture = [\"uefi-x64\", 99]");
        let types = |octets: &'static [u8]| Traits { architectures: Some(octets), ..Traits::default() };
        assert!(
            arch.holds(&types(&[0, 0, 0, 16]))
                && arch.holds(&types(&[0, 99]))
                && !arch.holds(&types(&[0, 0]))
        );
    }

    #[test]
    fn architectures_are_called_as_the_boot_service_calls_them() {
        for number in 0..64 {
            let word =
                ARCHITECTURES.iter().find(|(_, numbers)| numbers.contains(&number)).map(|(word, _)| *word);
            assert_eq!(word, Architecture::of(number).map(|(one, _)| one.word()), "{number}");
        }
    }
}
