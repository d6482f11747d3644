//! Printers that nobody drives and that were left hot: their settings are gone, or a print with no hub was killed.
//!
//! Owns: finding them, again and again, and having each made safe once. Must not know: how.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use stardust_clock::SharedClock;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinError, JoinSet};

use super::LOOK_FOR_PRINTERS;
use crate::disk_work::DiskWork;
use crate::folder_lock::FolderLock;
use crate::port::PortStore;
use crate::printer::by_hand;
use crate::printer::folder::{JournalStamp, OutOfSight, PrinterFolder};
use crate::printer::left_hot::{self, Patience};
use crate::printer::wiring::Wiring;
use crate::settings::Settings;

/// A printer that could not be made safe is tried again this late at the latest: its cable may be put in again.
const AT_THE_LATEST: Duration = Duration::from_secs(16);

/// Looks for them until `stop` turns true, and those that are being made safe then are, or can't be.
pub(super) async fn look_after(
    settings: Settings,
    clock: SharedClock,
    ports: PortStore,
    mut stop: watch::Receiver<bool>,
) {
    let mut left = Left::default();
    let theirs = settings.clone();
    let out_of_sight = DiskWork::on_threads().run(move || Ok(OutOfSight::all(&theirs))).await;
    for one in out_of_sight.into_iter().flatten() {
        tracing::error!(path = %one.path.display(), error = %one.why, "a folder that can't be looked into: what is in there may be hot");
    }
    // Once at least, whoever ends it meanwhile.
    loop {
        let theirs = settings.clone();
        match DiskWork::on_threads().run(move || Ok(Found::left_hot(&theirs).collect())).await {
            Ok(found) => left.see_to(found, |folder, patience| {
                make_safe(folder, patience, clock.clone(), ports.clone(), stop.clone())
            }),
            Err(error) => tracing::error!(error = %error, "what was left hot can't be looked for"),
        }
        if *stop.borrow() {
            break;
        }
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => {}
            () = tokio::time::sleep(LOOK_FOR_PRINTERS) => {}
        }
    }
    while !left.is_idle() {
        left.one_is_over().await;
    }
}

/// Printers of this agent that may be hot, as their journals say, and that nobody else looks after.
pub(super) async fn still_hot(settings: &Settings) -> std::io::Result<Vec<String>> {
    let settings = settings.clone();
    let look = move || {
        let in_words = |port: PathBuf| format!("the one at {}", port.display());
        let is_free = |folder: &PrinterFolder| FolderLock::take_if_free(folder.path()).is_some();
        let paired = PrinterFolder::all(&settings).into_iter().filter(PrinterFolder::may_be_hot);
        let all: BTreeMap<_, _> = paired
            .chain(PrinterFolder::left_hot(&settings))
            .filter(is_free)
            .map(|folder| {
                (folder.path().to_owned(), by_hand::port_of(&folder).map_or(folder.name(), in_words))
            })
            .collect();
        let out_of_sight = OutOfSight::all(&settings);
        Ok(all.into_values().chain(out_of_sight.iter().map(OutOfSight::in_words)).collect())
    };
    DiskWork::on_threads().run(look).await
}

/// Those that are known, and the work on each.
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
    /// Has those that are new seen to; what does that gives the journal as it has left it. Another print at the same port may be
    /// killed as well: its journal is another one, and so it is new.
    pub(super) fn see_to<W>(&mut self, found: Vec<Found>, work: impl Fn(PrinterFolder, Patience) -> W)
    where
        W: Future<Output = Option<JournalStamp>> + Send + 'static,
    {
        while let Some(done) = self.work.try_join_next() {
            self.note(done);
        }
        self.known.retain(|path, known| {
            let now = found.iter().find(|one| one.folder.path() == path).map(|one| one.journal);
            !known.work.is_finished() || now.is_some_and(|now| known.seen.contains(&now))
        });
        for Found { folder, journal, patience } in found {
            let path = folder.path().to_owned();
            if !self.known.contains_key(&path) {
                let work = work(folder, patience);
                let theirs = path.clone();
                let work = self.work.spawn(async move { (theirs, work.await) });
                self.known.insert(path, Known { work, seen: [journal, journal] });
            }
        }
    }

    /// Until one was seen to; where nothing is, for ever.
    pub(super) async fn one_is_over(&mut self) {
        match self.work.join_next().await {
            Some(done) => self.note(done),
            None => std::future::pending().await,
        }
    }

    fn note(&mut self, done: Result<(PathBuf, Option<JournalStamp>), JoinError>) {
        // A task that has panicked has been reported where it happened.
        let Ok((path, after)) = done else { return };
        if let Some(known) = self.known.get_mut(&path) {
            known.seen[1] = after;
        }
    }

    /// Whether nothing is being seen to.
    pub(super) fn is_idle(&self) -> bool {
        self.known.values().all(|known| known.work.is_finished())
    }
}

