//! The hub's side of `/agent/v1`, as the contract says, for one printer and one job, with faults on demand.

use std::collections::{BTreeSet, HashMap};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use stardust_clock::{Clock, SystemClock};
use stardust_protocol::agent_api::{Claim, EventsRequest, INSTANCE_HEADER};
use stardust_protocol::{AgentEvent, CommandMessage, EventBody, JobState};

use super::broker::Broker;

pub(crate) const PRINTER: &str = "0190a7c2-6f00-7000-8000-00000000000a";
pub(crate) const WORKSPACE: &str = "0190a7c2-6f00-7000-8000-00000000000b";
pub(crate) const TOKEN: &str = "the-device-token";

/// What the hub knows and how it behaves.
#[derive(Default)]
pub(crate) struct State {
    /// The job that can be claimed.
    pub(crate) claim: Option<Claim>,
    pub(crate) file: Vec<u8>,
    pub(crate) started: u32,
    pub(crate) events: Vec<AgentEvent>,
    pub(crate) commands: Vec<CommandMessage>,
    /// What is only said to an agent that waits for it (`commands/next`), each once.
    pub(crate) said: Vec<CommandMessage>,
    /// No call is answered.
    pub(crate) down: bool,
    /// The credential does not count.
    pub(crate) revoked: bool,
    /// Another agent speaks for the printer: every call is refused.
    pub(crate) another: bool,
    /// The same for the next call whose path ends so, once each.
    pub(crate) refused_once: Vec<&'static str>,
    /// How agents called themselves.
    pub(crate) instances: BTreeSet<String>,
    /// Somebody else has the job.
    pub(crate) claim_lost: bool,
    /// The claim is offered again and again, whatever was reported.
    pub(crate) forgetful: bool,
    /// The next download ends after so many bytes.
    pub(crate) cut_download: Option<usize>,
    /// The next download waits after so many bytes, until this is none again.
    pub(crate) hold_download: Option<usize>,
    /// The `Range` headers seen.
    pub(crate) ranges: Vec<Option<String>>,
    pub(crate) calls: usize,
    /// The printer of the last pairing; none: [`PRINTER`].
    pub(crate) printer: Option<&'static str>,
    /// The credential that the next pairing gives, and the only one that counts then; none: [`TOKEN`].
    pub(crate) token: Option<&'static str>,
    /// What agents have asked to be paired with.
    pub(crate) pairings: Vec<Value>,
    /// Whether somebody has typed the PIN `ABCD-EFGH`.
    pub(crate) pin_typed: bool,
    /// How often a job was asked for.
    pub(crate) claims: usize,
    /// How often one was given.
    pub(crate) jobs_given: usize,
}

impl State {
    /// The states that the job has moved through.
    pub(crate) fn moves(&self) -> Vec<JobState> {
        let state = |event: &AgentEvent| match &event.body {
            EventBody::JobMoved { state, .. } => Some(*state),
            _ => None,
        };
        self.events.iter().filter_map(state).collect()
    }
}

/// A hub.
#[derive(Clone)]
pub(crate) struct Hub {
    pub(crate) url: String,
    pub(crate) state: Arc<Mutex<State>>,
    pub(crate) broker: Broker,
}

