//! How a printer that has forgotten everything is brought back to a layer of a part that is still there.
//!
//! The nozzle stands where it stood, perhaps stuck to the part. So: what the file has set for good first (heaters are driven
//! and steps are counted by it), heat, declare the height that a person has named, draw back, lift above everything that stands, home X and Y alone (the part is where Z would be homed), push
//! filament through where nothing stands, travel to where the layer's first line begins, come down on it from above, set
//! every mode, feed on. Never does it go below the layer that it stands at: nobody knows how much of that is printed.
//! After the lift and after the homing the firmware has to say that it stands as high as it should (`M114`): one that
//! refuses to move before Z is homed (`NO_MOTION_BEFORE_HOMING` of Marlin), or that has moved Z by itself, is stopped
//! before it touches the part.
//!
//! Sources: Marlin 2 `G92` shifts the reported position, `G28 X Y` raises Z only by moves that it counts
//! (`do_z_clearance`), software end stops leave axes alone that were not homed. The order of steps is that of Marlin's own
//! recovery of prints from a memory card.
//! Owns: the steps, their commands, and the checks between them. Must not know: how commands are sent, files.

use serde::{Deserialize, Serialize};
use stardust_gcode::modal::Modal;

use super::envelope::{Envelope, Surroundings};
use super::scripts::{self, Parking, Script};
use super::templates::fill;

/// Pushed through the nozzle beside the part, mm of filament: it has been hot and empty.
const PRIME_MM: f64 = 10.0;
/// How fast, mm/min: what any hot end melts.
const PRIME_FEED: f64 = 200.0;
/// `M114` tells two decimals.
const TOLERANCE_MM: f64 = 0.1;

/// Where a job goes on that was cut off.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerPoint {
    /// The layer, from 1.
    pub layer: u32,
    /// Bytes of the file up to its first extrusion.
    pub read_to: u64,
    /// What the commands before it have set.
    pub modal: Modal,
    /// How high the nozzle stands now, mm, in the file's coordinates: a person has looked.
    pub stands_at_mm: f64,
    /// What stands on the bed, this layer and all.
    pub envelope: Envelope,
    /// What the commands before it have set for good, to be set again: accelerations, pressure advance and the like.
    pub settings: Vec<String>,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Step {
    Waiting,
    Lifting,
    Homing,
    Approaching,
}

/// What is to be done when everything sent so far has been carried out.
#[derive(Debug)]
pub(super) enum Next {
    /// These are sent.
    Send(Script),
    /// It stands where the layer begins.
    Arrived,
    /// It can't be: the printer is to be made safe.
    Lost(&'static str),
}

/// A job on its way back to a layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct WayBack {
    step: Step,
    stands_at_mm: f64,
    lifted_to_mm: f64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    settings: Vec<String>,
    /// They are set from the beginning on; false: one of a release that has set them after homing.
    #[serde(default)]
    set_first: bool,
    /// The place that the firmware has told at this step.
    #[serde(skip)]
    told_mm: Option<[f64; 3]>,
    /// Asked once more: a host that came after the one that had asked.
    #[serde(skip)]
    asked_again: bool,
}

impl WayBack {
    pub(super) fn new(point: &LayerPoint, about: Surroundings<'_>, parking: &Parking) -> Self {
        let (stands_at_mm, settings) = (point.stands_at_mm, point.settings.clone());
        let lifted_to_mm = about.lifted(stands_at_mm, parking.lift_mm);
        Self {
            step: Step::Waiting,
            stands_at_mm,
            lifted_to_mm,
            settings,
            set_first: true,
            told_mm: None,
            asked_again: false,
        }
    }

    /// The firmware says where it stands.
    pub(super) fn stands_at(&mut self, place: [f64; 3]) {
        self.told_mm = Some(place);
    }

    /// The step before has been carried out. `was_asked`: the firmware was asked where it stands, by this process.
    pub(super) fn next(
        &mut self,
        modal: &Modal,
        about: Surroundings<'_>,
        parking: &Parking,
        was_asked: bool,
    ) -> Next {
        let is_checked = matches!(self.step, Step::Lifting | Step::Homing);
        let told = self.told_mm.take();
        match told {
            None if is_checked && !was_asked && !self.asked_again => {
                self.asked_again = true;
                return Next::Send(scripts::script(vec!["M114".into()]));
            }
            None if is_checked => return Next::Lost("it does not tell where it stands"),
            Some([.., z]) if self.step == Step::Lifting && (z - self.lifted_to_mm).abs() > TOLERANCE_MM => {
                return Next::Lost(
                    "it did not lift the nozzle: its firmware does not move before all axes are homed",
                );
            }
            Some([.., z]) if self.step == Step::Homing && z < self.lifted_to_mm - TOLERANCE_MM => {
                return Next::Lost("its height is another one after homing X and Y");
            }
            _ => {}
        }
        self.asked_again = false;
        let (step, script) = match self.step {
            Step::Waiting if !about.is_above_all(self.lifted_to_mm) => {
                return Next::Lost("it has no room to lift the nozzle above what stands on the bed");
            }
            Step::Waiting => (Step::Lifting, self.lift(modal, parking)),
            Step::Lifting => (Step::Homing, vec!["G28 X Y".into(), "M400".into(), "M114".into()]),
            Step::Homing => {
                let [x, y, _] = told.unwrap_or_default();
                let Some(place) = about.place_to_prime([x, y]) else {
                    return Next::Lost(
                        "there is no place beside the part to push filament through the nozzle",
                    );
                };
                let travels = (place != [x, y]).then_some(place);
                (Step::Approaching, self.approach(modal, travels, about, parking))
            }
            Step::Approaching => return Next::Arrived,
        };
        self.step = step;
        Next::Send(scripts::script(script))
    }

