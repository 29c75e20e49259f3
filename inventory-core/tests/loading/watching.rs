//! Waking up.
