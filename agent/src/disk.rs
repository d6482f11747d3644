//! What may be wrong with the disk of this machine.
//!
//! Owns: telling the kinds apart that a person handles differently. Must not know: what could not be written.

use std::io::ErrorKind;

/// The disk can't be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DiskFault {
    /// No room, or no more of it for us.
    Full,
    /// It can only be read: mounted so, or made so by the system after a fault.
    ReadOnly,
    /// Something else, as the system says it.
    Other(String),
}

impl From<&std::io::Error> for DiskFault {
    fn from(error: &std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full,
            ErrorKind::ReadOnlyFilesystem => Self::ReadOnly,
            _ => Self::Other(error.to_string()),
        }
    }
}

impl std::fmt::Display for DiskFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Full => f.write_str("is full"),
            Self::ReadOnly => f.write_str("can only be read"),
            Self::Other(error) => write!(f, "can't be written ({error})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use rustix::io::Errno;

    #[rstest]
    #[case(Errno::NOSPC, "is full")]
    #[case(Errno::DQUOT, "is full")]
    #[case(Errno::ROFS, "can only be read")]
    #[case(Errno::IO, "can't be written (Input/output error (os error 5))")]
    fn what_the_system_says_in_words(#[case] error: Errno, #[case] expected: &str) {
        assert_eq!(DiskFault::from(&std::io::Error::from(error)).to_string(), expected);
    }
}
