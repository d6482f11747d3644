//! What the comments of a file have said so far, before it is put together.
//!
//! Owns: the collection and the way of a comment to the module that understands it. Must not know: how
//! contradictions are settled (`assemble`).

use super::ending::Ending;
use super::plausible::{BED_TEMPERATURE_C, NOZZLE_TEMPERATURE_C};
use super::{MAX_TOOLS, Slicer, cura, griffin, ideamaker, kisslicer, prusa, simplify3d, slicer};

/// A list with an entry a tool; none where the slicer's entry could not be true.
pub(super) type PerTool<T> = Vec<Option<T>>;

/// Everything said so far. Bounded: lists hold at most [`MAX_TOOLS`] entries, texts are clipped.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// The slicer that introduced itself.
    pub(super) slicer: Option<Slicer>,
    /// The generator that a Griffin header names.
    pub(super) generator: Slicer,
    family: Family,
    pub(super) generated_at: Option<String>,
    pub(super) flavor: Option<String>,
    pub(super) printer_model: Option<String>,
    pub(super) printer_profile: Option<String>,
    pub(super) time_s: Option<u64>,
    /// Estimate for a mode that is not the printer's normal one; better than nothing.
    pub(super) other_time_s: Option<u64>,
    /// Time at the end of the last layer (Cura): the total, in a complete file.
    pub(super) elapsed_s: Option<u64>,
    pub(super) filament_mm: PerTool<f64>,
    pub(super) filament_cm3: PerTool<f64>,
    pub(super) filament_g: PerTool<f64>,
    /// Filament of all tools together, where the slicer says it.
    pub(super) total_mm: Option<f64>,
    pub(super) total_cm3: Option<f64>,
    pub(super) total_g: Option<f64>,
    pub(super) materials: PerTool<String>,
    pub(super) nozzle_diameters_mm: PerTool<f64>,
    pub(super) nozzle_temperatures_c: PerTool<f64>,
    pub(super) bed_temperatures_c: PerTool<f64>,
    pub(super) layer_height_mm: Option<f64>,
    pub(super) first_layer_height_mm: Option<f64>,
    /// Number of layers as a header says it.
    pub(super) layers_said: Option<u64>,
    /// Marks of a new layer seen.
    pub(super) layers_seen: u64,
    /// Height as a header says it.
    pub(super) height_said_mm: Option<f64>,
    /// The highest layer seen.
    pub(super) height_seen_mm: Option<f64>,
    /// The settings' numbers are written in a locale with a decimal comma.
    pub(super) settings_have_decimal_commas: bool,
    pub(super) cura: cura::Header,
    pub(super) kisslicer: kisslicer::Sections,
    pub(super) ending: Ending,
    /// Tools chosen by `T` commands, one bit each.
    pub(super) tools_chosen: u64,
    tool: usize,
    /// The hottest that commands ask of each nozzle, and of the bed.
    pub(super) nozzles_asked_c: PerTool<f64>,
    pub(super) bed_asked_c: Option<f64>,
    pub(super) over_long_lines: u64,
    pub(super) command_count: u64,
}

/// Slicers whose comments only they understand, known from the line in which they introduce themselves.
#[derive(Debug, Clone, Copy, Default)]
enum Family {
    #[default]
    PrusaOrCura,
    Simplify3d,
    IdeaMaker,
    Kisslicer,
}

impl Family {
    fn of(slicer: &Slicer) -> Self {
        match slicer.name.as_str() {
            "Simplify3D" => Self::Simplify3d,
            "ideaMaker" => Self::IdeaMaker,
            "KISSlicer" => Self::Kisslicer,
            _ => Self::PrusaOrCura,
        }
    }
}

impl Facts {
    /// Takes in the text of a comment line, without its `;`.
    pub(crate) fn comment(&mut self, text: &[u8]) {
        let text = text.trim_ascii();
        if text.is_empty() || self.ending.comment(text) {
            return;
        }
        match self.family {
            Family::PrusaOrCura => self.prusa_or_cura(text),
            Family::Simplify3d => simplify3d::comment(self, text),
            Family::IdeaMaker => ideamaker::comment(self, text),
            Family::Kisslicer => kisslicer::comment(self, text),
        }
        if self.slicer.is_none() && text.len() < 200 {
            if let Some((slicer, date)) = slicer::introduction(&String::from_utf8_lossy(text)) {
                self.family = Family::of(&slicer);
                self.slicer = Some(slicer);
                self.generated_at = date;
            }
        }
    }

    fn prusa_or_cura(&mut self, text: &[u8]) {
        match memchr::memchr2(b'=', b':', text) {
            Some(at) => {
                let (key, rest) = text.split_at(at);
                let value = rest.get(1..).unwrap_or_default();
                if rest.first() == Some(&b'=') {
                    prusa::setting(self, key.trim_ascii_end(), value);
                } else {
                    cura::field(self, key.trim_ascii_end(), value);
                    griffin::field(self, key.trim_ascii_end(), value);
                    prusa::field(self, key.trim_ascii_end(), value);
                }
            }
            None => prusa::mark(self, text),
        }
    }

    /// Writes a tool's entry of a list, which grows to hold it.
    pub(super) fn set_of_tool<T: Clone>(list: &mut PerTool<T>, tool: usize, value: Option<T>) {
        if tool < MAX_TOOLS && list.len() <= tool {
            list.resize(tool + 1, None);
        }
        if let Some(entry) = list.get_mut(tool) {
            *entry = value;
        }
    }

    /// A command that is sent and tells nothing more.
    pub(crate) fn command(&mut self) {
        self.command_count += 1;
    }

    /// A line that is too long to be read.
    pub(crate) fn over_long_line(&mut self) {
        self.over_long_lines += 1;
    }

    /// `T2`.
    pub(crate) fn tool_chosen(&mut self, tool: u32) {
        let tool = tool as usize;
        if tool < MAX_TOOLS {
            self.tool = tool;
            self.tools_chosen |= 1 << tool;
        }
    }

    /// A command sets a nozzle's temperature; of the current tool if it names none.
    pub(crate) fn nozzle_asked(&mut self, tool: Option<f64>, temperature_c: f64) {
        let tool = match tool {
            None => self.tool,
            Some(tool) => match (0..MAX_TOOLS).find(|index| *index as f64 == tool) {
                Some(tool) => tool,
                None => return,
            },
        };
        if NOZZLE_TEMPERATURE_C.contains(&temperature_c) {
            if self.nozzles_asked_c.len() <= tool {
                self.nozzles_asked_c.resize(tool + 1, None);
            }
            if let Some(hottest) = self.nozzles_asked_c.get_mut(tool) {
                *hottest = Some(hottest.map_or(temperature_c, |before| before.max(temperature_c)));
            }
        }
    }

    /// A command sets the bed's temperature.
    pub(crate) fn bed_asked(&mut self, temperature_c: f64) {
        if BED_TEMPERATURE_C.contains(&temperature_c) {
            self.bed_asked_c =
                Some(self.bed_asked_c.map_or(temperature_c, |before| before.max(temperature_c)));
        }
    }
}
