//! How a print went: what an agent saw of it from time to time.
//!
//! `POST /agent/v1/telemetry`. Live status shows a printer as it is now; this is kept, so that a person can look later at
//! what happened while nobody was looking, or while the hub was away. Nothing of it decides anything: it may be thinned.

use serde::{Deserialize, Serialize};

use crate::{JobId, Temperature, Timestamp};

/// One look at a print.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TelemetrySample {
    /// Which job.
    pub job_id: JobId,
    /// Tells it from every other sample of its job, below 2^53: a sample that comes twice is kept once. The order is that
    /// of [`Self::at`], not of these.
    pub number: u64,
    /// When it was, by the hub's clock as far as the agent knows it.
    pub at: Timestamp,
    /// Fraction done, 0 to 1.
    pub fraction: f64,
    /// The layer being printed, from 1, where the file says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<u32>,
    /// What is heated.
    #[serde(flatten)]
    pub heat: Heat,
}

/// The heaters of a printer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Heat {
    /// Hot ends, by tool number.
    #[serde(default)]
    pub tools: Vec<Temperature>,
    /// The heated bed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bed: Option<Temperature>,
    /// The heated chamber.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chamber: Option<Temperature>,
}
