//! Agents that wait for commands over HTTPS, because MQTT does not reach them.
//!
//! Owns: what was said to each of them since it last asked, and that one call of each waits at a time. All of it are hints: a
//! command is a row until it is answered, and an agent that missed something looks there. Bounded: a box for each printer whose
//! agent asks, a few messages in it. Must not know: HTTP, and what a message says.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stardust_protocol::{Command, CommandMessage, PrinterId};
use tokio::sync::Notify;
use tokio::time::Instant;

/// More are not kept for one agent: it then looks by itself for all that is open.
const MOST: usize = 16;
/// An agent that has not asked for so long is gone, or has MQTT now.
const GONE_AFTER: Duration = Duration::from_secs(60);

/// The boxes of the agents that wait.
#[derive(Debug, Default)]
pub struct WaitingAgents(Mutex<HashMap<PrinterId, Waiting>>);

#[derive(Debug)]
struct Waiting {
    messages: Vec<CommandMessage>,
    /// Something has come, or another call waits now.
    news: Arc<Notify>,
    /// The call that waits: the last one.
    turn: u64,
    asked: Instant,
}

/// What a call finds.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// These were said since the last call; none, when nothing was in time.
    Said(Vec<CommandMessage>),
    /// There was no call before this one: whatever was said by then is only in the books.
    First,
}

impl WaitingAgents {
    fn lock(&self) -> MutexGuard<'_, HashMap<PrinterId, Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something is said to a printer's agent. Who does not wait is not told.
    pub fn tell(&self, printer: PrinterId, message: &CommandMessage) {
        let mut all = self.lock();
        all.retain(|_, waiting| waiting.asked.elapsed() < GONE_AFTER);
        let Some(waiting) = all.get_mut(&printer) else { return };
        let is_same = |kept: &CommandMessage| kept.id == message.id && kept.command == message.command;
        if !waiting.messages.iter().any(is_same) {
            if waiting.messages.len() == MOST {
                // It looks for all of them then, the most urgent first.
                waiting.messages.clear();
                waiting.messages.push(CommandMessage { id: None, command: Command::Wake, ..message.clone() });
            } else {
                waiting.messages.push(message.clone());
            }
        }
        waiting.news.notify_waiters();
    }

