//! A print file as people see it.

use serde::{Deserialize, Serialize};
use stardust_protocol::{FileId, FileVersionId, Timestamp, UserId, WorkspaceId};

use crate::db::{DbError, FromValue, Row, ToValue, Value};

/// A print file, with its newest version.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PrintFile {
    /// The file's id.
    pub id: FileId,
    /// Whose it is.
    pub workspace_id: WorkspaceId,
    /// Who uploaded it first.
    pub owner_id: UserId,
    /// Its name, with its ending.
    pub name: String,
    /// When it was uploaded first.
    pub created_at: Timestamp,
    /// When its newest version came.
    pub updated_at: Timestamp,
    /// The newest version.
    pub version_id: FileVersionId,
    /// Counts the versions from 1.
    pub version_number: i64,
    /// Length in bytes.
    pub size_bytes: u64,
    /// SHA-256 of the bytes, lower-case hex.
    pub sha256: String,
    /// Whether the metadata has been read.
    pub extraction: Extraction,
    /// Why it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extraction_error: Option<String>,
    /// Where its picture is, for files that carry one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thumbnail_url: Option<String>,
    /// What the slicer says of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<FileMetadata>,
}

/// How far the extractor is with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Extraction {
    /// Still to be read.
    Pending,
    /// Read.
    Ready,
    /// It could not be read.
    Failed,
}

impl FromValue for Extraction {
    fn from_value(value: &Value) -> Option<Self> {
        match String::from_value(value)?.as_str() {
            "pending" => Some(Self::Pending),
            "ready" => Some(Self::Ready),
            "failed" => Some(Self::Failed),
            _ => None,
        }
    }
}

impl ToValue for Extraction {
    fn to_value(&self) -> Value {
        let name = match self {
            Self::Pending => "pending",
            Self::Ready => "ready",
            Self::Failed => "failed",
        };
        name.to_value()
    }
}

/// What a slicer says of its file. What it does not say is absent; nothing is guessed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct FileMetadata {
    /// Which slicer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slicer: Option<String>,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slicer_version: Option<String>,
    /// Printing time, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimated_time_s: Option<u64>,
    /// Filament of all tools together, mm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filament_mm: Option<f64>,
    /// Filament of all tools together, g.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filament_g: Option<f64>,
    /// Filament of all tools together, cm³: UltiMaker's printers are told nothing else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filament_cm3: Option<f64>,
    /// Layer height, mm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer_height_mm: Option<f64>,
    /// How many layers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer_count: Option<u64>,
    /// Nozzle of the first tool, mm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nozzle_diameter_mm: Option<f64>,
    /// Materials, one name for each that differs: "PLA, PETG".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub material: Option<String>,
    /// Nozzle of the first tool, °C.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nozzle_temperature_c: Option<f64>,
    /// Bed, °C.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bed_temperature_c: Option<f64>,
    /// Which printer it was sliced for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub printer_model: Option<String>,
    /// The end is missing: the file was cut off on its way.
    pub truncated: bool,
    /// How many commands a printer is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command_count: Option<u64>,
}

/// Where the picture of a version is, if it has one.
#[must_use]
pub fn thumbnail_url(file: FileId, version: FileVersionId, has_one: bool) -> Option<String> {
    has_one.then(|| format!("/api/v1/files/{file}/thumbnail?v={version}"))
}

pub(super) fn read(row: &Row) -> Result<PrintFile, DbError> {
    let (id, version_id) = (row.get("id")?, row.get("version_id")?);
    let thumbnail: Option<String> = row.get("thumbnail_sha256")?;
    let metadata: Option<String> = row.get("metadata")?;
    Ok(PrintFile {
        id,
        workspace_id: row.get("workspace_id")?,
        owner_id: row.get("owner_id")?,
        name: row.get("name")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
        version_id,
        version_number: row.get("number")?,
        size_bytes: row.get("size_bytes")?,
        sha256: row.get("sha256")?,
        extraction: row.get("extraction")?,
        extraction_error: row.get("extraction_error")?,
        thumbnail_url: thumbnail_url(id, version_id, thumbnail.is_some()),
        // Written by this hub or an older one: unreadable means nothing known.
        metadata: metadata.and_then(|text| serde_json::from_str(&text).ok()),
    })
}