impl Hub {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let hub = Self { url, state: Arc::default(), broker: Broker::start() };
        let served = hub.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let hub = served.clone();
                std::thread::spawn(move || hub.answer(stream.unwrap()));
            }
        });
        hub
    }

    /// Offers a job that prints this file.
    pub(crate) fn offer(&self, file: &[u8]) -> Claim {
        let mut state = self.state.lock().unwrap();
        let digest = Sha256::digest(file);
        let claim = Claim {
            job_id: "0190a7c2-6f00-7000-8000-000000000001".parse().unwrap(),
            claim_id: "0190a7c2-6f00-7000-8000-000000000002".parse().unwrap(),
            lease_until: SystemClock::new().now().plus_millis(120_000),
            file_name: "bracket.gcode".into(),
            size_bytes: file.len() as u64,
            sha256: digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>().parse().unwrap(),
            estimated_s: Some(1061),
        };
        state.file = file.to_vec();
        state.claim = Some(claim.clone());
        claim
    }

    fn answer(&self, mut stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut line = String::new();
        if reader.read_line(&mut line).is_err() || self.state.lock().unwrap().down {
            return;
        }
        let mut words = line.split_ascii_whitespace();
        let (Some(method), Some(path)) = (words.next(), words.next()) else { return };
        let mut headers = HashMap::new();
        for header in reader.by_ref().lines() {
            let header = header.unwrap_or_default();
            let Some((name, value)) = header.split_once(':') else { break };
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);

        let mut state = self.state.lock().unwrap();
        state.calls += 1;
        let (printer, token) = (state.printer.unwrap_or(PRINTER), state.token.unwrap_or(TOKEN));
        let authorised =
            headers.get("authorization").is_some_and(|value| *value == format!("Bearer {token}"));
        if !path.starts_with("/agent/v1/pair") && (state.revoked || !authorised) {
            return problem(&mut stream, 401, "bad_credential");
        }
        if !path.starts_with("/agent/v1/pair") {
            state.instances.insert(headers.get(INSTANCE_HEADER).cloned().unwrap_or_default());
            let once = state.refused_once.iter().position(|end| path.ends_with(end));
            if once.map(|at| state.refused_once.remove(at)).is_some() || state.another {
                return problem(&mut stream, 423, "another_agent");
            }
        }
        if path.ends_with("/file") {
            return serve_file(&mut stream, &self.state, state, headers.get("range").cloned());
        }
        if path.ends_with("/commands/next") {
            drop(state);
            return self.say(&mut stream);
        }
        let now = SystemClock::new().now();
        let answer = match (method, path) {
            ("POST", "/agent/v1/pair") if body["code"] != "K7QM-4TXP" => {
                return problem(&mut stream, 403, "bad_code");
            }
            ("POST", "/agent/v1/pair") => {
                // A new credential counts again.
                state.revoked &= state.token.is_none();
                let name = body["printer_name"].clone();
                state.pairings.push(body);
                json!({"workspace_id": WORKSPACE, "printer_id": printer, "printer_name": name, "token": token})
            }
            ("POST", "/agent/v1/pairing-pins") => {
                state.pairings.push(body);
                json!({"pin": "ABCD-EFGH", "poll_token": "poll", "expires_at": now, "expires_in_s": 900, "poll_every_s": 0})
            }
            ("POST", "/agent/v1/pairing-pins/poll") if state.pin_typed && body["poll_token"] == "poll" => {
                json!({
                    "paired": {"workspace_id": WORKSPACE, "printer_id": printer, "printer_name": "Ender left", "token": token}
                })
            }
            ("POST", "/agent/v1/pairing-pins/poll") => json!({}),
            ("GET", "/agent/v1/session") => json!({
                "protocol": {"major": 1, "minor": 0}, "workspace_id": WORKSPACE, "printer_id": printer,
                "printer_name": "Ender left", "mqtt": {"port": self.broker.port, "tls": false},
                "last_event_seq": state.events.last().map_or(0, |event| event.seq), "now": now
            }),
            ("POST", "/agent/v1/claim") => {
                state.claims += 1;
                let room = body["free_spool_bytes"].as_u64().unwrap_or(u64::MAX);
                let claim = state.claim.clone().filter(|claim| claim.size_bytes <= room);
                state.jobs_given += usize::from(claim.is_some());
                json!({"claim": claim})
            }
            ("POST", "/agent/v1/telemetry") => {
                json!({"kept": body["samples"].as_array().map_or(0, Vec::len)})
            }
            ("GET", "/agent/v1/commands") => json!({"commands": state.commands}),
            ("POST", "/agent/v1/events") => {
                let request: EventsRequest = serde_json::from_value(body).unwrap();
                for event in request.events {
                    let next = state.events.last().map_or(1, |event| event.seq + 1);
                    assert!(event.seq <= next, "a gap before event {}", event.seq);
                    if event.seq == next {
                        if let EventBody::JobMoved { state: moved, .. } = &event.body {
                            let over = moved.is_final() || *moved == JobState::AwaitingRemoval;
                            if over && !state.forgetful {
                                state.claim = None;
                            }
                        }
                        if let EventBody::CommandAnswered { command_id, .. } = &event.body {
                            state.commands.retain(|command| command.id != Some(*command_id));
                        }
                        state.events.push(event);
                    }
                }
                json!({"acknowledged_seq": state.events.last().map_or(0, |event| event.seq)})
            }
            ("POST", path) if path.ends_with("/start") && !state.claim_lost => {
                state.started += 1;
                json!({"started_at": now})
            }
            ("POST", path) if path.ends_with("/start") => {
                state.claim = None;
                return problem(&mut stream, 409, "claim_lost");
            }
            _ => return problem(&mut stream, 404, "not_found"),
        };
        respond(&mut stream, "200 OK", "application/json", answer.to_string().as_bytes());
    }

    /// Waits until there is something to say, but not for ever: who has asked may be gone.
    fn say(&self, stream: &mut TcpStream) {
        let (_never, wait) = std::sync::mpsc::channel::<()>();
        let mut said = Vec::new();
        for _ in 0..500 {
            said = std::mem::take(&mut self.state.lock().unwrap().said);
            if !said.is_empty() {
                break;
            }
            let _ = wait.recv_timeout(std::time::Duration::from_millis(10));
        }
        respond(stream, "200 OK", "application/json", json!({"commands": said}).to_string().as_bytes());
    }
}

fn serve_file(
    stream: &mut TcpStream,
    shared: &Mutex<State>,
    mut state: MutexGuard<'_, State>,
    range: Option<String>,
) {
    let from =
        range.as_deref().and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
    state.ranges.push(range);
    let bytes = state.file[from.unwrap_or(0)..].to_vec();
    let status = if from.is_some() { "206 Partial Content" } else { "200 OK" };
    let sent = state.cut_download.take().unwrap_or(bytes.len()).min(bytes.len());
    let held = state.hold_download.unwrap_or(0).min(sent);
    drop(state);
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", bytes.len());
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(&bytes[..held]);
    super::eventually("the download goes on", || {
        shared.lock().unwrap().hold_download.is_none().then_some(())
    });
    let _ = stream.write_all(&bytes[held..sent]);
}

fn problem(stream: &mut TcpStream, status: u16, code: &str) {
    let body =
        json!({"status": status, "title": code, "detail": format!("The hub says {code}."), "code": code});
    respond(stream, &format!("{status} No"), "application/problem+json", body.to_string().as_bytes());
}

fn respond(stream: &mut TcpStream, status: &str, kind: &str, body: &[u8]) {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(body);
}
