//! How many runs went how, and the story of the first that went wrong.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::counts::Counts;
use crate::plan::Plan;
use crate::run::run;

/// Fewer runs may all be free of the same kind of fault.
const FEW: u64 = 40;
/// So many meet each fault.
const MANY: u64 = 500;

/// How the runs went.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    runs: usize,
    pub(crate) counts: Counts,
    /// Runs in which the hub or an agent was killed.
    with_kills: u64,
    /// Runs in which a call or an answer was lost or came twice.
    with_losses: u64,
    wrong: Vec<(usize, String, Vec<String>)>,
    first_wrong: Option<Plan>,
}

impl Tally {
    /// Does all runs, as many at once as the machine has processors.
    pub(crate) fn of(plans: Vec<(String, Plan)>) -> Self {
        let (next, tally) = (AtomicUsize::new(0), Mutex::new(Self::default()));
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| {
                    while let Some((name, plan)) = plans.get(next.fetch_add(1, Ordering::SeqCst)) {
                        let outcome = run(plan.clone(), false);
                        tally.lock().unwrap().count(&plans, name, &outcome.counts, outcome.wrong);
                    }
                });
            }
        });
        let mut tally = tally.into_inner().unwrap();
        tally.wrong.sort();
        tally.first_wrong = tally.wrong.first().map(|(at, ..)| plans[*at].1.clone());
        tally
    }

    fn count(&mut self, plans: &[(String, Plan)], name: &str, counts: &Counts, wrong: Vec<String>) {
        self.runs += 1;
        self.counts.add(counts);
        let kills = counts.hub_kills_when_a_print_begins
            + counts.hub_kills_before_a_call_was_applied
            + counts.hub_kills_after_a_call_was_applied
            + counts.agent_kills;
        self.with_kills += u64::from(kills > 0);
        let losses = counts.lost_calls + counts.lost_answers + counts.doubled_calls;
        self.with_losses += u64::from(losses > 0);
        if !wrong.is_empty() {
            let at = plans.iter().position(|(other, _)| other == name).unwrap();
            self.wrong.push((at, name.to_owned(), wrong));
        }
    }

    /// Tells how it went, and fails where anything is wrong. `mixed`: all kinds of runs are among them, so that faults must
    /// have happened, and every one of them where the runs are many.
    pub(crate) fn close(self, test: &str, mixed: bool) {
        println!("{} runs: {}.", self.runs, self.counts.told());
        println!("{} runs with kills, {} with losses or repeats.", self.with_kills, self.with_losses);
        for (_, name, wrong) in &self.wrong {
            println!("{name}: {}", wrong.join("; ").lines().next().unwrap_or_default());
        }
        if let (Some(plan), Some((_, name, wrong))) = (self.first_wrong, self.wrong.first()) {
            let story = run(plan.clone(), true);
            let count = self.wrong.len();
            panic!(
                "{}\n{plan:?}\n{}\n{count} runs went wrong; again: {name} cargo nextest run -p stardust-virtual-network {test}",
                story.trace.join("\n"),
                wrong.join("\n"),
            );
        }
        let all = self.runs as u64;
        if mixed && all >= FEW {
            assert!(self.with_kills * 3 >= all, "{} of {all} runs with kills", self.with_kills);
            assert!(self.with_losses * 3 >= all, "{} of {all} runs with losses", self.with_losses);
        }
        if mixed && all >= MANY {
            assert_eq!(self.counts.missing(), Vec::<&str>::new(), "never happened");
        }
    }
}

fn numbers(name: &str) -> Option<Vec<u64>> {
    let text = std::env::var(name).ok()?;
    Some(text.split(',').map(|number| number.trim().parse().unwrap()).collect())
}

/// The seeds that were asked for.
pub(crate) fn seeds(ordinarily: u64) -> Vec<u64> {
    let count = numbers("STARDUST_RUNS").map_or(ordinarily, |runs| runs[0]);
    numbers("STARDUST_SEED").unwrap_or_else(|| (0..count).collect())
}
