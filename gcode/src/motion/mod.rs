//! The motion of a file: what a printer's planner makes of it, in time.
//!
//! Owns: [`Motion`], which follows a file line by line and adds it up, and the parts it is made of, which a
//! simulator's planner may be checked against. Must not know: files, printers' protocols, heaters' times.
//!
//! The model is Marlin's: trapezoids of speed, limits by axis, classic jerk or junction deviation, look-ahead
//! over a window. It does not know S-curves, linear advance, input shaping, or a firmware that is too slow for
//! its planner.
//!
//! | module | what it owns |
//! |---|---|
//! | [`limits`] | what the printer can do, and the commands that change it |
//! | [`settings`] | what a slicer says of the printer |
//! | [`path`] | straight moves of what a command does |
//! | [`block`], `junction`, [`trapezoid`] | one move, one corner, one move's speeds |
//! | [`planner`] | the window of look-ahead |
//! | `marks` | layers and skirts in comments |
//! | [`summary`] | what it comes to |
//!
//! Memory is bounded: the window, [`summary::MAX_LAYERS`], one line.

pub mod block;
mod junction;
pub mod limits;
mod marks;
pub mod path;
pub mod planner;
pub mod settings;
pub mod summary;
pub mod trapezoid;

use crate::command::{Command, Disposition};
use crate::commands;
use crate::lines::{Line, LineScanner};
use crate::modal::{Effect, MM_PER_INCH, Modal};
use block::Segment;
use limits::Limits;
use marks::Mark;
use planner::{Planned, Planner};
use summary::{Summary, Sums};

/// Where no comment tells layers apart, a move with filament on another height begins one; by how much, in mm.
const LAYER_STEP_MM: f64 = 0.04;

/// Where a move stands in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Number of its line, from 1; 0 when commands were given without their lines.
    pub line: u64,
    /// The tool in use.
    pub tool: u32,
    /// The layer, from 1; 0 before the first.
    pub layer: usize,
}

/// What of the file is going on, by its comments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Nothing has been said: the printer's start, or a file without such comments.
    Unsaid,
    Print,
    Aside,
}

/// Follows the motion of a file.
///
/// ```
/// # use stardust_gcode::motion::{Motion, limits::Limits};
/// let mut motion = Motion::new(Limits::default());
/// motion.feed(b"G28\nG1 Z0.2 F300\nG1 X10 Y10 F6000\nG1 X60 E2 ");
/// motion.feed(b"F1200\nG4 S3\n");
/// let found = motion.finish();
/// assert_eq!(found.filament_mm, [2.0]);
/// assert!(found.time_s > 2.5 + 3.0 && found.time_s < 7.0);
/// assert_eq!(found.print.unwrap().max_mm, [60.0, 10.0, 0.2]);
/// ```
#[derive(Debug)]
pub struct Motion {
    lines: LineScanner,
    follower: Follower,
}

impl Motion {
    /// Follows a file for a printer with these limits, as Marlin.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self::with(Modal::default(), limits, planner::LOOK_AHEAD)
    }

    /// Follows a file from a state on, with another look-ahead.
    #[must_use]
    pub fn with(modal: Modal, limits: Limits, look_ahead: usize) -> Self {
        let follower = Follower {
            modal,
            limits,
            planner: Planner::new(look_ahead),
            sums: Sums::default(),
            part: Part::Unsaid,
            layer: 0,
            layers_marked: false,
            layer_z_mm: None,
        };
        Self { lines: LineScanner::new(), follower }
    }

    /// Takes in the next chunk of a file.
    pub fn feed(&mut self, chunk: &[u8]) {
        self.feed_observed(chunk, |_| ());
    }

    /// As [`feed`](Self::feed), and hands out each move when its speeds are settled, in order.
    pub fn feed_observed(&mut self, chunk: &[u8], mut each: impl FnMut(&Planned<Place>)) {
        let mut rest = chunk;
        while let Some(line) = self.lines.next_line(&mut rest) {
            self.follower.line(&line, &mut each);
        }
    }

    /// Takes in a line.
    pub fn line(&mut self, line: &Line<'_>) {
        self.follower.line(line, &mut |_| ());
    }

    /// Takes in a command by itself.
    pub fn command(&mut self, command: &Command<'_>) {
        self.follower.command(command, 0, &mut |_| ());
    }

    /// The modal state behind all that was taken in.
    #[must_use]
    pub const fn modal(&self) -> &Modal {
        &self.follower.modal
    }

    /// The limits behind all that was taken in.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.follower.limits
    }

    /// What it all comes to, at the end of the file.
    #[must_use]
    pub fn finish(self) -> Summary {
        self.finish_observed(|_| ())
    }

    /// As [`finish`](Self::finish), and hands out the moves that were not settled yet.
    #[must_use]
    pub fn finish_observed(mut self, mut each: impl FnMut(&Planned<Place>)) -> Summary {
        if let Some(line) = self.lines.finish() {
            self.follower.line(&line, &mut each);
        }
        self.follower.stand_still(&mut each);
        self.follower.sums.into_summary(self.follower.part != Part::Unsaid)
    }
}

