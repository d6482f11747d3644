//! What `stardust-agent print` may leave hot when it is killed: `print/<port>/` under the data directory, with a journal of its
//! own that says so. The folder stays, for its lock; the journal goes when nothing is owed.
//!
//! Owns: that there is such a journal from before the first byte of a print until the heaters were read back as off. The next
//! agent takes it up ([`super::left_hot`]), or the printer that is paired at that port. Must not know: how anything is turned off.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::future::Future;
use std::io::ErrorKind;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::folder::{JournalStamp, PrinterFolder};
use crate::disk_work::DiskWork;
use crate::folder_lock::FolderLock;
use crate::journal::{HeatOwed, Journal};
use crate::pairing::service;
use crate::port::{self, DeviceTree, PortPlan, remember_adapter};
use crate::serial::Heaters;
use crate::settings::Settings;

const BY_HAND: &str = "print";
/// A slow disk may take so long for what an agent writes in its folder.
const LOCK_PATIENCE: Duration = Duration::from_secs(30);

/// A print that is at work, and what it owes.
#[derive(Debug)]
pub struct PrintByHand {
    settings: Settings,
    port: PathBuf,
    /// What its file heats, and what prints before it have left at this port.
    heaters: Heaters,
    /// A print before it has left something hot at this port, and nobody has turned it off yet.
    was_hot: bool,
    /// Held while this process looks after the printer.
    at_work: Vec<FolderLock>,
}

impl PrintByHand {
    /// Writes down that the printer at this port may get hot from now on; it is on disk when this returns. None: `asked` came
    /// first, and nothing is owed for this print.
    ///
    /// # Errors
    /// Why it can't be, in words.
    pub async fn begin(
        settings: &Settings,
        plan: &PortPlan,
        mut heaters: Heaters,
        asked: impl Future<Output = ()>,
    ) -> Result<Option<Self>, String> {
        let port = std::path::absolute(&plan.path).map_err(|error| error.to_string())?;
        let folder = folder_of(settings, &port);
        let (disk, path, theirs) = (DiskWork::on_threads(), folder.path().to_owned(), plan.clone());
        let before = disk.run(move || {
            let left = left_before(&folder, &theirs);
            Ok((!left.is_empty(), all_heated_by(&left)))
        });
        // Who can't look does not know.
        let (was_hot, left) = before.await.unwrap_or_else(|_| (true, Heaters::unknown()));
        heaters.add(&left);
        let mut print = Self { settings: settings.clone(), port, heaters, was_hot, at_work: Vec::new() };
        print.owe(plan).await?;
        tokio::pin!(asked);
        tokio::select! {
            biased;
            () = &mut asked => {
                print.called_off().await;
                return Ok(None);
            }
            // An agent that has just made the printer safe may be crossing that out, and this with it.
            lock = FolderLock::take_within(&path, LOCK_PATIENCE) => print.at_work.extend(lock.ok()),
        }
        print.owe(plan).await?;
        // A write that has begun comes to its end: what was asked meanwhile is heard behind it.
        let is_asked = tokio::select! {
            biased;
            () = &mut asked => true,
            () = std::future::ready(()) => false,
        };
        if is_asked {
            print.called_off().await;
            return Ok(None);
        }
        Ok(Some(print))
    }

    /// What prints that were killed have left at this port. None: nothing, or somebody looks after it already.
    pub async fn left_behind(settings: &Settings, plan: &PortPlan) -> Option<Self> {
        let port = std::path::absolute(&plan.path).ok()?;
        let (folder, plan) = (folder_of(settings, &port), plan.clone());
        let look = move || {
            let left = left_before(&folder, &plan);
            let locks: Option<Vec<_>> =
                left.iter().map(|print| FolderLock::take_if_free(print.path())).collect();
            Ok(locks.filter(|locks| !locks.is_empty()).map(|locks| (all_heated_by(&left), locks)))
        };
        let (heaters, at_work) = DiskWork::on_threads().run(look).await.ok()??;
        Some(Self { settings: settings.clone(), port, heaters, was_hot: true, at_work })
    }

    /// What there is to turn off in the end, beside the heaters that the printer tells of.
    #[must_use]
    pub fn heaters(&self) -> Heaters {
        self.heaters.clone()
    }

