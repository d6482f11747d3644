//! What can be seen of a printer from outside its thread.
//!
//! Owns: the picture of one moment. Must not know: how it is passed on.

use crate::disk::DiskFault;
use crate::serial::dialect::Dialect;
use crate::serial::firmware::Area;
use crate::serial::{Connection, HeatOutOfReach, Heating, Host, Motion, Stage, Thermometer, Waiting};

/// A printer at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct PortView {
    /// Why the port is not open, where it is not.
    pub port_error: Option<String>,
    /// How the firmware answers.
    pub connection: Connection,
    /// `FIRMWARE_NAME`.
    pub firmware: Option<String>,
    /// `MACHINE_TYPE`.
    pub machine_type: Option<String>,
    /// The area and the number of extruders that the firmware tells.
    pub machine: (Option<Area>, Option<u32>),
    /// Whose firmware it is, as far as it has said so.
    pub dialect: Dialect,
    /// Whether the firmware acts on urgent commands at once (`EMERGENCY_PARSER`).
    pub can_interrupt: bool,
    /// Heaters.
    pub thermometer: Thermometer,
    /// How it stands with the heat while no job is at work.
    pub heating: Heating,
    /// Why its heaters can't be turned off from here, though it answers.
    pub heat_out_of_reach: Option<HeatOutOfReach>,
    /// What the firmware wants of a person.
    pub attention: Option<Asked>,
    /// What the printer does on its own account: a print from its memory card.
    pub external: Option<String>,
    /// What a person should know about the safety of the firmware.
    pub warning: Option<String>,
    /// What a person is told of a stop at once that the printer has not taken.
    pub stop_ignored: Option<String>,
    /// The job on the line.
    pub job: Option<JobView>,
    /// Why the job's trail can't be written: it would not survive the end of this process.
    pub trail_fault: Option<DiskFault>,
    /// Whether a job can be started now.
    pub is_ready: bool,
}

/// What the firmware wants of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Which question: the next has another number.
    pub question: u64,
    /// What a person is told.
    pub text: String,
    /// The answers it offers; none: only that it may go on.
    pub buttons: Vec<String>,
    /// The answer that goes on, by its place; none: a person has to choose.
    pub goes_on: Option<u8>,
    /// It is answered at the printer alone.
    pub only_at_printer: bool,
}

/// The job at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct JobView {
    /// What it is doing.
    pub stage: Stage,
    /// Bytes of the file that the firmware has taken.
    pub acknowledged_bytes: u64,
    /// The layer, from 1.
    pub layer: Option<u32>,
    /// Minutes left as the file says (M73 R).
    pub minutes_left: Option<f64>,
    /// What a person should know of the part.
    pub remark: Option<&'static str>,
    /// What its commands have set.
    pub motion: Motion,
    /// What becomes of the heat, while it waits for a person.
    pub waiting: Option<Waiting>,
}

impl PortView {
    /// Whether the printer answers, if only by showing that it is at work.
    #[must_use]
    pub fn answers(&self) -> bool {
        let is_heard = matches!(
            self.connection,
            Connection::Ready
                | Connection::Connecting { silent: false }
                | Connection::ToldToStop { is_over: false, .. }
        );
        self.port_error.is_none() && is_heard
    }

    /// Whether a job is being printed now: it neither stands still nor waits for a person.
    #[must_use]
    pub fn prints(&self) -> bool {
        let goes_on = |job: &JobView| !matches!(job.stage, Stage::Paused | Stage::Ended);
        self.attention.is_none() && self.job.as_ref().is_some_and(goes_on)
    }

    /// Before the port was opened.
    #[must_use]
    pub fn closed() -> Self {
        Self {
            port_error: None,
            connection: Connection::Connecting { silent: true },
            firmware: None,
            machine_type: None,
            machine: (None, None),
            dialect: Dialect::default(),
            can_interrupt: false,
            thermometer: Thermometer::default(),
            heating: Heating::Settled,
            heat_out_of_reach: None,
            attention: None,
            external: None,
            warning: None,
            stop_ignored: None,
            job: None,
            trail_fault: None,
            is_ready: false,
        }
    }

    /// Of this host. `port_error`: why its port is not open, `trail_fault`: why its trail can't be written.
    #[must_use]
    pub fn of(host: &Host, port_error: Option<&str>, trail_fault: Option<&DiskFault>) -> Self {
        Self {
            trail_fault: trail_fault.cloned(),
            port_error: port_error.map(str::to_owned),
            connection: host.connection(),
            firmware: host.firmware().name.clone(),
            machine_type: host.firmware().machine_type.clone(),
            machine: (host.firmware().area, host.firmware().extruders),
            dialect: host.firmware().dialect,
            can_interrupt: host.firmware().can("EMERGENCY_PARSER"),
            thermometer: host.thermometer().clone(),
            is_ready: port_error.is_none() && host.is_ready(),
            heating: host.heating(),
            heat_out_of_reach: host.heat_out_of_reach(),
            attention: host.attention_text().map(|text| Asked {
                question: host.question(),
                text,
                goes_on: host.goes_on(),
                only_at_printer: host.is_only_at_printer(),
                // Without M876 a button could not be pressed from here.
                buttons: host
                    .prompt()
                    .filter(|_| host.firmware().can("PROMPT_SUPPORT"))
                    .map(|prompt| prompt.buttons.clone())
                    .unwrap_or_default(),
            }),
            external: host.external(),
            warning: host.firmware().warning(),
            stop_ignored: host.stop_ignored(),
            job: host.progress().map(|(stage, acknowledged_bytes, layer, minutes_left)| JobView {
                stage,
                acknowledged_bytes,
                layer,
                minutes_left,
                remark: host.remark(),
                motion: host.motion().unwrap_or_default(),
                waiting: host.waiting(),
            }),
        }
    }
}
