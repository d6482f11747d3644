//! The journal over restarts and torn writes.

use super::*;
use crate::serial::{CutOff, Heaters};
use proptest::prelude::*;
use rstest::rstest;
use stardust_clock::ManualClock;
use stardust_protocol::agent_api::Claim;
use stardust_protocol::{ClaimId, CommandId, CommandOutcome, JobId, JobState, Timestamp};

fn at() -> Timestamp {
    Timestamp::from_millis(1_795_414_380_250)
}

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(last: u8) -> T {
    format!("0190a7c2-6f00-7000-8000-0000000000{last:02x}").parse().unwrap()
}

fn claim() -> Claim {
    Claim {
        job_id: id::<JobId>(1),
        claim_id: id::<ClaimId>(2),
        lease_until: at(),
        file_name: "bracket.gcode".into(),
        size_bytes: 1000,
        sha256: "ab".repeat(32).parse().unwrap(),
        estimated_s: Some(3600),
    }
}

fn moved(state: JobState) -> EventBody {
    EventBody::JobMoved { job_id: id(1), claim_id: id(2), state, reason: None, fraction: 0.5, elapsed_s: 60 }
}

fn journal() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    (folder, path)
}

#[test]
fn everything_is_there_after_a_restart() {
    let (_folder, path) = journal();
    let mut journal = Journal::open(&path).unwrap();
    assert!(journal.state().is_fresh);
    journal.append(&[Record::CountFrom { next_seq: 8 }, Record::Claimed { claim: claim() }]).unwrap();
    journal.keep_event(&*ManualClock::at(at()), moved(JobState::Transferring), []);
    journal.keep_event(
        &*ManualClock::at(at()),
        moved(JobState::Printing),
        [Record::Started { job_id: id(1) }],
    );
    journal.append(&[Record::Acknowledged { seq: 8 }]).unwrap();
    let command: CommandId = id(3);
    journal.append(&[Record::Answered { command_id: command, outcome: CommandOutcome::Done }]).unwrap();
    let before = journal.state().clone();
    drop(journal);
    let journal = Journal::open(&path).unwrap();
    assert_eq!(journal.state(), &before);
    assert_eq!(journal.state().next_seq, 10);
    assert_eq!(journal.state().outbox.iter().map(|event| event.seq).collect::<Vec<_>>(), [9]);
    assert_eq!(
        journal.state().held,
        Some(Held { claim: claim(), started: true, reported: Some(JobState::Printing), cut_off: None })
    );
    assert_eq!(journal.state().outcome_of(command), Some(&CommandOutcome::Done));
}

/// It may have been paused, and reported so, before its printer lost its power: a kill between these two records loses nothing.
#[test]
fn that_a_paused_job_was_cut_off_is_still_to_be_told() {
    let (_folder, path) = journal();
    let mut journal = Journal::open(&path).unwrap();
    journal.append(&[Record::Claimed { claim: claim() }, Record::Started { job_id: id(1) }]).unwrap();
    let reported = |journal: &Journal| journal.state().held.as_ref().unwrap().reported;
    let is_paused = |journal: &mut Journal| {
        journal.keep_event(&*ManualClock::at(at()), moved(JobState::Paused), []);
        assert_eq!(reported(journal), Some(JobState::Paused));
    };
    is_paused(&mut journal);
    let cut_off = || Record::CutOff {
        job_id: id(1),
        place: CutOff {
            reason: "It was reset.".into(),
            layer: 2,
            height_mm: Some(5.5),
            parked: true,
            acknowledged: 90,
            extruder_rule: stardust_gcode::modal::ExtruderRule::GoesAlong,
        },
        printed_s: 60,
    };
    journal.append(&[cut_off()]).unwrap();
    drop(journal);
    let mut journal = Journal::open(&path).unwrap();
    assert_eq!(reported(&journal), None);
    is_paused(&mut journal);
    // Every process that begins with it keeps it anew.
    journal.append(&[cut_off()]).unwrap();
    assert_eq!(reported(&journal), Some(JobState::Paused), "it was told");
}

