//! `printer.toml`: what a printer was paired with, and what a person has set in it.
//!
//! Owns: its format. Must not know: files, and what goes before it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use stardust_protocol::agent_api::PairResponse;
use stardust_protocol::{PrinterId, WorkspaceId};
use url::Url;

use crate::print_job::profile::Profile;
use crate::serial::{KeepBedWarm, Parking, Templates};

/// What `pair` has found out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrinterConfig {
    /// The name on the dashboard.
    pub name: String,
    /// The hub's address.
    pub hub: Url,
    /// The workspace that the printer belongs to.
    pub workspace_id: WorkspaceId,
    /// The printer.
    pub printer_id: PrinterId,
    /// The file of the authorities that vouch for the hub, where those of the system don't.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hub_ca: Option<PathBuf>,
    /// The credential may go over MQTT in clear, although the hub is reached by HTTPS.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mqtt_in_clear: bool,
    /// Its serial port.
    pub port: PathBuf,
    /// Its speed, bits a second; none: found out, and kept for the next time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baud: Option<u32>,
    /// Start the board anew each time its port is opened: only for boards that don't answer otherwise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reset_on_open: bool,
    /// How long the bed of a print that was interrupted stays warm, minutes; the nozzles never do.
    #[serde(default, skip_serializing_if = "KeepBedWarm::is_none")]
    pub keep_bed_warm_minutes: KeepBedWarm,
    /// What it can do, where its firmware does not tell.
    #[serde(default, skip_serializing_if = "Profile::is_empty")]
    pub profile: Profile,
    /// Its own scripts.
    #[serde(default, skip_serializing_if = "Templates::is_empty")]
    pub scripts: Templates,
}

impl PrinterConfig {
    /// As the hub has answered; everything else is found out.
    #[must_use]
    pub fn new(paired: &PairResponse, hub: Url, port: PathBuf) -> Self {
        Self {
            name: paired.printer_name.clone(),
            hub,
            hub_ca: None,
            mqtt_in_clear: false,
            workspace_id: paired.workspace_id,
            printer_id: paired.printer_id,
            port,
            baud: None,
            reset_on_open: false,
            keep_bed_warm_minutes: KeepBedWarm::default(),
            profile: Profile::default(),
            scripts: Templates::default(),
        }
    }

    /// How the host moves on its own account on this printer.
    #[must_use]
    pub fn parking(&self) -> Parking {
        Parking {
            templates: self.scripts.clone(),
            area: self.profile.area(),
            keep_bed_warm: self.keep_bed_warm_minutes,
            ..Parking::default()
        }
    }
}
