//! Arcs: G2 and G3 as geometry.
//!
//! Owns: the two forms (centre, radius), angles, lengths, helices, and the straight pieces an arc is cut into.
//! Must not know: modes, units, speeds.
//!
//! The rules are those of Marlin's `G2_G3` and `plan_arc`: the end is not checked against the radius; the arc
//! ends at the angle of its end, and the last piece goes to the end itself.

use std::f64::consts::TAU;

/// The longest piece an arc is cut into, in mm: Marlin's `MAX_ARC_SEGMENT_MM`.
pub const PIECE_MM: f64 = 1.0;

/// The fewest pieces of a full circle: Marlin's `MIN_CIRCLE_SEGMENTS`.
const PIECES_OF_A_CIRCLE: f64 = 72.0;

/// The shortest piece, in mm, however small the circle: Marlin's `MIN_ARC_SEGMENT_MM`.
const SHORTEST_PIECE_MM: f64 = 0.1;

/// The most pieces of one arc: no line of a file may cost more work than this.
const MOST_PIECES: f64 = 4096.0;

/// The most full circles an arc may ask for before it begins: Marlin's limit of `P`.
const MOST_CIRCLES: u32 = 100;

/// Ends that are nearer than this on both axes are one, in mm: round a centre that is a full circle, and by a
/// radius it is no arc, because any direction would do.
const SAME_MM: f64 = 1e-6;

/// The plane an arc lies in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Plane {
    /// G17.
    #[default]
    Xy,
    /// G18.
    Zx,
    /// G19.
    Yz,
}

impl Plane {
    /// The letters of the centre's offset.
    pub(crate) const fn centre_letters(self) -> (u8, u8) {
        match self {
            Self::Xy => (b'I', b'J'),
            Self::Zx => (b'K', b'I'),
            Self::Yz => (b'J', b'K'),
        }
    }

    /// A point as (first, second, along the axis).
    const fn split(self, [x, y, z]: [f64; 3]) -> (f64, f64, f64) {
        match self {
            Self::Xy => (x, y, z),
            Self::Zx => (z, x, y),
            Self::Yz => (y, z, x),
        }
    }

    const fn join(self, first: f64, second: f64, along: f64) -> [f64; 3] {
        match self {
            Self::Xy => [first, second, along],
            Self::Zx => [second, along, first],
            Self::Yz => [along, first, second],
        }
    }
}

/// The way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Turn {
    /// G2.
    Clockwise,
    /// G3.
    CounterClockwise,
}

/// An arc that begins where the nozzle is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arc {
    plane: Plane,
    turn: Turn,
    /// From the start to the centre, in the plane, in mm.
    centre: [f64; 2],
    full_circles: u32,
}

impl Arc {
    /// The arc round a centre, given from the start; none when the centre is the start.
    #[must_use]
    pub fn by_centre(plane: Plane, turn: Turn, centre: [f64; 2]) -> Option<Self> {
        (centre != [0.0; 2]).then_some(Self { plane, turn, centre, full_circles: 0 })
    }

    /// A box that it stays within on its way: lowest and highest X, Y, Z. A whole circle's where that is simpler.
    #[must_use]
    pub fn bounds(&self, from: [f64; 3], to: [f64; 3]) -> [[f64; 3]; 2] {
        let (a, b, along) = self.plane.split(from);
        let (_, _, along_end) = self.plane.split(to);
        let [to_a, to_b] = self.centre;
        let (radius, a, b) = (to_a.hypot(to_b), a + to_a, b + to_b);
        let low = self.plane.join(a - radius, b - radius, along.min(along_end));
        let high = self.plane.join(a + radius, b + radius, along.max(along_end));
        // The last piece goes to the end itself, wherever that is.
        let with_end = |[x, y, z]: [f64; 3], pick: fn(f64, f64) -> f64| {
            let [to_x, to_y, to_z] = to;
            [pick(x, to_x), pick(y, to_y), pick(z, to_z)]
        };
        [with_end(low, f64::min), with_end(high, f64::max)]
    }