    async fn owe(&self, plan: &PortPlan) -> Result<(), String> {
        let (settings, port, plan) = (self.settings.clone(), self.port.clone(), plan.clone());
        let heaters = self.heaters.clone();
        let write = move || {
            match service::other_owner(&settings.data) {
                Some(owner) => by_owner(owner, &settings, &port, plan.baud, &Standing::Owed(heaters)),
                None => owe(&settings, &port, plan.baud, heaters, &plan.devices),
            }
            .map_err(std::io::Error::other)
        };
        DiskWork::on_threads().run(write).await.map_err(|error| error.to_string())
    }

    /// Its port is gone: an agent with the same data may see to it from now on.
    pub fn offer(&mut self) {
        self.at_work.clear();
    }

    /// Whether one does by now, or has done so.
    pub async fn is_taken_over(&self) -> bool {
        let folder = folder_of(&self.settings, &self.port);
        let look = move || Ok(!folder.may_be_hot() || FolderLock::take_if_free(folder.path()).is_none());
        self.at_work.is_empty() && DiskWork::on_threads().run(look).await.unwrap_or(false)
    }

    /// The heaters were read back as off.
    pub async fn settled(self) {
        let Self { settings, port, .. } = self;
        let disk = DiskWork::on_threads();
        let removed = disk.run(move || {
            match service::other_owner(&settings.data) {
                Some(owner) => by_owner(owner, &settings, &port, None, &Standing::Settled),
                None => settle(&settings, &port),
            }
            .map_err(std::io::Error::other)
        });
        // A folder that can't be removed has the heaters turned off once more.
        if let Err(error) = removed.await {
            tracing::warn!(error = %error, "that the heaters are off could not be written down");
        }
    }

    /// Nothing was sent to the printer.
    pub async fn called_off(self) {
        if !self.was_hot {
            self.settled().await;
        }
    }
}

/// What is to be written down.
enum Standing {
    Owed(Heaters),
    Settled,
}

/// Root acts as the user to whom the data belong: in a folder of somebody else it follows no link and owns nothing.
fn by_owner(
    owner: service::Owner,
    settings: &Settings,
    port: &Path,
    baud: Option<u32>,
    standing: &Standing,
) -> Result<(), String> {
    let mut arguments = vec![OsString::from("owed"), "--port".into(), port.into()];
    arguments.extend(baud.into_iter().flat_map(|baud| ["--baud".into(), baud.to_string().into()]));
    match standing {
        Standing::Settled => arguments.push("--settled".into()),
        Standing::Owed(heaters) => {
            arguments
                .extend(heaters.tools.iter().flat_map(|tool| ["--tool".into(), tool.to_string().into()]));
            arguments.extend(heaters.chamber.then(|| "--chamber".into()));
        }
    }
    let is_done = service::run_as(owner, arguments, settings)?;
    is_done
        .then_some(())
        .ok_or_else(|| format!("user {} can't write to {}", owner.uid, settings.data.display()))
}

/// Writes down that the printer at this port may be hot.
///
/// # Errors
/// Why it can't be, in words.
pub fn owe(
    settings: &Settings,
    port: &Path,
    baud: Option<u32>,
    heaters: Heaters,
    devices: &DeviceTree,
) -> Result<(), String> {
    let folder = folder_of(settings, port);
    let path = folder.path();
    fs::create_dir_all(path).map_err(|error| format!("{}: {error}", path.display()))?;
    remember_adapter(devices, port, &folder.adapter_file());
    let mut journal = Journal::open(&folder.journal()).map_err(|error| error.to_string())?;
    let owed = HeatOwed { port: Some(port.to_owned()), baud, heaters, ..HeatOwed::default() };
    journal.append(&[owed.into()]).map_err(|error| error.to_string())
}

/// Writes down that the printer at this port is not hot, whatever its port was called when something was left there.
///
/// # Errors
/// Why it can't be, in words.
pub fn settle(settings: &Settings, port: &Path) -> Result<(), String> {
    let folder = folder_of(settings, port);
    let others = left_hot_at(&folder, &folder.port_plan_of(port.to_owned(), None));
    let mut all = others.iter().chain([&folder]);
    all.try_for_each(forget).map_err(|error| error.to_string())
}

