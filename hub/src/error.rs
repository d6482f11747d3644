//! What a request can fail with: free of any transport. The HTTP mapping stands in [`crate::api::problem`].

use crate::db::DbError;

/// An answer that is not the one hoped for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such thing, or not visible to whoever asks.
    #[error("{detail}")]
    NotFound {
        /// A sentence for people.
        detail: String,
    },
    /// The request makes no sense as it stands.
    #[error("{detail}")]
    Invalid {
        /// A stable word for programs.
        code: &'static str,
        /// A sentence for people.
        detail: String,
    },
    /// The request makes sense, but not now.
    #[error("{detail}")]
    Conflict {
        /// A stable word for programs.
        code: &'static str,
        /// A sentence for people.
        detail: String,
    },
    /// Nobody is signed in, or the credential is wrong.
    #[error("{detail}")]
    Unauthorized {
        /// A stable word for programs.
        code: &'static str,
        /// A sentence for people.
        detail: String,
    },
    /// Signed in, but not allowed.
    #[error("{detail}")]
    Forbidden {
        /// A stable word for programs.
        code: &'static str,
        /// A sentence for people.
        detail: String,
    },
    /// Another agent speaks for this printer now.
    #[error("{detail}")]
    AnotherAgent {
        /// A sentence for people.
        detail: String,
    },
    /// More requests than the hub takes at once.
    #[error("{detail}")]
    TooMany {
        /// A sentence for people.
        detail: String,
    },
    /// More bytes than the hub takes.
    #[error("{detail}")]
    TooLarge {
        /// A sentence for people.
        detail: String,
        /// How many it takes, where it can be said.
        limit_bytes: Option<u64>,
        /// How many there are, where it was announced.
        size_bytes: Option<u64>,
    },
    /// The database failed: ours to mend, not the asker's.
    #[error("the database failed")]
    Db(#[from] DbError),
    /// The object store failed.
    #[error("the object store failed")]
    Objects(#[from] object_store::Error),
    /// Something else of ours failed.
    #[error("{0}")]
    Internal(String),
}

impl Error {
    /// There is no such `thing`: "print job".
    #[must_use]
    pub fn no_such(thing: &str) -> Self {
        Self::NotFound { detail: format!("There is no such {thing} (any more).") }
    }

    /// The request can't be understood.
    pub fn invalid(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Invalid { code, detail: detail.into() }
    }

    /// A JSON body is too large or ended early.
    #[must_use]
    pub fn bad_body() -> Self {
        let detail = "The request's body is too large or broke off.".into();
        Self::TooLarge { detail, limit_bytes: None, size_bytes: None }
    }

    /// The request can't be carried out now.
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Conflict { code, detail: detail.into() }
    }
}
