//! A later pairing, which waits in the printer's folder until it takes over.
//!
//! Owns: the steps of that, in an order in which it may be cut off anywhere; what goes on and what is set aside. Must not know: when
//! the printer is free for it.

use std::fs;
use std::path::{Path, PathBuf};

use stardust_protocol::PrinterId;

use super::{ADAPTER, CONFIG, CREDENTIAL, FORMER, FolderError, NEXT, PrinterFolder, SPOOL, disk};
use crate::journal::{Debts, HeatOwed, Journal, JournalError, Record};
use crate::plain_file;

impl PrinterFolder {
    /// A later pairing is kept here until it takes over. It counts only when its settings are there and are a file.
    #[must_use]
    pub fn next(&self) -> Self {
        Self { is_later: true, ..self.beside(self.path.join(NEXT)) }
    }

    /// Whether a later pairing waits that is of the same printer with the same hub, with another credential.
    #[must_use]
    pub fn is_renewed(&self) -> bool {
        let printer = |folder: &Self| folder.stored_config().ok().map(|config| config.printer_id);
        printer(self).is_some_and(|ours| printer(&self.next()) == Some(ours))
    }

    /// Where what the hub before was not told is kept.
    #[must_use]
    pub fn former(&self, printer: PrinterId) -> PathBuf {
        self.path.join(format!("{FORMER}{printer}"))
    }

    /// Lets a later pairing take over, if there is one; whoever drives the printer calls this before. Where it is
    /// another printer for the hub, its memory begins anew. May be cut off anywhere and is then done to its end at the
    /// next start.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn take_over(&self) -> Result<bool, FolderError> {
        let next = self.next();
        if !next.is_paired() {
            // We were cut off just before the end of it.
            self.take_debt(&next)?;
            return Ok(false);
        }
        let new = next.stored_config()?;
        match self.stored_config() {
            Ok(old) if old.printer_id == new.printer_id => {}
            Ok(old) => self.set_aside(&self.former(old.printer_id))?,
            // There is nothing to tell whose it was.
            Err(_) => self.set_aside(&self.path.join(format!("{FORMER}unknown")))?,
        }
        for (from, to) in
            [(next.credential_file(), self.credential_file()), (next.config_file(), self.config_file())]
        {
            // Absent: it was moved before we were cut off.
            if from.exists() {
                fs::rename(&from, &to).map_err(disk(&to))?;
            }
        }
        self.take_debt(&next)?;
        fs::remove_dir_all(&next.path).map_err(disk(&next.path))?;
        plain_file::folder(&self.path).and_then(|folder| folder.sync_all()).map_err(disk(&self.path))?;
        Ok(true)
    }

    /// What is still owed; where the memory goes on it says so itself.
    pub(super) fn take_debt(&self, next: &Self) -> Result<(), FolderError> {
        if next.journal().exists() && !self.journal().exists() {
            fs::rename(next.journal(), self.journal()).map_err(disk(&self.journal()))?;
        }
        Ok(())
    }

    /// What was hot before a new pairing takes over may be so still, also where its memory begins anew.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn goes_on_owing(&self, owed: &Debts) -> Result<(), JournalError> {
        if owed.is_empty() {
            return Ok(());
        }
        let mut journal = Journal::open(&self.journal())?;
        let is_new = |owed: &&HeatOwed| journal.state().heat.iter().all(|known| known.port != owed.port);
        // Nothing that a job has left takes the place of what was hot before it.
        let in_place = |owed: &HeatOwed| HeatOwed { in_place: true, ..owed.clone() }.into();
        let records: Vec<Record> = owed.iter().filter(is_new).map(in_place).collect();
        if records.is_empty() { Ok(()) } else { journal.append(&records) }
    }

    /// Moves the memory of the former pairing out of the way; print files are not kept.
    pub(super) fn set_aside(&self, former: &Path) -> Result<(), FolderError> {
        fs::create_dir_all(former).map_err(disk(former))?;
        for entry in fs::read_dir(&self.path).map_err(disk(&self.path))?.flatten() {
            let name = entry.file_name();
            let stays = [CONFIG, CREDENTIAL, ADAPTER, NEXT, SPOOL].iter().any(|kept| name == *kept);
            if !stays && !name.to_string_lossy().starts_with(FORMER) {
                fs::rename(entry.path(), former.join(&name)).map_err(disk(former))?;
            }
        }
        match fs::remove_dir_all(self.spool()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(disk(&self.spool())(error)),
            _ => Ok(()),
        }
    }
}