fn folder_of(settings: &Settings, port: &Path) -> PrinterFolder {
    PrinterFolder::at(settings, settings.data.join(BY_HAND).join(name_of(port)))
}

/// The folders of prints that may have left something hot, or still may.
pub(super) fn left_hot(settings: &Settings) -> Vec<PrinterFolder> {
    all(&settings.data)
        .into_iter()
        .map(|path| PrinterFolder::at(settings, path))
        .filter(PrinterFolder::may_be_hot)
        .collect()
}

/// A print that may have left something hot, and what its journal was then.
#[derive(Debug)]
pub(crate) struct LeftByHand {
    print: PrinterFolder,
    journal: Option<JournalStamp>,
    heaters: Heaters,
}

impl LeftByHand {
    /// What it has heated, beside the heaters that the printer tells of.
    pub(super) fn heaters(&self) -> &Heaters {
        &self.heaters
    }

    /// It was read back that all is off. Another print that has begun there meanwhile, on a slow disk, owes for itself.
    pub(super) fn forget(&self) -> std::io::Result<()> {
        if self.print.journal_stamp() == self.journal { forget(&self.print) } else { Ok(()) }
    }
}

/// Those that may have left the printer at this port hot, for who drives a printer of the same data.
pub(super) fn left_at(folder: &PrinterFolder, plan: &PortPlan) -> Vec<LeftByHand> {
    let left = left_hot_at(folder, plan).into_iter();
    left.map(|print| LeftByHand { journal: print.journal_stamp(), heaters: heated_by(&print), print })
        .collect()
}

/// The prints that may have left the printer at this port hot: also where the port is not there now, or was called something else
/// then.
fn left_before(folder: &PrinterFolder, plan: &PortPlan) -> Vec<PrinterFolder> {
    let own = Some(folder.clone()).filter(|print| print.path().is_dir() && print.may_be_hot());
    let others = left_hot_at(folder, plan).into_iter().filter(|print| print.path() != folder.path());
    others.chain(own).collect()
}

fn all_heated_by(prints: &[PrinterFolder]) -> Heaters {
    let mut heaters = Heaters::default();
    prints.iter().for_each(|print| heaters.add(&heated_by(print)));
    heaters
}

fn heated_by(print: &PrinterFolder) -> Heaters {
    let mut heaters = Heaters::default();
    match Journal::look(&print.journal()) {
        Ok(state) => state.heat.iter().for_each(|owed| heaters.add(&owed.heaters)),
        Err(_) => heaters = Heaters::unknown(),
    }
    heaters
}

/// The same, by their folders.
pub(super) fn left_hot_at(folder: &PrinterFolder, plan: &PortPlan) -> Vec<PrinterFolder> {
    let data = folder.path().parent().and_then(Path::parent);
    let (Some(data), Some(device)) = (data, port::device(plan)) else { return Vec::new() };
    let prints = all(data).into_iter().map(|path| folder.beside(path)).filter(PrinterFolder::may_be_hot);
    let is_there = |print: &PrinterFolder| {
        let port = port_of(print)?;
        let theirs = PortPlan { devices: plan.devices.clone(), ..print.port_plan_of(port, None) };
        Some(port::device(&theirs)? == device)
    };
    prints.filter(|print| is_there(print) == Some(true)).collect()
}

/// Where a print was, as its folder's name says: also where its journal can't be read.
pub(crate) fn port_of(folder: &PrinterFolder) -> Option<PathBuf> {
    is_by_hand(folder).then(|| port_named(&folder.name())).flatten()
}

