//! Who is at the other end: asked of the hub, answered once for each connection.

use async_trait::async_trait;
use stardust_protocol::{PrinterId, WorkspaceId};

/// For whom a connection speaks. Decides what it may publish and subscribe to ([`crate::policy`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Principal {
    /// An agent, with the credential of its printer.
    Device {
        /// The workspace that the printer belongs to.
        workspace: WorkspaceId,
        /// The printer.
        printer: PrinterId,
    },
}

impl std::fmt::Display for Principal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Device { printer, .. } => write!(f, "printer {printer}"),
        }
    }
}

/// Why a login was refused. The client learns the CONNACK code and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// CONNACK 4: the user name or password can't be a credential at all.
    #[error("the user name or password has not the form of a credential")]
    Malformed,
    /// CONNACK 5: wrong, unknown or revoked.
    #[error("the credential is wrong, unknown or revoked")]
    Denied,
    /// CONNACK 3: could not be checked now; the client should try again.
    #[error("the credential can't be checked now")]
    Unavailable,
}

/// Checks credentials. The gateway gives each check the time of its own connect deadline.
#[async_trait]
pub trait Authenticator: Send + Sync + 'static {
    /// Whose credential this is.
    ///
    /// # Errors
    /// A [`Refusal`]; the gateway answers with the CONNACK code for it and closes.
    async fn authenticate(&self, user: &str, password: &[u8]) -> Result<Principal, Refusal>;
}
