//! A branch of a git repository as the source: each commit is one state.
//!
//! The system's `git` reads it: `rev-parse` for the branch, `ls-tree` once per commit, one `cat-file
//! --batch` for all files. A library would read the same three things, and adds a hundred crates to every
//! daemon; and whoever pushes has git anyway.
//!
//! A listing is of the commit that the branch names at that moment, and so is everything that is read
//! until the next one: a push in between changes nothing of it.

mod branch;
mod checkout;
mod location;
mod process;
mod tree;

pub use branch::GitBranch;
pub use checkout::check_out;
pub use location::Location;
pub use process::GitError;
pub use tree::{GitTree, commit_before};

#[cfg(test)]
mod tests;
