//! MQTT 3.1.1 packets over a byte stream, in both directions, with bounded memory and time.
//!
//! Owns: framing, the size limit, the write deadline. Must not know what packets mean. The codec is
//! rumqttd's; what it lets through although MQTT 3.1.1 does not is checked here.

use std::time::Duration;

use bytes::BytesMut;
use rumqttd::protocol::v4::V4;
use rumqttd::protocol::{ConnAck, ConnectReturnCode, Error as CodecError, Packet, Protocol, Publish};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use crate::DisconnectReason;

/// Room made for each read, bytes. Most packets fit; an idle client costs this much.
const READ_CHUNK: usize = 2 * 1024;
/// Written at once at most, bytes, but for one larger packet.
const WRITE_CHUNK: usize = 32 * 1024;
/// How long a refused client gets to read the answer.
const LINGER: Duration = Duration::from_secs(1);

/// Why no packet came, or none could be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WireError {
    #[error("the peer closed the connection")]
    Closed,
    #[error("the connection broke: {0}")]
    Io(#[from] std::io::Error),
    #[error("a packet is larger than the limit")]
    TooLarge,
    #[error("not MQTT 3.1.1: {0}")]
    Malformed(String),
    #[error("another version of MQTT")]
    Version,
    #[error("the peer does not read")]
    Slow,
}

impl From<WireError> for DisconnectReason {
    fn from(error: WireError) -> Self {
        match error {
            WireError::Closed | WireError::Io(_) => Self::Lost,
            WireError::TooLarge => Self::TooLarge,
            WireError::Malformed(_) | WireError::Version => Self::Protocol,
            WireError::Slow => Self::SlowReader,
        }
    }
}

/// Packets over `S`.
pub(crate) struct Wire<S> {
    stream: S,
    inbox: BytesMut,
    outbox: BytesMut,
    max_packet: usize,
    write_deadline: Duration,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(crate) fn new(stream: S, max_packet: usize, write_deadline: Duration) -> Self {
        Self { stream, inbox: BytesMut::new(), outbox: BytesMut::new(), max_packet, write_deadline }
    }

    /// For the packets from here on.
    pub(crate) fn set_max_packet(&mut self, bytes: usize) {
        self.max_packet = bytes;
    }

    /// The next packet. Dropping the future loses nothing.
    pub(crate) async fn next_packet(&mut self) -> Result<Packet, WireError> {
        loop {
            if let Some(packet) = self.buffered_packet()? {
                return Ok(packet);
            }
            self.inbox.reserve(READ_CHUNK);
            if self.stream.read_buf(&mut self.inbox).await? == 0 {
                return Err(WireError::Closed);
            }
        }
    }

    /// The next packet if it has been read completely.
    pub(crate) fn buffered_packet(&mut self) -> Result<Option<Packet>, WireError> {
        check_header(&self.inbox)?;
        match V4.read_mut(&mut self.inbox, self.max_packet) {
            Ok(packet) => Ok(Some(packet)),
            Err(CodecError::InsufficientBytes(_)) => Ok(None),
            Err(CodecError::PayloadSizeLimitExceeded(_)) => Err(WireError::TooLarge),
            Err(CodecError::InvalidProtocol | CodecError::InvalidProtocolLevel(_)) => Err(WireError::Version),
            Err(error) => Err(WireError::Malformed(error.to_string())),
        }
    }

    /// Writes a packet to the outbox, and the outbox out when it is large.
    pub(crate) async fn write(&mut self, packet: Packet) -> Result<(), WireError> {
        V4.write(packet, &mut self.outbox).map_err(|error| WireError::Malformed(error.to_string()))?;
        if self.outbox.len() >= WRITE_CHUNK { self.flush().await } else { Ok(()) }
    }

    /// Writes the outbox out, within the write deadline.
    pub(crate) async fn flush(&mut self) -> Result<(), WireError> {
        if self.outbox.is_empty() {
            return Ok(());
        }
        let written = timeout(self.write_deadline, self.stream.write_all(&self.outbox)).await;
        if self.outbox.capacity() > 2 * WRITE_CHUNK {
            // One burst must not cost its memory for as long as the client stays.
            self.outbox = BytesMut::new();
        } else {
            self.outbox.clear();
        }
        match written {
            Ok(written) => Ok(written?),
            Err(_) => Err(WireError::Slow),
        }
    }

