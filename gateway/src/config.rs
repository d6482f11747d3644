//! The gateway's settings: every limit of the edge with its default.

use std::time::Duration;

use stardust_protocol::limits::MAX_MQTT_PAYLOAD_BYTES;

use crate::GatewayError;

/// Limits and deadlines of the edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayConfig {
    /// Most connections at once, those that have not logged in yet among them.
    pub max_connections: usize,
    /// Most connections at once from one address (IPv6: one /64). A farm behind one router counts as one.
    pub max_connections_per_ip: usize,
    /// Time from accepting a connection to its complete CONNECT; the check of its credential gets
    /// the same time again.
    pub connect_deadline: Duration,
    /// Longest silence of a client. Its own keep-alive (times 1.5) counts where that is shorter.
    pub idle_limit: Duration,
    /// Time in which a client must take what is written to it; slower readers are dropped.
    pub write_deadline: Duration,
    /// Packets a second that one connection may send for long, of any kind but acknowledgements.
    pub packets_per_second: u32,
    /// Packets that one connection may send at once after a pause.
    pub packet_burst: u32,
    /// Largest packet after its fixed header, bytes.
    pub max_packet_bytes: usize,
    /// How many events may wait for the hub; status messages beyond that are dropped and counted.
    pub event_capacity: usize,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            max_connections: 10_000,
            max_connections_per_ip: 1_000,
            connect_deadline: Duration::from_secs(10),
            idle_limit: Duration::from_secs(600),
            write_deadline: Duration::from_secs(10),
            packets_per_second: 50,
            packet_burst: 200,
            // A whole payload, its topic and packet id.
            max_packet_bytes: MAX_MQTT_PAYLOAD_BYTES + 512,
            event_capacity: 4_096,
        }
    }
}

impl GatewayConfig {
    pub(crate) fn check(&self) -> Result<(), GatewayError> {
        let whole = |value: u32| usize::try_from(value).unwrap_or(usize::MAX);
        for (setting, value, least) in [
            ("max_connections", self.max_connections, 1),
            ("max_connections_per_ip", self.max_connections_per_ip, 1),
            ("packets_per_second", whole(self.packets_per_second), 1),
            ("packet_burst", whole(self.packet_burst), 1),
            // Below this not even a CONNECT with its credential fits.
            ("max_packet_bytes", self.max_packet_bytes, 256),
            ("event_capacity", self.event_capacity, 1),
        ] {
            if value < least {
                return Err(GatewayError::Setting { setting, least, value });
            }
        }
        Ok(())
    }
}
