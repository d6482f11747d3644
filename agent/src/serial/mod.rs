//! The serial host protocol: how a print reaches the firmware, exactly.
//!
//! A state machine without I/O: bytes and a monotonic time go in, bytes, events and the next deadline come out.
//! No threads, no sleeping, no clock: whoever drives it ([`crate::port`]) brings those, and tests drive it by
//! hand.
//!
//! | module | what it owns |
//! |---|---|
//! | [`host`] | the whole: what each reply means for the connection |
//! | [`framing`], [`reply`] | bytes to lines, lines to replies |
//! | `link` | exact, ordered delivery: window, history, resends, lost `ok`s |
//! | `patience`, `moves_ahead` | when a lost answer is asked about, and when a printer is given up |
//! | `handshake`, [`firmware`], [`dialect`] | getting to know the firmware |
//! | `attach`, `checkpoint` | going on with a job that an earlier process has begun |
//! | `cut_off`, `return_to_layer` | going on with a part whose printer has forgotten everything |
//! | [`job`] | the stages of a job: feeding, pausing, stopping |
//! | `envelope` | what stands on the bed, and how the nozzle passes it |
//! | `scripts`, [`templates`] | how a job is left and brought back to what it had set |
//! | [`heat`] | what is owed after a job: every target 0, read back |
//! | `preheat` | heat that is wanted without a job, for a time |
//! | `told` | a stop at once: when it is sent again, and whether it was taken |
//! | `display`, `dead_man` | what is put between a job's commands: progress, and being turned off without a host |
//! | `attention`, `motion` | what people are asked, and are shown of the job |
//! | `cooling` | how long what is hot waits for a person |
//! | [`reading`] | how this firmware reads a line: texts are made harmless, what can't arrive is refused |
//! | [`feeder`], [`Brief`] | where commands come from, and what is known of them beforehand |

mod attach;
mod attention;
mod brief;
mod caution;
mod checkpoint;
mod cooling;
mod cut_off;
mod dead_man;
pub mod dialect;
mod display;
mod envelope;
mod external;
pub mod feeder;
pub mod firmware;
pub mod framing;
mod handshake;
pub mod heat;
mod heat_reach;
mod history;
pub mod host;
pub mod job;
mod link;
mod link_fault;
mod motion;
mod moves_ahead;
mod named_heaters;
mod numbered;
mod numbering;
mod own_reports;
mod pace;
mod patience;
mod preheat;
pub mod reading;
mod recovery;
mod remark;
pub mod reply;
mod return_to_layer;
mod scripts;
pub mod templates;
#[cfg(test)]
mod tests;
mod thermometer;
mod told;
mod transcript;
mod whereabouts;
mod window;

pub use attention::Prompt;
pub use brief::Brief;
pub use checkpoint::Checkpoint;
pub use cooling::{BedHotFor, NozzleHotFor, Waiting};
pub use cut_off::CutOff;
pub use envelope::Envelope;
pub use feeder::{CommandSource, Fed, SourceError};
pub use heat::{Heaters, Heating, Safety};
pub use heat_reach::HeatOutOfReach;
pub use host::{Connection, Host, HostEvent};
pub use job::{End, JobEvent, Stage};
pub use motion::Motion;
pub use named_heaters::sets_by_name;
pub use preheat::read_back::{Heater, NotSet};
pub use preheat::{KeepBedWarm, Preheat, Wanted, WantedBy};
pub use return_to_layer::LayerPoint;
pub use scripts::Parking;
pub use templates::Templates;
pub use thermometer::Thermometer;
pub use told::{STOP_KEPT, StopLines};