    /// The arc of a radius between two points: the short way round, or the long one when the radius is
    /// negative. None when the radius is 0 or the ends are the same. A radius that is too small counts as half
    /// the distance.
    #[must_use]
    pub fn by_radius(plane: Plane, turn: Turn, from: [f64; 3], to: [f64; 3], radius: f64) -> Option<Self> {
        let (a0, b0, _) = plane.split(from);
        let (a1, b1, _) = plane.split(to);
        let (half_a, half_b) = ((a1 - a0) / 2.0, (b1 - b0) / 2.0);
        let half = half_a.hypot(half_b);
        if radius == 0.0 || same(a1 - a0, b1 - b0) {
            return None;
        }
        // From the middle of the chord to the centre, square to the chord.
        let height = ((radius.abs() - half) * (radius.abs() + half)).max(0.0).sqrt();
        let left = (turn == Turn::CounterClockwise) == (radius > 0.0);
        let side = if left { height / half } else { -height / half };
        Self::by_centre(plane, turn, [half_a - half_b * side, half_b + half_a * side])
    }

    /// The same arc with full circles before it (`P`), at most 100.
    #[must_use]
    pub const fn with_full_circles(mut self, circles: u32) -> Self {
        self.full_circles = if circles > MOST_CIRCLES { MOST_CIRCLES } else { circles };
        self
    }

    /// The radius, in mm.
    #[must_use]
    pub fn radius(&self) -> f64 {
        let [a, b] = self.centre;
        a.hypot(b)
    }

    /// How far it turns on its way between two points, in radians; clockwise is negative.
    #[must_use]
    pub fn angle(&self, from: [f64; 3], to: [f64; 3]) -> f64 {
        let (a0, b0, _) = self.plane.split(from);
        let (a1, b1, _) = self.plane.split(to);
        let [ca, cb] = self.centre;
        let sign = if self.turn == Turn::Clockwise { -1.0 } else { 1.0 };
        let circles = sign * TAU * f64::from(self.full_circles);
        if same(a1 - a0, b1 - b0) {
            return circles + sign * TAU;
        }
        let (ra, rb) = (-ca, -cb);
        let (ta, tb) = (a1 - a0 - ca, b1 - b0 - cb);
        let angle = (ra * tb - rb * ta).atan2(ra * ta + rb * tb);
        // Never the other way round.
        let angle = if angle * sign < 0.0 { angle + sign * TAU } else { angle };
        circles + angle
    }

    /// Its length between two points, in mm, with the rise of a helix.
    #[must_use]
    pub fn length(&self, from: [f64; 3], to: [f64; 3]) -> f64 {
        let rise = self.plane.split(to).2 - self.plane.split(from).2;
        (self.angle(from, to) * self.radius()).hypot(rise)
    }

    /// The ends of the straight pieces it is cut into; the last is `to` itself. Never more than some thousand.
    pub fn points(self, from: [f64; 3], to: [f64; 3]) -> impl Iterator<Item = [f64; 3]> {
        let angle = self.angle(from, to);
        let round = (angle * self.radius()).abs();
        let by_circle = (angle.abs() / TAU * PIECES_OF_A_CIRCLE).min(round / SHORTEST_PIECE_MM);
        let count = (round / PIECE_MM).max(by_circle).ceil().clamp(1.0, MOST_PIECES);
        let (a0, b0, along0) = self.plane.split(from);
        let along1 = self.plane.split(to).2;
        let [ca, cb] = self.centre;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
        let pieces = count as u32;
        (1..=pieces).map(move |piece| {
            if piece == pieces {
                return to;
            }
            let part = f64::from(piece) / count;
            let (sin, cos) = (angle * part).sin_cos();
            let a = a0 + ca - ca * cos + cb * sin;
            let b = b0 + cb - ca * sin - cb * cos;
            self.plane.join(a, b, along0 + (along1 - along0) * part)
        })
    }
}

/// Whether ends that are so far from each other count as one.
fn same(a_mm: f64, b_mm: f64) -> bool {
    a_mm.abs() < SAME_MM && b_mm.abs() < SAME_MM
}

#[cfg(test)]
mod tests;
