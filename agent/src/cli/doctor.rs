//! `stardust-agent doctor [--port PATH]`: what stands in the way of printing, and what to do about it.
//!
//! Owns: the order of the checks and how they are shown. What is found is put into words in [`findings`]. Must not
//! know: the protocol.

mod choice;
mod findings;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Serialize;
use stardust_clock::SharedClock;

use super::left_behind::{self, LeftBehind};
use super::own_agent::{self, Driven};
use super::signals::Ending;
use super::{DoctorArguments, Failure, say};
use crate::disk_work::DiskWork;
use crate::port::connect::connect;
use crate::port::{DeviceTree, PortPlan, latency_ms, listing, locate, round_trip};
use crate::printer::at_hand::AtHand;
use crate::settings::Settings;
use choice::Choice;
use findings::{Finding, Verdict};

/// Of one printer.
#[derive(Debug, Serialize)]
struct Examination {
    /// Its port; none where the printer's own settings can't be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<PathBuf>,
    /// Its name on this machine, where it was not named by its port.
    #[serde(skip_serializing_if = "Option::is_none")]
    printer: Option<String>,
    findings: Vec<Finding>,
}

impl Examination {
    fn tell(&self, json: bool) {
        if json {
            return;
        }
        let port = self.port.as_ref().map(|port| port.display().to_string());
        say(&format!("{}:", port.or(self.printer.clone()).unwrap_or_default()));
        self.findings.iter().for_each(|finding| say(&finding.in_words()));
    }
}

/// Looks at the named port, or at those of all paired printers.
pub(super) async fn run(
    options: &DoctorArguments,
    settings: &Settings,
    clock: SharedClock,
) -> Result<ExitCode, Failure> {
    // Before anything is turned off: who is ended in the middle of that leaves it on.
    let mut stop = Ending::watch_but(None)?;
    let (asked, of) = (options.clone(), settings.clone());
    let chosen = DiskWork::on_threads().run(move || Ok(Choice::of(&asked, &of))).await;
    let Choice { plans, unread: mut all } =
        chosen.map_err(|error| format!("The printers of this machine: {error}"))?;
    if plans.is_empty() && all.is_empty() {
        let found: Vec<String> =
            listing::list(&DeviceTree::default()).into_iter().map(|port| port.path).collect();
        return Err(match found.as_slice() {
            [] => {
                "No printer is paired, and no serial port found: connect the printer by USB and switch it on."
                    .into()
            }
            found => format!("No printer is paired. Name the port: --port {}", found.join(" or --port ")),
        });
    }
    all.iter().for_each(|examination| examination.tell(options.json));
    let mut is_ended = false;
    for (printer, plan) in plans {
        let port = plan.path.clone();
        is_ended = is_ended || stop.was_asked().await;
        if is_ended {
            let examination =
                Examination { port: Some(port), printer, findings: vec![findings::not_looked_at()] };
            examination.tell(options.json);
            all.push(examination);
            continue;
        }
        let device = locate(&plan).unwrap_or_else(|_| port.clone());
        let driven = own_agent::that_drives(settings, &device);
        let findings = match driven {
            Some(driven) => of_the_agent(&driven, &port),
            None => {
                let told = |line: &str| {
                    if !options.json {
                        say(line)
                    }
                };
                let (findings, is_interrupted) = examine(settings, plan, &clock, &mut stop, told).await;
                is_ended = is_interrupted;
                findings
            }
        };
        let examination = Examination { port: Some(port), printer, findings };
        examination.tell(options.json);
        all.push(examination);
    }
    if options.json {
        let text = serde_json::to_string_pretty(&all).map_err(|error| format!("JSON: {error}"))?;
        say(&text);
    }
    let is_healthy =
        all.iter().flat_map(|printer| &printer.findings).all(|finding| finding.verdict != Verdict::Fault);
    Ok(if is_healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What can be seen while our own agent has the port.
fn of_the_agent(driven: &Driven, port: &Path) -> Vec<Finding> {
    let latency = latency_ms(&port.canonicalize().unwrap_or_else(|_| port.to_owned()));
    vec![findings::driven_by_the_agent(driven, port), findings::adapter(latency, port)]
}

/// All that can be seen of one printer, after what was left hot there is off. A signal ends the measuring: whether there was one.
async fn examine(
    settings: &Settings,
    plan: PortPlan,
    clock: &SharedClock,
    stop: &mut Ending,
    told: impl Fn(&str),
) -> (Vec<Finding>, bool) {
    // A question would have a number, and the agent goes on by those.
    match AtHand::at(settings, &plan).await {
        Ok(Some(job)) if job.goes_on => return (vec![findings::at_hand(&job)], false),
        Ok(_) => {}
        Err(error) => return (vec![findings::not_looked_up(&error)], false),
    }
    let left = left_behind::make_safe(settings, &plan, clock, stop, told).await;
    let mut found: Vec<Finding> = left.as_ref().map(findings::left_behind).into_iter().collect();
    // Who did not want to wait for that does not want what follows either.
    let was_stopped = matches!(left, Some(LeftBehind::Stopped(..)));
    let is_the_agents = matches!(left, Some(LeftBehind::TheAgents));
    let measured = async {
        if was_stopped {
            return None;
        }
        tokio::select! {
            measured = measure(plan, clock, is_the_agents) => Some(measured),
            () = stop.asked() => None,
        }
    };
    let measured = measured.await;
    let is_interrupted = measured.is_none();
    found.extend(measured.unwrap_or_else(|| vec![findings::interrupted()]));
    (found, is_interrupted)
}

/// What can be measured; a fault ends it. `is_said`: a person is told already that it may be hot.
async fn measure(plan: PortPlan, clock: &SharedClock, is_said: bool) -> Vec<Finding> {
    let began = clock.elapsed();
    let (port, speed) = match connect(plan.clone(), clock).await {
        Ok(connected) => connected,
        Err(error) => return vec![findings::no_connection(&error)],
    };
    let took = clock.elapsed() - began;
    let view = port.view.borrow().clone();
    port.close().await;
    let path = locate(&plan).unwrap_or(plan.path);
    let latency = latency_ms(&path);
    let mut found = vec![
        Finding::ok("the port can be opened, and no other program uses it"),
        findings::answers(speed, took),
        findings::adapter(latency, &path),
    ];
    // On a thread of its own: a signal is heard meanwhile.
    found.push(match round_trip::measured(path, speed, clock.clone()).await {
        Ok(Ok(Some(measured))) => findings::round_trip(measured, latency),
        Ok(Ok(None)) => findings::no_round_trip("it left a question unanswered"),
        Ok(Err(error)) => findings::no_round_trip(&error.to_string()),
        Err(error) => findings::no_round_trip(&error.to_string()),
    });
    found.extend(findings::heated(&view.thermometer, is_said || view.external.is_some()));
    found.push(findings::firmware(view.firmware.as_deref()));
    found.push(findings::thermal_protection(view.warning.as_deref(), view.firmware.is_some()));
    found.push(findings::urgent_commands(view.can_interrupt));
    found
}
