//! The version of the agent⇄hub contract, and who may talk to whom.

use serde::{Deserialize, Serialize};

/// The version of this contract: `major.minor`.
///
/// The minor grows with every added field or message, the major with a change an older reader would
/// misunderstand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProtocolVersion {
    /// Changes that an older reader would misunderstand.
    pub major: u16,
    /// Additions.
    pub minor: u16,
}

impl ProtocolVersion {
    /// What this build speaks.
    pub const CURRENT: Self = Self { major: 1, minor: 1 };

    /// Whether the two sides may work together: same major, minors at most one apart.
    #[must_use]
    pub fn works_with(self, other: Self) -> bool {
        self.major == other.major && self.minor.abs_diff(other.minor) <= 1
    }
}

impl std::fmt::Display for ProtocolVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The agents that are out there go on when their hub is upgraded first.
    #[test]
    fn the_last_release_is_understood() {
        const RELEASED: ProtocolVersion = ProtocolVersion { major: 1, minor: 0 };
        assert!(ProtocolVersion::CURRENT.works_with(RELEASED));
    }

    #[test]
    fn one_minor_of_skew_either_way() {
        let v = |major, minor| ProtocolVersion { major, minor };
        for (ours, theirs, expected) in [
            (v(1, 4), v(1, 4), true),
            (v(1, 4), v(1, 3), true),
            (v(1, 4), v(1, 5), true),
            (v(1, 4), v(1, 2), false),
            (v(1, 4), v(1, 6), false),
            (v(1, 4), v(2, 4), false),
        ] {
            assert_eq!(ours.works_with(theirs), expected, "{ours} with {theirs}");
            assert_eq!(theirs.works_with(ours), expected, "{theirs} with {ours}");
        }
    }
}
