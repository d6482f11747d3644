//! What `stardust-agent print` may leave hot when it is killed: `print/<port>/` under the data directory, with a journal of its
//! own that says so. The folder stays, for its locks; the journal goes when nothing is owed.
//!
//! | module | what it owns |
//! |---|---|
//! | `names` | which folder belongs to which port |
//! | `found` | what prints have left, and at which device |
//! | [`killed`] | what one that was killed has left, for who names its port next |
//!
//! Owns: that there is such a journal from before the first byte of a print until the heaters were read back as off. The next
//! agent takes it up ([`super::left_hot`]), or the printer that is paired at that port. Must not know: how anything is turned off.

mod found;
pub mod killed;
mod names;

use std::ffi::OsString;
use std::fs;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::disk_work::DiskWork;
use crate::folder_lock::FolderLock;
use crate::journal::{HeatOwed, Journal};
use crate::pairing::service;
use crate::port::{self, DeviceTree, PortPlan, remember_adapter};
use crate::serial::Heaters;
use crate::settings::Settings;

pub(crate) use found::LeftByHand;
pub use found::plans_left_hot;
pub(super) use found::{forget, left_at, left_hot, left_hot_at};
use names::folder_of;
pub(crate) use names::port_of;
pub(super) use names::prints;

/// A slow disk may take so long for what an agent writes in its folder.
const LOCK_PATIENCE: Duration = Duration::from_secs(30);

/// A print that is at work, and what it owes.
#[derive(Debug)]
pub struct PrintByHand {
    settings: Settings,
    port: PathBuf,
    /// What its file heats, and what prints before it have left at this printer.
    heaters: Heaters,
    /// What prints before it have left there, and nobody has turned off yet.
    before: Vec<LeftByHand>,
    /// Whether there is any such thing, also where that could not be looked up.
    was_hot: bool,
    at_work: Option<FolderLock>,
    /// Held as long as this process looks after the printer, also while its port is gone and an agent may take it over.
    _alive: Option<FolderLock>,
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
            let mut left = left_at(&folder, &theirs);
            if port::device(&theirs).is_none() && folder.path().is_dir() && folder.may_be_hot() {
                left.push(LeftByHand::of(folder));
            }
            Ok(left)
        });
        // Who can't look does not know.
        let before = before.await.ok();
        let was_hot = before.as_ref().is_none_or(|left| !left.is_empty());
        match &before {
            Some(left) => left.iter().for_each(|print| heaters.add(print.heaters())),
            None => heaters.add(&Heaters::unknown()),
        }
        let before = before.unwrap_or_default();
        let settings = settings.clone();
        let mut print = Self { settings, port, heaters, before, was_hot, at_work: None, _alive: None };
        print.owe(plan).await?;
        tokio::pin!(asked);
        tokio::select! {
            biased;
            () = &mut asked => {
                print.called_off().await;
                return Ok(None);
            }
            // An agent that has just made the printer safe may be crossing that out, and this with it.
            lock = FolderLock::take_within(&path, LOCK_PATIENCE) => print.at_work = lock.ok(),
        }
        print._alive = FolderLock::take_if_free(&names::alive(&path));
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
        self.at_work = None;
    }

    /// Whether one does by now, or has done so.
    pub async fn is_taken_over(&self) -> bool {
        let folder = folder_of(&self.settings, &self.port);
        let look = move || Ok(!folder.may_be_hot() || FolderLock::take_if_free(folder.path()).is_none());
        self.at_work.is_none() && DiskWork::on_threads().run(look).await.unwrap_or(false)
    }

    /// The heaters were read back as off.
    pub async fn settled(self) {
        let Self { settings, port, before, .. } = &self;
        // Another print that has begun under another name meanwhile owes for itself.
        let others: Vec<PathBuf> =
            before.iter().filter(|left| left.is_as_it_was()).filter_map(LeftByHand::port).collect();
        let (settings, ports) = (settings.clone(), others.into_iter().chain([port.clone()]));
        let disk = DiskWork::on_threads();
        let removed = disk.run(move || {
            ports
                .into_iter()
                .try_for_each(|port| settle_as_owner(&settings, &port))
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

/// Crosses out what is owed at the port of this name.
fn settle_as_owner(settings: &Settings, port: &Path) -> Result<(), String> {
    match service::other_owner(&settings.data) {
        Some(owner) => by_owner(owner, settings, port, None, &Standing::Settled),
        None => settle(settings, port),
    }
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
            arguments.extend(heaters.words.then(|| "--words".into()));
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
    let now = port::device(&PortPlan { devices: devices.clone(), ..PortPlan::new(port.to_owned(), baud) });
    let then = PortPlan { devices: devices.clone(), ..folder.port_plan_of(port.to_owned(), baud) };
    if folder.path().is_dir() && folder.may_be_hot() && now.is_some() && port::device(&then) != now {
        return Err(format!(
            "a print before has left another printer hot that had the name {} then; connect that one, and start an agent with the \
             data in {} or `stardust-agent doctor --port` at it",
            port.display(),
            settings.data.display()
        ));
    }
    let path = names::alive(folder.path());
    fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    remember_adapter(devices, port, &folder.adapter_file());
    let mut journal = Journal::open(&folder.journal()).map_err(|error| error.to_string())?;
    let owed = HeatOwed { port: Some(port.to_owned()), baud, heaters, ..HeatOwed::default() };
    journal.append(&[owed.into()]).map_err(|error| error.to_string())
}

/// Writes down that nothing is owed any more for the port of this name.
///
/// # Errors
/// Why it can't be, in words.
pub fn settle(settings: &Settings, port: &Path) -> Result<(), String> {
    forget(&folder_of(settings, port)).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::printer::folder::PrinterFolder;

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
