//! What the host sends of its own to pause, go on and stop.
//!
//! The nozzle is moved in this order: lift, travel, approach from above; where it travels is planned by what stands on the
//! bed ([`super::envelope`]).
//! Owns: the order of those commands, made from what the job has set. Must not know: when they are sent.

use stardust_gcode::arc::Plane;
use stardust_gcode::command::{Command, parse};
use stardust_gcode::modal::Modal;

use super::envelope::Surroundings;
use super::firmware::Area;
use super::heat::Heaters;
use super::preheat::KeepBedWarm;
use super::templates::{Templates, fill};

/// How the host moves on its own account.
#[derive(Debug, Clone, PartialEq)]
pub struct Parking {
    /// How far the nozzle is lifted, mm.
    pub lift_mm: f64,
    /// How much filament is drawn back while paused, mm.
    pub retract_mm: f64,
    /// Feed rates, mm/min: in the plane, of Z, of the filament.
    pub feeds: [f64; 3],
    /// Scripts of the printer's own.
    pub templates: Templates,
    /// How far the machine reaches, as its settings tell.
    pub area: Option<Area>,
    /// How long the bed of a print that was interrupted stays warm.
    pub keep_bed_warm: KeepBedWarm,
}

impl Parking {
    /// How far the machine reaches: as its settings and its firmware tell, where both do no farther than either.
    pub(super) fn reach(&self, firmware: Option<Area>) -> Option<Area> {
        match (self.area, firmware) {
            (Some(set), Some(told)) => Some(set.within(&told)),
            (set, told) => set.or(told),
        }
    }
}

impl Default for Parking {
    fn default() -> Self {
        Self {
            lift_mm: 5.0,
            retract_mm: 2.0,
            feeds: [6000.0, 600.0, 2100.0],
            templates: Templates::default(),
            area: None,
            keep_bed_warm: KeepBedWarm::default(),
        }
    }
}

/// Pushed through a nozzle that was cold, mm of filament.
const PRIME_MM: f64 = 5.0;
/// How fast, mm/min: what any hot end melts.
const PRIME_FEED: f64 = 200.0;

/// What `M220 B` keeps when nothing else was said.
const USUAL_PERCENT: f64 = 100.0;

/// Commands in order.
pub(super) type Script = std::collections::VecDeque<Command<'static>>;

pub(super) fn script(lines: Vec<String>) -> Script {
    lines.iter().filter_map(|line| parse(line.as_bytes()).map(Command::into_owned)).collect()
}

/// Before the job.
pub(super) fn start(modal: &Modal, area: Option<Area>, parking: &Parking) -> Script {
    script(parking.templates.start.as_deref().map(|start| fill(start, modal, area)).unwrap_or_default())
}

/// After the job's moves: draw back, lift, and get out of the way where the machine's area is known and nothing stands
/// between.
pub(super) fn pause(modal: &Modal, about: Surroundings<'_>, parking: &Parking) -> Script {
    let mut lines = vec!["M400".to_owned()];
    if modal.position().iter().any(Option::is_some) {
        // To be compared with where the file has led it.
        lines.push("M114".to_owned());
    }
    if let Some(template) = &parking.templates.pause {
        lines.extend(fill(template, modal, about.area));
        lines.push("M400".into());
        return script(lines);
    }
    let Some(lifted) = lifted(modal, about, parking) else { return script(lines) };
    let [plane, lift, filament] = parking.feeds;
    lines.push("G21".into());
    if draws_back(modal) {
        lines.extend(["M83".into(), format!("G1 E-{} F{filament}", parking.retract_mm)]);
    }
    lines.push("G90".into());
    lines.push(format!("G1 Z{lifted:.3} F{lift}"));
    if let Some([x, y]) = parking_place(modal, about, lifted) {
        lines.push(format!("G1 X{x:.3} Y{y:.3} F{plane}"));
    }
    lines.push("M400".into());
    script(lines)
}

/// Whether a pause leads the head aside.
pub(super) fn parks(modal: &Modal, about: Surroundings<'_>, parking: &Parking) -> bool {
    let lifted = lifted(modal, about, parking).filter(|_| parking.templates.pause.is_none());
    lifted.is_some_and(|lifted| parking_place(modal, about, lifted).is_some())
}

/// How high a pause lifts the nozzle, in the file's coordinates, mm; none where only the firmware knows where it is.
pub(super) fn lifted(modal: &Modal, about: Surroundings<'_>, parking: &Parking) -> Option<f64> {
    let [Some(_), Some(_), Some(z)] = modal.position() else { return None };
    let [.., machine] = modal.machine_mm;
    // Where nobody knows what G92 has shifted it by, nobody knows how far it is from the machine's end.
    let area = about.area.filter(|_| !modal.shift_guessed[2]);
    let about = Surroundings { area, ..about };
    Some(z + about.lifted(machine, parking.lift_mm) - machine)
}

