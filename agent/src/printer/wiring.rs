//! What a printer is connected to: its port on one side, its hub on the other.
//!
//! Owns: that both can be something else than this machine's. Must not know: what goes over them.

use stardust_clock::SharedClock;

use super::SetupError;
use super::folder::{PrinterConfig, PrinterFolder};
use crate::disk_work::DiskWork;
use crate::hub_link::client::{Credential, HubClient};
use crate::hub_link::instance::Instance;
use crate::hub_link::mqtt::{self, Clear, MqttLink};
use crate::port::{PortHandle, PortPlan, PortStore, Resumption, drive_on};
use crate::serial::Parking;

/// Connects a printer.
pub trait Wiring {
    /// Drives its port, and goes on with a job of an earlier process. Waits for no disk that the plan does not name.
    ///
    /// # Errors
    /// When the system has no thread or descriptor left.
    fn drive(
        &self,
        folder: &PrinterFolder,
        plan: PortPlan,
        parking: Parking,
        clock: &SharedClock,
        job: Option<Resumption>,
    ) -> std::io::Result<PortHandle>;

    /// Its hub: calls, and the live link.
    ///
    /// # Errors
    /// [`SetupError::Hub`].
    fn connect(
        &self,
        folder: &PrinterFolder,
        config: &PrinterConfig,
        credential: Credential,
    ) -> Result<(HubClient, MqttLink), SetupError>;

    /// Where its work on the disk is done.
    fn disk(&self) -> DiskWork {
        DiskWork::on_threads()
    }
}

/// A real port, the real network.
impl Wiring for PortStore {
    fn drive(
        &self,
        folder: &PrinterFolder,
        mut plan: PortPlan,
        parking: Parking,
        clock: &SharedClock,
        job: Option<Resumption>,
    ) -> std::io::Result<PortHandle> {
        plan.keeper = Some(self.keeper(&folder.name()));
        drive_on(plan, parking, clock.clone(), job)
    }

    fn connect(
        &self,
        folder: &PrinterFolder,
        config: &PrinterConfig,
        credential: Credential,
    ) -> Result<(HubClient, MqttLink), SetupError> {
        let hub = HubClient::new(config.hub.clone(), Some(credential), config.hub_ca.clone());
        let hub = hub.speaking_as(Instance::of(folder.path()));
        let clear = if config.mqtt_in_clear { Clear::Allowed } else { Clear::LikeTheHub };
        Ok((hub.clone(), mqtt::start(hub, clear)))
    }
}
