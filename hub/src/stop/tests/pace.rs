//! How often a stop is sent to an agent that hears nothing of it, or does not answer. Time is virtual.

use std::time::Duration;

use async_trait::async_trait;
use rstest::rstest;
use stardust_gateway::{Principal, PublishError};
use stardust_protocol::topic::{Channel, Topic};
use stardust_protocol::{Command, CommandMessage, StopReach, limits};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;

use super::*;
use crate::agent_link::AgentLink;

/// What is sent, and when.
type Sent = (Instant, Topic, CommandMessage);

/// Nobody is at its other end; what is sent is seen all the same.
struct Line(UnboundedSender<Sent>);

#[async_trait]
impl AgentLink for Line {
    async fn publish(&self, topic: Topic, payload: Vec<u8>) -> Result<(), PublishError> {
        let message = serde_json::from_slice(&payload).unwrap();
        self.0.send((Instant::now(), topic, message)).unwrap();
        Ok(())
    }

    fn disconnect(&self, _: &Principal) {}
}

async fn on_a_line() -> (TestHub, Device, UnboundedReceiver<Sent>) {
    let (sender, sent) = unbounded_channel();
    let mut hub = hub(Engine::Sqlite).await;
    Arc::get_mut(&mut hub.app).expect("nobody else has it yet").agents = Arc::new(Line(sender));
    let printer = hub.pair("Ada").await;
    // Until here a database was made, which takes real time.
    tokio::time::pause();
    (hub, printer, sent)
}

/// When a stop is sent for the so-manieth time, from 0: twice a second in the first minute, then every five seconds.
fn due(nth: u32) -> Duration {
    match nth {
        0..=120 => Duration::from_millis(500) * nth,
        _ => Duration::from_secs(60) + Duration::from_secs(5) * (nth - 120),
    }
}

/// Of the next that is sent: it is this stop, to this printer, and in time.
async fn is_sent(
    hub: &TestHub,
    device: Device,
    sent: &mut UnboundedReceiver<Sent>,
    (began, nth): (Instant, u32),
) {
    let (at, topic, message) = sent.recv().await.unwrap();
    assert_eq!((topic.printer, topic.channel), (device.printer_id, Channel::Command));
    assert_eq!((message.id, message.command), (Some(hub.stop(device).id), Command::EmergencyStop), "{nth}");
    // A timer is as fine as a millisecond.
    let late = (at - began).abs_diff(due(nth));
    assert!(late <= Duration::from_millis(u64::from(nth) + 1), "{nth}: after {:?}", at - began);
}

#[rstest]
#[case::the_second_one_arrives(1)]
#[case::the_fourth_one(3)]
#[case::when_it_was_given_up_long_ago(150)]
#[tokio::test]
async fn a_stop_that_is_lost_is_sent_again_as_the_same_one_until_it_is_answered(#[case] lost: u32) {
    let (hub, printer, mut sent) = on_a_line().await;
    let began = Instant::now();
    let agent = async {
        // The first one goes out before anybody can look at the stop.
        while hub.app.fleet.stop(printer.printer_id).is_none() {
            tokio::task::yield_now().await;
        }
        for nth in 0..=lost {
            is_sent(&hub, printer, &mut sent, (began, nth)).await;
        }
        let before = hub.stop(printer).state;
        let expected = if lost > 120 { StopState::NotDelivered } else { StopState::Sending };
        assert_eq!(before, expected);
        hub.tells(printer, 1, StopReach::Sent);
        let more = tokio::time::timeout(2 * due(lost.max(120)), sent.recv()).await;
        assert!(more.is_err(), "it was answered, and sent once more: {more:?}");
    };
    let printers = [printer.printer_id];
    let ask = deliver::ask(&hub.app, &hub.owner, &printers, Pace::URGENT);
    let ((), ()) = tokio::join!(ask, agent);
    assert_eq!(hub.stop(printer).state, StopState::Sent);
}

#[tokio::test]
async fn a_stop_that_nobody_ever_answers_is_sent_until_it_counts_no_longer() {
    let (hub, printer, mut sent) = on_a_line().await;
    let began = Instant::now();
    deliver::ask(&hub.app, &hub.owner, &[printer.printer_id], Pace::URGENT).await;
    let ends = Duration::from_millis(limits::EMERGENCY_STOP_EXPIRY_MS.unsigned_abs());
    let times = (0..).take_while(|nth| due(*nth) < ends).count();
    for nth in (0..).take(times) {
        is_sent(&hub, printer, &mut sent, (began, nth)).await;
    }
    // The one that was next when its time ran out, if at all: agents look at the time themselves.
    let _ = tokio::time::timeout(2 * Pace::URGENT.later, sent.recv()).await;
    let more = tokio::time::timeout(ends, sent.recv()).await;
    assert!(more.is_err(), "no agent does it any more: {more:?}");
    assert_eq!(hub.stop(printer).state, StopState::NotDelivered);
}
