//! The network: every call and hint of a run passes here, and may be lost, doubled, late, or meet a hub that dies of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use reqwest::{Request, Response};
use stardust_agent::hub_link::transport::Transport;
use stardust_protocol::agent_api::{ClaimResponse, EventsRequest, StartRequest, TelemetryRequest};
use tokio::sync::oneshot;

use crate::download;
use crate::hub_house::{Answer, Question};
use crate::plan::{Kind, Side};
use crate::world::World;

/// A call without a time-out of its own gets no answer: a download.
const NO_ANSWER: Duration = Duration::from_secs(30);
const REFUSED: &str = "connection refused";
const RESET: &str = "connection reset";

/// The network as one process of an agent sees it.
pub(crate) struct VirtualNetwork {
    pub(crate) world: Arc<World>,
    pub(crate) printer: usize,
    pub(crate) is_dead: Arc<AtomicBool>,
    pub(crate) seed: u64,
}

impl std::fmt::Debug for VirtualNetwork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("VirtualNetwork")
    }
}

impl Transport for VirtualNetwork {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, String>> {
        Box::pin(async move {
            // Who is dead hears nothing and does not call.
            if self.is_dead.load(Ordering::SeqCst) {
                std::future::pending::<()>().await;
            }
            let patience = request.timeout().copied().unwrap_or(NO_ANSWER);
            let answer = tokio::time::timeout(patience, exchange(&self.world, self.printer, &request)).await;
            if self.is_dead.load(Ordering::SeqCst) {
                std::future::pending::<()>().await;
            }
            let answer = answer.unwrap_or_else(|_| Err("operation timed out".into()))?;
            Ok(download::response(&self.world, self.printer, Arc::clone(&self.is_dead), answer))
        })
    }

    fn seed(&self) -> u64 {
        self.seed
    }
}

/// What becomes of a call, decided when it is made.
struct Fate {
    /// How long it is on its way; never arrives.
    there: Option<Duration>,
    /// How long the answer is on its way; never arrives.
    back: Option<Duration>,
    /// What is lost is told by the network, instead of by silence.
    is_told: bool,
    /// It arrives once more.
    again: Option<Duration>,
}

impl World {
    fn fate(&self, printer: usize) -> Fate {
        let rates = self.rates();
        let mut state = self.state();
        let dice = &mut state.ways[printer].dice;
        let leg = |dice: &mut crate::dice::Dice| match dice.percent(rates.slow) {
            true => dice.millis(2_000, 45_000),
            false => dice.millis(5, 200),
        };
        let there = (!dice.percent(rates.lost_call)).then(|| leg(dice));
        let back = (!dice.percent(rates.lost_answer)).then(|| leg(dice));
        let is_told = dice.percent(50);
        let again = (there.is_some() && dice.percent(rates.doubled)).then(|| dice.millis(10, 90_000));
        state.counts.calls += 1;
        state.counts.lost_calls += u64::from(there.is_none());
        state.counts.lost_answers += u64::from(there.is_some() && back.is_none());
        state.counts.doubled_calls += u64::from(again.is_some());
        let late = there.is_some_and(|there| there > Duration::from_secs(20));
        state.counts.late_calls += u64::from(late);
        Fate { there, back, is_told, again }
    }

    /// Whether nothing gets through between a printer's host and the hub.
    pub(crate) fn is_away(&self, printer: usize) -> bool {
        self.state().ways[printer].away_until.is_some_and(|until| tokio::time::Instant::now() < until)
    }
}

