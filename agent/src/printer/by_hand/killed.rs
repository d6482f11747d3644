//! What a print that was killed has left hot, for who names its port next and does not print there.
//!
//! Owns: that it is taken up by one process at a time, and by none while its print lives, and that only what was read back at its own
//! printer is crossed out. Must not know: how anything is turned off.

use std::path::Path;
use std::time::Duration;

use super::found::{self, LeftByHand};
use super::names::{alive, folder_of, port_of};
use super::settle_as_owner;
use crate::disk_work::DiskWork;
use crate::folder_lock::FolderLock;
use crate::port::{self, PortPlan};
use crate::printer::folder::PrinterFolder;
use crate::serial::Heaters;
use crate::settings::Settings;

/// Somebody who only looks whether it is free has it for a moment.
const PATIENCE: Duration = Duration::from_secs(2);

/// What there is at a port.
#[derive(Debug)]
pub enum Killed {
    /// Nothing is owed.
    Nothing,
    /// An agent, or the print itself, sees to it.
    SeenTo,
    /// The data can't be looked at.
    Unknown(std::io::Error),
    /// These, at the printer that is there now, or whose port is gone.
    Left(Vec<KilledPrint>),
}

/// One print; locked.
#[derive(Debug)]
pub struct KilledPrint {
    settings: Settings,
    left: LeftByHand,
    plan: PortPlan,
    _lock: FolderLock,
}

impl Killed {
    /// Looks for them.
    pub async fn at(settings: &Settings, plan: &PortPlan) -> Self {
        let (ours, theirs, disk) = (settings.clone(), plan.clone(), DiskWork::on_threads());
        let found = match disk.run(move || look(&ours, &theirs)).await {
            Ok(found) => found,
            Err(error) => return Self::Unknown(error),
        };
        let mut killed = Vec::new();
        for print in found {
            let lock = FolderLock::take_within(print.path(), PATIENCE).await;
            let (theirs, path) = (print.clone(), alive(print.path()));
            // Again, for it may have been settled since.
            let look = move || {
                Ok((FolderLock::take_if_free(&path).is_some(), theirs.may_be_hot(), LeftByHand::of(theirs)))
            };
            let (is_dead, is_hot, left) = match disk.run(look).await {
                Ok(looked) => looked,
                Err(error) => return Self::Unknown(error),
            };
            let Ok(lock) = lock else { return Self::SeenTo };
            match (is_hot, is_dead, left.port()) {
                (true, true, Some(port)) => {
                    let devices = plan.devices.clone();
                    let baud = plan.baud.filter(|_| plan.path == port);
                    let plan = PortPlan {
                        devices,
                        reset_on_open: plan.reset_on_open,
                        ..print.port_plan_of(port, baud)
                    };
                    killed.push(KilledPrint { settings: settings.clone(), left, plan, _lock: lock });
                }
                (true, false, _) => return Self::SeenTo,
                _ => {}
            }
        }
        if killed.is_empty() { Self::Nothing } else { Self::Left(killed) }
    }
}

impl KilledPrint {
    /// How its printer is reached, whatever its port is called now.
    #[must_use]
    pub fn plan(&self) -> &PortPlan {
        &self.plan
    }

    /// What it has heated, beside the heaters that the printer tells of.
    #[must_use]
    pub fn heaters(&self) -> &Heaters {
        self.left.heaters()
    }

    /// Its heaters were read back as off.
    pub async fn settled(self) {
        let Some(port) = self.left.port() else { return };
        let settings = self.settings.clone();
        let crossed = move || settle_as_owner(&settings, &port).map_err(std::io::Error::other);
        if let Err(error) = DiskWork::on_threads().run(crossed).await {
            tracing::warn!(error = %error, "that the heaters are off could not be written down");
        }
    }
}

/// Those at the device of this plan, and the one at its name whose printer is nowhere. Another printer may have that name now: it is
/// not meant.
fn look(settings: &Settings, plan: &PortPlan) -> std::io::Result<Vec<PrinterFolder>> {
    let port = std::path::absolute(&plan.path)?;
    let own = folder_of(settings, &port);
    if let Some(prints) = own.path().parent() {
        is_readable(prints)?;
    }
    let mut found = found::left_hot_at(&own, plan);
    let is_known = found.iter().any(|print| print.path() == own.path());
    if !is_known && own.path().is_dir() && own.may_be_hot() {
        let its = port_of(&own).map(|port| own.port_plan_of(port, None));
        let its = its.map(|its| PortPlan { devices: plan.devices.clone(), ..its });
        if its.is_some_and(|its| port::device(&its).is_none()) {
            found.push(own);
        }
    }
    Ok(found)
}