/// Nothing is owed any more: of a print nothing is kept.
pub(super) fn forget(folder: &PrinterFolder) -> std::io::Result<()> {
    if !is_by_hand(folder) {
        return Ok(());
    }
    for file in [folder.adapter_file(), folder.journal()] {
        match fs::remove_file(&file) {
            Err(error) if error.kind() == ErrorKind::IsADirectory => fs::remove_dir_all(file)?,
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn is_by_hand(folder: &PrinterFolder) -> bool {
    folder.path().parent().is_some_and(|parent| parent.ends_with(BY_HAND))
}

fn all(data: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(data.join(BY_HAND)).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

/// A port's path as a folder's name: what may not stand there, and what is not plain, as `%2F`.
fn name_of(port: &Path) -> String {
    let mut name = String::new();
    for byte in port.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"-_".contains(byte) {
            name.push(char::from(*byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(name, "%{byte:02X}");
        }
    }
    name
}

/// And back.
fn port_named(name: &str) -> Option<PathBuf> {
    let (mut bytes, mut rest) = (Vec::new(), name.as_bytes());
    while let [first, behind @ ..] = rest {
        rest = behind;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (code, behind) = rest.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok()?);
        rest = behind;
    }
    Some(PathBuf::from(OsString::from_vec(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_for_each_port_and_back() {
        assert_eq!(name_of(Path::new("/dev/ttyUSB0")), "%2Fdev%2FttyUSB0");
        for port in ["/dev/ttyUSB0", "/x/d/b", "/x/d+b", "/x/d%2Fb", "/x/ü n\n", "..", "/"] {
            let name = name_of(Path::new(port));
            assert!(!name.contains('/') && !name.starts_with('.'), "{name}");
            assert_eq!(port_named(&name), Some(PathBuf::from(port)));
        }
        assert_eq!((port_named("%2"), port_named("%zz")), (None, None));
    }

    #[tokio::test]
    async fn what_a_print_owes_is_found_when_it_is_gone_and_by_the_printer_at_its_port() {
        let data = tempfile::tempdir().unwrap();
        let port = data.path().join("ttyX");
        fs::write(&port, "").unwrap();
        std::os::unix::fs::symlink(&port, data.path().join("by-id")).unwrap();
        let settings = Settings::of_data(data.path().to_owned());
        let printer = PrinterFolder::for_name(&settings, "x");
        let at = |name: &str| left_hot_at(&printer, &PortPlan::new(data.path().join(name), None));

        let begin = async |port: &Path| {
            let plan = PortPlan::new(port.to_owned(), None);
            PrintByHand::begin(&settings, &plan, Heaters::default(), std::future::pending())
                .await
                .unwrap()
                .unwrap()
        };
        let mut print = begin(&port).await;
        let folder = left_hot(&settings).remove(0);
        assert!(FolderLock::take_if_free(folder.path()).is_none(), "it is at work");
        assert!(!print.is_taken_over().await);
        print.offer();
        assert!(!print.is_taken_over().await, "nobody is there");
        let agent = FolderLock::take_if_free(folder.path());
        assert!(agent.is_some() && print.is_taken_over().await);
        drop(agent);
        drop(print);
        assert_eq!(PrinterFolder::left_hot(&settings).len(), 1);
        assert_eq!((at("ttyX").len(), at("by-id").len(), at("ttyY").len()), (1, 1, 0));

        // By another name of the same device, whose end settles both.
        let by_id = data.path().join("by-id");
        let print = begin(&by_id).await;
        assert_eq!(at("ttyX").len(), 2);
        print.settled().await;
        assert!(left_hot(&settings).is_empty());

        // Nothing was sent: what the one before has left stands.
        for was_hot in [false, true] {
            let print = begin(&port).await;
            print.called_off().await;
            assert_eq!(!left_hot(&settings).is_empty(), was_hot);
            drop(begin(&port).await);
        }
        begin(&by_id).await.called_off().await;
        assert!(!at("ttyX").is_empty(), "whatever its port was called then");
    }

    #[test]
    fn what_can_not_be_read_is_owed_at_the_port_of_its_name() {
        let data = tempfile::tempdir().unwrap();
        let settings = Settings::of_data(data.path().to_owned());
        let folder = folder_of(&settings, Path::new("/dev/ttyUSB0"));
        fs::create_dir_all(folder.journal()).unwrap();
        assert_eq!(
            left_hot(&settings).iter().map(port_of).collect::<Vec<_>>(),
            [Some("/dev/ttyUSB0".into())]
        );
        forget(&folder).unwrap();
        assert!(left_hot(&settings).is_empty());
        fs::write(folder.journal(), [0; 40]).unwrap();
        assert_eq!(left_hot(&settings).len(), 1, "zeroed");
    }
}