    /// Waits until something is said to a printer's agent, but no longer than `patience`. A call that waits already ends
    /// with nothing. Its agent counts as waiting from now on, and not from when this is first polled.
    pub fn next(&self, printer: PrinterId, patience: Duration) -> impl Future<Output = Found> + Send + '_ {
        let until = Instant::now() + patience;
        let asked = self.ask(printer);
        async move {
            let Some((news, turn)) = asked else { return Found::First };
            loop {
                let mut heard = std::pin::pin!(news.notified());
                // Listening before looking: what comes in between is heard.
                heard.as_mut().enable();
                if let Some(said) = self.take(printer, turn) {
                    return Found::Said(said);
                }
                if tokio::time::timeout_at(until, heard).await.is_err() {
                    return Found::Said(Vec::new());
                }
            }
        }
    }

    /// A printer's agent asks. None: it has not asked before.
    fn ask(&self, printer: PrinterId) -> Option<(Arc<Notify>, u64)> {
        let mut all = self.lock();
        let Some(waiting) = all.get_mut(&printer) else {
            let (messages, news, asked) = (Vec::new(), Arc::default(), Instant::now());
            all.insert(printer, Waiting { messages, news, turn: 0, asked });
            return None;
        };
        waiting.turn += 1;
        waiting.asked = Instant::now();
        waiting.news.notify_waiters();
        Some((Arc::clone(&waiting.news), waiting.turn))
    }

    /// What this call answers with, as soon as it is to.
    fn take(&self, printer: PrinterId, turn: u64) -> Option<Vec<CommandMessage>> {
        let mut all = self.lock();
        // The printer was removed, or another call waits.
        let Some(waiting) = all.get_mut(&printer).filter(|waiting| waiting.turn == turn) else {
            return Some(Vec::new());
        };
        (!waiting.messages.is_empty()).then(|| std::mem::take(&mut waiting.messages))
    }

    /// Whether a printer's agent asks here: what is said to it now is heard.
    #[must_use]
    pub fn waits(&self, printer: PrinterId) -> bool {
        self.lock().get(&printer).is_some_and(|waiting| waiting.asked.elapsed() < GONE_AFTER)
    }

    /// The credential of a printer's agent counts no longer: nothing more is said to it.
    pub fn forget(&self, printer: PrinterId) {
        if let Some(waiting) = self.lock().remove(&printer) {
            waiting.news.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stardust_protocol::{CommandId, ProtocolVersion, Timestamp};

    const LONG: Duration = Duration::from_secs(20);

    fn printer() -> PrinterId {
        PrinterId::generate(Timestamp::from_millis(1))
    }

    fn stop(number: i64) -> CommandMessage {
        let at = Timestamp::from_millis(number);
        CommandMessage {
            protocol: ProtocolVersion::CURRENT,
            id: Some(CommandId::generate(at)),
            at,
            expires_at: None,
            command: Command::EmergencyStop,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_said_ends_the_wait_and_what_is_said_between_two_calls_is_kept() {
        let (agents, printer) = (WaitingAgents::default(), printer());
        let (one, two) = (stop(1), stop(2));
        agents.tell(printer, &one);
        assert_eq!(agents.next(printer, LONG).await, Found::First, "nobody waited for the first");
        let began = Instant::now();
        let (found, ()) = tokio::join!(agents.next(printer, LONG), async {
            tokio::time::sleep(Duration::from_secs(7)).await;
            agents.tell(printer, &one);
        });
        assert_eq!((found, began.elapsed()), (Found::Said(vec![one.clone()]), Duration::from_secs(7)));
        // Repeated, as a stop is until it is answered.
        for message in [&one, &two, &one] {
            agents.tell(printer, message);
        }
        assert_eq!(agents.next(printer, LONG).await, Found::Said(vec![one, two]));
        let began = Instant::now();
        assert_eq!(agents.next(printer, LONG).await, Found::Said(Vec::new()));
        assert_eq!(began.elapsed(), LONG);
    }

    #[tokio::test(start_paused = true)]
    async fn one_call_waits_and_each_printer_is_told_only_its_own() {
        let (agents, mine, other) = (WaitingAgents::default(), printer(), printer());
        for printer in [mine, other] {
            agents.next(printer, LONG).await;
        }
        let began = Instant::now();
        let (first, second, others, ()) =
            tokio::join!(agents.next(mine, LONG), agents.next(mine, LONG), agents.next(other, LONG), async {
                tokio::task::yield_now().await;
                agents.tell(mine, &stop(1));
            });
        assert_eq!(first, Found::Said(Vec::new()), "another call has come");
        assert!(matches!(second, Found::Said(said) if said.len() == 1));
        assert_eq!((others, began.elapsed()), (Found::Said(Vec::new()), LONG));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_kept_has_a_bound_and_goes_with_who_has_gone() {
        let (agents, printer) = (WaitingAgents::default(), printer());
        agents.next(printer, LONG).await;
        for number in 0..100 {
            agents.tell(printer, &stop(number));
            assert!(agents.lock()[&printer].messages.len() <= MOST);
        }
        let Found::Said(said) = agents.next(printer, LONG).await else { panic!("it has asked before") };
        assert_eq!(said[0].command, Command::Wake, "it looks for what did not fit");
        assert!(agents.waits(printer));
        tokio::time::sleep(GONE_AFTER).await;
        assert!(!agents.waits(printer));
        agents.tell(printer, &stop(1));
        assert!(agents.lock().is_empty());
        agents.next(printer, LONG).await;
        let (found, ()) = tokio::join!(agents.next(printer, LONG), async {
            tokio::task::yield_now().await;
            agents.forget(printer);
        });
        assert_eq!(found, Found::Said(Vec::new()));
    }
}
