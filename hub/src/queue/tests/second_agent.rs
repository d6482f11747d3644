//! Two agents with one credential, over HTTP as they come: one is listened to, and one at most prints a job.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use rstest::rstest;
use serde_json::{Value, json};
use stardust_protocol::agent_api::{INSTANCE_HEADER, PairRequest};
use stardust_protocol::{ClaimId, PrinterId};
use tower::ServiceExt as _;

use super::*;
use crate::fleet::{Fleet, pairing};

const SILENCE: Duration = Duration::from_millis(limits::INSTANCE_SILENCE_MS.unsigned_abs());

/// An agent, or its copy.
struct Agent<'a> {
    hub: &'a TestHub,
    token: &'a str,
    instance: Option<&'a str>,
}

impl Agent<'_> {
    async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        self.call(Request::post(path), body).await
    }

    async fn session(&self) -> (StatusCode, Value) {
        self.call(Request::get("/agent/v1/session"), Value::Null).await
    }

    async fn call(&self, request: axum::http::request::Builder, body: Value) -> (StatusCode, Value) {
        let mut request = request
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(instance) = self.instance {
            request = request.header(INSTANCE_HEADER, instance);
        }
        let request = request.body(Body::from(body.to_string())).unwrap();
        let response = crate::api::router(Arc::clone(&self.hub.app)).oneshot(request).await.unwrap();
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), 100_000).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    async fn claim(&self) -> (JobId, ClaimId) {
        let protocol = serde_json::to_value(ProtocolVersion::CURRENT).unwrap();
        let (status, body) = self.post("/agent/v1/claim", json!({ "protocol": protocol })).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let id = |name: &str| body["claim"][name].as_str().unwrap().to_owned();
        (id("job_id").parse().unwrap(), id("claim_id").parse().unwrap())
    }

    async fn start(&self, (job, claim): (JobId, ClaimId)) -> (StatusCode, String) {
        let (status, body) =
            self.post(&format!("/agent/v1/jobs/{job}/start"), json!({ "claim_id": claim })).await;
        (status, body["code"].as_str().unwrap_or_default().to_owned())
    }
}

impl TestHub {
    async fn credential(&self) -> (String, PrinterId) {
        let now = self.app.clock.now();
        let (code, _) = pairing::create_code(&self.app.db, now, &self.owner).await.unwrap();
        let request = PairRequest {
            code,
            protocol: ProtocolVersion::CURRENT,
            agent_version: "0".into(),
            printer_name: "Ada".into(),
            printer_model: None,
            credential: None,
        };
        let (paired, row) = pairing::pair(&self.app.db, now, &request).await.unwrap();
        self.app.fleet.paired_anew(row);
        (paired.token, paired.printer_id)
    }

    fn agent<'a>(&'a self, token: &'a str, instance: Option<&'a str>) -> Agent<'a> {
        Agent { hub: self, token, instance }
    }

    fn second_agent(&self, printer: PrinterId) -> bool {
        self.app.fleet.printer(self.owner.workspace_id, printer).unwrap().second_agent.is_some()
    }

    /// Nothing is known of who speaks, as after a start of the hub.
    async fn restart(&mut self) {
        let rows = crate::fleet::store::all(&self.app.db).await.unwrap();
        let app = Arc::get_mut(&mut self.app).unwrap();
        app.fleet = Fleet::new(rows, Arc::clone(&app.bus));
    }
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn one_of_two_agents_is_listened_to_and_the_other_told_why_not(#[case] engine: Engine) {
    let hub = hub(engine).await;
    let (token, printer) = hub.credential().await;
    let (first, second) = (hub.agent(&token, Some("first")), hub.agent(&token, Some("second")));
    assert_eq!(first.session().await.0, StatusCode::OK);
    let (status, problem) = second.session().await;
    assert_eq!((status, problem["code"].as_str()), (StatusCode::LOCKED, Some("another_agent")));
    assert!(problem["detail"].as_str().unwrap().contains("pair this one anew"), "{problem}");
    assert!(!hub.second_agent(printer), "it may be the same machine, started anew");
    assert_eq!(first.session().await.0, StatusCode::OK);
    assert!(hub.second_agent(printer), "it is not: both live");
    assert_eq!(hub.agent(&token, None).session().await.0, StatusCode::OK, "an old agent is not checked");
    let nonsense = hub.agent(&token, Some("two words")).session().await;
    assert_eq!((nonsense.0, nonsense.1["code"].as_str()), (StatusCode::BAD_REQUEST, Some("bad_request")));

    hub.clock.advance(Duration::from_secs(299));
    hub.app.fleet.forget_second_agents(hub.app.clock.elapsed());
    assert!(hub.second_agent(printer));
    hub.clock.advance(Duration::from_secs(1));
    hub.app.fleet.forget_second_agents(hub.app.clock.elapsed());
    assert!(!hub.second_agent(printer), "it has given up");
    assert_eq!(second.session().await.0, StatusCode::OK, "the first is silent");
    assert_eq!(first.session().await.0, StatusCode::LOCKED);
}

#[tokio::test]
async fn whoever_pairs_the_printer_anew_speaks_for_it_at_once() {
    let hub = hub(Engine::Sqlite).await;
    let (token, printer) = hub.credential().await;
    assert_eq!(hub.agent(&token, Some("old")).session().await.0, StatusCode::OK);
    assert_eq!(hub.agent(&token, Some("new")).session().await.0, StatusCode::LOCKED);
    let row = crate::fleet::store::all(&hub.app.db).await.unwrap().pop().unwrap();
    assert_eq!(row.id, printer);
    hub.app.fleet.paired_anew(row);
    assert_eq!(hub.agent(&token, Some("new")).session().await.0, StatusCode::OK);
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn a_job_is_started_by_one_of_them_also_when_the_hub_has_forgotten_who_spoke(#[case] engine: Engine) {
    let mut test = hub(engine).await;
    let (token, printer) = test.credential().await;
    let file = test.upload("a.gcode", GCODE).await;
    test.submit(file, None).await;
    let original = test.agent(&token, Some("original")).claim().await;
    assert_eq!(test.agent(&token, Some("original")).claim().await, original, "asked again, it is the same");

    // The copy has the claim in its folder, and comes first.
    test.restart().await;
    let copy = test.agent(&token, Some("copy"));
    assert_eq!(copy.start(original).await, (StatusCode::CONFLICT, "claim_lost".into()));
    let anew = copy.claim().await;
    assert_eq!(anew.0, original.0);
    assert_ne!(anew.1, original.1);

    test.restart().await;
    let first = test.agent(&token, Some("original"));
    assert_eq!(first.start(original).await, (StatusCode::CONFLICT, "claim_lost".into()));
    assert_eq!(test.agent(&token, Some("copy")).start(anew).await.0, StatusCode::LOCKED);
    test.clock.advance(SILENCE);
    let copy = test.agent(&token, Some("copy"));
    assert_eq!(copy.start(anew).await.0, StatusCode::OK);
    assert_eq!(copy.start(anew).await.0, StatusCode::OK, "the answer got lost");
    assert_eq!(test.job(anew.0).await.printer_id, Some(printer));

    // A copy of the copy, from before the start.
    test.restart().await;
    let third = test.agent(&token, Some("third"));
    assert_eq!(third.start(anew).await, (StatusCode::CONFLICT, "claim_lost".into()));
    let job = test.job(anew.0).await;
    assert_eq!(job.state, JobState::Failed, "nothing was heard of the start, and nobody says more");
    assert!(job.needs_removal && job.reason.unwrap().contains("started anew"));
}
