//! One run: trouble for a while, then all is well, then everything is looked at.

use std::sync::Arc;
use std::time::Duration;

use stardust_agent::journal::Journal;
use stardust_hub::api::page::PageQuery;
use stardust_hub::params;
use stardust_hub::queue::store;
use stardust_protocol::{Command, JobId, JobState, PrinterId, Timestamp};

use crate::counts::Counts;
use crate::evidence::{CommandEvidence, Evidence, JobEvidence, PrinterEvidence};
use crate::life::Log;
use crate::oracle::judge;
use crate::people;
use crate::plan::Plan;
use crate::process;
use crate::samples;
use crate::template::NAMES;
use crate::time::EPOCH_MS;
use crate::weather;
use crate::world::World;

/// How a run went.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) counts: Counts,
    /// The calls that have moved a job or answered a command.
    pub(crate) moving: Vec<u64>,
    pub(crate) trace: Vec<String>,
    /// Everything that is not as it must be.
    pub(crate) wrong: Vec<String>,
    /// As the hub has them in the end.
    pub(crate) jobs: Vec<JobEvidence>,
}

/// After the trouble everything has to be in order within this time.
const IN_ORDER: Duration = Duration::from_secs(3 * 3600);

/// Does a run.
pub(crate) fn run(plan: Plan, trace: bool) -> Outcome {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let world = World::new(plan, trace);
        let _listening = tracing::subscriber::set_default(Log(Arc::clone(&world)));
        let (jobs, wrong) = go(&world).await;
        world.hub.kill();
        let mut state = world.state();
        let broken = std::mem::take(&mut state.broken);
        Outcome {
            counts: state.counts,
            moving: std::mem::take(&mut state.moving),
            trace: state.trace.told(),
            wrong: broken.into_iter().chain(wrong).collect(),
            jobs,
        }
    })
}

async fn go(world: &Arc<World>) -> (Vec<JobEvidence>, Vec<String>) {
    world.start_hub();
    let mut parts =
        vec![tokio::spawn(people::act(Arc::clone(world))), tokio::spawn(weather::sweep(Arc::clone(world)))];
    for index in 0..world.plan.printers {
        parts.push(tokio::spawn(process::keep(Arc::clone(world), index)));
    }
    let blowing = tokio::spawn(weather::blow(Arc::clone(world)));
    tokio::time::sleep(world.plan.trouble).await;
    blowing.abort();
    weather::calm(world).await;
    world.make_well();
    let mut wrong = Vec::new();
    wrong.extend(in_order(world).await);
    // Whatever has happened: each printer takes the next job and prints it.
    let last: Vec<JobId> =
        (0..world.plan.printers).filter_map(|index| people::wish(world, Some(index))).collect();
    world.after_a_change();
    wrong.extend(in_order(world).await);
    if parts.iter().any(tokio::task::JoinHandle::is_finished) {
        wrong.push("a part of the bench itself has ended".into());
    }
    parts.iter().for_each(tokio::task::JoinHandle::abort);
    let evidence = collect(world);
    for job in evidence.jobs.iter().filter(|job| last.contains(&job.id)) {
        if job.state != JobState::Finished {
            wrong.push(format!("the last job {} was not printed, with nothing wrong any more", job.id));
        }
    }
    count(world, &evidence);
    wrong.extend(judge(&evidence));
    (evidence.jobs, wrong)
}

/// Waits until there is nothing left to do; what is left to do if that takes too long.
async fn in_order(world: &World) -> Option<String> {
    let until = tokio::time::Instant::now() + IN_ORDER;
    loop {
        tokio::time::sleep(Duration::from_millis(20_001)).await;
        let open = people::open_jobs(world);
        // One after the other: most looks end with the first.
        let is_done = open.is_empty()
            && world.state().wishes == 0
            && open_commands(world) == 0
            && (0..world.plan.printers)
                .all(|index| undelivered(world, index) == 0 && !has_untold_samples(world, index));
        if is_done {
            return None;
        }
        if tokio::time::Instant::now() > until {
            let states: Vec<_> = open.iter().map(|job| (job.id, job.state)).collect();
            let commands = open_commands(world);
            let all = 0..world.plan.printers;
            let events: Vec<usize> = all.map(|index| undelivered(world, index)).collect();
            return Some(format!(
                "not in order after {IN_ORDER:?}: jobs {states:?}, {commands} commands, events {events:?}"
            ));
        }
    }
}

