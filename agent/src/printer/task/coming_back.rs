//! The beginning of a printer's task: what an earlier process has left is taken up.
//!
//! Owns: what is known of a job from then on. Must not know: how it was found ([`crate::printer::return_to_job`]).

use stardust_protocol::JobState;

use super::Printer;
use crate::printer::no_return;
use crate::printer::return_to_job::Return;
use crate::spool::Spool;

impl Printer {
    /// Takes up what the journal says.
    pub(super) fn come_back(&mut self) {
        let held = self.journal.lock().state().held.clone();
        let actions = match self.returning.take() {
            None => {
                self.recall_progress();
                let mut actions = self.life.restarted(held.as_ref());
                if let Some(held) = &held {
                    let journal = self.journal.lock();
                    let job = journal.state().heat.of_job().filter(|owed| !self.berth.is_here(owed));
                    let elsewhere = job.and_then(|owed| owed.port.as_deref());
                    no_return::explain(&mut actions, &self.folder, held, journal.fault(), elsewhere);
                }
                actions
            }
            Some(Return { held, brief, reached }) => {
                self.file = Some((Spool::file(&self.folder.spool(), &held.claim), brief));
                match reached {
                    None => {
                        self.life.not_begun(&held);
                        Vec::new()
                    }
                    Some(reached) => {
                        let is_paused = reached.state == JobState::Paused;
                        self.progress.go_on(
                            self.clock.elapsed(),
                            reached.printed,
                            reached.acknowledged,
                            is_paused,
                        );
                        self.life.resumed(&held, reached.state)
                    }
                }
            }
        };
        self.perform(actions);
    }
}
