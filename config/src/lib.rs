//! Home of `hostbook-config`: pushes configuration over ssh, in the language of cdist.
//!
//! Nothing lives here yet; the crate keeps the place that the workspace layout gives it.
