//! Whether the end of a file is there.
//!
//! Owns: the marks that slicers put at the end of a file. Must not know: what stands between them.

use super::{Completeness, Slicer};

/// Marks seen so far.
#[derive(Debug, Default)]
pub(super) struct Ending {
    config_begun: bool,
    config_ended: bool,
    executable_begun: bool,
    executable_ended: bool,
    summary: bool,
    setting: bool,
    cura_end: bool,
}

impl Ending {
    /// Looks at a comment; true when it is a mark and nothing else.
    pub(super) fn comment(&mut self, text: &[u8]) -> bool {
        let mark = match text {
            b"prusaslicer_config = begin" | b"superslicer_config = begin" | b"CONFIG_BLOCK_START" => {
                &mut self.config_begun
            }
            b"prusaslicer_config = end" | b"superslicer_config = end" | b"CONFIG_BLOCK_END" => {
                &mut self.config_ended
            }
            b"EXECUTABLE_BLOCK_START" => &mut self.executable_begun,
            b"EXECUTABLE_BLOCK_END" => &mut self.executable_ended,
            b"End of Gcode" => &mut self.cura_end,
            _ => return false,
        };
        *mark = true;
        true
    }

    /// A key of the summary or the settings has been seen.
    pub(super) fn summary_or_setting(&mut self, key: &[u8]) {
        let is_summary = key.starts_with(b"filament used") || key.starts_with(b"estimated printing time");
        if is_summary {
            self.summary = true;
        } else {
            self.setting = true;
        }
    }

    /// The finding for a file of this slicer.
    pub(super) fn completeness(&self, slicer: Option<&Slicer>) -> Completeness {
        let ended = match slicer.map(|slicer| slicer.name.as_str()) {
            // Versions before 2.4 write summary and settings without the marks around the settings.
            Some("PrusaSlicer" | "SuperSlicer") if !self.config_begun => self.summary && self.setting,
            Some("PrusaSlicer" | "SuperSlicer") => self.config_ended,
            Some("Slic3r") => self.summary && self.setting,
            Some("Cura") => self.cura_end,
            // Orca writes its settings at the end, Bambu at the beginning; both close what they open.
            Some("OrcaSlicer" | "BambuStudio") => {
                self.config_ended && (self.executable_ended || !self.executable_begun)
            }
            _ => return Completeness::Unknown,
        };
        if ended { Completeness::Complete } else { Completeness::EndMissing }
    }
}
