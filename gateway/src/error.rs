//! What can go wrong for the hub that runs a gateway.

/// The gateway could not start.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// A setting that can't work.
    #[error("the MQTT gateway can't start: {setting} must be at least {least}; it is {value}")]
    Setting {
        /// Which one.
        setting: &'static str,
        /// The smallest value that works.
        least: usize,
        /// What it was.
        value: usize,
    },
    /// No thread for the broker.
    #[error("the MQTT gateway can't start: the system gives no thread for the broker ({0})")]
    Thread(#[source] std::io::Error),
    /// The embedded broker did not take the hub's own link.
    #[error(
        "the MQTT gateway can't start: the embedded broker does not answer; this is a defect, please report it"
    )]
    Broker,
}

/// A message of the hub was not handed to the broker.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// Larger than agents accept.
    #[error("the message has {bytes} bytes, more than the {limit} that agents accept; it was not sent")]
    TooLarge {
        /// Its length.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The gateway is shut down, or its broker died.
    #[error(
        "the message was not sent: the MQTT broker is not running; agents fetch what they missed when they reconnect"
    )]
    BrokerDown,
}
