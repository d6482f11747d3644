//! The oracle sees each kind of fault in evidence that has it.

use stardust_hub::queue::job::JobTransition;
use stardust_protocol::{
    AgentEvent, ClaimId, Command, CommandId, CommandOutcome, EventBody, JobId, JobState, TelemetrySample,
    Timestamp,
};

use crate::evidence::{
    CommandEvidence, Evidence, Given, JobEvidence, JournalFile, Ordered, PrinterEvidence, Seen, Start,
};
use crate::oracle::judge;
use crate::samples::Kept;
use crate::time::at;

fn moved(to: JobState, at: Timestamp, by: &str) -> JobTransition {
    JobTransition { from: None, to, at, reason: None, by: Some(by.into()) }
}

/// A job that was claimed, printed, paused once, cleared; everything is well.
fn sound() -> Evidence {
    let what = Given { printer: 0, job: JobId::generate(at(0)), claim: ClaimId::generate(at(0)) };
    let command = CommandId::generate(at(0));
    let states = [
        JobState::Transferring,
        JobState::Printing,
        JobState::Pausing,
        JobState::Paused,
        JobState::Resuming,
        JobState::Printing,
        JobState::AwaitingRemoval,
    ];
    let mut bodies: Vec<EventBody> = states
        .iter()
        .map(|state| EventBody::JobMoved {
            job_id: what.job,
            claim_id: what.claim,
            state: *state,
            reason: None,
            fraction: 0.5,
            elapsed_s: 60,
        })
        .collect();
    bodies.insert(2, EventBody::CommandAnswered { command_id: command, outcome: CommandOutcome::Done });
    let mut journal = JournalFile::default();
    for (seq, body) in (1..).zip(bodies) {
        journal.event(AgentEvent { seq, at: at(seq as i64), body });
    }
    let mut history = vec![moved(JobState::Queued, at(0), "Owner"), moved(JobState::Claimed, at(0), "Left")];
    for event in journal.events.values() {
        if let EventBody::JobMoved { state, .. } = &event.body {
            history.push(moved(*state, event.at, "Left"));
        }
    }
    history.insert(3, moved(JobState::Preparing, at(1), "Left"));
    history.push(moved(JobState::Finished, at(99), "Owner"));
    let last_seq_at_the_hub = journal.events.len() as u64;
    let mut told = Seen::default();
    told.told(50, 0, journal.events.values().cloned().collect());
    let heat = Default::default();
    let sample =
        TelemetrySample { job_id: what.job, number: 7, at: at(40), fraction: 0.1, layer: None, heat };
    told.sampled(50, vec![sample]);
    let start =
        Start { what, was_clear: true, was_written: true, is_whole: true, done_before: Default::default() };
    Evidence {
        printers: vec![PrinterEvidence {
            name: "Left".into(),
            journal,
            undelivered: 0,
            last_seq_at_the_hub,
            has_untold_samples: false,
        }],
        seen: Seen {
            claims: vec![what],
            leaves: vec![what],
            starts: vec![start],
            orders: vec![Ordered { at_ms: 3, printer: 0, is_pause: true }],
            told: told.told,
            samples: told.samples,
        },
        jobs: vec![JobEvidence {
            id: what.job,
            state: JobState::Finished,
            is_open: false,
            fraction: 1.0,
            elapsed_s: 60,
            history,
            samples: vec![Kept { number: 7, at: at(40) }],
        }],
        commands: vec![CommandEvidence {
            id: command,
            printer: 0,
            command: Command::Pause { job_id: what.job },
            created_ms: 1,
            expires_ms: Some(60_001),
            outcome: Some("done".into()),
        }],
    }
}

#[test]
fn nothing_is_wrong_where_everything_is_well() {
    assert_eq!(judge(&sound()), Vec::<String>::new());
}

type Spoil = fn(&mut Evidence);

