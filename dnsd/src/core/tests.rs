//! Answers, message by message, and the reference that they agree with.

mod additional;
mod agreement;
mod clients;
mod corners;
mod delegated;
mod files;
mod hostile;
mod kinds;
mod messages;
mod published;
mod redirects;
mod reverse;
mod signed;
mod sizes;
