//! Why a message got no answer or a refusal: one vocabulary for the core, counters, logs and tests.

daemon::counted_reasons! {
    /// Why a message was not answered, or was answered by a DHCPNAK.
    pub enum Reason {
        /// Fewer octets than the fixed fields and the cookie of RFC 2131, section 2.
        Short => "short",
        /// More octets than the receive buffer has.
        TooLong => "too-long",
        /// A reply, not a request.
        NotARequest => "not-a-request",
        /// A hardware address of more than 16 octets.
        HardwareAddress => "hardware-address",
        /// No magic cookie.
        NoCookie => "no-cookie",
        /// BOOTP (RFC 951) from a machine that the inventory gives no address.
        Bootp => "bootp",
        /// An option that decides about the answer has the wrong length.
        BadOption => "bad-option",
        /// A message type that no server answers, or that this one does not know.
        MessageType => "message-type",
        /// A DHCPREQUEST that names no address.
        NoAddressNamed => "no-address-named",
        /// It came by an interface that is not served.
        OtherInterface => "other-interface",
        /// It came by an interface without an IPv4 address.
        NoServerAddress => "no-server-address",
        /// It came from a link, or names an address, that is in no network of the inventory.
        NoNetwork => "no-network",
        /// It came by a relay agent whose address is in no network of the inventory.
        UnknownRelay => "unknown-relay",
        /// `dhcp = false` on the network or the nic.
        DhcpOff => "dhcp-off",
        /// The client chose another server.
        OtherServer => "other-server",
        /// Nobody has written this machine down, and the network has no pool.
        UnknownMachine => "unknown-machine",
        /// The host has no address of its own, and its network no pool.
        NoPool => "no-pool",
        /// Every address of the pool is taken or offered.
        PoolFull => "pool-full",
        /// More clients at once than are remembered.
        Busy => "busy",
        /// The address is probed; the client is offered it when nobody answers.
        Probing => "probing",
        /// The client has neither identifier nor hardware address.
        NoIdentity => "no-identity",
        /// Leases cannot be written at the moment, so that none is given.
        StoreFailing => "store-failing",
        /// The host's address is still leased to another client.
        AddressHeld => "address-held",
        /// Nobody knows this lease; refused where the network is authoritative.
        UnknownLease => "unknown-lease",
        /// Refused: the address is leased to another client.
        OtherClient => "other-client",
        /// Refused: the pools do not give the address any more.
        NotGiven => "not-given",
        /// The host is planned or retired. A request for its address is refused.
        NotServed => "not-served",
        /// Refused: the address is of another network.
        WrongNetwork => "wrong-network",
        /// Refused: the address is not the one that the inventory gives.
        WrongAddress => "wrong-address",
        /// Refused: the client accepts an offer of this server that is none any more.
        NotOffered => "not-offered",
        /// The client gives its address back; that has no answer.
        Released => "released",
        /// The client says that somebody else uses its address; that has no answer.
        Declined => "declined",
        /// A DHCPLEASEQUERY of somebody who may not ask.
        QueryRefused => "query-refused",
        /// What a reply must have does not fit into what the client takes.
        NoRoom => "no-room",
    }
}

daemon::counted_reasons! {
    /// Messages received and sent, and what was remarkable about them.
    pub enum Event {
        /// DHCPDISCOVER received.
        Discover => "discover",
        /// DHCPREQUEST received.
        Request => "request",
        /// DHCPDECLINE received.
        Decline => "decline",
        /// DHCPRELEASE received.
        Release => "release",
        /// DHCPINFORM received.
        Inform => "inform",
        /// Anything else received.
        Other => "other",
        /// DHCPOFFER given out.
        Offer => "offer",
        /// DHCPACK given out.
        Ack => "ack",
        /// DHCPNAK given out.
        Nak => "nak",
        /// DHCPLEASEQUERY received.
        LeaseQuery => "lease-query",
        /// A DHCPLEASEQUERY was answered.
        LeaseTold => "lease-told",
        /// What to boot given out beside another server.
        ProxyOffer => "proxy-offer",
        /// BOOTREPLY given out.
        BootReply => "boot-reply",
        /// BOOTREQUEST received.
        Bootp => "bootp",
        /// A lease was given.
        LeaseGranted => "lease-granted",
        /// A lease was given again to its client.
        LeaseRenewed => "lease-renewed",
        /// A client gave its lease back.
        LeaseReleased => "lease-released",
        /// A lease ran out.
        LeaseEnded => "lease-ended",
        /// A lease was ended, since the inventory says otherwise.
        LeaseWithdrawn => "lease-withdrawn",
        /// An address of a pool is used by a machine that does not lease it.
        AddressInUse => "address-in-use",
        /// A probe was sent.
        Probe => "probe",
        /// A reply without options that the client asked for, because they did not fit.
        OptionsLeftOut => "options-left-out",
        /// A request with an option that runs over the end.
        OptionsCutShort => "options-cut-short",
    }
}

/// Why a request is answered by a DHCPNAK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// [`Reason::WrongNetwork`].
    WrongNetwork,
    /// [`Reason::WrongAddress`].
    WrongAddress,
    /// [`Reason::NotServed`].
    NotServed,
    /// [`Reason::NotOffered`].
    NotOffered,
    /// [`Reason::UnknownLease`].
    UnknownLease,
    /// [`Reason::OtherClient`].
    OtherClient,
    /// [`Reason::NotGiven`].
    NotGiven,
}

impl Refusal {
    /// The reason that is counted.
    pub fn reason(self) -> Reason {
        match self {
            Refusal::WrongNetwork => Reason::WrongNetwork,
            Refusal::WrongAddress => Reason::WrongAddress,
            Refusal::NotServed => Reason::NotServed,
            Refusal::NotOffered => Reason::NotOffered,
            Refusal::UnknownLease => Reason::UnknownLease,
            Refusal::OtherClient => Reason::OtherClient,
            Refusal::NotGiven => Reason::NotGiven,
        }
    }

    /// What the client's user is told (option 56, RFC 2132, section 9.9).
    pub(super) fn message(self) -> &'static str {
        match self {
            Refusal::WrongNetwork => "this address is of another network",
            Refusal::WrongAddress => "this machine has another address",
            Refusal::NotServed => "this machine is not in service",
            Refusal::NotOffered => "this address is not offered",
            Refusal::UnknownLease => "this lease is not known here",
            Refusal::OtherClient => "this address is leased to another client",
            Refusal::NotGiven => "this address is not given any more",
        }
    }
}
