//! What a person should know of the part being printed.
//!
//! Owns: the sentences. Must not know: how they are shown.

use serde::{Deserialize, Serialize};

/// Something about the job that no command of ours can mend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Remark {
    /// `echo: cold extrusion prevented`
    TooCold,
    /// `M114` tells of another place than the one the job's commands lead to.
    Elsewhere,
}

impl Remark {
    /// In words.
    pub(super) fn sentence(self) -> &'static str {
        match self {
            Self::TooCold => {
                "The nozzle was too cold to extrude: the printer left plastic out, the part may be spoilt."
            }
            Self::Elsewhere => {
                "The printer says that it stands elsewhere than the file has led it: look at the part before it goes on."
            }
        }
    }
}
