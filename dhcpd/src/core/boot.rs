//! What a machine that boots is told beside its address: where the next stage is.
//!
//! A function of the message and the snapshot alone, so that any number of servers say the same. Firmware
//! is sent to iPXE, iPXE to the script of its host; whether that installs or goes on to the disk is the
//! boot service's to decide. What an operator has written as an option goes before all of this.

use std::net::Ipv4Addr;

use super::classes;
use super::packet::Message;
use crate::boot::{Architecture, Saying, Stage, script_path, server_url};
use crate::code;
use crate::view::{NetworkView, OptionBlock, Reservation, find_option};

/// iPXE's own options (175): do not wait for a ProxyDHCP server (its option 176, one octet).
const NO_PROXY: [u8; 3] = [0xb0, 1, 1];
/// Length of the field `file` (RFC 2131, section 2).
const FILE_OCTETS: usize = 128;
const HTTP_CLIENT: &[u8] = b"HTTPClient";

/// Where the next stage of a boot is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NextStage {
    /// Address of the boot service.
    server: Ipv4Addr,
    /// What is loaded from there: file name or URL.
    file: String,
    stage: Stage,
    /// The machine's UUID as it came (option 97), to be sent back.
    uuid: Option<Box<[u8]>>,
}

/// What a client is told of booting.
pub(super) enum Choice<'w> {
    /// Nothing.
    Nothing,
    /// What an operator has written: options 66 and 67.
    Written(Option<&'w str>, &'w str),
    /// What follows from the inventory.
    Worked(NextStage),
}

impl Choice<'_> {
    /// The fields `siaddr` and `file` of the reply: many ROMs read nothing else.
    pub(super) fn fields(&self) -> (Ipv4Addr, &str) {
        match self {
            Choice::Nothing => (Ipv4Addr::UNSPECIFIED, ""),
            Choice::Written(server, file) => {
                let server = server.and_then(|server| server.parse().ok());
                // The last octet of the field is its end; a URL is no file of TFTP.
                let fits = file.len() < FILE_OCTETS && !file.contains("://");
                (server.unwrap_or(Ipv4Addr::UNSPECIFIED), if fits { file } else { "" })
            }
            Choice::Worked(next) => next.fields(),
        }
    }

    /// The file or URL that is to be loaded.
    pub(super) fn file(&self) -> Option<&str> {
        match self {
            Choice::Nothing => None,
            Choice::Written(_, file) => Some(file),
            Choice::Worked(next) => Some(&next.file),
        }
    }

    /// The options that follow from the inventory.
    pub(super) fn next(&self) -> Option<&NextStage> {
        match self {
            Choice::Worked(next) => Some(next),
            Choice::Nothing | Choice::Written(..) => None,
        }
    }
}

/// Who is told.
pub(super) struct Booting<'m, 'a, 'v> {
    pub(super) message: &'m Message<'a>,
    pub(super) network: &'v NetworkView,
    pub(super) nic: Option<&'m Reservation<'v>>,
    /// Options of the classes that the client is in.
    pub(super) classes: &'m [&'v OptionBlock],
    /// Our address as the client knows it.
    pub(super) server: Ipv4Addr,
    /// HTTP port of the boot service, if there is one.
    pub(super) port: Option<u16>,
}

impl Booting<'_, '_, '_> {
    /// How far the machine is that sends `message`; `None`: it boots nothing.
    pub(super) fn stage(message: &Message<'_>) -> Option<Stage> {
        let options = &message.options;
        let [vendor_class, architectures, user_class] =
            [code::VENDOR_CLASS, code::CLIENT_ARCHITECTURE, code::USER_CLASS].map(|code| options.get(code));
        Stage::of(&Saying {
            vendor_class: vendor_class.as_deref(),
            architectures: architectures.as_deref(),
            user_class: user_class.as_deref(),
            has_ipxe_options: options.has(code::IPXE),
        })
    }

    /// The next stage, if there is one to be told of.
    pub(super) fn next(&self) -> Option<NextStage> {
        let port = self.port?;
        let options = &self.message.options;
        let stage = Booting::stage(self.message)?;
        let (path, boots) = self.path()?;
        let server = self.network.boot_server.unwrap_or(self.server);
        let url = |path: &str| format!("{}/{path}", server_url(server.into(), port));
        let file = match stage {
            // An active host's script goes on to the disk at once, and says why.
            Stage::Ipxe => url(&path),
            Stage::Pxe(_) | Stage::Http(_) if !boots => return None,
            Stage::Pxe(Architecture::Bios) => Architecture::Bios.loader().to_owned(),
            Stage::Pxe(architecture) => architecture.loader().to_owned(),
            Stage::Http(architecture) => url(architecture.loader()),
        };
        let uuid = options.get(code::CLIENT_UUID).filter(|uuid| uuid.len() == 17).map(|uuid| (&*uuid).into());
        Some(NextStage { server, file, stage, uuid })
    }

    /// Path of the script, and whether the machine is to boot from the network.
    fn path(&self) -> Option<(String, bool)> {
        let (boots, host) = match self.nic {
            Some(nic) => (nic.has_boot()?, Some(nic.host_name()?)),
            None => (self.network.boots_unknown.then_some(true)?, None),
        };
        Some((script_path(host.as_ref(), &self.network.name), boots))
    }

    /// What an operator has written for the client as this option, if it is text.
    fn written(&self, code: u8) -> Option<&str> {
        let own = self.nic.and_then(|nic| find_option(nic.options(), code));
        // With its code and its length.
        let networks =
            || classes::find(self.classes, code).or_else(|| self.network.options.get(code))?.get(2..);
        std::str::from_utf8(own.or_else(networks)?).ok()
    }

    /// Where the client boots from by the fields of the reply, and by its options if they are not written.
    pub(super) fn choose(&self) -> Choice<'_> {
        match self.written(code::BOOT_FILE) {
            Some(file) => Choice::Written(self.written(code::TFTP_SERVER), file),
            None => self.next().map_or(Choice::Nothing, Choice::Worked),
        }
    }
}

impl NextStage {
    fn fields(&self) -> (Ipv4Addr, &str) {
        match self.stage {
            Stage::Pxe(_) => (self.server, &self.file),
            Stage::Http(_) | Stage::Ipxe => (self.server, ""),
        }
    }

    /// The option's value, if this has one.
    pub(super) fn option(&self, code: u8) -> Option<Box<[u8]>> {
        Some(match (code, self.stage) {
            (code::BOOT_FILE, _) => self.file.as_bytes().into(),
            (code::TFTP_SERVER, Stage::Pxe(_)) => self.server.to_string().into_bytes().into(),
            (code::TFTP_ADDRESS, Stage::Pxe(_)) => self.server.octets().as_slice().into(),
            (code::VENDOR_CLASS, Stage::Http(_)) => HTTP_CLIENT.into(),
            (code::IPXE, Stage::Ipxe) => NO_PROXY.as_slice().into(),
            (code::CLIENT_UUID, _) => self.uuid.clone()?,
            _ => return None,
        })
    }

    /// Options that are sent whether they are asked for or not: HTTP boot firmware takes no reply
    /// without its vendor class, and not all loaders list what they need.
    pub(super) fn forced(&self) -> &'static [u8] {
        match self.stage {
            Stage::Http(_) => &[code::VENDOR_CLASS, code::BOOT_FILE],
            Stage::Pxe(_) | Stage::Ipxe => &[code::BOOT_FILE],
        }
    }
}
