//! The people at the hub: they wish for prints, pause, go on, cancel, and clear beds, when they feel like it.

use std::sync::Arc;
use std::time::Duration;

use stardust_hub::error::Error;
use stardust_hub::queue::job::JobRow;
use stardust_hub::queue::submit::{Wish, submit};
use stardust_hub::queue::wanted::Wanted;
use stardust_hub::queue::{control, store};
use stardust_protocol::{JobId, JobState};

use crate::dice::Dice;
use crate::world::{Bed, World};

/// Does what people do, for as long as the run lasts.
pub(crate) async fn act(world: Arc<World>) {
    let mut dice = Dice::new(world.plan.seed, 5);
    loop {
        let is_well = world.state().is_well;
        // No two things happen in the same millisecond: which comes first would be left to chance.
        let pause = if is_well { Duration::from_millis(15_003) } else { dice.seconds(3, 30) };
        tokio::time::sleep(pause).await;
        if !world.state().hub_is_up {
            continue;
        }
        if world.state().wishes > 0 && (is_well || dice.percent(40)) {
            world.state().wishes -= 1;
            let anywhere = world.plan.printers == 1 || dice.percent(70);
            let only = (!anywhere).then(|| dice.below(world.plan.printers as u64));
            wish(&world, only.map(|index| usize::try_from(index).unwrap()));
            world.after_a_change();
        }
        let mut has_acted = false;
        for job in open_jobs(&world) {
            has_acted |= look_at(&world, &job, &mut dice);
        }
        if has_acted {
            world.after_a_change();
        }
    }
}

/// Whether anything was done.
fn look_at(world: &World, job: &JobRow, dice: &mut Dice) -> bool {
    let is_well = world.state().is_well;
    if job.needs_removal() {
        let clears = is_well || dice.percent(60);
        if clears {
            clear(world, job);
        }
        return clears;
    }
    if job.state == JobState::Paused && (is_well || dice.percent(30)) {
        request(world, job, Wanted::Resume);
        return true;
    }
    if !dice.percent(world.rates().whim) {
        return false;
    }
    let wanted = match dice.below(10) {
        0..6 => Wanted::Pause,
        6..8 => Wanted::Resume,
        _ => Wanted::Cancel,
    };
    request(world, job, wanted);
    true
}

/// Puts a job into the queue.
pub(crate) fn wish(world: &World, printer: Option<usize>) -> Option<JobId> {
    world.hub.clock.set(world.ms());
    let (owner, file_id) = (world.template.owner.clone(), world.template.file);
    let printer_id = printer.map(|index| world.template.printer(index));
    let job = world.hub.inside(move |app| {
        Box::pin(async move {
            let wish = Wish { file_id, printer_id, even_if_cut_off: false, idempotency_key: None };
            submit(&app, &owner, wish).await.unwrap().id
        })
    })?;
    world.state().counts.jobs += 1;
    world.note(|| format!("Owner wants job {job}, printer {printer:?}"));
    Some(job)
}

/// What is in the queue or on a printer.
pub(crate) fn open_jobs(world: &World) -> Vec<JobRow> {
    let jobs = world.hub.inside(|app| Box::pin(async move { store::open(&app.db).await.unwrap() }));
    let mut jobs: Vec<JobRow> = jobs.into_iter().flatten().map(|job| job.row).collect();
    // What was wished for in the same millisecond was one for each printer; which of their ids is lower is left to chance.
    jobs.sort_by_key(|job| {
        (job.queued_at, job.printer_id.map(|printer| world.template.index(printer)), job.id)
    });
    jobs
}

fn request(world: &World, job: &JobRow, wanted: Wanted) {
    world.hub.clock.set(world.ms());
    let (owner, id) = (world.template.owner.clone(), job.id);
    let asked = world.hub.inside(move |app| {
        Box::pin(
            async move { control::request(&app, &owner, id, wanted).await.map(|done| done.waits_for_agent) },
        )
    });
    world.note(|| format!("Owner asks {wanted:?} of job {id}: {asked:?}"));
    match asked {
        Some(Ok(waits)) => {
            world.state().counts.jobs_cancelled_before_their_start +=
                u64::from(wanted == Wanted::Cancel && !waits && !job.state.is_running());
        }
        Some(Err(Error::Conflict { .. })) | None => {}
        Some(Err(error)) => world.broken(format!("a request failed: {error}")),
    }
}

/// Takes what lies there off the bed, and says so.
fn clear(world: &World, job: &JobRow) {
    let printer = job.printer_id.expect("a job whose bed is to be cleared is on a printer");
    let index = world.template.index(printer);
    {
        let mut bed = world.hosts[index].bed.lock().unwrap();
        if *bed == Bed::AtWork {
            drop(bed);
            return world.broken("a bed is to be cleared on which something is being printed".into());
        }
        *bed = Bed::Clear;
    }
    world.hub.clock.set(world.ms());
    let (owner, id) = (world.template.owner.clone(), job.id);
    let cleared = world.hub.inside(move |app| {
        Box::pin(async move { control::confirm_removal(&app, &owner, id).await.map(drop) })
    });
    world.note(|| format!("Owner clears the bed of job {id}: {cleared:?}"));
    if let Some(Err(error)) = cleared {
        world.broken(format!("a cleared bed could not be confirmed: {error}"));
    }
}