/// Back to where the job stopped: heat, X and Y, Z, filament, then every mode. `cooled`: the nozzle was cold meanwhile, and
/// loses what oozes out of it until it is hot again; only where the pause has led the head aside.
pub(super) fn resume(modal: &Modal, about: Surroundings<'_>, parking: &Parking, cooled: bool) -> Script {
    // A script that draws back on its own pushes back on its own.
    let pushes = draws_back(modal) && parking.templates.pause.is_none();
    let lifted = lifted(modal, about, parking);
    let mut lines = heat(modal);
    let parked = lifted.and_then(|lifted| parking_place(modal, about, lifted));
    if cooled && pushes && parked.is_some_and(|place| about.envelope.is_beside(place)) {
        // Where it is parked, not above the part.
        lines.extend(prime(parking));
    }
    if let Some(template) = &parking.templates.resume {
        lines.extend(fill(template, modal, about.area));
    }
    lines.extend(go_back(modal, lifted, parking, pushes));
    script(lines)
}

/// Pushes filament through a nozzle that was cold, and draws it back as it was.
fn prime(parking: &Parking) -> Vec<String> {
    let Parking { retract_mm, feeds: [_, _, filament], .. } = parking;
    vec![
        "G21".into(),
        "M83".into(),
        format!("G1 E{} F{PRIME_FEED}", retract_mm + PRIME_MM),
        format!("G1 E-{retract_mm} F{filament}"),
    ]
}

/// What the job has heated is hot again after this: all at once.
pub(super) fn heat(modal: &Modal) -> Vec<String> {
    let mut lines = Vec::new();
    let bed = modal.bed_c.filter(|bed| *bed > 0.0);
    lines.extend(bed.map(|bed| format!("M140 S{bed}")));
    lines.extend(modal.chamber_c.filter(|chamber| *chamber > 0.0).map(|chamber| format!("M141 S{chamber}")));
    let heated = modal.nozzle_c.iter().filter_map(|(tool, target)| Some((tool, target?)));
    for (tool, target) in heated.filter(|(tool, target)| *tool != modal.tool && *target > 0.0) {
        lines.push(format!("M104 T{tool} S{target}"));
    }
    lines.extend(bed.map(|bed| format!("M190 S{bed}")));
    let nozzle = modal.nozzle_in_use_c().filter(|target| *target > 0.0);
    lines.extend(nozzle.map(|target| format!("M109 S{target}")));
    lines
}

/// When it is hot: up to where nothing stands, X and Y, down to Z, the filament that was drawn back, and every mode.
pub(super) fn go_back(modal: &Modal, lifted: Option<f64>, parking: &Parking, pushes: bool) -> Vec<String> {
    let mut lines = Vec::new();
    let [plane, lift, filament] = parking.feeds;
    if let [Some(x), Some(y), Some(z)] = modal.position() {
        lines.extend(["G21".into(), "G90".into()]);
        // Wherever a script of the printer's own has led it.
        lines.extend(lifted.map(|lifted| format!("G1 Z{lifted:.3} F{lift}")));
        lines.push(format!("G1 X{x:.4} Y{y:.4} F{plane}"));
        lines.push(format!("G1 Z{z:.4} F{lift}"));
        if pushes {
            lines.extend(["M83".into(), format!("G1 E{} F{filament}", parking.retract_mm)]);
        }
        lines.push(format!("G92 E{:.5}", modal.e));
        lines.extend(modal.feed_mm_min.map(|feed| format!("G1 F{feed:.3}")));
        if modal.inches {
            lines.push("G20".into());
        }
        lines.push(if modal.relative { "G91" } else { "G90" }.into());
        lines.push(if modal.extruder_relative { "M83" } else { "M82" }.into());
    }
    let fans = modal.fans.iter().enumerate().filter_map(|(fan, speed)| Some((fan, (*speed)?)));
    lines.extend(fans.map(|(fan, speed)| format!("M106 P{fan} S{speed}")));
    lines.extend(plane_of_arcs(modal.plane).map(str::to_owned));
    if modal.kept_speed_percent != USUAL_PERCENT {
        // What a later M220 R brings back.
        lines.extend([format!("M220 S{}", modal.kept_speed_percent), "M220 B".into()]);
    }
    lines.extend(modal.speed_percent.map(|percent| format!("M220 S{percent}")));
    for (tool, percent) in modal.flow_percent.iter().filter_map(|(tool, percent)| Some((tool, percent?))) {
        let of_tool = if tool == modal.tool { String::new() } else { format!(" T{tool}") };
        lines.push(format!("M221 S{percent}{of_tool}"));
    }
    lines
}

