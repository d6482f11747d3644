//! The live way to the agents, as the hub sees it.
//!
//! Owns: that it can be another than the gateway. Must not know: MQTT, or what a message says.

use async_trait::async_trait;
use stardust_gateway::{Gateway, Principal, PublishError};
use stardust_protocol::topic::Topic;

/// Reaches the agents that are connected.
#[async_trait]
pub trait AgentLink: Send + Sync {
    /// Hands a message over. Nobody there: it is gone.
    ///
    /// # Errors
    /// [`PublishError`].
    async fn publish(&self, topic: Topic, payload: Vec<u8>) -> Result<(), PublishError>;

    /// Ends the connection of someone whose credential counts no longer; not connected is fine, too.
    fn disconnect(&self, principal: &Principal);
}

#[async_trait]
impl AgentLink for Gateway {
    async fn publish(&self, topic: Topic, payload: Vec<u8>) -> Result<(), PublishError> {
        Gateway::publish(self, topic, payload).await
    }

    fn disconnect(&self, principal: &Principal) {
        let _ = Gateway::disconnect(self, principal);
    }
}
