//! Typed ids: UUIDv7, so that they sort by creation time, each in a type of its own so that a job's id
//! can't be passed where a printer's is meant.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::time::Timestamp;

/// A text that is no id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{text}” is not {kind} id; ids look like 0190a7c2-6f00-7000-8000-000000000000")]
pub struct ParseIdError {
    /// Which kind of id was expected, with its article: "a printer".
    pub kind: &'static str,
    /// What was given, cut to 64 characters.
    pub text: String,
}

macro_rules! id {
    ($name:ident, $kind:literal) => {
        #[doc = concat!("The id of ", $kind, ": a UUIDv7.")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id, made at `now`. The rest of it is random.
            #[must_use]
            pub fn generate(now: Timestamp) -> Self {
                let (seconds, nanos) = now.unix_seconds_and_nanos();
                Self(Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos)))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                // Only the hyphenated form: an id then has one spelling, in topics and in the database too.
                if text.len() == 36 {
                    if let Ok(id) = Uuid::try_parse(text) {
                        return Ok(Self(id));
                    }
                }
                Err(ParseIdError { kind: $kind, text: text.chars().take(64).collect() })
            }
        }
    };
}

id!(WorkspaceId, "a workspace");
id!(UserId, "a user");
id!(TokenId, "a token");
id!(PrinterId, "a printer");
id!(FileId, "a print file");
id!(FileVersionId, "a version of a print file");
id!(JobId, "a print job");
id!(ClaimId, "a claim");
id!(CommandId, "a command");
id!(AttentionId, "a question of a printer");
id!(SessionId, "an agent session");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_and_survive_text() {
        let early = JobId::generate(Timestamp::from_millis(1_000_000));
        let late = JobId::generate(Timestamp::from_millis(1_000_001));
        assert!(early < late);
        assert_eq!(early.to_string().parse::<JobId>(), Ok(early));
        assert_eq!(serde_json::to_string(&early).unwrap(), format!("\"{early}\""));
    }

    #[test]
    fn other_texts_are_refused_with_the_kind_that_was_expected() {
        for text in ["", "1", "0190a7c26f0070008000000000000000", "{0190a7c2-6f00-7000-8000-000000000000}"] {
            let error = text.parse::<PrinterId>().unwrap_err();
            assert!(error.to_string().contains("a printer id"), "{error}");
        }
    }
}
