//! Why a port is not driven any more.
//!
//! Owns: the reasons. Must not know: what is done then.

use rustix::io::Errno;

/// Why nothing is driven any more.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Abandoned {
    /// Nobody holds the handle.
    Closed,
    /// Whoever comes next goes on with the open port.
    LeftOpen,
}

/// Why an open port is not driven any more.
pub(super) enum Ended {
    /// It has failed.
    Failed(Errno),
    /// The printer has asked for it.
    Asked,
}

impl From<Errno> for Ended {
    fn from(error: Errno) -> Self {
        Self::Failed(error)
    }
}
