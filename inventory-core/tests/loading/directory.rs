//! Directories as they are in real life.
