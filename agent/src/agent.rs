//! The whole agent: every paired printer, each in a task of its own, and those that wait for their PIN to be typed.
//!
//! Owns: finding printers, starting them again after a fault or a later pairing, and answering who asks for the status.
//! A fault of one printer stays with it. Must not know: what one printer does.

mod alive;
mod found;
mod left;
mod seat;
mod unable;
mod unread;
mod waiting;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use stardust_clock::SharedClock;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::port::PortStore;
use crate::printer::report::AgentReport;
use crate::settings::Settings;
use crate::status_page::StatusPage;
use crate::status_socket::{self, Question};
use crate::systemd::ServiceManager;
use seat::Seat;
pub use unable::make_all_safe;

/// An agent that is ended in its first moment looks for its printers all the same, and gives their seats up after so long. (What was
/// left hot is still looked for then, however slow the disk: a service manager puts an end to that.)
const FIRST_LOOK: Duration = Duration::from_secs(10);
/// Newly paired printers are found this soon.
const LOOK_FOR_PRINTERS: Duration = Duration::from_secs(2);

/// Drives every printer that is paired or gets paired, until `stop` turns true; leaves all of them safe.
///
/// `ports` are those that an earlier process has left open. The answer: the names of printers that may be hot all the same.
pub async fn run(
    settings: &Settings,
    clock: SharedClock,
    ports: PortStore,
    stop: watch::Receiver<bool>,
) -> Vec<String> {
    let (ask, mut questions) = mpsc::channel::<Question>(8);
    let mut answering = JoinSet::new();
    match status_socket::open(&settings.data) {
        Ok(sockets) => {
            sockets.into_iter().for_each(|socket| drop(answering.spawn(socket.serve(ask.clone()))))
        }
        Err(error) => tracing::warn!(error = %error, "`stardust-agent status` can't ask this agent"),
    }
    let page = open_page(settings, &ask, &mut answering).await;
    let mut left = JoinSet::new();
    left.spawn(left::look_after(settings.clone(), clock.clone(), ports.clone(), stop.clone()));
    let mut seats: BTreeMap<PathBuf, Seat> = BTreeMap::new();
    let mut said_how_to_pair = false;
    let mut said_of_nobody = Vec::new();
    let mut stopping = stop.clone();
    let mut service = ServiceManager::default();
    let mut found = found::looking(settings, LOOK_FOR_PRINTERS, &mut answering);
    // Whoever ends it before it has looked for the first time: a printer that was left hot is seen to all the same.
    let mut has_looked = false;
    while !*stopping.borrow() || !has_looked && clock.elapsed() < FIRST_LOOK {
        let there = found.borrow_and_update().clone();
        let Some(there) = there else {
            let _ = tokio::time::timeout(LOOK_FOR_PRINTERS, found.changed()).await;
            continue;
        };
        has_looked = true;
        if there.of_nobody != said_of_nobody {
            there.of_nobody.iter().for_each(|section| {
                tracing::warn!(why = section, "a section of the configuration sets nothing")
            });
            said_of_nobody = there.of_nobody;
        }
        for (folder, port) in there.paired {
            let path = folder.path().to_owned();
            // Who waited for a PIN has been paired.
            if seats.get(&path).is_some_and(Seat::is_over) {
                seats.remove(&path);
            }
            seats
                .entry(path)
                .or_insert_with(|| Seat::paired(folder, clock.clone(), ports.clone(), stop.clone()))
                .is_at(port);
        }
        for unpaired in there.unpaired {
            let is_known = seats.contains_key(unpaired.folder.path());
            let may_wait = unpaired.is_named || seats.is_empty();
            if let (Some(hub), true) = (&settings.hub, may_wait && !is_known) {
                let path = unpaired.folder.path().to_owned();
                seats.insert(path, Seat::waiting(unpaired, hub.clone(), clock.clone(), stop.clone()));
            }
        }
        if seats.is_empty() && !said_how_to_pair {
            said_how_to_pair = true;
            tracing::warn!("{}", how_to_pair(settings));
        }
        for seat in seats.values_mut() {
            seat.note_errors(&clock);
        }
        alive::tell(&mut service, seats.values_mut(), clock.elapsed());
        if *stopping.borrow() {
            break;
        }
        tokio::select! {
            _ = stopping.changed() => {}
            Some(question) = questions.recv() => {
                let printers = seats.values_mut().map(|seat| { seat.note_errors(&clock); seat.entry() }).collect();
                let (at, pid, version) = (clock.now(), std::process::id(), env!("CARGO_PKG_VERSION").into());
                // Who has gone away needs no answer.
                let _ = question.send(AgentReport { at, pid, version, status_page: page.clone(), printers });
            }
            Ok(()) = found.changed() => {}
            () = tokio::time::sleep(LOOK_FOR_PRINTERS) => {}
        }
    }
    service.tell_stopping();
    for (_, seat) in seats {
        seat.ended().await;
    }
    // A task that has panicked has been reported where it happened.
    let _ = left.join_next().await;
    answering.shutdown().await;
    left::still_hot(settings).await.unwrap_or_else(|error| {
        tracing::error!(error = %error, "whether a printer is hot can't be found out");
        Vec::new()
    })
}

/// The status page, where one is wanted and can be had: its address. No print depends on it.
async fn open_page(
    settings: &Settings,
    ask: &mpsc::Sender<Question>,
    answering: &mut JoinSet<()>,
) -> Option<String> {
    match StatusPage::open(settings.status_page?).await {
        Ok(page) => {
            let url = page.url();
            tracing::info!(url, "the status page, for a browser on this machine");
            answering.spawn(page.serve(ask.clone()));
            Some(url)
        }
        Err(error) => {
            tracing::warn!(error, "there is no status page");
            None
        }
    }
}

fn how_to_pair(settings: &Settings) -> &'static str {
    if settings.hub.is_some() {
        "no printer is paired yet: plug one in; where there are several serial ports, name each in the configuration: \
         [printer.<name>] with port = \"…\""
    } else {
        "no printer is paired yet: make a code on the dashboard (Add printer) and run `stardust-agent pair`"
    }
}