#[test]
fn numbers_go_on_when_everything_was_acknowledged() {
    let (_folder, path) = journal();
    let mut journal = Journal::open(&path).unwrap();
    journal.keep_event(
        &*ManualClock::at(at()),
        moved(JobState::Failed),
        [Record::Ended { job_id: id(1), claim_id: id(2) }],
    );
    journal.append(&[Record::Acknowledged { seq: 1 }]).unwrap();
    drop(journal);
    let journal = Journal::open(&path).unwrap();
    assert_eq!((journal.state().next_seq, journal.state().is_fresh), (2, false));
    assert!(journal.state().has_ended(id(2)) && !journal.state().has_ended(id(3)));
}

#[test]
fn the_file_as_it_is_written() {
    let (_folder, path) = journal();
    let mut journal = Journal::open(&path).unwrap();
    journal.count_on_from(0);
    journal.append(&[Record::Claimed { claim: claim() }]).unwrap();
    journal.keep_event(
        &*ManualClock::at(at()),
        moved(JobState::Printing),
        [Record::Started { job_id: id(1) }],
    );
    insta::assert_snapshot!(std::fs::read_to_string(&path).unwrap(), @r#"
    {"record":"begun"}
    {"record":"claimed","claim":{"job_id":"0190a7c2-6f00-7000-8000-000000000001","claim_id":"0190a7c2-6f00-7000-8000-000000000002","lease_until":"2026-11-23T06:13:00.250Z","file_name":"bracket.gcode","size_bytes":1000,"sha256":"abababababababababababababababababababababababababababababababab","estimated_s":3600}}
    {"record":"event","seq":1,"at":"2026-11-23T06:13:00.250Z","kind":"job_moved","job_id":"0190a7c2-6f00-7000-8000-000000000001","claim_id":"0190a7c2-6f00-7000-8000-000000000002","state":"printing","fraction":0.5,"elapsed_s":60}
    {"record":"started","job_id":"0190a7c2-6f00-7000-8000-000000000001"}
    "#);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_torn_end_costs_no_more_than_what_was_torn(cut in 0_usize..900) {
        let (_folder, path) = journal();
        let mut journal = Journal::open(&path).unwrap();
        journal.count_on_from(0);
        journal.append(&[Record::Claimed { claim: claim() }]).unwrap();
        for state in [JobState::Transferring, JobState::Printing, JobState::AwaitingRemoval] {
            journal.keep_event(&*ManualClock::at(at()), moved(state), []);
        }
        drop(journal);
        let bytes = std::fs::read(&path).unwrap();
        let kept = &bytes[..cut.min(bytes.len())];
        let whole = kept.iter().filter(|byte| **byte == b'\n').count();
        std::fs::write(&path, kept).unwrap();
        let mut journal = Journal::open(&path).unwrap();
        let state = journal.state();
        let read = state.outbox.len() + usize::from(state.held.is_some());
        // A line without its end may be whole all the same; the first one says that there is a journal, and no more.
        prop_assert!((whole.saturating_sub(1)..=whole).contains(&read));
        let next = state.next_seq;
        journal.keep_event(&*ManualClock::at(at()), moved(JobState::Failed), []);
        drop(journal);
        prop_assert_eq!(Journal::open(&path).unwrap().state().next_seq, next + 1);
    }
}

/// What a record of this kind says of heat, or of the job that owes by itself.
fn of_heat(kind: usize) -> Record {
    let heaters = |tools: &[u32], chamber| Heaters {
        tools: tools.iter().copied().collect(),
        chamber,
        ..Heaters::default()
    };
    let owes = |port: &str, in_place, heaters| -> Record {
        HeatOwed { port: Some(port.into()), in_place, heaters, ..HeatOwed::default() }.into()
    };
    match kind {
        0 => Record::Claimed { claim: claim() },
        1 => Record::Started { job_id: claim().job_id },
        2 => Record::Ended { job_id: claim().job_id, claim_id: claim().claim_id },
        3 => owes("/dev/a", false, heaters(&[0], false)),
        4 => owes("/dev/b", false, heaters(&[1], true)),
        5 => owes("/dev/b", true, heaters(&[], false)),
        6 => Record::HeatSettled { port: Some("/dev/a".into()) },
        7 => Record::HeatSettled { port: Some("/dev/b".into()) },
        _ => LAST_SETTLED,
    }
}

