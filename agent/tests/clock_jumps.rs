//! The clock of the printer's host stands in 1970 and is set in the middle of everything, as on a Raspberry Pi without a
//! network: what the hub is told keeps its order and its age. The hub is the stand-in over HTTP; the clock is moved by hand.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod stand_in;

use std::time::Duration;

use stand_in::hub::{Hub, TOKEN};
use stardust_agent::disk_work::DiskWork;
use stardust_agent::hub_link::client::{Credential, HubClient};
use stardust_agent::hub_link::commands::{Verdict, judge};
use stardust_agent::hub_link::events::{SharedJournal, deliver};
use stardust_agent::hub_link::hub_time::HubTime;
use stardust_agent::journal::{Journal, Record};
use stardust_clock::{Clock, ManualClock};
use stardust_protocol::{
    Command, CommandMessage, CommandOutcome, EventBody, JobState, ProtocolVersion, Timestamp,
};

fn moved(state: JobState) -> EventBody {
    EventBody::JobMoved {
        job_id: "0190a7c2-6f00-7000-8000-000000000001".parse().unwrap(),
        claim_id: "0190a7c2-6f00-7000-8000-000000000002".parse().unwrap(),
        state,
        reason: None,
        fraction: 0.0,
        elapsed_s: 0,
    }
}

#[tokio::test]
async fn what_happened_before_the_clock_was_set_is_told_by_the_hubs_time() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let hub = Hub::start();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let boot = Timestamp::from_millis(5_000);
    let clock = ManualClock::at(boot);
    // An earlier process of this host, which nobody can tell the age of.
    Journal::open(&path).unwrap().keep_event(&*clock, moved(JobState::Transferring), []);

    let journal = SharedJournal::new(Journal::open(&path).unwrap(), DiskWork::on_threads());
    clock.advance(Duration::from_secs(100));
    journal.lock().keep_event(&*clock, moved(JobState::Printing), []);
    clock.advance(Duration::from_secs(300));
    // The network is there: the hub says what time it is, and then the clock of the host is set, too far.
    let client = HubClient::new(hub.url.parse().unwrap(), Some(Credential::new(TOKEN)), None);
    let session = client.session().await.unwrap();
    journal.hub_says(HubTime::said(session.now, clock.elapsed()), session.last_event_seq);
    clock.set(session.now.plus_millis(3_600_000));
    clock.advance(Duration::from_secs(60));
    journal.lock().keep_event(&*clock, moved(JobState::AwaitingRemoval), []);
    clock.advance(Duration::from_secs(1));

    let (done, mut told) = tokio::sync::mpsc::unbounded_channel();
    let delivery =
        tokio::spawn(deliver(client, journal.clone(), clock.clone(), move |how| drop(done.send(how))));
    told.recv().await.unwrap();
    delivery.abort();
    let at: Vec<Timestamp> = hub.state.lock().unwrap().events.iter().map(|event| event.at).collect();
    assert_eq!(at, [boot, session.now.plus_millis(-300_000), session.now.plus_millis(60_000)]);
    assert!(journal.is_delivered());
}

/// A command that is good for a minute, while the host's clock goes wild.
#[test]
fn a_jump_of_the_clock_changes_nothing_about_when_a_command_expires() {
    let now = Timestamp::from_millis(1_795_414_380_250);
    let clock = ManualClock::at(Timestamp::from_millis(0));
    let hub = HubTime::said(now, clock.elapsed());
    let message = CommandMessage {
        protocol: ProtocolVersion::CURRENT,
        id: Some("0190a7c2-6f00-7000-8000-000000000003".parse().unwrap()),
        at: now,
        expires_at: Some(now.plus_millis(60_000)),
        command: Command::Pause { job_id: "0190a7c2-6f00-7000-8000-000000000001".parse().unwrap() },
    };
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(&folder.path().join("journal.jsonl")).unwrap();
    journal.append(&[Record::CountFrom { next_seq: 1 }]).unwrap();
    for (set_to, passes, carried_out) in
        [(now.plus_millis(86_400_000), 30, true), (now, 29, true), (now, 2, false)]
    {
        clock.set(set_to);
        clock.advance(Duration::from_secs(passes));
        let verdict = judge(&message, journal.state(), hub.at(clock.elapsed()));
        match verdict {
            Verdict::CarryOut(..) => assert!(carried_out, "{:?}", clock.elapsed()),
            Verdict::Answer(_, CommandOutcome::Expired) => assert!(!carried_out, "{:?}", clock.elapsed()),
            other => panic!("{other:?}"),
        }
    }
}