#[derive(Debug)]
struct Follower {
    modal: Modal,
    limits: Limits,
    planner: Planner<Place>,
    sums: Sums,
    part: Part,
    layer: usize,
    /// Comments tell where layers begin.
    layers_marked: bool,
    /// The height of the layer, where comments don't tell.
    layer_z_mm: Option<f64>,
}

impl Follower {
    fn line(&mut self, line: &Line<'_>, each: &mut impl FnMut(&Planned<Place>)) {
        if let [b';', comment @ ..] = line.text {
            if let Some(mark) = marks::read(comment).filter(|_| !line.over_long) {
                self.mark(mark);
            }
        } else if let Ok(Some(command)) = commands::of_line(line) {
            self.command(&command, line.number, each);
        }
    }

    fn mark(&mut self, mark: Mark) {
        match mark {
            Mark::Layer => {
                if !self.layers_marked {
                    // What was taken for layers before the first mark is the printer's start.
                    self.layers_marked = true;
                    self.sums.layers.clear();
                    self.planner.retag(|place| place.layer = 0);
                }
                self.begin_layer();
            }
            Mark::Print => self.part = Part::Print,
            Mark::Aside => self.part = Part::Aside,
        }
    }

    fn begin_layer(&mut self) {
        self.sums.begin_layer();
        self.layer = self.sums.layers.len();
    }

    fn command(&mut self, command: &Command<'_>, line: u64, each: &mut impl FnMut(&Planned<Place>)) {
        if command.disposition() != Disposition::Send {
            self.stand_still(each);
            return;
        }
        let unit_mm = if self.modal.inches { MM_PER_INCH } else { 1.0 };
        if self.limits.apply(command, unit_mm) {
            return;
        }
        match self.modal.apply(command) {
            Effect::None | Effect::PositionSet => {}
            Effect::Move(it) => {
                if it.filament_mm > 0.0 && it.from[..2] != it.to[..2] {
                    self.note_height(it.to[2]);
                }
                let mut from = it.from;
                path::of_move(&it, |segment, to| {
                    self.note_extent(&segment, from, to);
                    from = to;
                    self.push(segment, line, each);
                });
            }
            Effect::FirmwareRetraction(it) => {
                for segment in path::of_firmware_move(&it, &self.limits) {
                    self.push(segment, line, each);
                }
            }
            Effect::Dwell { seconds } => {
                self.stand_still(each);
                self.sums.dwell_s += seconds;
                self.sums.add_time(self.layer, seconds);
            }
            Effect::FirmwareMotion | Effect::Standstill | Effect::ToolChange { .. } => self.stand_still(each),
        }
    }

    fn push(&mut self, segment: Segment, line: u64, each: &mut impl FnMut(&Planned<Place>)) {
        let [x, y, z, filament] = segment.delta_mm;
        self.sums.moves += 1;
        self.sums.way_mm += x.hypot(y).hypot(z);
        self.sums.add_filament(self.modal.tool, filament);
        let place = Place { line, tool: self.modal.tool, layer: self.layer };
        let sums = &mut self.sums;
        self.planner.push(segment, &self.limits, place, |planned| {
            sums.add_time(planned.tag.layer, planned.trapezoid.time_s());
            each(planned);
        });
    }

    fn stand_still(&mut self, each: &mut impl FnMut(&Planned<Place>)) {
        let sums = &mut self.sums;
        self.planner.stop(|planned| {
            sums.add_time(planned.tag.layer, planned.trapezoid.time_s());
            each(planned);
        });
    }

    fn note_extent(&mut self, segment: &Segment, from: [f64; 3], to: [f64; 3]) {
        self.sums.reached.add(to);
        let [x, y, _, filament] = segment.delta_mm;
        if filament <= 0.0 || (x == 0.0 && y == 0.0) {
            return;
        }
        for point in [from, to] {
            self.sums.extruded.add(point);
            if self.part == Part::Print {
                self.sums.print.add(point);
            }
        }
    }

    /// A move puts filament on a height.
    fn note_height(&mut self, z_mm: f64) {
        if !self.layers_marked && self.layer_z_mm.is_none_or(|layer| (layer - z_mm).abs() > LAYER_STEP_MM) {
            self.layer_z_mm = Some(z_mm);
            self.begin_layer();
        }
        if let Some(layer) = self.layer.checked_sub(1).and_then(|index| self.sums.layers.get_mut(index)) {
            layer.z_mm = layer.z_mm.or(Some(z_mm));
        }
    }
}

#[cfg(test)]
mod tests;
