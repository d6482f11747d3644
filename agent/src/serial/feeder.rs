//! Where a job's commands come from.
//!
//! Owns: the shape of a source. Must not know: files; the source is handed in.

use stardust_gcode::command::Command;

use super::brief::Brief;

/// A command of a job with its place in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Fed {
    /// The command.
    pub command: Command<'static>,
    /// Byte offset behind its line: what is acknowledged once the firmware has taken it.
    pub end: u64,
    /// The layer that the file says it belongs to, from 1.
    pub layer: Option<u32>,
}

/// The job's commands can't be read on.
#[derive(Debug, thiserror::Error)]
#[error("the print file can't be read on: {0}")]
pub struct SourceError(pub String);

/// A job's commands, asked for one by one as the firmware takes them.
pub trait CommandSource: Send + std::fmt::Debug {
    /// The next command; none at the end.
    ///
    /// # Errors
    /// [`SourceError`] when the file is gone or damaged: the job then fails and the printer is made safe.
    fn next_command(&mut self) -> Result<Option<Fed>, SourceError>;

    /// What is known of all of them beforehand; none when nobody has looked.
    fn brief(&self) -> Option<Brief> {
        None
    }
}

/// A job from memory: for scripts and tests.
impl CommandSource for std::collections::VecDeque<Fed> {
    fn next_command(&mut self) -> Result<Option<Fed>, SourceError> {
        Ok(self.pop_front())
    }
}
