//! What the motion of a file comes to.
//!
//! Owns: [`Summary`]: times, filament, boxes, layers, and how they add up. Must not know: commands.

use crate::metadata::BoundingBox;
use crate::modal::PerTool;

/// How many layers are told apart; what comes later counts for the last of them.
pub const MAX_LAYERS: usize = 1 << 16;

/// What the motion of a file comes to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Summary {
    /// How long all motion and all `G4` take, in seconds. Heating, homing, probing and tool changes are not in
    /// it: only the printer knows how long they take.
    pub time_s: f64,
    /// What of `time_s` is `G4`, in seconds.
    pub dwell_s: f64,
    /// The way of the nozzle, in mm.
    pub way_mm: f64,
    /// Filament that each tool has used, by tool, in mm: the farthest it has been pushed. Ends with the last
    /// tool that has moved any.
    pub filament_mm: Vec<f64>,
    /// Where moves with filament have been, with skirt, purge and all, in the machine's coordinates.
    pub extruded: Option<BoundingBox>,
    /// The same for the print alone, without what comments say is none of it (skirt, brim, purge, towers, the
    /// start and end of the printer's profile). Where no comment says so, the same as `extruded`.
    pub print: Option<BoundingBox>,
    /// Where the nozzle has been at all, on moves by the file; firmware retraction's lifts are not in it.
    pub reached: Option<BoundingBox>,
    /// The layers, in order; none before the first.
    pub layers: Vec<Layer>,
    /// Straight moves that were counted (an arc is several).
    pub moves: u64,
}

/// One layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Layer {
    /// The height of its first move with filament, in mm; none where it has none.
    pub z_mm: Option<f64>,
    /// How long its motion and its `G4` take, in seconds.
    pub time_s: f64,
}

/// Filament of one tool while it is added up, in mm.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Filament {
    now: f64,
    farthest: f64,
}

/// A [`Summary`] in the making.
#[derive(Debug, Clone)]
pub(super) struct Sums {
    pub(super) time_s: f64,
    pub(super) dwell_s: f64,
    pub(super) way_mm: f64,
    pub(super) moves: u64,
    pub(super) extruded: Extent,
    pub(super) print: Extent,
    pub(super) reached: Extent,
    pub(super) layers: Vec<Layer>,
    filament: PerTool<Filament>,
}

impl Default for Sums {
    fn default() -> Self {
        Self {
            time_s: 0.0,
            dwell_s: 0.0,
            way_mm: 0.0,
            moves: 0,
            extruded: Extent::default(),
            print: Extent::default(),
            reached: Extent::default(),
            layers: Vec::new(),
            filament: PerTool::all(Filament::default()),
        }
    }
}

impl Sums {
    pub(super) fn add_filament(&mut self, tool: u32, mm: f64) {
        if let Some(Filament { now, farthest }) = self.filament.get(tool) {
            let now = now + mm;
            self.filament.set(tool, Filament { now, farthest: farthest.max(now) });
        }
    }

    /// Adds time to the whole and to a layer (its number, from 1; 0 is before the first).
    pub(super) fn add_time(&mut self, layer: usize, seconds: f64) {
        self.time_s += seconds;
        if let Some(layer) = layer.checked_sub(1).and_then(|index| self.layers.get_mut(index)) {
            layer.time_s += seconds;
        }
    }

    /// A layer begins.
    pub(super) fn begin_layer(&mut self) {
        if self.layers.len() < MAX_LAYERS {
            self.layers.push(Layer { z_mm: None, time_s: 0.0 });
        }
    }

    pub(super) fn into_summary(self, with_marks: bool) -> Summary {
        let last =
            self.filament.iter().filter(|(_, filament)| filament.farthest > 0.0).map(|(tool, _)| tool).last();
        let count = last.map_or(0, |last| last as usize + 1);
        let extruded = self.extruded.into_box();
        Summary {
            time_s: self.time_s,
            dwell_s: self.dwell_s,
            way_mm: self.way_mm,
            filament_mm: self.filament.iter().take(count).map(|(_, filament)| filament.farthest).collect(),
            extruded,
            print: if with_marks { self.print.into_box() } else { extruded },
            reached: self.reached.into_box(),
            layers: self.layers,
            moves: self.moves,
        }
    }
}

/// A box that grows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Extent(BoundingBox);

impl Default for Extent {
    fn default() -> Self {
        Self(BoundingBox { min_mm: [f64::INFINITY; 3], max_mm: [f64::NEG_INFINITY; 3] })
    }
}

impl Extent {
    pub(super) fn add(&mut self, point: [f64; 3]) {
        self.0.min_mm.iter_mut().zip(point).for_each(|(least, value)| *least = least.min(value));
        self.0.max_mm.iter_mut().zip(point).for_each(|(most, value)| *most = most.max(value));
    }

    fn into_box(self) -> Option<BoundingBox> {
        self.0.min_mm.iter().zip(&self.0.max_mm).all(|(least, most)| least <= most).then_some(self.0)
    }
}
