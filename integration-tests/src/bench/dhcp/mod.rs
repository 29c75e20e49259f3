//! DHCPv4: clients behind relay agents, the servers beside ours, and what is measured.

pub mod load;
pub mod measure;
pub mod packet;
pub mod servers;
