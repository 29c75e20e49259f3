//! What is asked: one message of a connection.

use inventory_core::mac::MacAddr;

use crate::code;
use crate::core::client::ClientKey;
use crate::core::leases::Lease;
use crate::core::packet::{Kind, Message};

/// The message's type (option 53).
const BULK_LEASE_QUERY: u8 = 14;

/// A question about many addresses.
#[derive(Clone, Debug)]
pub struct Query {
    /// Number of the exchange.
    pub xid: u32,
    pub(super) what: What,
    /// Seconds since 1970: only what has changed since then.
    pub(super) since: Option<u32>,
    /// Only what has changed until then.
    pub(super) until: Option<u32>,
}

/// Whose addresses are asked for (RFC 6926, section 6.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// All that there are.
    All,
    /// Those of a hardware address.
    Hardware(ClientKey, Option<MacAddr>),
    /// Those of a client identifier.
    Identifier(Box<[u8]>),
    /// Those that were given by a relay agent: with this suboption of its information.
    Agent(u8, Box<[u8]>),
}

/// A query that cannot be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadQuery {
    /// It is no message of DHCP, or not one that can be asked again.
    Unreadable,
    /// It asks for nothing, or for two things at once.
    Malformed {
        /// Number of the exchange.
        xid: u32,
    },
}

impl Query {
    /// Reads the octets of a message.
    ///
    /// # Errors
    /// See [`BadQuery`].
    pub fn read(octets: &[u8]) -> Result<Query, BadQuery> {
        let message = Message::read(octets).map_err(|_| BadQuery::Unreadable)?;
        let xid = message.xid();
        if message.kind() != Kind::Other(BULK_LEASE_QUERY) {
            return Err(BadQuery::Malformed { xid });
        }
        Query::of(&message).ok_or(BadQuery::Malformed { xid })
    }

    fn of(message: &Message<'_>) -> Option<Query> {
        let options = &message.options;
        if !message.ciaddr().is_unspecified() || !message.giaddr().is_unspecified() || options.are_cut_short()
        {
            return None;
        }
        let agent = |suboption: u8| Some(What::Agent(suboption, (*options.relay(suboption)?).into()));
        let hardware = ClientKey::of_hardware(message).map(|key| What::Hardware(key, message.mac()));
        let identifier = options.get(code::CLIENT_ID).map(|id| What::Identifier((*id).into()));
        let asked = [agent(code::RELAY_ID), agent(code::RELAY_REMOTE_ID), identifier, hardware];
        let mut asked = asked.into_iter().flatten();
        let what = asked.next().unwrap_or(What::All);
        // Information of a relay agent that names neither would be taken for a question about everything.
        let is_all_by_mistake = what == What::All && options.has(code::RELAY_AGENT);
        if asked.next().is_some() || is_all_by_mistake {
            return None;
        }
        let time = |code| options.fixed::<4>(code).ok().map(|octets| octets.map(u32::from_be_bytes));
        let (since, until) = (time(code::QUERY_START_TIME)?, time(code::QUERY_END_TIME)?);
        Some(Query { xid: message.xid(), what, since, until })
    }

    /// Whether it asks for addresses, too, that nobody has had: nothing has changed there at any time.
    pub(super) fn is_about_all(&self) -> bool {
        self.what == What::All && self.since.is_none() && self.until.is_none()
    }

    /// Whether `lease`, which has changed `changed` seconds after 1970, is asked for.
    pub(super) fn wants(&self, lease: &Lease, changed: i64) -> bool {
        let is_its = match &self.what {
            What::All => true,
            What::Hardware(key, mac) => lease.client == *key || (mac.is_some() && lease.mac == *mac),
            What::Identifier(id) => {
                ClientKey::of_identifier(id).iter().flatten().any(|key| *key == lease.client)
            }
            What::Agent(suboption, id) => lease.agent_says(*suboption) == Some(&**id),
        };
        is_its
            && self.since.is_none_or(|since| i64::from(since) <= changed)
            && self.until.is_none_or(|until| changed <= i64::from(until))
    }
}
