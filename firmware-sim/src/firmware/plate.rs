//! What stands on the plate, and whether the nozzle was led through it: the place to look from outside.
//!
//! Owns: how high the plastic stands in each square of the plate, and every move that went through some of it. It knows the
//! machine as it is, not as the firmware names its places: a reset, `G92` and homing change names, never where the nozzle
//! is. Must not know: commands, time, what a host wanted.
//!
//! A move that lays filament down on its way leaves plastic as high as the nozzle. One that passes lower than what stands
//! there, by more than [`SMEARED_MM`], goes through it: a nozzle wipes over its own layer, and start scripts over the line
//! they purge with. Filament that is pushed out on the spot drops on whatever is below.

use super::motion::Axes;

/// The side of a square, mm.
const SQUARE_MM: f64 = 1.0;
/// The plate with what is around it, mm: printers have no more.
const AROUND_MM: f64 = 20.0;
/// So far below the plastic's top a nozzle only smears it, mm: a start script of Prusa's purges at 0.4 and goes on at 0.3.
const SMEARED_MM: f64 = 0.12;
/// Every square on its way is looked at, mm.
const STEP_MM: f64 = 0.5;
/// So much filament pushed out on the spot is no more than what was missing in the nozzle, mm.
const DROP_MM: f64 = 1.0;
/// Contacts kept; more are only counted.
const KEPT: usize = 32;

/// How the nozzle came to plastic that stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContactKind {
    /// It was led through it.
    Through,
    /// It dropped filament on it.
    Dropped,
}

/// Where the nozzle met plastic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contact {
    /// How.
    pub kind: ContactKind,
    /// X, Y, Z of the nozzle, mm, in the machine.
    pub nozzle_mm: [f64; 3],
    /// How high the plastic stands there, mm.
    pub top_mm: f64,
    /// The move it was on: where it began and where it was to end.
    pub on_way: [[f64; 3]; 2],
}

/// The plate.
#[derive(Debug, Clone)]
pub struct Plate {
    /// Top of the plastic by rows of squares; 0: none.
    tops: Vec<f32>,
    columns: usize,
    rows: usize,
    /// What a place is called by the firmware, plus this, is where it is, mm.
    offset: [f64; 3],
    nozzle: [f64; 3],
    /// Filament that was drawn back and not pushed again, mm.
    drawn_mm: f64,
    /// Pushed out on the spot since the nozzle came here, mm.
    pushed_mm: f64,
    contacts: Vec<Contact>,
    count: usize,
}

impl Plate {
    /// An empty plate; the nozzle stands at the machine's origin.
    pub(crate) fn new(travel_mm: [f64; 3]) -> Self {
        let squares = |travel: f64| ((travel + 2.0 * AROUND_MM) / SQUARE_MM).ceil() as usize;
        let (columns, rows) = (squares(travel_mm[0]), squares(travel_mm[1]));
        Self {
            tops: vec![0.0; columns * rows],
            columns,
            rows,
            offset: [0.0; 3],
            nozzle: [0.0; 3],
            drawn_mm: 0.0,
            pushed_mm: 0.0,
            contacts: Vec::new(),
            count: 0,
        }
    }

    /// Where the nozzle met plastic, the first ones.
    #[must_use]
    pub fn contacts(&self) -> &[Contact] {
        &self.contacts
    }

    /// How often it did.
    #[must_use]
    pub fn contact_count(&self) -> usize {
        self.count
    }

    /// Where the nozzle is, mm, in the machine.
    #[must_use]
    pub fn nozzle_mm(&self) -> [f64; 3] {
        self.nozzle
    }

    /// How high the highest plastic stands, mm.
    #[must_use]
    pub fn top_mm(&self) -> f64 {
        self.tops.iter().fold(0.0, |top: f64, square| top.max(f64::from(*square)))
    }

    /// A piece of a move was carried out. Places as the firmware names them.
    pub(crate) fn carry_out(&mut self, from: &Axes, to: &Axes) {
        let [start, end] = [self.place(from), self.place(to)];
        let filament = to[3] - from[3];
        let flat = (end[0] - start[0]).hypot(end[1] - start[1]);
        self.look(start, end);
        self.nozzle = end;
        if flat > 0.0 {
            self.pushed_mm = 0.0;
            if filament > 0.0 {
                self.lay(start, end);
            }
        }
        self.push(filament, flat, [start, end]);
    }

