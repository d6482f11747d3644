//! What the hub answers, as far as this program looks at it.
//!
//! Owns: the shapes. States stay text, so that a newer hub's states can be shown. Must not know: how they are
//! fetched or shown.

use serde::Deserialize;
use serde_json::Value;

/// Whether a text is an id (a UUID) rather than a name.
pub(crate) fn is_id(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// A heater, in °C.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Temperature {
    pub(crate) actual: f64,
    pub(crate) target: f64,
}

/// How far a job is.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Progress {
    pub(crate) fraction: f64,
    pub(crate) elapsed_s: Option<u64>,
    pub(crate) left_s: Option<u64>,
    pub(crate) layer: Option<u64>,
    pub(crate) state: Pause,
}

/// Where a job is about a pause, as far as its printer's own state does not tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Pause {
    Pausing,
    Resuming,
    #[default]
    #[serde(other)]
    Neither,
}

/// What a printer asks of a person.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Attention {
    pub(crate) id: String,
    pub(crate) text: String,
    #[serde(default)]
    pub(crate) buttons: Vec<String>,
}

/// Where a print was cut off, and the layers that it may go on from.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Interruption {
    pub(crate) job_id: String,
    pub(crate) layer: Option<u64>,
    pub(crate) height_mm: Option<f64>,
    /// A pause has left the nozzle that high, above the part.
    pub(crate) parked: bool,
    pub(crate) layers: Vec<LayerStart>,
    pub(crate) refusal: Option<String>,
}

/// A layer that a print may go on from.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct LayerStart {
    pub(crate) layer: u64,
    pub(crate) height_mm: f64,
}

/// Heat that stays on without a job.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Preheat {
    pub(crate) until: String,
    pub(crate) reason: String,
}

/// The last known live data of a printer.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PrinterStatus {
    /// As its agent tells it.
    pub(crate) state: String,
    pub(crate) message: Option<String>,
    pub(crate) attention: Option<Attention>,
    pub(crate) tools: Vec<Temperature>,
    pub(crate) bed: Option<Temperature>,
    pub(crate) job: Option<Progress>,
    pub(crate) interruption: Option<Interruption>,
    pub(crate) preheat: Option<Preheat>,
    /// It has stopped: what it has told before stays as it was.
    pub(crate) halted: bool,
    /// Its agent has not read back that all is off, and does not reach it.
    pub(crate) may_be_hot: bool,
}

/// Whether the hub hears from a printer's agent.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Contact {
    pub(crate) state: String,
    pub(crate) since: Option<String>,
    /// It is not connected, but waits for commands over HTTPS.
    pub(crate) waits: bool,
}

impl Contact {
    /// Whether its agent is connected, and what it says live is so now.
    pub(crate) fn is_online(&self) -> bool {
        self.state == "online"
    }

    /// Whether its agent gets at once what it is asked.
    pub(crate) fn is_in_reach(&self) -> bool {
        self.is_online() || self.waits
    }
}

/// An emergency stop of a printer, as far as it is.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct EmergencyStop {
    /// Which one.
    #[serde(default)]
    pub(crate) id: Option<String>,
    pub(crate) state: String,
    #[serde(default)]
    pub(crate) reason: Option<String>,
    /// A hub of an earlier version sent nothing that it had not written down.
    #[serde(default = "yes")]
    pub(crate) recorded: bool,
}

fn yes() -> bool {
    true
}

impl EmergencyStop {
    /// Whether nothing is known of it yet.
    pub(crate) fn is_on_its_way(&self) -> bool {
        self.state == "sending"
    }

    /// Whether `M112` was sent to the printer.
    pub(crate) fn has_reached(&self) -> bool {
        matches!(self.state.as_str(), "sent" | "sent_and_reset")
    }
}

/// A printer.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Printer {
    pub(crate) id: String,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) model: Option<String>,
    pub(crate) state: String,
    #[serde(default)]
    pub(crate) contact: Contact,
    #[serde(default)]
    pub(crate) status: Option<PrinterStatus>,
    #[serde(default)]
    pub(crate) current_job_id: Option<String>,
    #[serde(default)]
    pub(crate) emergency_stop: Option<EmergencyStop>,
}

impl Printer {
    /// What it says now; none where what it has said last is of another time: its agent is not connected, or
    /// can't reach the printer, or its board has halted.
    pub(crate) fn measured_now(&self) -> Option<&PrinterStatus> {
        self.status
            .as_ref()
            .filter(|status| self.contact.is_online() && status.state != "offline" && !status.halted)
    }
}

/// A print file of the library.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct PrintFile {
    pub(crate) id: String,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) version_number: u64,
    #[serde(default)]
    pub(crate) size_bytes: u64,
    pub(crate) extraction: String,
    #[serde(default)]
    pub(crate) extraction_error: Option<String>,
    #[serde(default)]
    pub(crate) metadata: Option<FileMetadata>,
}

/// What the slicer says of a file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct FileMetadata {
    pub(crate) slicer: Option<String>,
    pub(crate) slicer_version: Option<String>,
    pub(crate) estimated_time_s: Option<f64>,
    pub(crate) filament_mm: Option<f64>,
    pub(crate) filament_g: Option<f64>,
    pub(crate) filament_cm3: Option<f64>,
    pub(crate) material: Option<String>,
    pub(crate) printer_model: Option<String>,
    pub(crate) truncated: bool,
}

/// A print job.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct PrintJob {
    pub(crate) id: String,
    pub(crate) file_name: String,
    #[serde(default)]
    pub(crate) printer_name: Option<String>,
    #[serde(default)]
    pub(crate) printer_id: Option<String>,
    #[serde(default)]
    pub(crate) target_printer_id: Option<String>,
    pub(crate) state: String,
    #[serde(default)]
    pub(crate) reason: Option<String>,
    #[serde(default)]
    pub(crate) requested: Option<String>,
    #[serde(default)]
    pub(crate) progress: Option<Progress>,
    #[serde(default)]
    pub(crate) queued_at: Option<String>,
    #[serde(default)]
    pub(crate) needs_removal: bool,
}

impl PrintJob {
    /// Whether a printer has begun with it and is not through.
    pub(crate) fn is_at_work(&self) -> bool {
        matches!(
            self.state.as_str(),
            "preparing" | "printing" | "pausing" | "paused" | "resuming" | "cancelling"
        )
    }
}

/// What happened to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Op {
    /// `data` is the whole resource.
    Upsert,
    /// `data` is a merge patch of it.
    Patch,
    /// It is gone.
    Remove,
    /// Something a newer hub does.
    #[serde(other)]
    Unknown,
}

/// One event of the stream.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Change {
    pub(crate) resource: String,
    pub(crate) op: Op,
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) data: Value,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_names() {
        assert!(is_id("01907d8e-7c1b-7a3e-9f64-0123456789ab"));
        assert!(!is_id("01907d8e-7c1b-7a3e-9f64-0123456789a"));
        assert!(!is_id("bracket with a name of 36 characters"));
    }

    #[test]
    fn a_newer_hub_is_understood() {
        let job: PrintJob = serde_json::from_str(
            r#"{"id":"1","file_name":"a.gcode","state":"dancing","new":{},"progress":{"fraction":0.5,"state":"dancing"}}"#,
        )
        .unwrap();
        assert_eq!((job.state.as_str(), job.progress.unwrap().fraction), ("dancing", 0.5));
        let change: Change = serde_json::from_str(r#"{"resource":"job","op":"rename","id":"1"}"#).unwrap();
        assert_eq!((change.op, change.data), (Op::Unknown, Value::Null));
    }
}
