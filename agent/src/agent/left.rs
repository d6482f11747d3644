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
use crate::printer::folder::{JournalStamp, PrinterFolder};
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
    known: BTreeMap<PathBuf, Known>,
    work: JoinSet<(PathBuf, Option<JournalStamp>)>,
}

/// One of them.
#[derive(Debug)]
struct Known {
    work: AbortHandle,
    /// Its journal before it was made safe, and after that. One that could not be crossed out is the same: it is made safe once for
    /// each process, because a person may heat it at its panel afterwards.
    seen: [Option<JournalStamp>; 2],
}

impl Left {
    /// Looks for them, and has those that are new made safe.
    pub(super) async fn look(
        &mut self,
        settings: &Settings,
        clock: &SharedClock,
        ports: &PortStore,
        stop: &watch::Receiver<bool>,
    ) {
        let theirs = settings.clone();
        let look = move || {
            let left = PrinterFolder::left_hot(&theirs).into_iter();
            Ok(left.map(|folder| (folder.journal_stamp(), folder)).collect::<Vec<_>>())
        };
        let found = match DiskWork::on_threads().run(look).await {
            Ok(found) => found,
            Err(error) => {
                tracing::error!(error = %error, "what was left hot can't be looked for");
                return;
            }
        };
        while let Some(done) = self.work.try_join_next() {
            let Ok((path, after)) = done else { continue };
            if let Some(known) = self.known.get_mut(&path) {
                known.seen[1] = after;
            }
        }
        // Another print at the same port may be killed as well: its journal is another one.
        self.known.retain(|path, known| {
            let now = found.iter().find(|(_, folder)| folder.path() == path).map(|(now, _)| now);
            !known.work.is_finished() || now.is_some_and(|now| known.seen.contains(now))
        });
        for (now, folder) in found {
            if !self.known.contains_key(folder.path()) {
                let (path, clock) = (folder.path().to_owned(), clock.clone());
                let (ports, stop) = (ports.clone(), stop.clone());
                let work = self.work.spawn(async move {
                    let after = make_safe(&folder, &clock, &ports, &stop).await;
                    (folder.path().to_owned(), after)
                });
                self.known.insert(path, Known { work, seen: [now, now] });
            }
        }
    }
}

/// Its journal as it was left.
async fn make_safe(
    folder: &PrinterFolder,
    clock: &SharedClock,
    ports: &PortStore,
    stop: &watch::Receiver<bool>,
) -> Option<JournalStamp> {
    let disk = DiskWork::on_threads();
    let mut again = LOOK_FOR_PRINTERS;
    while !*stop.borrow() {
        // A print that is at work there has the port, and turns everything off in its end, unless it is killed.
        let path = folder.path().to_owned();
        let Ok(Some(held)) = disk.run(move || Ok(FolderLock::take_if_free(&path))).await else {
            tokio::time::sleep(LOOK_FOR_PRINTERS).await;
            continue;
        };
        if left_hot::make_safe(folder, clock, ports, Patience::Short, stop.clone()).await {
            let theirs = folder.clone();
            return disk.run(move || Ok(theirs.journal_stamp())).await.unwrap_or_default();
        }
        drop(held);
        tokio::time::sleep(again).await;
        again = (again * 2).min(AT_THE_LATEST);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::DeviceTree;
    use crate::printer::by_hand;
    use stardust_clock::SystemClock;

    /// A print at a port has ended well, another one has begun there before anybody has looked again.
    #[tokio::test(start_paused = true)]
    async fn a_print_that_comes_after_another_at_the_same_port_is_looked_after() {
        let data = tempfile::tempdir().unwrap();
        let settings = Settings::of_data(data.path().to_owned());
        let port = data.path().join("ttyX");
        let (ports, clock) = (PortStore::default(), SystemClock::shared());
        let (_stop, stopped) = watch::channel(false);
        let owe = || by_hand::owe(&settings, &port, None, &DeviceTree::default()).unwrap();
        let mut left = Left::default();
        owe();
        let folder = PrinterFolder::left_hot(&settings).remove(0);
        let at_work = FolderLock::take(folder.path()).await.unwrap();
        left.look(&settings, &clock, &ports, &stopped).await;
        by_hand::settle(&settings, &port).unwrap();
        drop(at_work);
        while !left.known[folder.path()].work.is_finished() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let _at_work = FolderLock::take(folder.path()).await.unwrap();
        owe();
        left.look(&settings, &clock, &ports, &stopped).await;
        assert!(!left.known[folder.path()].work.is_finished(), "nobody would see to it");
    }
}