/// What sets the plane of arcs; none: it is the one that printers begin with and homing brings back.
fn plane_of_arcs(plane: Plane) -> Option<&'static str> {
    match plane {
        Plane::Xy => None,
        Plane::Zx => Some("G18"),
        Plane::Yz => Some("G19"),
    }
}

/// Heaters off first; then the fan, what would stop the idle printer, the lift, and the motors. `from`: how high the nozzle
/// may stand by then, in the machine, mm; none: it is not lifted any more.
pub(super) fn stop(
    modal: &Modal,
    area: Option<Area>,
    parking: &Parking,
    heaters: &Heaters,
    from: Option<f64>,
) -> Script {
    let mut lines = cold(heaters, 0.0);
    if let Some(template) = &parking.templates.cancel {
        lines.extend(fill(template, modal, area));
        return script(lines);
    }
    if let (Some(from), [_, _, Some(_)]) = (from, modal.position()) {
        let room = area.map_or(f64::INFINITY, |area| area.max[2]) - from;
        let lift = parking.lift_mm.min(room);
        if lift > 0.0 {
            lines.extend(["G21".into(), "G91".into(), format!("G1 Z{lift:.3} F{}", parking.feeds[1])]);
            lines.push("G90".into());
        }
    }
    lines.push("M84".into());
    script(lines)
}

/// Heaters and fan off, and nothing is moved: where it stands is all that is known of it. `bed`: what that stays at, °C.
pub(super) fn cool(heaters: &Heaters, bed: Option<f64>) -> Script {
    script(cold(heaters, bed.unwrap_or(0.0)))
}

fn cold(heaters: &Heaters, bed: f64) -> Vec<String> {
    let mut lines = heaters.set(|_| 0.0, bed);
    lines.push("M107".into());
    lines
}

/// Cold filament must not be moved, and what the firmware has drawn back is not drawn back twice.
fn draws_back(modal: &Modal) -> bool {
    let hot = modal.nozzle_in_use_c().is_some_and(|target| target >= 170.0);
    hot && !modal.is_retracted()
}

