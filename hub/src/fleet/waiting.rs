//! Which agents people are told to be waiting for commands over HTTPS.
//!
//! Owns: that each change of it is published. Must not know: how they wait, and when one counts as gone: that is
//! [`crate::waiting_agents`]'s.

use std::sync::Arc;
use std::time::Duration;

use stardust_protocol::PrinterId;
use tokio::sync::watch;

use super::twin::Fleet;
use crate::app::App;

/// How often those are looked for that wait no more.
const LOOK_EVERY: Duration = Duration::from_secs(5);

impl Fleet {
    /// A printer's agent waits for commands over HTTPS.
    pub fn agent_waits(&self, id: PrinterId) {
        // It says so twice a minute: only the first time is news.
        let is_news = self.lock().get(&id).is_some_and(|twin| !twin.contact.waits);
        if is_news {
            self.change(id, |twin| twin.contact.waits = true);
        }
    }

    /// Agents that wait no more. `waits`: whether one still does.
    pub fn forget_waiting(&self, waits: impl Fn(PrinterId) -> bool) {
        let over: Vec<_> = {
            let twins = self.lock();
            let is_over = |id: &PrinterId| !waits(*id);
            twins.values().filter(|twin| twin.contact.waits).map(|twin| twin.row.id).filter(is_over).collect()
        };
        for id in over {
            // It may have asked again meanwhile, and would not be told of before its next time.
            self.change(id, |twin| twin.contact.waits = waits(id));
        }
    }
}

/// Takes away what is over, until `stop` says so.
pub async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        app.fleet.forget_waiting(|printer| app.waiting_agents.waits(printer));
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            _ = stop.changed() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::{Request, StatusCode, header};
    use serde_json::{Value, json};
    use stardust_gateway::ConnectionId;
    use stardust_protocol::ProtocolVersion;
    use stardust_protocol::agent_api::PairRequest;

    use super::*;
    use crate::api::auth::Device;
    use crate::db::testing::Engine;
    use crate::fleet::{ContactState, pairing};
    use crate::testing::{TestHub, hub};

    impl TestHub {
        /// What people are told of a printer's agent.
        async fn contact(&self, printer: PrinterId) -> Value {
            self.ask(Request::get(format!("/api/v1/printers/{printer}")), Body::empty()).await.1["contact"]
                .clone()
        }

        /// An agent asks for its next commands, as it does where MQTT does not reach it.
        async fn waits_by_https(&self) -> Device {
            let (code, _) =
                pairing::create_code(&self.app.db, self.app.clock.now(), &self.owner).await.unwrap();
            let request = PairRequest {
                code,
                protocol: ProtocolVersion::CURRENT,
                agent_version: "0".into(),
                printer_name: "Ada".into(),
                printer_model: None,
                credential: None,
            };
            let (paired, row) = pairing::pair(&self.app.db, self.app.clock.now(), &request).await.unwrap();
            self.app.fleet.put_row(row);
            let request = Request::get("/agent/v1/commands/next")
                .header(header::AUTHORIZATION, format!("Bearer {}", paired.token));
            assert_eq!(self.answer_to(request, Body::empty()).await.0, StatusCode::OK);
            Device { workspace_id: paired.workspace_id, printer_id: paired.printer_id, instance: None }
        }
    }

    #[tokio::test]
    async fn people_are_told_that_an_agent_waits_and_when_it_does_no_more() {
        let hub = hub(Engine::Sqlite).await;
        let mut stream = hub.app.bus.subscribe(hub.owner.workspace_id, None).live;
        let printer = hub.waits_by_https().await.printer_id;
        assert_eq!(hub.contact(printer).await, json!({"state": "never", "waits": true}));
        let mut told = Vec::new();
        while let Ok(change) = stream.try_recv() {
            told.push(change.json.clone());
        }
        assert!(told.iter().any(|json| json.contains(r#""waits":true"#)), "{told:?}");
        hub.app.fleet.agent_waits(printer);
        assert!(stream.try_recv().is_err(), "that it still waits is no news");

        hub.app.fleet.forget_waiting(|id| hub.app.waiting_agents.waits(id));
        assert_eq!(hub.contact(printer).await["waits"], true, "it has asked just now");
        hub.app.fleet.forget_waiting(|_| false);
        assert_eq!(hub.contact(printer).await, json!({"state": "never"}));
        assert!(stream.try_recv().is_ok_and(|change| change.json.contains(r#""waits":null"#)));

        hub.app.fleet.agent_waits(printer);
        let asks_again_when_it_was_looked_at = std::cell::Cell::new(false);
        hub.app.fleet.forget_waiting(|_| asks_again_when_it_was_looked_at.replace(true));
        assert_eq!(hub.contact(printer).await["waits"], true, "it has asked meanwhile");
    }

    /// What the route does, again and again.
    async fn goes_on_waiting(app: Arc<App>, printer: PrinterId) {
        loop {
            let next = app.waiting_agents.next(printer, Duration::from_secs(25));
            app.fleet.agent_waits(printer);
            next.await;
        }
    }

    #[tokio::test]
    async fn what_is_told_of_a_wait_ends_with_it_and_not_with_a_while() {
        let hub = hub(Engine::Sqlite).await;
        let [gone, stays] = [hub.waits_by_https().await, hub.waits_by_https().await].map(|it| it.printer_id);
        let waits = |printer| hub.app.fleet.printer(hub.owner.workspace_id, printer).unwrap().contact.waits;
        // The time is the test's from here on. Nothing asks the database, whose thread would not be waited for.
        tokio::time::pause();
        let (stop, stopped) = watch::channel(false);
        let run = tokio::spawn(run(Arc::clone(&hub.app), stopped));
        let asking = tokio::spawn(goes_on_waiting(Arc::clone(&hub.app), stays));
        for _ in 0..2 {
            let began = tokio::time::Instant::now();
            while waits(gone) {
                assert!(waits(stays), "{:?}", began.elapsed());
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            let told = began.elapsed().as_secs();
            assert!((60..=66).contains(&told), "{told} s");
            // It comes again, and is told of at once.
            let next = hub.app.waiting_agents.next(gone, Duration::ZERO);
            hub.app.fleet.agent_waits(gone);
            assert!(waits(gone));
            next.await;
        }
        // One that has gone, and whose last call is still open, is over in its turn, too.
        asking.abort();
        tokio::time::sleep(Duration::from_secs(66)).await;
        assert!(!waits(stays) && !waits(gone));
        stop.send_replace(true);
        run.await.unwrap();
    }

    #[tokio::test]
    async fn one_that_is_connected_does_not_wait_besides() {
        let hub = hub(Engine::Sqlite).await;
        let printer = hub.waits_by_https().await.printer_id;
        let now = (hub.app.clock.elapsed(), hub.app.clock.now());
        let [first, second] = [1, 2].map(ConnectionId::numbered);
        hub.app.fleet.connected(printer, first, now);
        assert!(hub.contact(printer).await.get("waits").is_none());
        hub.app.fleet.disconnected(printer, first, now);
        assert!(hub.contact(printer).await.get("waits").is_none(), "it has not asked since");

        // It goes over to HTTPS before its connection is known to have ended.
        hub.app.fleet.connected(printer, second, now);
        hub.app.fleet.agent_waits(printer);
        assert!(hub.contact(printer).await.get("waits").is_none());
        hub.app.fleet.disconnected(printer, second, now);
        let told = hub.app.fleet.printer(hub.owner.workspace_id, printer).unwrap().contact;
        assert_eq!((told.state, told.waits), (ContactState::Lost, true));
    }
}
