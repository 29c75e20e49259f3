//! Why a message got no answer or less than it asked for: one vocabulary for the core, counters, logs
//! and tests.

daemon::counted_reasons! {
    /// Why a message was not answered, or was answered with a status other than success.
    pub enum Reason {
        /// Fewer octets than the fixed fields of RFC 8415, sections 8 and 9.
        Short => "short",
        /// More octets than the receive buffer has.
        TooLong => "too-long",
        /// An option runs over the end of what it is in.
        OptionCutShort => "option-cut-short",
        /// More options, or identity associations, than any client sends.
        TooManyOptions => "too-many-options",
        /// More relay agents than a message may pass.
        TooManyRelays => "too-many-relays",
        /// A relay agent's message without a message in it.
        NoRelayedMessage => "no-relayed-message",
        /// An option that decides about the answer has the wrong length.
        BadOption => "bad-option",
        /// A message type that no server answers, or that this one does not know.
        MessageType => "message-type",
        /// It does not say who the client is.
        NoClientId => "no-client-id",
        /// It does not say which server is meant.
        NoServerId => "no-server-id",
        /// It says which server is meant, and must not.
        ServerIdPresent => "server-id-present",
        /// The client chose another server.
        OtherServer => "other-server",
        /// It names no address, and is about addresses.
        NoAddressNamed => "no-address-named",
        /// It asks for addresses, and is about options only.
        AddressesNamed => "addresses-named",
        /// It was sent to our own address, and must be multicast.
        Unicast => "unicast",
        /// It came from an address that nothing can be sent to.
        NoSource => "no-source",
        /// It came by an interface that is not served.
        OtherInterface => "other-interface",
        /// It came from a link that is in no network of the inventory.
        NoNetwork => "no-network",
        /// It came by a relay agent whose link is in no network of the inventory.
        UnknownRelay => "unknown-relay",
        /// `dhcp = false` on the network or the nic.
        DhcpOff => "dhcp-off",
        /// Nobody has written this machine down, and the network has no pool.
        UnknownMachine => "unknown-machine",
        /// Leases cannot be written at the moment, so that none is given.
        StoreFailing => "store-failing",
        /// Nobody knows this lease; another server may.
        UnknownLease => "unknown-lease",
        /// The host is planned or retired.
        NotServed => "not-served",
        /// Answered: nothing of what was asked for is there to be given.
        NothingToGive => "nothing-to-give",
        /// Answered: the address is of another link, or not the one that the inventory gives.
        NotOnLink => "not-on-link",
        /// What a reply must have does not fit into one.
        NoRoom => "no-room",
    }
}

daemon::counted_reasons! {
    /// Messages received and sent, and what was remarkable about them.
    pub enum Event {
        /// Solicit received.
        Solicit => "solicit",
        /// Request received.
        Request => "request",
        /// Confirm received.
        Confirm => "confirm",
        /// Renew received.
        Renew => "renew",
        /// Rebind received.
        Rebind => "rebind",
        /// Release received.
        Release => "release",
        /// Decline received.
        Decline => "decline",
        /// Information-request received.
        InformationRequest => "information-request",
        /// Anything else received.
        Other => "other",
        /// It came by relay agents.
        Relayed => "relayed",
        /// Advertise given out.
        Advertise => "advertise",
        /// Reply given out.
        Reply => "reply",
        /// Reconfigure given out.
        Reconfigure => "reconfigure",
        /// A client was not told to ask again any more: it does not, or is out of reach.
        ReconfigureUnheard => "reconfigure-unheard",
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
        /// An address or prefix that the client must let go of at once was told it.
        Withdrawn => "withdrawn",
        /// A reply without options that the client asked for, because they did not fit.
        OptionsLeftOut => "options-left-out",
    }
}
