//! A printer's journal, and whether it is the one that was there.
//!
//! A journal that is gone, or empty, says nothing: but where there was one, what it has said of heat is lost (a full disk, a repaired file
//! system, a person who tidies up). So a folder in which a journal was begun says so in a file of its own. Owns: that rule. Must not know: what
//! is done about heat.

use std::fs;
use std::path::PathBuf;

use super::PrinterFolder;
use crate::journal::{HeatOwed, Journal, JournalError, State};
use crate::plain_file;
use crate::printer::by_hand;

const BEGUN: &str = "journal-begun";

impl PrinterFolder {
    /// Opens the journal, for who drives the printer. One that was lost begins with what may be hot.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn open_journal(&self) -> Result<Journal, JournalError> {
        let is_lost = self.has_lost_its_journal();
        let mut journal = Journal::open(&self.journal())?;
        if is_lost {
            tracing::error!(
                printer.name = self.name(),
                "the journal is gone, and nobody knows whether the printer was left hot"
            );
            journal.keep(&[HeatOwed { in_place: true, ..HeatOwed::default() }.into()]);
        }
        let begun = self.begun();
        let marked = if begun.exists() { Ok(()) } else { plain_file::draft(&begun).map(drop) };
        if let Err(error) = marked {
            tracing::warn!(error = %error, "that there is a journal could not be written down");
        }
        Ok(journal)
    }

    /// What the journal says, without opening it for more; with what may be hot, where it was lost.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn look_at_journal(&self) -> Result<State, JournalError> {
        let mut state = Journal::look(&self.journal())?;
        if self.has_lost_its_journal() {
            state.heat.lose_count();
        }
        Ok(state)
    }

    /// Whether its journal says that something may be hot; what can't be read may say so.
    #[must_use]
    pub fn may_be_hot(&self) -> bool {
        self.look_at_journal().map_or(true, |state| !state.heat.is_empty())
    }

    fn has_lost_its_journal(&self) -> bool {
        let journal = self.journal();
        let is_empty = fs::metadata(&journal).map_or(true, |found| found.is_file() && found.len() == 0);
        // That of a print with no hub goes when nothing is owed any more.
        let was_begun = match by_hand::port_of(self) {
            Some(_) => fs::symlink_metadata(&journal).is_ok(),
            None => self.begun().exists(),
        };
        is_empty && was_begun
    }

    fn begun(&self) -> PathBuf {
        self.path().join(BEGUN)
    }
}
