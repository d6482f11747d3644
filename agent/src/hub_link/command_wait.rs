//! Commands over HTTPS, where MQTT does not reach this agent: one call after the other waits at the hub until there is one.
//!
//! Owns: how soon it asks again. Must not know: why there is no MQTT, or what the commands say.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::client::{HubClient, HubError};
use super::mqtt::MqttEvent;

/// An answer without a command that came sooner was none of a hub that waits: it is not asked again and again.
const SOON: Duration = Duration::from_secs(1);

/// Brings commands until the hub can't be asked any more: why. It is not the hub's fault where it knows no such call: then
/// there is no reason.
pub(super) async fn follow(hub: &HubClient, events: &mpsc::Sender<MqttEvent>) -> Option<HubError> {
    loop {
        let asked = Instant::now();
        let answer = tokio::select! {
            answer = hub.next_commands() => answer,
            // The agent is stopping.
            () = events.closed() => return None,
        };
        let commands = match answer {
            Ok(answer) => answer.commands,
            // A hub of an earlier version: it is asked now and then.
            Err(HubError::Problem { status: 404 | 405, .. }) => return None,
            Err(error) => return Some(error),
        };
        let is_empty = commands.is_empty();
        for command in commands {
            if events.send(MqttEvent::Command(command)).await.is_err() {
                return None;
            }
        }
        if is_empty && asked.elapsed() < SOON {
            tokio::time::sleep(SOON).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::transport::Transport;
    use super::*;
    use futures::future::BoxFuture;
    use stardust_protocol::Command;
    use std::collections::VecDeque;
    use std::sync::{Arc, Mutex};

    /// A hub that gives these answers (status, body), and then none.
    #[derive(Debug, Default)]
    struct Answers {
        left: Mutex<VecDeque<(u16, &'static str)>>,
        asked: Mutex<Vec<(String, Instant)>>,
    }

    impl Transport for Arc<Answers> {
        fn send(&self, request: reqwest::Request) -> BoxFuture<'_, Result<reqwest::Response, String>> {
            self.asked.lock().unwrap().push((request.url().path().to_owned(), Instant::now()));
            let answer = self.left.lock().unwrap().pop_front();
            Box::pin(async move {
                let (status, body) = answer.ok_or("gone")?;
                let response = hyper::Response::builder().status(status).body(reqwest::Body::from(body));
                Ok(response.unwrap().into())
            })
        }
    }

    const NOTHING: &str = r#"{"commands": []}"#;
    const STOP: &str = r#"{"commands": [{"protocol": {"major": 1, "minor": 1}, "at": "2026-11-29T06:13:00.250Z",
        "id": "0190a7c2-6f00-7000-8000-000000000001", "command": {"kind": "emergency_stop"}}]}"#;

    async fn followed(answers: &[(u16, &'static str)]) -> (Option<HubError>, Vec<Command>, Arc<Answers>) {
        let hub = Arc::new(Answers::default());
        hub.left.lock().unwrap().extend(answers);
        let client =
            HubClient::over(Arc::new(Arc::clone(&hub)), "https://hub.example/".parse().unwrap(), None);
        let (events_in, mut events) = mpsc::channel(32);
        let why = follow(&client, &events_in).await;
        let mut commands = Vec::new();
        while let Ok(MqttEvent::Command(message)) = events.try_recv() {
            commands.push(message.command);
        }
        (why, commands, hub)
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_answered_is_brought_and_the_hub_is_asked_again() {
        let (why, commands, hub) = followed(&[(200, STOP), (200, NOTHING), (200, STOP)]).await;
        assert!(matches!(why, Some(HubError::Unreachable { .. })), "{why:?}");
        assert_eq!(commands, [Command::EmergencyStop, Command::EmergencyStop]);
        let asked = hub.asked.lock().unwrap();
        assert!(asked.iter().all(|(path, _)| path == "/agent/v1/commands/next"), "{asked:?}");
        let waits: Vec<_> = asked.windows(2).map(|pair| pair[1].1 - pair[0].1).collect();
        // A hub that answers nothing at once would be asked without end.
        assert_eq!(waits, [Duration::ZERO, SOON, Duration::ZERO]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_hub_without_such_a_call_is_no_fault_and_one_that_refuses_is() {
        let (why, _, hub) = followed(&[(404, ""), (200, STOP)]).await;
        assert_eq!((why.is_none(), hub.asked.lock().unwrap().len()), (true, 1));
        let (why, ..) = followed(&[(423, r#"{"detail": "Another agent."}"#)]).await;
        assert_eq!(why.map(|why| why.to_string()).as_deref(), Some("Another agent."));
    }
}