proptest! {
    /// Each start rewrites it to its essence.
    #[test]
    fn restarts_change_nothing_of_what_is_owed(kinds in proptest::collection::vec(0_usize..9, 0..12)) {
        let (mut state, mut rewritten) = (State::default(), State::default());
        for kind in kinds {
            state.apply(&of_heat(kind));
            rewritten.apply(&of_heat(kind));
            let essence = rewritten.compacted();
            rewritten = State::default();
            essence.iter().for_each(|record| rewritten.apply(record));
            prop_assert_eq!(&rewritten.heat, &state.heat);
        }
    }
}

/// As agents before 0.2 have written it.
const LAST_SETTLED: Record = Record::HeatSettled { port: None };

fn owed(port: &str, in_place: bool) -> Record {
    HeatOwed { port: Some(port.into()), in_place, ..HeatOwed::default() }.into()
}

#[test]
fn what_a_person_heats_at_another_port_does_not_make_the_first_one_forgotten_and_a_job_does() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let port =
        || Journal::peek(&path).heat.latest().map(|owed| owed.port.as_ref().unwrap().display().to_string());
    let append = |records: &[Record]| Journal::open(&path).unwrap().append(records).unwrap();
    append(&[owed("/dev/a", false)]);
    append(&[owed("/dev/a", true), owed("/dev/b", true), owed("/dev/b", true)]);
    assert_eq!(port().as_deref(), Some("/dev/b"));
    append(&[LAST_SETTLED]);
    assert_eq!(port().as_deref(), Some("/dev/a"), "also over restarts");
    append(&[owed("/dev/b", false), LAST_SETTLED]);
    assert_eq!(port(), None);
    // Bounded.
    for number in 0..20 {
        append(&[owed(&format!("/dev/{number}"), true)]);
    }
    for number in [19, 18, 17, 16, 15] {
        assert_eq!(port(), Some(format!("/dev/{number}")));
        append(&[LAST_SETTLED]);
    }
    assert_eq!(port(), None);
}

#[rstest]
#[case::torn("{\"record\":\"heat_settled\"}\n{\"record\":\"he", false)]
#[case::damaged("{\"recrd\":\"heat_owed\"}\n{\"record\":\"count_from\",\"next_seq\":7}\n", true)]
#[case::damaged_in_its_last_line(
    "{\"record\":\"count_from\",\"next_seq\":7}\n{\"recrd\":\"heat_owed\"}\n",
    true
)]
#[case::zeroed("\0\0\0\0\0\0", true)]
#[case::zeroed_in_its_middle(
    "{\"record\":\"count_from\",\"next_seq\":7}\n\0\0\0\n{\"record\":\"heat_settled\"}\n",
    true
)]
#[case::empty("", false)]
fn a_damaged_journal_counts_as_owing(#[case] text: &str, #[case] owes: bool) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    std::fs::write(&path, text).unwrap();
    assert_eq!(Journal::look(&path).unwrap().heat.is_empty(), !owes);
    assert_eq!(Journal::open(&path).unwrap().state().heat.is_empty(), !owes);
    assert_eq!(Journal::look(&path).unwrap().heat.is_empty(), !owes, "and stays so");
}

/// What was read back at one port says nothing of another, whichever was written down later.
#[test]
fn a_debt_is_settled_at_its_own_port() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let append = |records: &[Record]| Journal::open(&path).unwrap().append(records).unwrap();
    let ports = || -> Vec<String> {
        let state = Journal::peek(&path);
        let port = |owed: &HeatOwed| owed.port.as_ref().map_or("?".into(), |port| port.display().to_string());
        state.heat.iter().map(port).collect()
    };
    append(&[owed("/dev/a", true), owed("/dev/b", true)]);
    append(&[HeatOwed { port: Some("/dev/a".into()), ..HeatOwed::default() }.settled()]);
    assert_eq!(ports(), ["/dev/b"]);
    append(&[HeatOwed { port: Some("/dev/a".into()), ..HeatOwed::default() }.settled()]);
    assert_eq!(ports(), ["/dev/b"], "nothing is owed there");
    // Damage: something is owed, and nobody knows where.
    let mut text = std::fs::read(&path).unwrap();
    text.extend(b"{\"recrd\":1}\n");
    std::fs::write(&path, text).unwrap();
    assert_eq!(ports(), ["/dev/b", "?"]);
    append(&[HeatOwed::default().settled()]);
    assert_eq!(ports(), ["/dev/b"]);
}
