//! Options for those clients of a network that answer to a description: `[network.X.match.NAME]`.

use std::net::Ipv4Addr;

use inventory_core::model::{Conditions, Match, Pattern};

use super::block::OptionBlock;

/// What some clients of a network are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchView {
    /// Its name in the inventory.
    pub name: Box<str>,
    /// What they are told.
    pub options: OptionBlock,
    conditions: Conditions,
}

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
    pub(super) fn new(one: &Match) -> MatchView {
        let options = one.options.iter().filter_map(|option| {
            let code = u8::try_from(option.code).ok()?;
            Some((code, &*option.data))
        });
        MatchView {
            name: one.name.clone(),
            options: OptionBlock::new(options),
            conditions: one.conditions.clone(),
        }
    }

    /// Whether a client answers to the description.
    pub fn holds(&self, traits: &Traits<'_>) -> bool {
        let Conditions { vendor_class, user_class, architecture, relay, circuit_id, remote_id, tags } =
            &self.conditions;
        one_of(vendor_class, traits.vendor_class)
            && (one_of(user_class, traits.user_class) || any_class(user_class, traits.user_class))
            && (architecture.is_empty() || has_architecture(architecture, traits.architectures))
            && (relay.is_empty() || traits.relay.is_some_and(|agent| relay.contains(&agent)))
            && one_of(circuit_id, traits.circuit_id)
            && one_of(remote_id, traits.remote_id)
            && (tags.is_empty() || tags.iter().any(|tag| traits.tags.iter().any(|own| **own == **tag)))
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
        MatchView::new(&snapshot.inventory.globals.networks[0].matches[0])
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
