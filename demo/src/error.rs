//! What can go wrong around the processes. Every message names the part and says what to look at.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// The harness's results.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a house could not be started, asked or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A binary has not been built.
    #[error("{name} is not in {}. Build it first: cargo build --workspace --bins", dir.display())]
    BinaryMissing {
        /// Its file name.
        name: &'static str,
        /// Where it was looked for.
        dir: PathBuf,
    },
    /// A process could not be started at all.
    #[error("{name} could not be started: {error}")]
    Spawn {
        /// Which process.
        name: String,
        /// The operating system's reason.
        error: std::io::Error,
    },
    /// A process ended by itself.
    #[error("{name} stopped by itself ({status}). The end of its log:\n{tail}")]
    Exited {
        /// Which process.
        name: String,
        /// Exit code or signal, in words.
        status: String,
        /// The last lines that it wrote.
        tail: String,
    },
    /// Something that was waited for did not come about.
    #[error("waited {} s for {what}, in vain", .after.as_secs_f32())]
    NotInTime {
        /// What was waited for.
        what: String,
        /// How long.
        after: Duration,
    },
    /// A file could not be read or written.
    #[error("{}: {error}", path.display())]
    File {
        /// Which file or directory.
        path: PathBuf,
        /// The operating system's reason.
        error: std::io::Error,
    },
    /// No port is free.
    #[error("no free port between 10000 and 31999 was found on 127.0.0.1")]
    NoPort,
    /// The hub could not be reached, or broke off.
    #[error("the hub did not answer: {0}")]
    Http(#[from] reqwest::Error),
    /// The hub said no.
    #[error("the hub refused {call}: {status} {code}: {detail}")]
    Refused {
        /// Method and path.
        call: String,
        /// HTTP status.
        status: u16,
        /// The problem's stable word; empty when the answer was no problem document.
        code: String,
        /// The problem's sentence, or the body as it came.
        detail: String,
    },
    /// The hub's answer lacks what the contract promises.
    #[error("the hub's answer to {call} lacks `{field}`: {answer}")]
    Answer {
        /// Method and path.
        call: String,
        /// What is missing.
        field: &'static str,
        /// What came.
        answer: String,
    },
    /// A printer has to be paired, and nobody knows how to sign in.
    #[error("a printer has to be paired, and the hub's first sign-in is not known (it is shown once)")]
    NoSignIn,
    /// A throw-away database could not be made.
    #[error("the test database could not be made: {0}")]
    Database(String),
}

impl Error {
    /// The problem's stable word, when the hub refused a call.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => Some(code),
            _ => None,
        }
    }

    pub(crate) fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::File { path, error }
    }
}
