//! Errors that say what to do about them.

use std::error::Error;
use std::fmt;
use std::io;

/// An error for an operator: its text says what failed, where and why; its help what to do.
pub trait Explain: Error {
    /// What to do, in one line or a few. `None` when the text already says all there is to say.
    fn help(&self) -> Option<String>;
}

/// Writes what an I/O error says without the number that the standard library adds
/// (`permission denied` instead of `Permission denied (os error 13)`).
pub fn reason(error: &io::Error) -> impl fmt::Display {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_ascii_lowercase());
    first.into_iter().chain(chars).collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_what_the_system_says_in_the_middle_of_a_sentence() {
        let reason_of = |error| reason(&error).to_string();
        assert_eq!(reason_of(io::Error::from_raw_os_error(libc::EACCES)), "permission denied");
        assert_eq!(reason_of(io::Error::from_raw_os_error(libc::ENOSPC)), "no space left on device");
        assert_eq!(reason_of(io::Error::other("Own text")), "own text");
    }
}
