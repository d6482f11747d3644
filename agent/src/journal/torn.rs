//! The journal on a disk that fails in any order, and processes that die at any moment: what only memory knew is lost
//! with them, and nothing else.

use super::*;
use proptest::prelude::*;
use stardust_clock::ManualClock;
use stardust_protocol::{AgentEvent, CommandOutcome, Timestamp};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// What the next writing does.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fate {
    Works,
    /// So much of it gets through, in 256ths, and it fails; what got through can't be cut away.
    Fails(u8),
    /// All of it gets through, and it is said to have failed.
    FailsInTheEnd,
}

/// A disk: what is on it outlives the process.
#[derive(Debug, Clone, Default)]
pub(super) struct Disk(Arc<Mutex<(Vec<u8>, VecDeque<Fate>)>>);

impl Medium for Disk {
    fn append(&mut self, text: &[u8]) -> Result<(), Unwritten> {
        let mut disk = self.0.lock().unwrap();
        let (through, works) = match disk.1.pop_front().unwrap_or(Fate::Works) {
            Fate::Works => (text.len(), true),
            Fate::Fails(part) => (text.len() * usize::from(part) / 256, false),
            Fate::FailsInTheEnd => (text.len(), false),
        };
        disk.0.extend_from_slice(&text[..through]);
        if works { Ok(()) } else { Err(full(through > 0)) }
    }

    fn replace(&mut self, text: &[u8]) -> Result<(), Unwritten> {
        let mut disk = self.0.lock().unwrap();
        let fate = disk.1.pop_front().unwrap_or(Fate::Works);
        let through = !matches!(fate, Fate::Fails(_));
        if through {
            disk.0 = text.to_vec();
        }
        if matches!(fate, Fate::Works) { Ok(()) } else { Err(full(through)) }
    }
}

fn full(may_be_there: bool) -> Unwritten {
    Unwritten { source: std::io::ErrorKind::StorageFull.into(), may_be_there }
}

impl Disk {
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().0.clone()
    }

    pub(super) fn fails(&self, fates: Vec<Fate>) {
        self.0.lock().unwrap().1.extend(fates);
    }

    pub(super) fn works(&self) {
        self.0.lock().unwrap().1.clear();
    }

    fn open(&self) -> Journal {
        let bytes = self.0.lock().unwrap().0.clone();
        Journal::on(Box::new(self.clone()), Path::new("journal"), &bytes)
    }
}

#[derive(Debug, Clone)]
enum Step {
    /// The next writings go so.
    Disk(Vec<Fate>),
    Happens,
    Claims,
    Starts,
    /// So many of the outbox are posted; the answer arrives or not.
    Delivers(usize, bool),
    CatchesUp,
    Dies,
    /// From now on it works.
    Repaired,
}

pub(super) fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![Just(Fate::Works), any::<u8>().prop_map(Fate::Fails), Just(Fate::FailsInTheEnd)]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => prop::collection::vec(fate(), 1..6).prop_map(Step::Disk),
        5 => Just(Step::Happens),
        1 => Just(Step::Claims),
        1 => Just(Step::Starts),
        3 => (1_usize..4, any::<bool>()).prop_map(|(count, heard)| Step::Delivers(count, heard)),
        2 => Just(Step::CatchesUp),
        1 => Just(Step::Dies),
    ]
}

/// The hub, which applies each number once.
#[derive(Default)]
pub(super) struct Hub {
    pub(super) last: u64,
    /// What it has applied, by what it says.
    pub(super) applied: Vec<String>,
}

impl Hub {
    pub(super) fn take(&mut self, events: &[AgentEvent]) -> u64 {
        for event in events {
            if event.seq > self.last {
                self.applied.push(name_of(event));
                self.last = event.seq;
            }
        }
        self.last
    }
}

pub(super) fn clock() -> Arc<ManualClock> {
    ManualClock::at(Timestamp::from_millis(0))
}

pub(super) fn happening(number: u64) -> EventBody {
    let reason = format!("{number}");
    EventBody::CommandAnswered {
        command_id: "0190a7c2-6f00-7000-8000-000000000003".parse().unwrap(),
        outcome: CommandOutcome::Refused { reason },
    }
}

pub(super) fn name_of(event: &AgentEvent) -> String {
    match &event.body {
        EventBody::CommandAnswered { outcome: CommandOutcome::Refused { reason }, .. } => reason.clone(),
        other => panic!("{other:?}"),
    }
}

