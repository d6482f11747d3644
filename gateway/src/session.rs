//! A logged-in client between its wire and its link into the broker: the loop, the waiting, the deadlines.
//!
//! What each packet leads to is decided in [`exchange`], without I/O. Nothing is buffered without end: while the
//! client does not take what is written, nothing more is taken from the broker or from the client.

mod exchange;
pub(crate) mod registry;

use std::future::ready;
use std::pin::pin;
use std::time::Duration;

use rumqttd::Notification;
use rumqttd::protocol::Packet;
use stardust_clock::SharedClock;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep};

use crate::broker::{BrokerGone, Link};
use crate::limits::RateLimit;
use crate::wire::Wire;
use crate::{DisconnectReason, Principal};
use exchange::{Exchange, Flow, Outcome};

/// Packets of a client that are handed to the broker at once.
const BATCH: usize = 64;

/// What a session takes from the gateway's settings.
pub(crate) struct Settings {
    pub(crate) idle_limit: Duration,
    pub(crate) clock: SharedClock,
}

/// A session.
pub(crate) struct Session<S> {
    wire: Wire<S>,
    link: Link,
    exchange: Exchange,
    rate: RateLimit,
    settings: Settings,
}

impl From<BrokerGone> for DisconnectReason {
    fn from(_: BrokerGone) -> Self {
        Self::BrokerDown
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    pub(crate) fn new(
        principal: Principal,
        wire: Wire<S>,
        link: Link,
        rate: RateLimit,
        settings: Settings,
    ) -> Self {
        Self { wire, link, exchange: Exchange::new(principal), rate, settings }
    }

    /// Writes `accepted` (the CONNACK) and serves until something ends the session. The future may be dropped at any
    /// point; [`Session::end`] must follow.
    pub(crate) async fn run(&mut self, accepted: Packet) -> DisconnectReason {
        match self.serve(accepted).await {
            Ok(()) => DisconnectReason::Client,
            Err(reason) => reason,
        }
    }

    /// Closes the connection and ends the link, after `last` went through it.
    pub(crate) async fn end(self, last: Vec<Packet>) {
        drop(self.wire);
        self.link.close(last).await;
    }

    async fn serve(&mut self, accepted: Packet) -> Result<(), DisconnectReason> {
        self.wire.write(accepted).await?;
        self.wire.flush().await?;
        let mut silence = pin!(sleep(self.settings.idle_limit));
        loop {
            tokio::select! {
                packet = self.wire.next_packet() => {
                    if self.client_sent(packet?).await? == Flow::Goodbye {
                        return Ok(());
                    }
                    silence.as_mut().reset(Instant::now() + self.settings.idle_limit);
                }
                notification = self.link.rx.next() => {
                    let notification = notification.map_err(|_| DisconnectReason::BrokerDown)?;
                    self.broker_sent(notification).await?;
                }
                () = &mut silence => return Err(DisconnectReason::Silent),
            }
        }
    }

    /// Handles a packet and those that came with it.
    async fn client_sent(&mut self, first: Packet) -> Result<Flow, DisconnectReason> {
        let mut outcome = Outcome::default();
        let mut packet = first;
        let mut handled = 0;
        let ended = loop {
            // An acknowledgement is not counted: there is one for each message of the hub, or the session ends.
            let counted = !matches!(packet, Packet::PubAck(..));
            if counted && !self.rate.take(self.settings.clock.elapsed()) {
                break Err(DisconnectReason::TooFast);
            }
            match self.exchange.client_sent(packet, &mut outcome) {
                Ok(Flow::GoOn) => {}
                ended => break ended,
            }
            handled += 1;
            if handled == BATCH {
                // The rest is found in the buffer by the next read.
                break Ok(Flow::GoOn);
            }
            packet = match self.wire.buffered_packet() {
                Ok(Some(packet)) => packet,
                Ok(None) => break Ok(Flow::GoOn),
                Err(error) => break Err(error.into()),
            };
        };
        // What came before a fault was right, and stands.
        self.link.send(outcome.to_broker).await?;
        for packet in outcome.to_client {
            self.wire.write(packet).await?;
        }
        self.wire.flush().await?;
        ended
    }

    /// Handles a notification and those that came with it.
    async fn broker_sent(&mut self, first: Option<Notification>) -> Result<(), DisconnectReason> {
        let mut unscheduled = false;
        let mut next = first;
        while let Some(notification) = next {
            match notification {
                // The broker waits until this session has caught up and says so.
                Notification::Unschedule => unscheduled = true,
                other => {
                    let packet =
                        Option::<Packet>::from(other).map(|packet| self.exchange.broker_sent(packet));
                    if let Some(packet) = packet.transpose()?.flatten() {
                        self.wire.write(packet).await?;
                    }
                }
            }
            next = tokio::select! {
                biased;
                more = self.link.rx.next() => more.map_err(|_| DisconnectReason::BrokerDown)?,
                () = ready(()) => None,
            };
        }
        self.wire.flush().await?;
        if unscheduled {
            self.link.rx.wake().await.map_err(|_| DisconnectReason::BrokerDown)?;
        }
        Ok(())
    }
}
