//! The journal while the disk takes its time: whatever happens before a step is over, and wherever the process dies.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use super::torn::{Disk, Fate, Hub, claim, clock, fate, happening, name_of};
use super::*;
use proptest::prelude::*;
use stardust_protocol::AgentEvent;

/// A process whose disk is another's work.
struct Process {
    ledger: Ledger,
    disk: Disk,
    /// How the step that is under way has gone; nobody has heard of it.
    unheard: Option<Option<Result<(), Unwritten>>>,
    answers: Arc<Mutex<Vec<(u64, bool)>>>,
}

impl Process {
    fn starts(disk: &Disk) -> Self {
        let ledger = Ledger::new(Path::new("journal"), &disk.bytes());
        Self { ledger, disk: disk.clone(), unheard: None, answers: Arc::default() }
    }

    fn begin(&mut self) {
        if let Some(step) = self.ledger.begin() {
            assert!(self.unheard.is_none(), "one at a time");
            self.unheard = Some(carry_out(step, &mut self.disk));
        }
    }

    fn finish(&mut self) {
        if let Some(written) = self.unheard.take() {
            self.ledger.finish(written);
        }
    }

    fn write_all(&mut self) {
        self.finish();
        while self.ledger.has_work() {
            self.begin();
            self.finish();
        }
    }

    fn want(&mut self, number: u64, record: Record) {
        let answers = Arc::clone(&self.answers);
        let reply = move |result: Result<(), JournalError>| {
            answers.lock().unwrap().push((number, result.is_ok()));
        };
        self.ledger.want(vec![record], Box::new(reply));
    }
}

#[derive(Debug, Clone)]
enum Step {
    Disk(Vec<Fate>),
    Begins,
    Finishes,
    Happens,
    Claims,
    HubIsReached,
    Delivers(usize, bool),
    CatchesUp,
    Dies,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => prop::collection::vec(fate(), 1..4).prop_map(Step::Disk),
        6 => Just(Step::Begins),
        6 => Just(Step::Finishes),
        5 => Just(Step::Happens),
        2 => Just(Step::Claims),
        2 => Just(Step::HubIsReached),
        4 => (1_usize..4, any::<bool>()).prop_map(|(count, heard)| Step::Delivers(count, heard)),
        1 => Just(Step::CatchesUp),
        1 => Just(Step::Dies),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn what_is_told_stands_however_long_the_disk_takes(steps in prop::collection::vec(step(), 1..80)) {
        let (disk, mut hub) = (Disk::default(), Hub::default());
        let mut process = Process::starts(&disk);
        let (mut happened, mut wants) = (0_u64, 0_u64);
        let mut given: Vec<(u64, String)> = Vec::new();
        let mut owed: VecDeque<String> = VecDeque::new();
        for step in steps {
            match step {
                Step::Disk(fates) => disk.fails(fates),
                Step::Begins => process.begin(),
                Step::Finishes => process.finish(),
                Step::Happens => {
                    happened += 1;
                    process.ledger.keep_event(&*clock(), happening(happened), []);
                    owed.push_back(happened.to_string());
                }
                Step::Claims => {
                    wants += 1;
                    process.want(wants, claim());
                }
                Step::HubIsReached => process.ledger.count_on_from(hub.last),
                Step::Delivers(count, heard) => {
                    if !process.ledger.is_counted() {
                        continue;
                    }
                    let batch: Vec<AgentEvent> =
                        process.ledger.undelivered(count).into_iter().map(|(event, _)| event).collect();
                    let on_disk = replay(&disk.bytes());
                    for event in &batch {
                        let is_there = on_disk.outbox.iter().any(|kept| kept == event);
                        prop_assert!(is_there || process.ledger.fault().is_some(), "told before it was on disk");
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
                        process.ledger.acknowledged(acknowledged);
                        owed.retain(|name| !hub.applied.contains(name));
                    }
                }
                Step::CatchesUp => process.ledger.catch_up(),
                Step::Dies => {
                    let before = replay(&disk.bytes());
                    process = Process::starts(&disk);
                    prop_assert_eq!(process.ledger.state(), &before);
                    let kept: Vec<String> = before.outbox.iter().map(name_of).collect();
                    owed.retain(|name| kept.contains(name));
                    given.clear();
                }
            }
            for (number, done) in process.answers.lock().unwrap().drain(..) {
                let on_disk = replay(&disk.bytes());
                prop_assert!(!done || on_disk.held.is_some(), "want {number} counts and is not on disk");
            }
            let outbox: Vec<String> = process.ledger.state().outbox.iter().map(name_of).collect();
            let still: Vec<&String> = outbox.iter().filter(|name| owed.contains(name)).collect();
            prop_assert_eq!(still, owed.iter().collect::<Vec<_>>(), "all that is owed, in order");
        }
        disk.works();
        process.ledger.count_on_from(hub.last);
        process.ledger.catch_up();
        process.write_all();
        prop_assert!(process.ledger.is_counted() && process.ledger.is_written());
        prop_assert_eq!(&replay(&disk.bytes()), process.ledger.state());
        let rest: Vec<AgentEvent> = process.ledger.undelivered(1000).into_iter().map(|(event, _)| event).collect();
        hub.take(&rest);
        prop_assert!(owed.iter().all(|name| hub.applied.contains(name)));
        let mut once = hub.applied.clone();
        once.sort_by_key(|name| name.parse::<u64>().unwrap());
        prop_assert!(once.windows(2).all(|two| two[0] != two[1]), "nothing was applied twice: {:?}", hub.applied);
        prop_assert_eq!(&once, &hub.applied, "in the order in which it happened");
    }
}

/// A disk that hangs, and a printer that says a lot.
#[test]
fn what_waits_for_the_disk_has_a_bound_and_so_has_the_file() {
    let disk = Disk::default();
    let mut process = Process::starts(&disk);
    process.begin();
    for number in 1..=5000 {
        process.ledger.keep_event(&*clock(), happening(number), []);
        process.ledger.acknowledged(number);
        assert!(process.ledger.waiting() <= 1002, "{}", process.ledger.waiting());
    }
    process.write_all();
    assert_eq!(&replay(&disk.bytes()), process.ledger.state());
    for number in 5001..=20_000 {
        process.ledger.keep_event(&*clock(), happening(number), []);
        process.ledger.acknowledged(number);
        process.write_all();
    }
    assert_eq!(&replay(&disk.bytes()), process.ledger.state());
    assert!(disk.bytes().len() < 300 * 1024, "{}", disk.bytes().len());
}
