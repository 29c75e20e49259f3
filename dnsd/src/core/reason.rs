//! What becomes of a message: one vocabulary for the core, the counters, the logs and the tests.

/// Response codes (IANA "DNS RCODEs") that are given.
pub mod rcode {
    /// No error.
    pub const NOERROR: u16 = 0;
    /// The message could not be understood.
    pub const FORMERR: u16 = 1;
    /// It could not be done.
    pub const SERVFAIL: u16 = 2;
    /// The name does not exist.
    pub const NXDOMAIN: u16 = 3;
    /// This kind of message is not answered.
    pub const NOTIMP: u16 = 4;
    /// It is not for us, or not for them.
    pub const REFUSED: u16 = 5;
    /// A name became too long (RFC 6672, section 2.2).
    pub const YXDOMAIN: u16 = 6;
    /// Records are there that were not to be (RFC 2136, section 2.2).
    pub const YXRRSET: u16 = 7;
    /// Records are not there that were to be (RFC 2136, section 2.2).
    pub const NXRRSET: u16 = 8;
    /// A name lies outside the zone (RFC 2136, section 2.2).
    pub const NOTZONE: u16 = 10;
    /// Not authenticated (RFC 8945, section 5.2), or no zone of ours (RFC 5936, section 2.2.1).
    pub const NOTAUTH: u16 = 9;
    /// Unknown EDNS version (RFC 6891, section 6.1.3); its high bits go to the OPT record.
    pub const BADVERS: u16 = 16;
    /// A cookie of ours is to be shown (RFC 7873, section 8).
    pub const BADCOOKIE: u16 = 23;

    /// Those that messages get, with their names.
    pub const NAMES: [(u16, &str); 10] = [
        (NOERROR, "NOERROR"),
        (FORMERR, "FORMERR"),
        (SERVFAIL, "SERVFAIL"),
        (NXDOMAIN, "NXDOMAIN"),
        (NOTIMP, "NOTIMP"),
        (REFUSED, "REFUSED"),
        (YXDOMAIN, "YXDOMAIN"),
        (NOTAUTH, "NOTAUTH"),
        (BADVERS, "BADVERS"),
        (BADCOOKIE, "BADCOOKIE"),
    ];
}

/// What a message came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The question was answered.
    Answered {
        /// Octets of the reply.
        octets: usize,
        /// What the answer says.
        answer: Answer,
        /// Whether something was left out for want of room (TC).
        truncated: bool,
    },
    /// The reply is an error.
    Failed {
        /// Octets of the reply.
        octets: usize,
        /// Why.
        reason: Reason,
    },
    /// There is no reply.
    Dropped(Reason),
}

daemon::counted_reasons! {
    /// What an answer says.
    pub enum Answer {
        /// Here are the records.
        Records => "records",
        /// Here are aliases; what they lead to is in no zone of ours.
        Alias => "alias",
        /// The name exists, without records of that type.
        NoData => "no-data",
        /// The name does not exist.
        NoName => "no-name",
        /// Ask those servers.
        Referral => "referral",
    }
}