    /// The firmware calls the place it is at otherwise from now on, by so much.
    pub(crate) fn rename(&mut self, delta: &Axes) {
        for (offset, delta) in self.offset.iter_mut().zip(delta) {
            *offset -= delta;
        }
    }

    /// Homing has led the nozzle to this place of the machine, X first; the firmware's names are the machine's there.
    pub(crate) fn homed(&mut self, axes: [bool; 3], to: &Axes) {
        for axis in (0..3).filter(|axis| axes[*axis]) {
            let mut end = self.nozzle;
            end[axis] = to[axis];
            self.look(self.nozzle, end);
            self.nozzle = end;
            self.offset[axis] = 0.0;
        }
    }

    /// The controller was started anew: the nozzle stays where it is, and is called this place.
    pub(crate) fn restarted(&mut self, called: &Axes) {
        let nozzle = self.nozzle;
        self.offset = std::array::from_fn(|axis| nozzle[axis] - called[axis]);
    }

    fn place(&self, named: &Axes) -> [f64; 3] {
        std::array::from_fn(|axis| named[axis] + self.offset[axis])
    }

    fn look(&mut self, from: [f64; 3], to: [f64; 3]) {
        let mut worst: Option<Contact> = None;
        for nozzle_mm in on_way(from, to) {
            let top_mm = self.top_at(nozzle_mm);
            let deep = top_mm - nozzle_mm[2];
            if deep > SMEARED_MM && worst.is_none_or(|worst| deep > worst.top_mm - worst.nozzle_mm[2]) {
                worst = Some(Contact { kind: ContactKind::Through, nozzle_mm, top_mm, on_way: [from, to] });
            }
        }
        worst.into_iter().for_each(|contact| self.note(contact));
    }

    fn lay(&mut self, from: [f64; 3], to: [f64; 3]) {
        for place in on_way(from, to) {
            if let Some(top) = self.square(place).and_then(|at| self.tops.get_mut(at)) {
                *top = top.max(place[2] as f32);
            }
        }
    }

    fn push(&mut self, filament: f64, flat: f64, on_way: [[f64; 3]; 2]) {
        if filament <= 0.0 {
            self.drawn_mm -= filament;
            return;
        }
        let out = (filament - self.drawn_mm).max(0.0);
        self.drawn_mm = (self.drawn_mm - filament).max(0.0);
        if flat > 0.0 {
            return;
        }
        let before = self.pushed_mm;
        self.pushed_mm += out;
        let (nozzle_mm, top_mm) = (self.nozzle, self.top_at(self.nozzle));
        if before <= DROP_MM && self.pushed_mm > DROP_MM && top_mm > 0.0 {
            self.note(Contact { kind: ContactKind::Dropped, nozzle_mm, top_mm, on_way });
        }
    }

    fn note(&mut self, contact: Contact) {
        self.count += 1;
        if self.contacts.len() < KEPT {
            self.contacts.push(contact);
        }
    }

    fn top_at(&self, place: [f64; 3]) -> f64 {
        self.square(place).and_then(|at| self.tops.get(at)).map_or(0.0, |top| f64::from(*top))
    }

    fn square(&self, place: [f64; 3]) -> Option<usize> {
        let index = |mm: f64, count: usize| {
            let index = ((mm + AROUND_MM) / SQUARE_MM).floor();
            (index >= 0.0 && index < count as f64).then_some(index as usize)
        };
        Some(index(place[1], self.rows)? * self.columns + index(place[0], self.columns)?)
    }
}

