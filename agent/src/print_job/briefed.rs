//! A job's commands together with what admission has found out about them.
//!
//! Owns: handing both over at once. Must not know: files, the line.

use crate::serial::{Brief, CommandSource, Fed, SourceError};

/// A source of which is known what it will bring.
#[derive(Debug)]
pub struct Briefed<S> {
    source: S,
    brief: Brief,
}

impl<S> Briefed<S> {
    /// The brief must be of the same file.
    pub fn new(source: S, brief: Brief) -> Self {
        Self { source, brief }
    }
}

impl<S: CommandSource> CommandSource for Briefed<S> {
    fn next_command(&mut self) -> Result<Option<Fed>, SourceError> {
        self.source.next_command()
    }

    fn brief(&self) -> Option<Brief> {
        Some(self.brief.clone())
    }
}
