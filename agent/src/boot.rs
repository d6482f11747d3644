//! Which run of this machine it is: whether it has lost its power or was restarted since something was written.
//!
//! Owns: where the kernel tells it. Must not know: what follows.

use serde::{Deserialize, Serialize};

/// Linux makes it anew at each start (`random(4)`).
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// A run of this machine, from one start to the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BootId(String);

impl BootId {
    /// This one; none where the kernel does not tell.
    #[must_use]
    pub fn current() -> Option<Self> {
        let text = std::fs::read_to_string(BOOT_ID).ok()?;
        Some(Self(text.trim().to_owned())).filter(|id| !id.0.is_empty())
    }

    /// Its letters and digits.
    #[must_use]
    pub fn into_text(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_same_until_the_machine_starts_anew() {
        let id = BootId::current().unwrap();
        assert_eq!(BootId::current(), Some(id));
    }
}
