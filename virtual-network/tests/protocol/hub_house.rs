//! The hub: its own code on a real database, on a thread of its own, so that its calls take no virtual time. It can be
//! killed and started again.
//!
//! What stands in: the way to the agents over MQTT, which only collects what the hub says there; [`crate::network`] brings
//! it to them, or loses it.

use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use bytes::Bytes;
use futures::future::BoxFuture;
use stardust_clock::SharedClock;
use stardust_gateway::{Principal, PublishError};
use stardust_hub::accounts::password::Passwords;
use stardust_hub::agent_link::AgentLink;
use stardust_hub::app::{App, Parts};
use stardust_hub::config::Settings;
use stardust_hub::db::Db;
use stardust_hub::events::outbox;
use stardust_hub::work::Work;
use stardust_hub::{api, queue};
use stardust_protocol::topic::Topic;
use stardust_protocol::{CommandMessage, PrinterId};
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

use crate::time::HubClock;

type Task = Box<dyn FnOnce(&Runtime, &mut Option<Running>) + Send>;

struct Running {
    app: Arc<App>,
    router: Router,
}

/// A call as it goes over the network.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) method: reqwest::Method,
    pub(crate) path: String,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Bytes,
}

/// An answer as it goes over the network.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Bytes,
}

/// What the hub has said to agents over MQTT.
#[derive(Default)]
struct Said(Mutex<Vec<(PrinterId, CommandMessage)>>);

#[async_trait]
impl AgentLink for Said {
    async fn publish(&self, topic: Topic, payload: Vec<u8>) -> Result<(), PublishError> {
        self.0.lock().unwrap().push((topic.printer, serde_json::from_slice(&payload).unwrap()));
        Ok(())
    }

    fn disconnect(&self, _: &Principal) {}
}

/// The machine that the hub runs on.
pub(crate) struct HubHouse {
    tasks: Sender<Task>,
    pub(crate) clock: Arc<HubClock>,
    said: Arc<Said>,
}

impl HubHouse {
    pub(crate) fn new() -> Self {
        let (tasks, todo) = channel::<Task>();
        let run = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let mut running = None;
            while let Ok(task) = todo.recv() {
                task(&runtime, &mut running);
            }
        };
        std::thread::Builder::new().name("hub".into()).spawn(run).unwrap();
        Self { tasks, clock: Arc::default(), said: Arc::default() }
    }

    /// Waits for the hub's thread: meanwhile no virtual time passes.
    fn ask<T: Send + 'static>(
        &self,
        task: impl FnOnce(&Runtime, &mut Option<Running>) -> T + Send + 'static,
    ) -> T {
        let (tell, told) = channel();
        let task: Task = Box::new(move |runtime, running| drop(tell.send(task(runtime, running))));
        self.tasks.send(task).unwrap();
        told.recv().expect("the hub's thread has panicked")
    }

    /// Starts the hub over a database; its files are beside the template's.
    pub(crate) fn start(&self, data: &Path, database: &Path) {
        let settings = Settings {
            data: Some(data.to_owned()),
            database: Some(format!("sqlite:{}", database.display())),
            ..Settings::default()
        };
        let config = settings.resolve();
        let (clock, agents): (SharedClock, Arc<dyn AgentLink>) = (self.clock.clone(), self.said.clone());
        self.ask(move |runtime, running| {
            let app = runtime.block_on(async {
                let db = Db::open(&config.database).await.unwrap();
                let passwords = Passwords::start().unwrap();
                App::load(Parts { config, clock, db, passwords, agents, mqtt_port: 1 }).await.unwrap()
            });
            *running = Some(Running { router: api::router(Arc::clone(&app)), app });
        });
        self.work_off();
    }

    /// Kills it: nothing is brought to an end.
    pub(crate) fn kill(&self) {
        self.ask(|_, running| drop(running.take()));
    }

    /// A call; none when the hub does not run.
    pub(crate) fn call(&self, question: Question) -> Option<Answer> {
        self.ask(move |runtime, running| {
            let router = running.as_ref()?.router.clone();
            let mut request = Request::builder().method(question.method).uri(question.path);
            request.headers_mut().unwrap().extend(question.headers);
            let request = request.body(Body::from(question.body)).unwrap();
            Some(runtime.block_on(async {
                let response = router.oneshot(request).await.unwrap();
                let (head, body) = response.into_parts();
                let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
                Answer { status: head.status.as_u16(), headers: head.headers, body }
            }))
        })
    }

    /// Does something inside the hub; none when it does not run.
    pub(crate) fn inside<T: Send + 'static>(
        &self,
        work: impl FnOnce(Arc<App>) -> BoxFuture<'static, T> + Send + 'static,
    ) -> Option<T> {
        self.ask(move |runtime, running| {
            let app = Arc::clone(&running.as_ref()?.app);
            Some(runtime.block_on(work(app)))
        })
    }

    /// What the hub does by itself, soon after each change.
    pub(crate) fn work_off(&self) {
        self.inside(|app| {
            Box::pin(async move {
                let work = Work(Arc::clone(&app));
                while outbox::work_off(&app.db, &app.clock, &work).await.unwrap() > 0 {}
            })
        });
    }

    /// What the hub does by itself, as time passes.
    pub(crate) fn sweep(&self) {
        self.inside(|app| Box::pin(async move { queue::sweep::sweep(&app).await.unwrap() }));
        self.work_off();
    }

    /// Takes what the hub has said over MQTT since the last time.
    pub(crate) fn take_said(&self) -> Vec<(PrinterId, CommandMessage)> {
        std::mem::take(&mut *self.said.0.lock().unwrap())
    }
}