/// One that may be hot.
#[derive(Debug)]
pub(super) struct Found {
    folder: PrinterFolder,
    journal: Option<JournalStamp>,
    patience: Patience,
}

impl Found {
    /// As it is now; it is waited for so long at a time.
    pub(super) fn now(folder: PrinterFolder, patience: Patience) -> Self {
        Self { journal: folder.journal_stamp(), folder, patience }
    }

    /// All that nobody drives.
    pub(super) fn left_hot(settings: &Settings) -> impl Iterator<Item = Self> {
        // Not held for ever: somebody may print there again meanwhile.
        PrinterFolder::left_hot(settings).into_iter().map(|folder| Self::now(folder, Patience::Short))
    }
}

/// How far one attempt has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attempt {
    /// Nothing more has to be done, or can be; its journal as it is then.
    Over(Option<JournalStamp>),
    /// Its port is not there, or it does not answer.
    InVain,
    /// A print that is at work there has the port, and turns everything off in its end, unless it is killed.
    Theirs,
}

impl Attempt {
    /// Makes it safe, if nobody else is at work there.
    async fn at(
        folder: &PrinterFolder,
        clock: &SharedClock,
        wiring: &impl Wiring,
        patience: Patience,
        stop: watch::Receiver<bool>,
    ) -> Self {
        let (disk, theirs) = (DiskWork::on_threads(), folder.clone());
        let lock = disk.run(move || Ok(FolderLock::take_if_free(theirs.path()))).await;
        let Ok(Some(_held)) = lock else { return Self::Theirs };
        if !left_hot::make_safe(folder, clock, wiring, patience, stop).await {
            return Self::InVain;
        }
        let theirs = folder.clone();
        Self::Over(disk.run(move || Ok(theirs.journal_stamp())).await.unwrap_or_default())
    }
}

/// Until it is safe, or `stop` has turned true and nothing more can be done. Its journal as it was left.
pub(super) async fn make_safe(
    folder: PrinterFolder,
    patience: Patience,
    clock: SharedClock,
    ports: PortStore,
    mut stop: watch::Receiver<bool>,
) -> Option<JournalStamp> {
    let mut again = LOOK_FOR_PRINTERS;
    loop {
        let wait = match Attempt::at(&folder, &clock, &ports, patience, stop.clone()).await {
            Attempt::Over(journal) => return journal,
            Attempt::InVain if patience == Patience::Short => {
                let wait = again;
                again = (again * 2).min(AT_THE_LATEST);
                wait
            }
            Attempt::InVain | Attempt::Theirs => LOOK_FOR_PRINTERS,
        };
        if *stop.borrow() {
            return None;
        }
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::DeviceTree;
    use crate::serial::Heaters;
    use stardust_clock::SystemClock;

    /// A print at a port has ended well, another one has begun there before anybody has looked again.
    #[tokio::test(start_paused = true)]
    async fn a_print_that_comes_after_another_at_the_same_port_is_looked_after() {
        let data = tempfile::tempdir().unwrap();
        let settings = Settings::of_data(data.path().to_owned());
        let port = data.path().join("ttyX");
        let (ports, clock) = (PortStore::default(), SystemClock::shared());
        let (_stop, stopped) = watch::channel(false);
        let owe =
            || by_hand::owe(&settings, &port, None, Heaters::default(), &DeviceTree::default()).unwrap();
        let mut left = Left::default();
        let look = |left: &mut Left| {
            left.see_to(Found::left_hot(&settings).collect(), |folder, patience| {
                make_safe(folder, patience, clock.clone(), ports.clone(), stopped.clone())
            });
        };
        owe();
        let folder = PrinterFolder::left_hot(&settings).remove(0);
        let at_work = FolderLock::take(folder.path()).await.unwrap();
        look(&mut left);
        by_hand::settle(&settings, &port).unwrap();
        drop(at_work);
        while !left.is_idle() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let _at_work = FolderLock::take(folder.path()).await.unwrap();
        owe();
        look(&mut left);
        assert!(!left.is_idle(), "nobody would see to it");
    }
}
