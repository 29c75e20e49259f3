//! What happens in the boot service: one vocabulary for counters, logs and tests.

daemon::counted_reasons! {
    /// What became of a request to the boot service.
    pub enum BootEvent {
        /// A file of the boot root was asked for and is there.
        File => "file",
        /// A script was made that boots the profile.
        Script => "script",
        /// A script was made that goes on to the local disk.
        LocalDisk => "local-disk",
        /// A command line or a file of a profile was made.
        Rendered => "rendered",
        /// An installation was reported done.
        Done => "done",
        /// The URL for that was looked at in a way that reports nothing.
        NotReported => "not-reported",
        /// There is no such file, host or template.
        NotFound => "not-found",
        /// The path leaves the boot root, perhaps by a symbolic link.
        OutsideRoot => "outside-root",
        /// It is no regular file, or it cannot be read.
        Unreadable => "unreadable",
        /// The host is planned or retired.
        NotServed => "not-served",
        /// Somebody asks for what is made for another machine.
        OtherMachine => "other-machine",
        /// The token is of no installation that is under way.
        BadToken => "bad-token",
        /// A template failed. The inventory was checked, so this should not happen.
        TemplateFailed => "template-failed",
        /// What was learned could not be written down.
        NotDurable => "not-durable",
        /// A request that makes no sense.
        BadRequest => "bad-request",
        /// A request to write.
        Write => "write",
        /// The client has too many transfers or connections, or all clients together have.
        TooMany => "too-many",
        /// A transfer or connection ended for another client's: all places were taken.
        MadeRoom => "made-room",
        /// A request by TFTP that came again while its transfer runs.
        Repeated => "repeated",
        /// A transfer could not have a socket.
        NoSocket => "no-socket",
        /// A client by HTTP did not end its request, or did not take its answer, in time.
        Slow => "slow",
        /// A transfer came to its end.
        Complete => "complete",
        /// The client gave a transfer up.
        Aborted => "aborted",
        /// The client stopped answering.
        Silent => "silent",
    }
}