/// Places on a straight way, both ends among them.
fn on_way(from: [f64; 3], to: [f64; 3]) -> impl Iterator<Item = [f64; 3]> {
    let steps = ((to[0] - from[0]).hypot(to[1] - from[1]) / STEP_MM).ceil().clamp(1.0, 10_000.0);
    (0..=steps as u32).map(move |step| {
        let share = f64::from(step) / steps;
        std::array::from_fn(|axis| from[axis] + (to[axis] - from[axis]) * share)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn wall() -> Plate {
        let mut plate = Plate::new([100.0; 3]);
        plate.carry_out(&[0.0; 4], &[10.0, 10.0, 0.2, 0.0]);
        plate.carry_out(&[10.0, 10.0, 0.2, 0.0], &[60.0, 10.0, 0.2, 5.0]);
        plate.carry_out(&[60.0, 10.0, 0.2, 5.0], &[60.0, 10.0, 4.2, 5.0]);
        plate.carry_out(&[60.0, 10.0, 4.2, 5.0], &[10.0, 10.0, 4.2, 9.0]);
        plate
    }

    #[rstest]
    #[case::above_it([10.0, 10.0, 4.2], [60.0, 10.0, 4.2], 0)]
    #[case::smearing_it([10.0, 10.0, 4.1], [60.0, 10.0, 4.1], 0)]
    #[case::beside_it([20.0, 5.0, 0.2], [60.0, 5.0, 0.2], 0)]
    #[case::through_it([30.0, 5.0, 2.0], [30.0, 15.0, 2.0], 1)]
    #[case::down_into_it([30.0, 10.0, 9.0], [30.0, 10.0, 1.0], 1)]
    #[case::down_beside_it_in_one_go([10.0, 10.0, 9.0], [10.0, 30.0, 0.2], 0)]
    fn a_way(#[case] from: [f64; 3], #[case] to: [f64; 3], #[case] contacts: usize) {
        let mut plate = wall();
        let axes = |[x, y, z]: [f64; 3]| [x, y, z, 9.0];
        plate.carry_out(&axes(from), &axes(to));
        assert_eq!(plate.contact_count(), contacts, "{:?}", plate.contacts());
        assert!((plate.top_mm() - 4.2).abs() < 1e-3);
    }

    #[test]
    fn names_change_and_the_nozzle_stays() {
        let mut plate = wall();
        plate.restarted(&[0.0; 4]);
        plate.rename(&[0.0, 0.0, 2.0, 0.0]);
        assert_eq!(plate.nozzle_mm(), [10.0, 10.0, 4.2]);
        // The wrong height was declared: it believes to go up to 3.
        plate.carry_out(&[0.0, 0.0, 2.0, 0.0], &[0.0, 0.0, 3.0, 0.0]);
        assert_eq!(plate.nozzle_mm(), [10.0, 10.0, 5.2]);
        plate.homed([true, true, false], &[0.0; 4]);
        assert_eq!((plate.nozzle_mm(), plate.contact_count()), ([0.0, 0.0, 5.2], 0));
        plate.carry_out(&[0.0, 0.0, 3.0, 0.0], &[30.0, 10.0, 1.0, 0.0]);
        assert_eq!(plate.contact_count(), 1);
    }

    #[test]
    fn homing_past_it_too_low_is_seen() {
        let mut plate = wall();
        plate.carry_out(&[10.0, 10.0, 4.2, 9.0], &[70.0, 10.0, 4.2, 9.0]);
        plate.carry_out(&[70.0, 10.0, 4.2, 9.0], &[70.0, 10.0, 3.0, 9.0]);
        plate.homed([true, true, false], &[0.0; 4]);
        assert_eq!(plate.contact_count(), 1);
    }

    #[test]
    fn what_is_pushed_out_on_the_spot_drops() {
        let mut plate = wall();
        let mut filament = |by: f64| plate.carry_out(&[10.0, 10.0, 8.0, 0.0], &[10.0, 10.0, 8.0, by]);
        filament(-6.0);
        filament(6.0);
        filament(0.5);
        assert_eq!(plate.contact_count(), 0, "it was drawn back before");
        plate.carry_out(&[10.0, 10.0, 8.0, 0.0], &[10.0, 10.0, 8.0, 5.0]);
        assert_eq!(plate.contacts()[0].kind, ContactKind::Dropped);
        plate.carry_out(&[10.0, 10.0, 8.0, 0.0], &[5.0, 50.0, 8.0, 0.0]);
        plate.carry_out(&[5.0, 50.0, 8.0, 0.0], &[5.0, 50.0, 8.0, 9.0]);
        assert_eq!(plate.contact_count(), 1, "beside it is where it belongs");
    }
}
