//! Real DHCPv4 clients through all states of RFC 2131, section 4.4: dhclient, udhcpc, dhcpcd and
//! systemd-networkd, with reserved and with leased addresses, on the server's link and behind a real relay
//! agent. What they say is read off the wire, so that a renewal is one and not a new beginning.
//!
//! The network has short timers (`renew`, `rebind`), so that clients go through their lives in seconds.

use integration_tests::isolated::isolated;

use client::Program;

mod client;
mod ear;
mod net;
mod stories;

/// The same stories for each client.
macro_rules! lives {
    ($($module:ident $program:ident)*) => {$(
        mod $module {
            use super::*;

            const PROGRAM: Program = Program::$program;

            #[test]
            fn gets_a_reserved_and_a_pool_address_on_the_link() {
                isolated(|| stories::on_the_link(PROGRAM));
            }

            #[test]
            fn gets_a_reserved_and_a_pool_address_through_a_relay_agent_and_renews_directly() {
                isolated(|| stories::through_a_relay_agent(PROGRAM));
            }

            #[test]
            fn renews_its_lease_at_its_server() {
                isolated(|| stories::renews(PROGRAM));
            }

            #[test]
            fn rebinds_when_its_server_is_out_of_reach() {
                isolated(|| stories::rebinds(PROGRAM));
            }

            #[test]
            fn starts_again_with_the_address_that_it_had() {
                isolated(|| stories::starts_again(PROGRAM));
            }

            #[test]
            fn gives_its_lease_back() {
                isolated(|| stories::gives_back(PROGRAM));
            }

            #[test]
            fn is_moved_to_another_network_and_gets_an_address_there() {
                isolated(|| stories::is_moved(PROGRAM));
            }
        }
    )*};
}

lives! {
    dhclient Dhclient
    udhcpc Udhcpc
    dhcpcd Dhcpcd
    networkd Networkd
}