daemon::counted_reasons! {
    /// Why a message got an error, or nothing.
    pub enum Reason {
        /// Shorter than a header. Dropped.
        Short => "short",
        /// A response: answering one could make two servers talk forever. Dropped.
        Response => "response",
        /// No room for the question in the reply. Dropped.
        NoRoom => "no-room",
        /// Not exactly one question (RFC 9619).
        QuestionCount => "question-count",
        /// No question but a cookie, to get one of ours (RFC 7873, section 5.4).
        CookieAsked => "cookie-asked",
        /// The same with a cookie of ours that does not hold.
        CookieWrong => "cookie-wrong",
        /// The question is cut short or its name is none.
        Question => "question",
        /// The records after the question are cut short, or octets follow them.
        Records => "records",
        /// An OPT record that breaks RFC 6891, section 6.1.1, or a second one.
        Options => "options",
        /// An EDNS version above 0.
        EdnsVersion => "edns-version",
        /// An opcode other than QUERY.
        Opcode => "opcode",
        /// A class other than IN.
        Class => "class",
        /// A transfer asked for by somebody who may not copy the zone.
        Transfer => "transfer",
        /// A whole zone asked for in a datagram (RFC 5936, section 4.2).
        TransferByUdp => "transfer-by-udp",
        /// A transfer of what is no zone of ours (RFC 5936, section 2.2.1).
        TransferOutside => "transfer-outside-zones",
        /// A signature by a key that is not known.
        Signature => "signature",
        /// A signature that is not one of that message by that key.
        SignatureWrong => "signature-wrong",
        /// A signature that is too old, or from the future.
        SignatureTime => "signature-time",
        /// A name in none of the zones.
        OutsideZones => "outside-zones",
        /// A zone that the client may not ask about.
        NotAllowed => "not-allowed",
        /// More answers than a network may get, and a reply that says to ask by TCP, or to show a cookie.
        RateSlip => "rate-slip",
        /// The same, and no reply.
        RateDrop => "rate-drop",
        /// A DNAME makes the name too long.
        RedirectTooLong => "redirect-too-long",
        /// An update that cannot be read.
        UpdateMalformed => "update-malformed",
        /// An update without signature.
        UpdateUnsigned => "update-unsigned",
        /// A question for elsewhere while too many wait. Dropped.
        ForwardBusy => "forward-busy",
        /// An update while too many wait. Dropped.
        UpdateBusy => "update-busy",
    }
}

impl Answer {
    /// The response code that says it.
    #[inline]
    pub const fn rcode(self) -> u16 {
        match self {
            Answer::NoName => rcode::NXDOMAIN,
            Answer::Records | Answer::Alias | Answer::NoData | Answer::Referral => rcode::NOERROR,
        }
    }
}

impl Reason {
    /// The response code that it gets; `None`: no response.
    pub const fn rcode(self) -> Option<u16> {
        Some(match self {
            Reason::Short
            | Reason::Response
            | Reason::NoRoom
            | Reason::RateDrop
            | Reason::UpdateBusy
            | Reason::ForwardBusy => return None,
            Reason::QuestionCount
            | Reason::Question
            | Reason::Records
            | Reason::Options
            | Reason::UpdateMalformed => rcode::FORMERR,
            Reason::EdnsVersion => rcode::BADVERS,
            Reason::Opcode | Reason::TransferByUdp => rcode::NOTIMP,
            Reason::Class
            | Reason::Transfer
            | Reason::OutsideZones
            | Reason::NotAllowed
            | Reason::UpdateUnsigned => rcode::REFUSED,
            Reason::RateSlip | Reason::CookieAsked => rcode::NOERROR,
            Reason::CookieWrong => rcode::BADCOOKIE,
            Reason::TransferOutside | Reason::Signature | Reason::SignatureWrong | Reason::SignatureTime => {
                rcode::NOTAUTH
            }
            Reason::RedirectTooLong => rcode::YXDOMAIN,
        })
    }
}

impl Reason {
    /// What is said beside the response code (RFC 8914, section 4), where that says too little.
    pub(super) fn extended_error(self) -> Option<u16> {
        const CODES: [(Reason, u16); 6] = [
            (Reason::Transfer, 18),
            (Reason::TransferOutside, 20),
            (Reason::NotAllowed, 18),
            (Reason::OutsideZones, 20),
            (Reason::TransferByUdp, 21),
            (Reason::Opcode, 21),
        ];
        CODES.iter().find(|(reason, _)| *reason == self).map(|(_, code)| *code)
    }
}

impl Outcome {
    /// The same with another number of octets, if there is a reply.
    pub(super) const fn with_octets(self, octets: usize) -> Outcome {
        match self {
            Outcome::Answered { answer, truncated, .. } => Outcome::Answered { octets, answer, truncated },
            Outcome::Failed { reason, .. } => Outcome::Failed { octets, reason },
            Outcome::Dropped(_) => self,
        }
    }

    /// The reply, if there is one, which was written to `out`.
    pub fn reply_in(self, out: &[u8]) -> Option<&[u8]> {
        out.get(..self.octets()?)
    }

    /// Octets of the reply, if there is one.
    pub const fn octets(self) -> Option<usize> {
        match self {
            Outcome::Answered { octets, .. } | Outcome::Failed { octets, .. } => Some(octets),
            Outcome::Dropped(_) => None,
        }
    }
}
