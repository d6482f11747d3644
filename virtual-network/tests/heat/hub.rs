//! A hub that gives jobs, takes events and passes commands on. It stands in for the real one, whose behaviour is shown
//! elsewhere (`protocol`), and is always reached.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::http;
use futures::future::BoxFuture;
use reqwest::{Request, Response};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use stardust_agent::hub_link::transport::Transport;
use stardust_protocol::agent_api::{Claim, EventsRequest};
use stardust_protocol::{
    AgentEvent, Command, CommandMessage, CommandOutcome, EventBody, JobId, JobState, ProtocolVersion,
    Timestamp,
};

pub(crate) const WORKSPACE: &str = "0190a7c2-6f00-7000-8000-00000000000a";
pub(crate) const PRINTER: &str = "0190a7c2-6f00-7000-8000-00000000000b";
const EPOCH_MS: i64 = 1_795_414_380_000;

/// What the hub knows.
#[derive(Debug, Default)]
pub(crate) struct Books {
    waiting: VecDeque<Vec<u8>>,
    given: u64,
    held: Option<(Claim, Vec<u8>)>,
    last_seq: u64,
    /// The job at hand has come so far.
    pub(crate) state: Option<JobState>,
    commands: Vec<CommandMessage>,
    commanded: u64,
    pub(crate) ended: u64,
    /// A preheat of so many minutes was begun, or what was heated was turned off (0): since that was asked last.
    pub(crate) preheated: Option<u16>,
    /// The agent's credential counts no more.
    pub(crate) is_revoked: bool,
    /// And it is not told so.
    pub(crate) is_silent: bool,
}

impl Books {
    pub(crate) fn new(jobs: &[Vec<String>]) -> Self {
        Self {
            waiting: jobs.iter().map(|job| (job.join("\n") + "\n").into_bytes()).collect(),
            ..Self::default()
        }
    }

    pub(crate) fn job(&self) -> Option<JobId> {
        self.held.as_ref().map(|(claim, _)| claim.job_id)
    }

    /// Whether the job at hand can be doing something.
    pub(crate) fn is_at_work(&self) -> bool {
        self.held.is_some() && self.state.is_some_and(|state| state != JobState::Transferring)
    }

    pub(crate) fn is_done(&self) -> bool {
        self.held.is_none() && self.waiting.is_empty()
    }

    pub(crate) fn command(&mut self, now_ms: i64, command: Command) {
        self.commanded += 1;
        self.commands.push(CommandMessage {
            protocol: ProtocolVersion::CURRENT,
            id: Some(id(0x2000 + self.commanded).parse().unwrap()),
            at: at(now_ms),
            expires_at: Some(at(now_ms + 3_600_000)),
            command,
        });
    }

    fn claim(&mut self) -> Option<Claim> {
        if self.held.is_none() {
            let file = self.waiting.pop_front()?;
            self.given += 1;
            let digest = Sha256::digest(&file);
            let claim = Claim {
                job_id: id(self.given).parse().unwrap(),
                claim_id: id(0x1000 + self.given).parse().unwrap(),
                lease_until: at(i64::MAX / 4),
                file_name: "part.gcode".into(),
                size_bytes: file.len() as u64,
                sha256: digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>().parse().unwrap(),
                estimated_s: None,
            };
            self.held = Some((claim, file));
            self.state = None;
        }
        self.held.as_ref().map(|(claim, _)| claim.clone())
    }

    fn take(&mut self, events: Vec<AgentEvent>) {
        for event in events {
            if event.seq <= self.last_seq {
                continue;
            }
            self.last_seq = event.seq;
            match event.body {
                EventBody::JobMoved { job_id, state, .. } if self.job() == Some(job_id) => {
                    self.state = Some(state);
                    if state.is_final() || state == JobState::AwaitingRemoval {
                        (self.held, self.ended) = (None, self.ended + 1);
                        self.commands.clear();
                    }
                }
                EventBody::CommandAnswered { command_id, outcome } => {
                    let answered = self.commands.iter().find(|command| command.id == Some(command_id));
                    self.preheated = match (answered.map(|answered| &answered.command), outcome) {
                        (Some(Command::Preheat(preheat)), CommandOutcome::Done) => Some(preheat.minutes),
                        (Some(Command::CoolDown | Command::EmergencyStop), CommandOutcome::Done) => Some(0),
                        _ => self.preheated,
                    };
                    self.commands.retain(|command| command.id != Some(command_id));
                }
                _ => {}
            }
        }
    }
}

fn id(last: u64) -> String {
    format!("0190a7c2-6f00-7000-8000-{last:012x}")
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(EPOCH_MS.saturating_add(ms))
}

/// The way to it.
#[derive(Debug)]
pub(crate) struct Way {
    pub(crate) books: Arc<Mutex<Books>>,
    pub(crate) began: tokio::time::Instant,
    pub(crate) seed: u64,
}

impl Transport for Way {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, String>> {
        Box::pin(async move {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            let now_ms = i64::try_from(self.began.elapsed().as_millis()).unwrap();
            let mut books = self.books.lock().unwrap();
            match (books.is_revoked, books.is_silent) {
                (true, true) => Err("connection refused".into()),
                (true, false) => {
                    Ok(Response::from(http::Response::builder().status(401).body("{}").unwrap()))
                }
                (false, _) => Ok(answer(&mut books, &request, now_ms)),
            }
        })
    }

    fn seed(&self) -> u64 {
        self.seed
    }
}

fn answer(books: &mut Books, request: &Request, now_ms: i64) -> Response {
    let body = request.body().and_then(|body| body.as_bytes()).unwrap_or_default();
    let path = request.url().path();
    let answer: Value = match path {
        path if path.ends_with("/file") => {
            let file = books.held.as_ref().map(|(_, file)| file.clone()).unwrap_or_default();
            let range = request.headers().get("range").and_then(|range| range.to_str().ok());
            let from = range.and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
            let status = if from.is_some() { 206 } else { 200 };
            let rest = file[from.unwrap_or(0).min(file.len())..].to_vec();
            return Response::from(http::Response::builder().status(status).body(rest).unwrap());
        }
        "/agent/v1/session" => json!({
            "protocol": {"major": 1, "minor": 0}, "workspace_id": WORKSPACE, "printer_id": PRINTER,
            "printer_name": "Ender", "mqtt": {"port": 1, "tls": false}, "last_event_seq": books.last_seq,
            "now": at(now_ms)
        }),
        "/agent/v1/claim" => json!({"claim": books.claim()}),
        "/agent/v1/commands" => json!({"commands": books.commands}),
        "/agent/v1/telemetry" => json!({"kept": 0}),
        "/agent/v1/events" => {
            let request: EventsRequest = serde_json::from_slice(body).unwrap();
            books.take(request.events);
            json!({"acknowledged_seq": books.last_seq})
        }
        path if path.ends_with("/start") => {
            books.state = Some(JobState::Preparing);
            json!({"started_at": at(now_ms)})
        }
        path => panic!("{path}"),
    };
    Response::from(http::Response::builder().status(200).body(answer.to_string()).unwrap())
}
