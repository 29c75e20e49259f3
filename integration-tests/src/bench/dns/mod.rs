//! DNS: questions with their answers, the load, the servers beside ours, and what is measured.

pub mod echo;
pub mod load;
pub mod measure;
pub mod question;
pub mod servers;
pub mod signed;
pub mod stream;
pub mod streams;
pub mod zones;