#[test]
fn each_fault_is_seen() {
    let spoils: [(&str, Spoil); 27] = [
        ("of event 3 the hub was told", |e| drop(e.seen.told.remove(&(0, 3)))),
        ("of event 3 the hub was told", |e| {
            let other = e.seen.told[&(0, 4)].event.body.clone();
            e.seen.told.get_mut(&(0, 3)).unwrap().event.body = other;
        }),
        ("event 8 was told from the future", |e| {
            e.seen.told.get_mut(&(0, 8)).unwrap().event.at = at(20_051);
        }),
        ("was started twice", |e| e.seen.starts.push(e.seen.starts[0].clone())),
        ("was started without leave", |e| e.seen.leaves.clear()),
        ("on a bed that was not clear", |e| e.seen.starts[0].was_clear = false),
        ("before its start was written down", |e| e.seen.starts[0].was_written = false),
        ("with another file", |e| e.seen.starts[0].is_whole = false),
        ("after the agent had cancelled it", |e| {
            e.commands[0].command = Command::Cancel { job_id: e.jobs[0].id };
            e.seen.starts[0].done_before.insert(e.commands[0].id);
        }),
        ("given to two claims", |e| {
            let other = Given { claim: ClaimId::generate(at(5)), ..e.seen.leaves[0] };
            e.seen.leaves.push(other);
        }),
        ("is not the journal's", |e| drop(e.jobs[0].history.remove(5))),
        ("is not the journal's", |e| {
            let again = e.jobs[0].history[4].clone();
            e.jobs[0].history.insert(5, again);
        }),
        ("is not the journal's", |e| e.jobs[0].history.swap(5, 6)),
        ("is not the journal's", |e| e.jobs[0].history[5].reason = Some("Nobody said so.".into())),
        ("is not the journal's", |e| drop(e.printers[0].journal.events.remove(&5))),
        ("have gaps", |e| drop(e.printers[0].journal.events.remove(&5))),
        ("the hub has applied", |e| e.printers[0].last_seq_at_the_hub -= 1),
        ("never acknowledged", |e| e.printers[0].undelivered = 1),
        ("two events have the number 3", |e| {
            let other = AgentEvent { at: at(1000), ..e.printers[0].journal.events[&3].clone() };
            e.printers[0].journal.event(other);
        }),
        ("came to (0.4, 60)", |e| e.jobs[0].fraction = 0.4),
        ("has not come to its end", |e| e.jobs[0].is_open = true),
        ("were never delivered", |e| e.printers[0].has_untold_samples = true),
        ("has samples twice", |e| e.jobs[0].samples.extend_from_within(..)),
        ("it was told []", |e| e.seen.samples.clear()),
        ("the hub has samples {}", |e| e.jobs[0].samples.clear()),
        ("a sample is kept as of", |e| e.jobs[0].samples[0].at = at(39)),
        ("the hub says expired, the agent done", |e| e.commands[0].outcome = Some("expired".into())),
    ];
    for (expected, spoil) in spoils {
        let mut evidence = sound();
        spoil(&mut evidence);
        let wrong = judge(&evidence).join("\n");
        assert!(wrong.contains(expected), "{expected}: {wrong}");
    }
}

#[test]
fn an_order_needs_a_command_of_its_own_that_has_not_expired() {
    for (at_ms, times) in [(60_002, 1), (0, 1), (3, 2)] {
        let mut evidence = sound();
        evidence.seen.orders = vec![Ordered { at_ms, printer: 0, is_pause: true }; times];
        assert_eq!(judge(&evidence).len(), 1, "{at_ms} {times}");
    }
}

#[test]
fn what_the_hub_took_away_may_end_early_but_not_in_the_middle() {
    let mut evidence = sound();
    let job = &mut evidence.jobs[0];
    job.history = vec![
        moved(JobState::Queued, at(0), "Owner"),
        moved(JobState::Claimed, at(0), "Left"),
        moved(JobState::Cancelled, at(3), "Owner"),
    ];
    (job.state, job.fraction, job.elapsed_s) = (JobState::Cancelled, 0.0, 0);
    evidence.seen.leaves.clear();
    evidence.seen.starts.clear();
    assert_eq!(judge(&evidence), Vec::<String>::new());
    // The second of the journal's moves without the first.
    evidence.jobs[0].history.insert(2, moved(JobState::Printing, at(2), "Left"));
    assert_eq!(judge(&evidence).len(), 1);
}
