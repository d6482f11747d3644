//! What can go wrong, as sentences for the person at the terminal.
//!
//! Owns: the errors and their exit statuses. Must not know: how they are printed.

use std::io;
use std::path::PathBuf;

use crate::api::Problem;

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// The command line makes no sense.
    #[error("{0}")]
    Usage(String),
    /// The hub said no.
    #[error(transparent)]
    Problem(#[from] Problem),
    /// The hub did not take the token.
    #[error("{0}; sign in again with `stardust login {1}`")]
    TokenRefused(Problem, String),
    /// No answer from the hub.
    #[error("no answer from the hub at {hub}: {reason}")]
    Unreachable {
        /// Its address.
        hub: String,
        /// What the network said.
        reason: String,
    },
    /// The answer is not one of a hub.
    #[error("{hub} gave an answer that this program does not understand ({reason}): is it a Stardust hub?")]
    Garbled {
        /// Its address.
        hub: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The end of a print file is missing, and nobody has said that it is to be printed all the same.
    #[error(
        "{0} is cut off: its end is missing, and so the end of the part would be. Nothing was queued. Export it again and \
         upload that, or print it as far as it goes: add --even-if-cut-off"
    )]
    CutOff(String),
    /// A file could not be read or written.
    #[error("{path}: {source}", path = .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The credentials can't be understood.
    #[error("{path} is damaged ({reason}): sign in again with `stardust login HUB_URL`", path = .path.display())]
    Credentials {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The thing that was asked for went wrong, or can't be done.
    #[error("{0}")]
    Failed(String),
    /// The terminal could not be used.
    #[error("the terminal could not be used: {0}")]
    Terminal(io::Error),
    /// Whoever reads the output has gone away (`stardust jobs | head`).
    #[error("nobody reads the output")]
    OutputClosed,
}

impl CliError {
    /// The program's exit status.
    pub(crate) const fn exit_status(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            _ => 1,
        }
    }
}