/// One that is not there holds nothing.
fn is_readable(folder: &Path) -> std::io::Result<()> {
    match std::fs::read_dir(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::PrintByHand;
    use super::*;
    use crate::port::DeviceTree;
    use crate::port::devices::tests::{plug, unplug};

    const FTDI: (&str, &str) = ("0403", "6001");

    struct House {
        root: tempfile::TempDir,
        settings: Settings,
    }

    impl House {
        /// With a printer at ttyUSB0.
        fn new() -> Self {
            let root = tempfile::tempdir().unwrap();
            plug(root.path(), "ttyUSB0", FTDI, Some("A5"), "1.1");
            Self { settings: Settings::of_data(root.path().join("data")), root }
        }

        fn plan(&self, name: &str) -> PortPlan {
            let devices = DeviceTree::at(self.root.path());
            PortPlan { devices, ..PortPlan::new(self.root.path().join("dev").join(name), None) }
        }

        async fn print(&self) -> Result<PrintByHand, String> {
            let (plan, never) = (self.plan("ttyUSB0"), std::future::pending());
            PrintByHand::begin(&self.settings, &plan, Heaters::default(), never).await.map(Option::unwrap)
        }

        async fn left(&self, name: &str) -> Vec<KilledPrint> {
            match Killed::at(&self.settings, &self.plan(name)).await {
                Killed::Left(prints) => prints,
                Killed::Nothing => Vec::new(),
                other => panic!("{other:?}"),
            }
        }

        /// It is called ttyUSB1 now, and a stranger has its name.
        fn swap(&self) {
            unplug(self.root.path(), "ttyUSB0");
            plug(self.root.path(), "ttyUSB0", FTDI, Some("B7"), "1.2");
            plug(self.root.path(), "ttyUSB1", FTDI, Some("A5"), "1.1");
        }
    }

    #[tokio::test]
    async fn what_is_read_back_at_a_stranger_under_its_name_settles_nothing() {
        let house = House::new();
        drop(house.print().await.unwrap());
        house.swap();
        assert!(house.left("ttyUSB0").await.is_empty(), "the stranger is nobody's");
        let error = house.print().await.unwrap_err();
        assert!(error.contains("another printer"), "what it owes stands: {error}");
        let mut left = house.left("ttyUSB1").await;
        assert_eq!(left.len(), 1);
        let print = left.remove(0);
        assert!(port::device(print.plan()).unwrap().ends_with("ttyUSB1"));
        print.settled().await;
        assert!(house.left("ttyUSB1").await.is_empty());
        house.print().await.unwrap().settled().await;
    }

    /// By who names no port.
    #[tokio::test]
    async fn what_is_found_without_a_port_is_its_own_printer_and_never_a_print_that_lives() {
        let house = House::new();
        let found = |house: &House| {
            let devices = DeviceTree::at(house.root.path());
            let plans = found::plans_left_hot(&house.settings).into_iter();
            plans.map(|plan| port::device(&PortPlan { devices: devices.clone(), ..plan })).collect::<Vec<_>>()
        };
        let print = house.print().await.unwrap();
        assert!(found(&house).is_empty(), "it sees to it itself");
        drop(print);
        house.swap();
        let [Some(device)] = &found(&house)[..] else { panic!("{:?}", found(&house)) };
        assert!(device.ends_with("ttyUSB1"), "{device:?}");
    }

    #[tokio::test]
    async fn one_whose_printer_is_nowhere_is_known_by_its_name() {
        let house = House::new();
        drop(house.print().await.unwrap());
        unplug(house.root.path(), "ttyUSB0");
        let left = house.left("ttyUSB0").await;
        assert!(left.len() == 1 && port::device(left[0].plan()).is_none());
    }

    /// It would take whoever has its folder for an agent that stays.
    #[tokio::test]
    async fn a_print_that_waits_for_its_port_is_left_alone() {
        let house = House::new();
        let mut print = house.print().await.unwrap();
        for is_offered in [false, true] {
            let killed = Killed::at(&house.settings, &house.plan("ttyUSB0")).await;
            assert!(matches!(killed, Killed::SeenTo), "offered: {is_offered}");
            print.offer();
            assert!(!print.is_taken_over().await);
        }
        drop(print);
        assert_eq!(house.left("ttyUSB0").await.len(), 1);
    }

    #[tokio::test]
    async fn data_that_can_not_be_looked_at_are_not_taken_for_nothing() {
        let house = House::new();
        std::fs::create_dir_all(&house.settings.data).unwrap();
        std::fs::write(house.settings.data.join("print"), "no folder").unwrap();
        let killed = Killed::at(&house.settings, &house.plan("ttyUSB0")).await;
        assert!(matches!(killed, Killed::Unknown(_)), "{killed:?}");
    }
}