    fn lift(&self, modal: &Modal, parking: &Parking) -> Vec<String> {
        let [_, lift, filament] = parking.feeds;
        let mut lines: Vec<String> =
            self.settings.iter().filter(|line| self.set_first && !is_late(line)).cloned().collect();
        // Without power nothing else is heard.
        lines.sort_by_key(|line| !line.starts_with(POWER));
        lines.extend(scripts::heat(modal));
        lines.extend(["G21".into(), "G90".into(), format!("G92 Z{:.3}", self.stands_at_mm)]);
        lines.extend(["M83".into(), format!("G1 E-{} F{filament}", parking.retract_mm), "G91".into()]);
        lines.push(format!("G1 Z{:.3} F{lift}", self.lifted_to_mm - self.stands_at_mm));
        lines.extend(["G90".into(), "M400".into(), "M114".into()]);
        lines
    }

    /// From the corner where it has homed: filament through, there or at another place, back to the layer, every mode.
    fn approach(
        &self,
        modal: &Modal,
        travels: Option<[f64; 2]>,
        about: Surroundings<'_>,
        parking: &Parking,
    ) -> Vec<String> {
        let [plane, _, filament] = parking.feeds;
        let (late, first): (Vec<String>, Vec<String>) =
            self.settings.iter().cloned().partition(|line| is_late(line));
        let mut lines = if self.set_first { Vec::new() } else { first };
        lines.extend(travels.map(|[x, y]| format!("G1 X{x:.3} Y{y:.3} F{plane}")));
        lines.push("M83".to_owned());
        lines.push(format!("G1 E{} F{PRIME_FEED}", parking.retract_mm + PRIME_MM));
        lines.push(format!("G1 E-{} F{filament}", parking.retract_mm));
        if let Some(template) = &parking.templates.resume {
            lines.extend(fill(template, modal, about.area));
        }
        lines.extend(scripts::go_back(modal, Some(self.lifted_to_mm), parking, true));
        lines.extend(late);
        lines
    }
}

/// The power supply's switch.
const POWER: &str = "M80";