    /// Answers a CONNECT with `code` and closes, leaving the client time to read the answer: a close with unread
    /// bytes would reset the connection, and the answer with it.
    pub(crate) async fn refuse(mut self, code: ConnectReturnCode) {
        let answered = async {
            self.write(Packet::ConnAck(ConnAck { session_present: false, code }, None)).await?;
            self.flush().await?;
            self.stream.shutdown().await?;
            let mut rest = [0; 1024];
            while self.stream.read(&mut rest).await? > 0 {}
            Ok::<_, WireError>(())
        };
        // Either way the connection ends here.
        let _ = timeout(LINGER, answered).await;
    }
}

/// Looks at the first bytes of a packet before the rest has come: the type must be one that clients send, and
/// the flags those of MQTT 3.1.1, table 2.2. The codec checks neither.
fn check_header(bytes: &[u8]) -> Result<(), WireError> {
    let Some(&first) = bytes.first() else {
        return Ok(());
    };
    let (kind, flags) = (first >> 4, first & 0x0f);
    let as_specified = match kind {
        // PUBLISH: QoS 3 does not exist.
        3 => flags & 0b0110 != 0b0110,
        // SUBSCRIBE, UNSUBSCRIBE
        8 | 10 => flags == 0b0010,
        // CONNECT, PUBACK
        1 | 4 => flags == 0,
        // PINGREQ, DISCONNECT: nothing follows.
        12 | 14 => flags == 0 && bytes.get(1).is_none_or(|&length| length == 0),
        // PUBREC, PUBREL, PUBCOMP belong to QoS 2, which is not offered; the others only a server sends.
        _ => false,
    };
    if as_specified {
        Ok(())
    } else {
        Err(WireError::Malformed(format!("a packet begins with {first:#04x}")))
    }
}

/// QoS and packet id, which rumqttd keeps to itself but for its serial form.
pub(crate) fn qos_and_packet_id(publish: &Publish) -> (u8, u16) {
    let mut head = publish.clone();
    head.topic.clear();
    head.payload.clear();
    let bytes = head.serialize();
    match bytes[..] {
        [flags, high, low, ..] => ((flags >> 1) & 0b11, u16::from_be_bytes([high, low])),
        // Not reached. QoS 3 is refused everywhere.
        _ => (3, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use proptest::prelude::*;

    fn wire_with(bytes: &[u8]) -> Wire<tokio::io::DuplexStream> {
        let (stream, _) = tokio::io::duplex(64);
        let mut wire = Wire::new(stream, 1024, Duration::from_secs(1));
        wire.inbox.extend_from_slice(bytes);
        wire
    }

    #[test]
    fn qos_and_packet_id_are_read_back() {
        // QoS 1, topic "t", packet id 0x0102, payload "p"
        let mut wire = wire_with(&[0x32, 6, 0, 1, b't', 1, 2, b'p']);
        let Ok(Some(Packet::Publish(publish, None))) = wire.buffered_packet() else { panic!("no PUBLISH") };
        assert_eq!(qos_and_packet_id(&publish), (1, 0x0102));
        assert_eq!(publish.payload, Bytes::from_static(b"p"));
        assert_eq!(qos_and_packet_id(&Publish::new("t", "p", true)), (0, 0));
    }

    #[tokio::test]
    async fn a_packet_in_pieces_is_put_together() {
        let (stream, mut peer) = tokio::io::duplex(64);
        let mut wire = Wire::new(stream, 1024, Duration::from_secs(1));
        for byte in [0x30, 3, 0, 1] {
            peer.write_all(&[byte]).await.unwrap();
            assert!(tokio::time::timeout(Duration::from_millis(1), wire.next_packet()).await.is_err());
        }
        peer.write_all(b"t").await.unwrap();
        assert!(matches!(wire.next_packet().await, Ok(Packet::Publish(..))));
        drop(peer);
        assert!(matches!(wire.next_packet().await, Err(WireError::Closed)));
    }

    #[tokio::test]
    async fn who_does_not_read_is_slow() {
        let (stream, _peer) = tokio::io::duplex(8);
        let mut wire = Wire::new(stream, 1024, Duration::from_millis(5));
        let publish = Publish::new("t", "more than eight bytes", false);
        wire.write(Packet::Publish(publish, None)).await.unwrap();
        assert!(matches!(wire.flush().await, Err(WireError::Slow)));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_codec_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..200), kind in 0_u8..16, fits: bool) {
            if let (true, [first, length, ..]) = (fits, &mut bytes[..]) {
                *first = kind << 4 | (*first & 0x0f & if kind == 3 { 0x0f } else { 0x02 });
                *length %= 128;
            }
            let mut wire = wire_with(&bytes);
            while let Ok(Some(_)) = wire.buffered_packet() {}
        }
    }
}
