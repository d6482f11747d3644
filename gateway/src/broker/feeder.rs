//! The thread through which everything goes into the Router.
//!
//! The Router's links block: building one waits for the Router, sending waits while its queue is full. One
//! thread does all of that, behind a bounded queue on which async tasks wait without blocking. Building and
//! ending links in one thread also keeps the order by which their names can be used again.

use std::collections::HashMap;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use rumqttd::local::{LinkError, LinkRx, LinkTx};
use rumqttd::protocol::{Disconnect, DisconnectReasonCode, Packet};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use super::BrokerGone;

/// Packets and requests that may wait for the Router.
const QUEUE: usize = 1_024;

/// Which link of the feeder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct LinkKey(u64);

enum Request {
    Open { reply: oneshot::Sender<(LinkKey, LinkRx)> },
    Send { key: LinkKey, packets: Vec<Packet> },
    Close { key: LinkKey, last: Vec<Packet> },
    Stop { reply: oneshot::Sender<()> },
}

/// A handle to the thread.
#[derive(Clone)]
pub(super) struct Feeder {
    requests: mpsc::Sender<Request>,
}

impl Feeder {
    /// Starts the thread. `build` makes a link of this name: the sender that it needs has a type without a
    /// public name, so only a closure can hold it.
    pub(super) fn start<B>(build: B) -> std::io::Result<Self>
    where
        B: Fn(&str) -> Result<(LinkTx, LinkRx), Box<LinkError>> + Send + 'static,
    {
        let (requests, receiver) = mpsc::channel(QUEUE);
        std::thread::Builder::new().name("mqtt-feeder".to_owned()).spawn(move || {
            let mut links = Links { build, open: HashMap::new(), free_names: Vec::new(), names: 0, keys: 0 };
            links.serve(receiver);
        })?;
        Ok(Self { requests })
    }

    /// A new link.
    pub(super) async fn open(&self) -> Result<(LinkKey, LinkRx), BrokerGone> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(Request::Open { reply }).await.map_err(|_| BrokerGone)?;
        answer.await.map_err(|_| BrokerGone)
    }

    pub(super) async fn send(&self, key: LinkKey, packets: Vec<Packet>) -> Result<(), BrokerGone> {
        self.requests.send(Request::Send { key, packets }).await.map_err(|_| BrokerGone)
    }

    /// Hands a packet over if there is room.
    pub(super) fn try_send(&self, key: LinkKey, packet: Packet) -> Result<(), BrokerGone> {
        match self.requests.try_send(Request::Send { key, packets: vec![packet] }) {
            Ok(()) | Err(TrySendError::Full(_)) => Ok(()),
            Err(TrySendError::Closed(_)) => Err(BrokerGone),
        }
    }

    pub(super) async fn close(&self, key: LinkKey, last: Vec<Packet>) {
        // A feeder that has ended holds no links.
        let _ = self.requests.send(Request::Close { key, last }).await;
    }

    pub(super) async fn stop(&self) {
        let (reply, answer) = oneshot::channel();
        if self.requests.send(Request::Stop { reply }).await.is_ok() {
            let _ = answer.await;
        }
    }
}

/// The links that are open.
struct Links<B> {
    build: B,
    open: HashMap<LinkKey, (String, LinkTx)>,
    /// The Router remembers every name it has ever seen, so names are used again: there are never more than
    /// there were links at once. No name comes from a client.
    free_names: Vec<String>,
    names: u64,
    keys: u64,
}

impl<B> Links<B>
where
    B: Fn(&str) -> Result<(LinkTx, LinkRx), Box<LinkError>>,
{
    fn serve(&mut self, mut requests: mpsc::Receiver<Request>) {
        while let Some(request) = requests.blocking_recv() {
            let served = match request {
                Request::Open { reply } => self.open(reply),
                Request::Send { key, packets } => self.send(key, packets),
                Request::Close { key, last } => self.close(key, last),
                Request::Stop { reply } => {
                    // First, so that nobody hands over what nobody takes once the stop is confirmed.
                    requests.close();
                    let _ = reply.send(());
                    return;
                }
            };
            if let Err(error) = served {
                tracing::error!(%error, "the embedded MQTT broker does not answer; every device loses its connection");
                return;
            }
        }
    }

    fn open(&mut self, reply: oneshot::Sender<(LinkKey, LinkRx)>) -> Result<(), Box<LinkError>> {
        let name = self.free_names.pop().unwrap_or_else(|| {
            self.names += 1;
            format!("link-{}", self.names)
        });
        let (tx, rx) = (self.build)(&name)?;
        self.keys += 1;
        let key = LinkKey(self.keys);
        self.open.insert(key, (name, tx));
        if reply.send((key, rx)).is_err() {
            // Whoever asked is gone already.
            self.close(key, Vec::new())?;
        }
        Ok(())
    }

    fn send(&mut self, key: LinkKey, packets: Vec<Packet>) -> Result<(), Box<LinkError>> {
        match self.open.get_mut(&key) {
            Some((_, tx)) => push(tx, packets),
            None => Ok(()),
        }
    }

    fn close(&mut self, key: LinkKey, mut last: Vec<Packet>) -> Result<(), Box<LinkError>> {
        let Some((name, mut tx)) = self.open.remove(&key) else {
            return Ok(());
        };
        let reason_code = DisconnectReasonCode::NormalDisconnection;
        last.push(Packet::Disconnect(Disconnect { reason_code }, None));
        push(&mut tx, last)?;
        // The Router handles what it is sent in order: the next link of this name finds it free.
        self.free_names.push(name);
        Ok(())
    }
}

/// Puts packets into the link's buffer and tells the Router once.
fn push(tx: &mut LinkTx, mut packets: Vec<Packet>) -> Result<(), Box<LinkError>> {
    let Some(last) = packets.pop() else {
        return Ok(());
    };
    tx.buffer().extend(packets);
    // An async function that never waits asynchronously: it blocks this thread, and is ready when first polled.
    match pin!(tx.send(last)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(sent) => Ok(sent.map(|_| ())?),
        Poll::Pending => Ok(()),
    }
}
