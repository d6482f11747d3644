//! Printers that nobody drives and that were left hot: their settings are gone, or a print with no hub was killed.
//!
//! Owns: finding them, again and again, and having each made safe once. Must not know: how.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use stardust_clock::SharedClock;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

use super::LOOK_FOR_PRINTERS;
use crate::disk_work::DiskWork;
use crate::folder_lock::FolderLock;
use crate::port::PortStore;
use crate::printer::folder::PrinterFolder;
use crate::printer::left_hot::{self, Patience};
use crate::settings::Settings;

/// A printer that could not be made safe is tried again this late at the latest: its cable may be put in again.
const AT_THE_LATEST: Duration = Duration::from_secs(16);

/// Looks for them until `stop` turns true.
pub(super) async fn look_after(
    settings: Settings,
    clock: SharedClock,
    ports: PortStore,
    stop: watch::Receiver<bool>,
) {
    let mut left = Left::default();
    while !*stop.borrow() {
        left.look(&settings, &clock, &ports, &stop).await;
        tokio::time::sleep(LOOK_FOR_PRINTERS).await;
    }
}

/// Those that are known.
#[derive(Debug, Default)]
pub(super) struct Left {
    /// Each with the work on it.
    known: BTreeMap<PathBuf, AbortHandle>,
    work: JoinSet<()>,
}

impl Left {
    /// Looks for them, and has those that are new made safe. Whether there are any.
    pub(super) async fn look(
        &mut self,
        settings: &Settings,
        clock: &SharedClock,
        ports: &PortStore,
        stop: &watch::Receiver<bool>,
    ) -> bool {
        let theirs = settings.clone();
        let found = match DiskWork::on_threads().run(move || Ok(PrinterFolder::left_hot(&theirs))).await {
            Ok(found) => found,
            Err(error) => {
                tracing::error!(error = %error, "what was left hot can't be looked for");
                return true;
            }
        };
        while self.work.try_join_next().is_some() {}
        // Another print at the same port may be killed as well.
        let is_there = |path: &PathBuf| found.iter().any(|folder| folder.path() == path);
        self.known.retain(|path, work| is_there(path) || !work.is_finished());
        for folder in found {
            if !self.known.contains_key(folder.path()) {
                let (path, clock) = (folder.path().to_owned(), clock.clone());
                let (ports, stop) = (ports.clone(), stop.clone());
                let work = self.work.spawn(async move { make_safe(&folder, &clock, &ports, &stop).await });
                self.known.insert(path, work);
            }
        }
        !self.work.is_empty()
    }
}

async fn make_safe(
    folder: &PrinterFolder,
    clock: &SharedClock,
    ports: &PortStore,
    stop: &watch::Receiver<bool>,
) {
    let mut again = LOOK_FOR_PRINTERS;
    while !*stop.borrow() {
        // A print that is at work there has the port, and turns everything off in its end, unless it is killed.
        let Some(held) = FolderLock::take_if_free(folder.path()) else {
            tokio::time::sleep(LOOK_FOR_PRINTERS).await;
            continue;
        };
        if left_hot::make_safe(folder, clock, ports, Patience::Short, stop.clone()).await {
            return;
        }
        drop(held);
        tokio::time::sleep(again).await;
        again = (again * 2).min(AT_THE_LATEST);
    }
}