async fn exchange(world: &Arc<World>, printer: usize, request: &Request) -> Result<Answer, String> {
    let body = request.body().and_then(|body| body.as_bytes()).unwrap_or_default();
    let question = Question {
        method: request.method().clone(),
        path: request.url().path().to_owned(),
        headers: request.headers().clone(),
        body: bytes::Bytes::copy_from_slice(body),
    };
    let fate = world.fate(printer);
    if world.is_away(printer) {
        world.state().counts.refused_calls += 1;
        if !fate.is_told {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        return Err("network is unreachable".into());
    }
    let (tell, told) = oneshot::channel();
    if let Some(again) = fate.again {
        let delay = fate.there.unwrap_or_default() + again;
        tokio::spawn(fly(Arc::clone(world), printer, question.clone(), delay, None));
    }
    match fate.there {
        Some(there) => {
            let back = fate.back;
            drop(tokio::spawn(fly(Arc::clone(world), printer, question, there, Some((back, tell)))));
        }
        None => {
            world.note(|| format!("{} {} lost", crate::template::NAMES[printer], question.path));
            drop(tell);
        }
    }
    match told.await {
        Ok(answer) => answer,
        Err(_) if fate.is_told => {
            tokio::time::sleep(Duration::from_millis(500)).await;
            Err(RESET.into())
        }
        Err(_) => std::future::pending().await,
    }
}

type Return = (Option<Duration>, oneshot::Sender<Result<Answer, String>>);

/// A call on its way: whether whoever made it still waits or not.
async fn fly(world: Arc<World>, printer: usize, question: Question, there: Duration, back: Option<Return>) {
    tokio::time::sleep(there).await;
    if world.is_away(printer) {
        return;
    }
    let answer = world.apply(printer, question, back.is_none());
    let Some((back, tell)) = back else { return };
    let Some(back) = back else { return };
    tokio::time::sleep(back).await;
    if !world.is_away(printer) {
        let _ = tell.send(answer);
    }
}

impl World {
    /// The call has arrived at the hub.
    fn apply(
        self: &Arc<Self>,
        printer: usize,
        question: Question,
        is_repeat: bool,
    ) -> Result<Answer, String> {
        if !self.state().hub_is_up {
            self.state().counts.refused_calls += 1;
            return Err(REFUSED.into());
        }
        let (path, asked) = (question.path.clone(), question.body.clone());
        let is_change = question.method == reqwest::Method::POST;
        let dies = if is_change { self.dies(printer) } else { None };
        if let Some((Side::Before, down)) = dies {
            self.state().counts.hub_kills_before_a_call_was_applied += 1;
            self.kill_hub(down);
            return Err(RESET.into());
        }
        self.hub.clock.set(self.ms());
        let answer = self.hub.call(question).expect("the hub runs");
        self.note(|| {
            let name = crate::template::NAMES[printer];
            let repeat = if is_repeat { " (again)" } else { "" };
            let [asked, said] = [&asked, &answer.body].map(|body| String::from_utf8_lossy(body));
            // The room on the disk is not the run's.
            let asked = if path.ends_with("/claim") { "…".into() } else { asked };
            let said = if path.ends_with("/file") { "…".into() } else { said };
            format!("{name} {path}{repeat} {asked} -> {} {said}", answer.status)
        });
        self.see(printer, &path, &asked, &answer);
        if let Some((Side::After, down)) = dies {
            self.state().counts.hub_kills_after_a_call_was_applied += 1;
            self.kill_hub(down);
            return Err(RESET.into());
        }
        if is_change {
            self.after_a_change();
        }
        Ok(answer)
    }

    /// Whether the hub dies of this call, and for how long.
    fn dies(&self, printer: usize) -> Option<(Side, Duration)> {
        let rate = self.rates().hub_dies;
        let mut state = self.state();
        let call = state.calls;
        state.calls += 1;
        if let Some((at, side)) = self.plan.hub_dies_at {
            return (at == call && !state.is_well).then_some((side, Duration::from_secs(20)));
        }
        let dice = &mut state.ways[printer].dice;
        dice.percent(rate).then(|| {
            let side = if dice.percent(50) { Side::Before } else { Side::After };
            (side, if dice.percent(20) { dice.seconds(60, 400) } else { dice.seconds(1, 30) })
        })
    }

    /// Remembers what the hub has given away.
    fn see(self: &Arc<Self>, printer: usize, path: &str, asked: &[u8], answer: &Answer) {
        if answer.status != 200 {
            return;
        }
        if path == "/agent/v1/claim" {
            let response: ClaimResponse = serde_json::from_slice(&answer.body).unwrap();
            if let Some(claim) = response.claim {
                self.state().seen.claim(printer, claim.job_id, claim.claim_id);
                self.note_move();
            }
        } else if path == "/agent/v1/events" {
            let request: EventsRequest = serde_json::from_slice(asked).unwrap();
            let now = self.ms();
            self.state().seen.told(now, printer, request.events);
            self.note_move();
        } else if path == "/agent/v1/telemetry" {
            let request: TelemetryRequest = serde_json::from_slice(asked).unwrap();
            let now = self.ms();
            self.state().counts.samples_told += request.samples.len() as u64;
            self.state().seen.sampled(now, request.samples);
        } else if path.ends_with("/start") {
            let request: StartRequest = serde_json::from_slice(asked).unwrap();
            let is_first = self.state().seen.leave(printer, request.claim_id);
            self.note_move();
            if is_first && self.plan.kind == Kind::HubDownForThePrint && !self.state().is_well {
                let world = Arc::clone(self);
                tokio::spawn(async move {
                    // The leave has arrived by then; no print takes as long as the hub is down.
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    let is_up = world.state().hub_is_up;
                    if is_up {
                        world.state().counts.hub_kills_when_a_print_begins += 1;
                        world.kill_hub(world.plan.hub_down);
                    }
                });
            }
        }
    }

    fn note_move(&self) {
        let mut state = self.state();
        if !state.is_well {
            let call = state.calls - 1;
            state.moving.push(call);
        }
    }

    /// What the hub does at once when something has changed, and the hints that come of it.
    pub(crate) fn after_a_change(self: &Arc<Self>) {
        self.hub.work_off();
        for (printer, message) in self.hub.take_said() {
            let index = self.template.index(printer);
            if index < self.hosts.len() {
                self.hint(index, &message);
            }
        }
    }

    /// A message over MQTT.
    fn hint(self: &Arc<Self>, printer: usize, message: &stardust_protocol::CommandMessage) {
        let rates = self.rates();
        let mut copies = Vec::new();
        {
            let mut state = self.state();
            let dice = &mut state.ways[printer].dice;
            let mut leg = |dice: &mut crate::dice::Dice| match dice.percent(rates.slow) {
                true => copies.push(dice.millis(2_000, 90_000)),
                false => copies.push(dice.millis(5, 300)),
            };
            let is_lost = dice.percent(rates.lost_call);
            if !is_lost {
                leg(dice);
            }
            let is_doubled = !is_lost && dice.percent(rates.doubled);
            if is_doubled {
                leg(dice);
            }
            state.counts.hints += 1;
            state.counts.lost_hints += u64::from(is_lost);
            state.counts.doubled_hints += u64::from(is_doubled);
        }
        for delay in copies {
            let (world, message) = (Arc::clone(self), message.clone());
            tokio::spawn(async move {
                tokio::time::sleep(delay).await;
                let is_away = world.is_away(printer);
                if let Some(inbox) = world.state().ways[printer].inbox.as_ref().filter(|_| !is_away) {
                    let _ = inbox.send(message);
                }
            });
        }
    }
}
