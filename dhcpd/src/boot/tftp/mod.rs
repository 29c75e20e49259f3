//! TFTP, reading only (RFC 1350) with the options of RFC 2347, 2348, 2349 and 7440.
//!
//! Without I/O: [`ReadRequest`] and [`FromClient`] read packets, [`Terms`] are what is agreed, a
//! [`Transfer`] says which blocks to send when. The shell opens files and owns sockets and clocks.

mod negotiate;
mod packet;
mod transfer;

pub use negotiate::Terms;
pub use packet::{
    BadRequest, DATA_HEADER, ErrorCode, FromClient, Mode, PORT, REQUEST_OCTETS_MAX, ReadRequest, to_netascii,
    write_data, write_error, write_oack,
};
pub use transfer::{End, Send, Transfer};

#[cfg(test)]
mod tests;