pub(super) fn claim() -> Record {
    let text = r#"{"record":"claimed","claim":{"job_id":"0190a7c2-6f00-7000-8000-000000000001","claim_id":"0190a7c2-6f00-7000-8000-000000000002","lease_until":"2026-11-23T06:13:00.250Z","file_name":"a","size_bytes":1,"sha256":"abababababababababababababababababababababababababababababababab"}}"#;
    serde_json::from_str(text).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn no_event_is_renumbered_or_lost_while_the_process_lives(steps in prop::collection::vec(step(), 1..60)) {
        let (disk, mut hub) = (Disk::default(), Hub::default());
        let mut journal = disk.open();
        let mut happened = 0_u64;
        // Since the hub has told its count: the numbers that were given, by what happened.
        let mut given: Vec<(u64, String)> = Vec::new();
        // Neither acknowledged nor lost with a process.
        let mut owed: VecDeque<String> = VecDeque::new();
        let end = [Step::Repaired, Step::CatchesUp, Step::Delivers(1000, true)];
        for step in steps.into_iter().chain(end) {
            match step {
                Step::Repaired => disk.0.lock().unwrap().1.clear(),
                Step::Disk(fates) => disk.0.lock().unwrap().1.extend(fates),
                Step::Happens => {
                    happened += 1;
                    journal.keep_event(&*clock(), happening(happened), []);
                    owed.push_back(happened.to_string());
                }
                Step::Claims => {
                    let before = journal.state().held.clone();
                    let done = journal.append(&[claim()]).is_ok();
                    prop_assert!(done || journal.state().held == before, "what is not on disk does not count");
                    let on_disk = replay(&disk.0.lock().unwrap().0);
                    prop_assert!(!done || on_disk.held == journal.state().held, "what counts is on disk");
                    // The hub's count may have been refused since: it may be there all the same.
                    let is_well = done && journal.fault().is_none();
                    prop_assert!(!is_well || on_disk == *journal.state(), "and nothing else");
                }
                Step::Starts => {
                    let Record::Claimed { claim } = claim() else { panic!() };
                    let before = journal.state().held.clone();
                    let done = journal.append(&[Record::Started { job_id: claim.job_id }]).is_ok();
                    prop_assert!(done || journal.state().held == before);
                }
                Step::Delivers(count, heard) => {
                    journal.count_on_from(hub.last);
                    if !journal.is_counted() {
                        prop_assert!(journal.fault().is_some());
                        continue;
                    }
                    let batch: Vec<AgentEvent> = journal.state().outbox.iter().take(count).cloned().collect();
                    for event in &batch {
                        let name = name_of(event);
                        match given.iter().find(|(_, other)| *other == name) {
                            Some((seq, _)) => prop_assert_eq!(*seq, event.seq, "renumbered"),
                            None => given.push((event.seq, name)),
                        }
                    }
                    let names: Vec<String> = batch.iter().map(name_of).collect();
                    let acknowledged = hub.take(&batch);
                    prop_assert!(names.iter().all(|name| hub.applied.contains(name)), "swallowed by the hub");
                    if heard && !batch.is_empty() {
                        journal.acknowledged(acknowledged);
                        owed.retain(|name| !hub.applied.contains(name));
                    }
                }
                Step::CatchesUp => {
                    // A later step may find it working.
                    if journal.catch_up() {
                        prop_assert_eq!(&replay(&disk.0.lock().unwrap().0), journal.state());
                        prop_assert_eq!(journal.fault(), None);
                    } else {
                        prop_assert!(journal.fault().is_some());
                    }
                }
                Step::Dies => {
                    drop(journal);
                    journal = disk.open();
                    let kept: Vec<String> = journal.state().outbox.iter().map(name_of).collect();
                    // Those that were acknowledged may come again; the others are there in order, or were lost.
                    owed.retain(|name| kept.contains(name));
                    // Before the hub was asked their numbers may change once more.
                    given.clear();
                }
            }
            let outbox: Vec<String> = journal.state().outbox.iter().map(name_of).collect();
            let still: Vec<&String> = outbox.iter().filter(|name| owed.contains(name)).collect();
            prop_assert_eq!(still, owed.iter().collect::<Vec<_>>(), "all that is owed, in order");
            let seen = journal.undelivered(1000).iter().filter(|(_, when)| when.elapsed.is_some()).count();
            prop_assert!(seen == journal.seen.len(), "each is known by its own number, and no other");
            let numbers: Vec<u64> = journal.state().outbox.iter().map(|event| event.seq).collect();
            prop_assert!(numbers.is_sorted() && numbers.windows(2).all(|two| two[0] < two[1]), "{:?}", numbers);
        }
        prop_assert!(owed.is_empty());
        let mut once = hub.applied.clone();
        once.sort_by_key(|name| name.parse::<u64>().unwrap());
        prop_assert!(once.windows(2).all(|two| two[0] != two[1]), "nothing was applied twice: {:?}", hub.applied);
        prop_assert_eq!(&once, &hub.applied, "in the order in which it happened");
    }
}

#[test]
fn what_can_not_be_written_is_delivered_and_the_next_process_counts_on() {
    let (disk, mut hub) = (Disk::default(), Hub::default());
    disk.0.lock().unwrap().1 = std::iter::repeat_n(Fate::Fails(0), 100).collect();
    for process in 0..3 {
        let mut journal = disk.open();
        journal.keep_event(&*clock(), happening(process * 10), []);
        assert!(!journal.is_counted(), "nothing goes out before the hub has said its count");
        journal.count_on_from(hub.last);
        assert!(journal.is_counted());
        journal.keep_event(&*clock(), happening(process * 10 + 1), []);
        let outbox: Vec<AgentEvent> = journal.state().outbox.iter().cloned().collect();
        hub.take(&outbox);
    }
    assert_eq!(hub.applied, ["0", "1", "10", "11", "20", "21"]);
}