/// Where the head waits, in the file's coordinates, if nothing stands in its way there at this height.
fn parking_place(modal: &Modal, about: Surroundings<'_>, lifted: f64) -> Option<[f64; 2]> {
    let ([x, y, _], [.., dz]) = (modal.machine_mm, modal.shift_mm);
    let place = about.parking_place().filter(|_| !modal.shifted)?;
    about.is_clear(lifted - dz, [x, y], place).then_some(place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serial::envelope::Envelope;

    fn printing() -> Modal {
        let mut modal = Modal::default();
        for line in
            ["M140 S60", "M109 S205", "G28", "M82", "G1 X10 Y20 Z0.3 F3000", "G1 X12 E4.5 F1200", "M106 S128"]
        {
            modal.apply(&parse(line.as_bytes()).unwrap());
        }
        modal
    }

    const NOTHING: Surroundings<'_> = Surroundings { envelope: &EMPTY, area: Some(AREA) };
    const NOWHERE: Surroundings<'_> = Surroundings { area: None, ..NOTHING };
    const EMPTY: Envelope = Envelope::EMPTY;

    fn text(script: &Script) -> String {
        script.iter().map(Command::text).collect::<Vec<_>>().join("\n")
    }

    const AREA: Area = Area { min: [0.0, 0.0, 0.0], max: [220.0, 215.0, 250.0] };

    #[test]
    fn a_pause_draws_back_lifts_and_parks() {
        insta::assert_snapshot!(text(&pause(&printing(), NOTHING, &Parking::default())), @r"
        M400
        M114
        G21
        M83
        G1 E-2 F2100
        G90
        G1 Z5.300 F600
        G1 X0.000 Y215.000 F6000
        M400
        ");
    }

    #[test]
    fn a_job_that_has_not_homed_yet_pauses_where_it_is() {
        assert_eq!(text(&pause(&Modal::default(), NOTHING, &Parking::default())), "M400");
        assert_eq!(text(&resume(&Modal::default(), NOWHERE, &Parking::default(), false)), "");
    }

    #[test]
    fn going_on_brings_everything_back_in_order() {
        insta::assert_snapshot!(text(&resume(&printing(), NOWHERE, &Parking::default(), false)), @r"
        M140 S60
        M190 S60
        M109 S205
        G21
        G90
        G1 Z5.300 F600
        G1 X12.0000 Y20.0000 F6000
        G1 Z0.3000 F600
        M83
        G1 E2 F2100
        G92 E4.50000
        G1 F1200.000
        G90
        M82
        M106 P0 S128
        ");
    }

    #[test]
    fn the_plane_of_arcs_and_the_speed_that_was_kept_come_back() {
        let back = |lines: &[&str]| {
            let mut modal = printing();
            for line in lines {
                modal.apply(&parse(line.as_bytes()).unwrap());
            }
            go_back(&modal, None, &Parking::default(), true).join("|")
        };
        assert!(back(&["G18"]).ends_with("M106 P0 S128|G18"));
        assert!(
            back(&["G19", "M220 S80", "M220 B", "M220 S60"]).ends_with("S128|G19|M220 S80|M220 B|M220 S60")
        );
        assert!(back(&["G19", "G17", "M220 S100"]).ends_with("S128|M220 S100"));
    }

    #[test]
    fn a_nozzle_that_was_cold_is_primed_where_it_is_parked_and_nowhere_else() {
        let cooled = text(&resume(&printing(), NOTHING, &Parking::default(), true));
        assert!(
            cooled
                .contains("M109 S205\nG21\nM83\nG1 E7 F200\nG1 E-2 F2100\nG21\nG90\nG1 Z5.300 F600\nG1 X12"),
            "{cooled}"
        );
        let above_the_part = text(&resume(&printing(), NOWHERE, &Parking::default(), true));
        assert_eq!(above_the_part, text(&resume(&printing(), NOWHERE, &Parking::default(), false)));
    }

    #[test]
    fn stopping_turns_the_heaters_off_first() {
        insta::assert_snapshot!(text(&stop(&printing(), Some(AREA), &Parking::default(), &Heaters::default(), Some(0.3))), @r"
        M104 S0
        M140 S0
        M107
        G21
        G91
        G1 Z5.000 F600
        G90
        M84
        ");
        let high = Area { max: [220.0, 215.0, 0.3], ..AREA };
        assert!(
            !text(&stop(&printing(), Some(high), &Parking::default(), &Heaters::default(), Some(0.3)))
                .contains('Z'),
            "no room to lift"
        );
    }

    #[test]
    fn a_printers_own_scripts_take_the_place_of_the_built_in_ones_but_not_of_what_must_be() {
        let own = |text: &str| Some(text.to_owned());
        let templates = Templates {
            start: own("M117 Hello"),
            pause: own("G27 P2"),
            resume: own("M300"),
            cancel: own("G28 X"),
            ..Templates::default()
        };
        let parking = Parking { templates, ..Parking::default() };
        assert_eq!(text(&start(&Modal::default(), None, &parking)), "M117 Hello");
        assert_eq!(text(&pause(&printing(), NOTHING, &parking)), "M400\nM114\nG27 P2\nM400");
        assert_eq!(
            text(&stop(&printing(), Some(AREA), &parking, &Heaters::default(), Some(0.3))),
            "M104 S0\nM140 S0\nM107\nG28 X"
        );
        let resumed = text(&resume(&printing(), NOTHING, &parking, false));
        assert!(resumed.contains("M109 S205\nM300\nG21\nG90\nG1 Z5.300 F600\nG1 X12"), "{resumed}");
        assert!(!resumed.contains("G1 E2") && resumed.contains("G92 E4.5"), "{resumed}");
    }

    #[test]
    fn a_pause_lifts_above_what_stands_and_parks_only_where_nothing_is_in_the_way() {
        let (mut modal, mut envelope) = (printing(), Envelope::default());
        for line in ["G1 X40 Y200 Z60 E9", "G1 X100 Y100 Z0.3", "G1 X110 E10"] {
            let effect = modal.apply(&parse(line.as_bytes()).unwrap());
            envelope.follow(&effect, &modal);
        }
        let about = |top: f64| Surroundings {
            envelope: &envelope,
            area: Some(Area { max: [220.0, 215.0, top], ..AREA }),
        };
        let moves = |script: &Script| {
            let text = text(script);
            text.lines()
                .filter(|line| line.starts_with("G1 Z") || line.starts_with("G1 X"))
                .collect::<Vec<_>>()
                .join("|")
        };
        let parking = Parking::default();
        assert_eq!(moves(&pause(&modal, about(250.0), &parking)), "G1 Z65.000 F600|G1 X0.000 Y215.000 F6000");
        assert_eq!(moves(&pause(&modal, about(60.5), &parking)), "G1 Z60.500 F600", "no room above it");
        assert_eq!(
            moves(&resume(&modal, about(250.0), &parking, false)),
            "G1 Z65.000 F600|G1 X110.0000 Y100.0000 F6000|G1 Z0.3000 F600"
        );
    }

    #[test]
    fn the_machine_reaches_no_farther_than_its_settings_and_its_firmware_tell() {
        let set = Area { min: [0.0, 0.0, 0.0], max: [200.0, 220.0, 180.0] };
        let parking = Parking { area: Some(set), ..Parking::default() };
        assert_eq!(parking.reach(None), Some(set));
        assert_eq!(Parking::default().reach(Some(AREA)), Some(AREA));
        let both = Area { min: [0.0, 0.0, 0.0], max: [200.0, 215.0, 180.0] };
        assert_eq!(parking.reach(Some(AREA)), Some(both));
    }
}