/// Whether a setting would change what the way back itself means: volumes of filament instead of lengths.
fn is_late(line: &str) -> bool {
    line.split(' ').next() == Some("M200")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serial::firmware::Area;
    use stardust_gcode::command::{Command, parse};

    const AREA: Area = Area { min: [0.0; 3], max: [220.0, 220.0, 250.0] };

    fn point() -> LayerPoint {
        let (mut modal, mut envelope) = (Modal::default(), Envelope::default());
        for line in
            ["M140 S60", "M109 S205", "G28", "G1 X10 Y20 Z2.4 F3000", "G1 X12 Z2.6 E4.5 F1200", "M106 S128"]
        {
            let effect = modal.apply(&parse(line.as_bytes()).unwrap());
            envelope.follow(&effect, &modal);
        }
        let settings = ["M204 S800", "M200 D1.75", "M80", "M900 K0.04"].map(str::to_owned).to_vec();
        LayerPoint { layer: 12, read_to: 1000, modal, stands_at_mm: 2.6, envelope, settings }
    }

    fn about(point: &LayerPoint) -> Surroundings<'_> {
        Surroundings { envelope: &point.envelope, area: Some(AREA) }
    }

    fn text(next: Next) -> String {
        let Next::Send(script) = next else { panic!("{next:?}") };
        script.iter().map(Command::text).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn heat_lift_home_prime_and_back_with_a_look_at_the_height_between() {
        let (point, parking) = (point(), Parking::default());
        let mut way = WayBack::new(&point, about(&point), &parking);
        insta::assert_snapshot!(text(way.next(&point.modal, about(&point), &parking, false)), @r"
        M80
        M204 S800
        M900 K0.04
        M140 S60
        M190 S60
        M109 S205
        G21
        G90
        G92 Z2.600
        M83
        G1 E-2 F2100
        G91
        G1 Z5.000 F600
        G90
        M400
        M114
        ");
        way.stands_at([0.0, 0.0, 7.6]);
        insta::assert_snapshot!(text(way.next(&point.modal, about(&point), &parking, true)), @r"
        G28 X Y
        M400
        M114
        ");
        way.stands_at([0.0, 0.0, 10.0]);
        insta::assert_snapshot!(text(way.next(&point.modal, about(&point), &parking, true)), @r"
        M83
        G1 E12 F200
        G1 E-2 F2100
        G21
        G90
        G1 Z7.600 F600
        G1 X12.0000 Y20.0000 F6000
        G1 Z2.6000 F600
        M83
        G1 E2 F2100
        G92 E4.50000
        G1 F1200.000
        G90
        M82
        M106 P0 S128
        M200 D1.75
        ");
        assert!(matches!(way.next(&point.modal, about(&point), &parking, true), Next::Arrived));
    }

    /// It was written down before the lift by a release that set them after homing.
    #[test]
    fn what_was_not_set_before_the_lift_is_set_before_the_layer() {
        let (point, parking) = (point(), Parking::default());
        let mut written = serde_json::to_value(WayBack::new(&point, about(&point), &parking)).unwrap();
        written.as_object_mut().unwrap().remove("set_first");
        let mut way: WayBack = serde_json::from_value(written).unwrap();
        assert!(text(way.next(&point.modal, about(&point), &parking, false)).starts_with("M140 S60"));
        way.stands_at([0.0, 0.0, 7.6]);
        way.next(&point.modal, about(&point), &parking, true);
        way.stands_at([0.0, 0.0, 7.6]);
        let last = text(way.next(&point.modal, about(&point), &parking, true));
        assert!(last.starts_with("M204 S800\nM80\nM900 K0.04\n") && last.ends_with("M200 D1.75"), "{last}");
    }

    #[test]
    fn a_printer_that_did_not_lift_or_does_not_tell_is_stopped() {
        let (point, parking) = (point(), Parking::default());
        let lifting = || {
            let mut way = WayBack::new(&point, about(&point), &parking);
            way.next(&point.modal, about(&point), &parking, false);
            way
        };
        let mut way = lifting();
        way.stands_at([0.0, 0.0, 2.6]);
        assert!(
            matches!(way.next(&point.modal, about(&point), &parking, true), Next::Lost(why) if why.contains("lift"))
        );
        let mut way = lifting();
        assert!(
            matches!(way.next(&point.modal, about(&point), &parking, true), Next::Lost(why) if why.contains("tell"))
        );
        // Another host had asked: it is asked once more.
        let mut way = lifting();
        assert_eq!(text(way.next(&point.modal, about(&point), &parking, false)), "M114");
        way.stands_at([0.0, 0.0, 7.6]);
        assert!(text(way.next(&point.modal, about(&point), &parking, true)).starts_with("G28 X Y"));
        way.stands_at([0.0, 0.0, 0.0]);
        assert!(
            matches!(way.next(&point.modal, about(&point), &parking, true), Next::Lost(why) if why.contains("height"))
        );
    }

    #[test]
    fn there_may_be_no_room_to_lift() {
        let mut point = point();
        point.stands_at_mm = 249.0;
        let mut way = WayBack::new(&point, about(&point), &Parking::default());
        assert!(
            text(way.next(&point.modal, about(&point), &Parking::default(), false))
                .contains("\nG1 Z1.000 F600\n")
        );
    }

    #[test]
    fn filament_is_pushed_through_beside_the_part_and_nowhere_else() {
        let point = point();
        let approach = |home: [f64; 3]| {
            let mut way = WayBack::new(&point, about(&point), &Parking::default());
            way.next(&point.modal, about(&point), &Parking::default(), false);
            way.stands_at([0.0, 0.0, 7.6]);
            way.next(&point.modal, about(&point), &Parking::default(), true);
            way.stands_at(home);
            way.next(&point.modal, about(&point), &Parking::default(), true)
        };
        let pushed = |next: Next| text(next).split("\nM83\nG1 E12").next().unwrap().to_owned();
        assert!(pushed(approach([200.0, 200.0, 7.6])).starts_with("M83\nG1 E12"));
        assert!(
            pushed(approach([11.0, 20.0, 7.6])).ends_with("G1 X0.000 Y0.000 F6000"),
            "it homes at the part"
        );
    }

    #[test]
    fn a_part_that_reaches_to_the_top_is_not_moved_over() {
        let mut point = point();
        point.stands_at_mm = 249.5;
        for line in ["G1 X40 Y20 Z249.5", "G1 X60 E9"] {
            let effect = point.modal.apply(&parse(line.as_bytes()).unwrap());
            point.envelope.follow(&effect, &point.modal);
        }
        let mut way = WayBack::new(&point, about(&point), &Parking::default());
        let next = way.next(&point.modal, about(&point), &Parking::default(), false);
        assert!(matches!(next, Next::Lost(why) if why.contains("no room")), "{next:?}");
    }
}
