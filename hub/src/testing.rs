//! A hub in memory for tests of what capabilities do together: real database, real objects, real gateway on
//! a free port, a clock that stands still.

use std::sync::Arc;

use axum::body::Body;
use axum::http::request::Builder;
use axum::http::{StatusCode, header};
use serde_json::Value;
use stardust_clock::ManualClock;
use stardust_gateway::{Gateway, GatewayConfig};
use stardust_protocol::agent_api::PairRequest;
use stardust_protocol::{FileId, ProtocolVersion};
use tower::ServiceExt as _;

use crate::accounts::password::Passwords;
use crate::accounts::{Person, Role, testing, tokens};
use crate::api::auth::Device;
use crate::app::App;
use crate::config::Settings;
use crate::db::testing::{Engine, TestDb, fresh};
use crate::events::bus::Bus;
use crate::events::outbox::Bell;
use crate::fleet::attempts::Attempts;
use crate::fleet::credentials::DeviceAuthenticator;
use crate::fleet::{Fleet, pairing};
use crate::last_times::LastTimes;
use crate::library;
use crate::objects::Objects;
use crate::waiting_agents::WaitingAgents;

pub(crate) struct TestHub {
    pub(crate) app: Arc<App>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) owner: Person,
    pub(crate) db: TestDb,
    _dir: tempfile::TempDir,
}

pub(crate) async fn hub(engine: Engine) -> TestHub {
    let test = fresh(engine).await;
    let clock = ManualClock::at(testing::now());
    let (workspace_id, user_id) = testing::owner(&test.db).await;
    let dir = tempfile::tempdir().unwrap();
    let mut config = Settings { data: Some(dir.path().to_owned()), ..Settings::default() }.resolve();
    config.max_upload_bytes = 100_000;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mqtt_port = listener.local_addr().unwrap().port();
    let authenticator = Arc::new(DeviceAuthenticator(test.db.clone()));
    let (gateway, _) =
        Gateway::start(GatewayConfig::default(), listener, authenticator, clock.clone()).await.unwrap();
    let bus = Arc::new(Bus::new("run".into()));
    let app = App {
        objects: Objects::in_directory(&dir.path().join("objects")).unwrap(),
        fleet: Fleet::new(Vec::new(), Arc::clone(&bus)),
        config,
        clock: clock.clone(),
        db: test.db.clone(),
        passwords: Passwords::start().unwrap(),
        bus,
        publishing: tokio::sync::Mutex::default(),
        bell: Bell::default(),
        command_answers: tokio::sync::Notify::default(),
        agents: Arc::new(gateway),
        waiting_agents: WaitingAgents::default(),
        mqtt_port,
        last_times: LastTimes::default(),
        stop_books: tokio::sync::Mutex::default(),
        attempts: Attempts::default(),
    };
    let owner = Person {
        user_id,
        email: "owner@example.org".into(),
        name: "Owner".into(),
        role: Role::Admin,
        workspace_id,
        workspace_name: "W".into(),
    };
    TestHub { app: Arc::new(app), clock, owner, db: test, _dir: dir }
}

impl TestHub {
    /// A new printer with its agent's credential.
    pub(crate) async fn pair(&self, name: &str) -> Device {
        let now = testing::now();
        let (code, _) = pairing::create_code(&self.app.db, now, &self.owner).await.unwrap();
        let request = PairRequest {
            code,
            protocol: ProtocolVersion::CURRENT,
            agent_version: "0".into(),
            printer_name: name.into(),
            printer_model: None,
            credential: None,
        };
        let (paired, row) = pairing::pair(&self.app.db, now, &request).await.unwrap();
        self.app.fleet.put_row(row);
        Device { workspace_id: paired.workspace_id, printer_id: paired.printer_id, instance: None }
    }

    /// What the owner is answered.
    pub(crate) async fn ask(&self, request: Builder, body: Body) -> (StatusCode, Value) {
        let token = self.token().await;
        self.answer_to(request.header(header::AUTHORIZATION, format!("Bearer {token}")), body).await
    }

    /// A new API token of the owner.
    pub(crate) async fn token(&self) -> String {
        tokens::create(&self.app.db, self.app.clock.now(), &self.owner, "test").await.unwrap().1
    }

    /// What whoever the request says is answered.
    pub(crate) async fn answer_to(&self, request: Builder, body: Body) -> (StatusCode, Value) {
        let request = request.body(body).unwrap();
        let response = crate::api::router(Arc::clone(&self.app)).oneshot(request).await.unwrap();
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), 100_000).await.unwrap();
        (status, if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() })
    }

    /// What is found in an uploaded file.
    pub(crate) async fn extract(&self, file: FileId) {
        let version =
            library::store::get(&self.app.db, self.owner.workspace_id, file).await.unwrap().version_id;
        crate::extractor::extract(&self.app, self.owner.workspace_id, version).await.unwrap();
    }

    /// Uploads G-code.
    pub(crate) async fn upload(&self, name: &str, text: &str) -> FileId {
        let body = futures::stream::iter([Ok(bytes::Bytes::from(text.to_owned()))]);
        library::upload::take(&self.app, &self.owner, name, None, body).await.unwrap().file.id
    }
}