fn undelivered(world: &World, index: usize) -> usize {
    Journal::peek(&world.hosts[index].folder.journal()).outbox.len()
}

fn has_untold_samples(world: &World, index: usize) -> bool {
    world.hosts[index].folder.telemetry().exists()
}

fn open_commands(world: &World) -> i64 {
    let sql = "SELECT COUNT(*) AS open FROM commands WHERE outcome IS NULL";
    let row =
        world.hub.inside(move |app| Box::pin(async move { app.db.query_opt(sql, params![]).await.unwrap() }));
    row.flatten().map_or(0, |row| row.get("open").unwrap())
}

fn collect(world: &World) -> Evidence {
    let printers = (0..world.plan.printers).map(|index| {
        let host = &world.hosts[index];
        let mut journal = host.journal.lock().unwrap();
        journal.collect(&host.folder.journal());
        PrinterEvidence {
            name: NAMES[index].into(),
            journal: journal.clone(),
            undelivered: undelivered(world, index),
            last_seq_at_the_hub: last_seq(world, world.template.printer(index)),
            has_untold_samples: has_untold_samples(world, index),
        }
    });
    let printers = printers.collect();
    let workspace = world.template.owner.workspace_id;
    let jobs = world.hub.inside(move |app| {
        Box::pin(async move {
            let ids = app.db.query("SELECT id FROM jobs ORDER BY queued_at, id", params![]).await.unwrap();
            let mut jobs = Vec::new();
            for row in ids {
                let id: JobId = row.get("id").unwrap();
                let job = store::view(&app.db, workspace, id).await.unwrap().row;
                let page = PageQuery { limit: Some(200), cursor: None };
                let page = store::transitions(&app.db, workspace, id, &page).await.unwrap();
                assert!(page.next_cursor.is_none(), "a history of more than one page");
                jobs.push(JobEvidence {
                    id,
                    state: job.state,
                    is_open: job.open,
                    fraction: job.fraction,
                    elapsed_s: job.elapsed_s,
                    history: page.items,
                    samples: Vec::new(),
                });
            }
            jobs
        })
    });
    let mut jobs: Vec<JobEvidence> = jobs.unwrap();
    jobs.iter_mut().for_each(|job| job.samples = samples::collect(world, job.id));
    let seen = world.state().seen.clone();
    Evidence { printers, seen, jobs, commands: commands(world) }
}

fn last_seq(world: &World, printer: PrinterId) -> u64 {
    let sql = "SELECT last_event_seq FROM printers WHERE id = $1";
    let row = world.hub.inside(move |app| {
        Box::pin(async move { app.db.query_opt(sql, params![printer]).await.unwrap().unwrap() })
    });
    row.unwrap().get("last_event_seq").unwrap()
}

fn commands(world: &World) -> Vec<CommandEvidence> {
    let sql = "SELECT id, printer_id, body, created_at, expires_at, outcome FROM commands";
    let rows =
        world.hub.inside(move |app| Box::pin(async move { app.db.query(sql, params![]).await.unwrap() }));
    let since = |at: Timestamp| at.as_millis() - EPOCH_MS;
    let read = |row: &stardust_hub::db::Row| {
        let body: String = row.get("body").unwrap();
        let command: Command = serde_json::from_str(&body).unwrap();
        CommandEvidence {
            id: row.get("id").unwrap(),
            printer: world.template.index(row.get("printer_id").unwrap()),
            command,
            created_ms: since(row.get("created_at").unwrap()),
            expires_ms: row.get::<Option<Timestamp>>("expires_at").unwrap().map(since),
            outcome: row.get("outcome").unwrap(),
        }
    };
    rows.unwrap().iter().map(read).collect()
}

fn count(world: &World, evidence: &Evidence) {
    let counts = &mut world.state().counts;
    let queued_again = |job: &JobEvidence| {
        job.history.iter().skip(1).filter(|moved| moved.to == JobState::Queued).count() as u64
    };
    counts.claims_that_ran_out += evidence.jobs.iter().map(queued_again).sum::<u64>();
    counts.commands += evidence.commands.len() as u64;
    for command in &evidence.commands {
        match command.outcome.as_deref() {
            Some("done") => counts.commands_done += 1,
            Some("expired") => counts.commands_expired += 1,
            _ => counts.commands_refused += 1,
        }
    }
}
