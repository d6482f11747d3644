//! Whether, and from where, a print that was cut off can go on.
//!
//! Owns: what is too dangerous to try, and the layers to choose from. Pure. Must not know: how the printer is brought
//! there ([`crate::serial`]), who chooses.

use stardust_protocol::LayerStart;

use super::hindrance;
use super::layers::{Before, Layer, Unfit};
use crate::serial::dialect::Dialect;
use crate::serial::firmware::Area;
use crate::serial::{CutOff, LayerPoint};

/// Layers offered below the one that is known, and above it: the last moments before a loss of power may not be known.
const BELOW: u32 = 2;
const ABOVE: u32 = 8;
/// Where the origin lies that far inside the bed it is a delta, which homes by going up with all axes, mm.
const INSIDE_MM: f64 = -10.0;

/// The print can't go on.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// Its file.
    #[error("The print can't go on from a layer: {0}. Give it up, clear the bed and print the job again.")]
    File(#[from] Unfit),
    /// Its firmware.
    #[error(
        "The print can't go on from a layer: this printer's firmware can't be told how high the nozzle stands. Give it up, \
         clear the bed and print the job again."
    )]
    Firmware,
    /// Its mechanics.
    #[error(
        "The print can't go on from a layer: on this printer X and Y can't be homed without Z. Give it up, clear the bed \
         and print the job again."
    )]
    Delta,
    /// There is nothing to go on with.
    #[error("The print had only just begun: give it up, clear the bed and print the job again.")]
    JustBegun,
    /// What the file has set before each layer that it could go on from.
    #[error("The print can't go on from a layer: {0}. Give it up, clear the bed and print the job again.")]
    EachLayer(String),
    /// A layer that is not offered.
    #[error("The print can't go on from layer {0}: choose one of those that are offered.")]
    NoSuchLayer(u32),
    /// What the file has set before this layer is not all known, or can't be brought back.
    #[error(
        "The print can't go on from layer {layer}: {why}. Choose another one, or give the print up, clear the bed and \
         print the job again."
    )]
    Layer {
        /// The layer.
        layer: u32,
        /// Why not.
        why: String,
    },
}

/// What the printer is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Machine {
    /// Its firmware's family; none: not heard of yet.
    pub dialect: Option<Dialect>,
    /// Where it reaches.
    pub area: Option<Area>,
}

/// The layers that the print may go on from.
///
/// # Errors
/// [`Refusal`] when there is none.
pub fn choices(
    layers: &Result<Vec<Layer>, Unfit>,
    cut_off: &CutOff,
    machine: Machine,
) -> Result<Vec<LayerStart>, Refusal> {
    if machine.dialect.is_some_and(|dialect| !dialect.can_be_told_its_height()) {
        return Err(Refusal::Firmware);
    }
    if machine.area.is_some_and(|area| area.min[0] < INSIDE_MM || area.min[1] < INSIDE_MM) {
        return Err(Refusal::Delta);
    }
    let layers = layers.as_ref().map_err(Clone::clone)?;
    let (from, to) = match cut_off.parked {
        // How high it stands is known for this one only.
        true => (cut_off.layer, cut_off.layer),
        false => (cut_off.layer.saturating_sub(BELOW), cut_off.layer.saturating_add(ABOVE)),
    };
    let first = layers.first().map_or(0, |layer| layer.number);
    let offered = layers.iter().filter(|layer| (from..=to).contains(&layer.number) && layer.number > first);
    let (fit, unfit): (Vec<&Layer>, Vec<&Layer>) = offered.partition(|layer| layer.hindrance.is_none());
    if fit.is_empty() {
        // People have read of the one that was being printed.
        let was_printed = unfit.iter().find(|layer| layer.number == cut_off.layer);
        let why = was_printed.or(unfit.first()).and_then(|layer| layer.hindrance.as_ref());
        return Err(why.map_or(Refusal::JustBegun, |why| Refusal::EachLayer(why.to_string())));
    }
    Ok(fit.iter().map(|layer| LayerStart { layer: layer.number, height_mm: layer.height_mm }).collect())
}

/// Where the print goes on when it goes on at this layer. `before`: what the file has left before it.
///
/// # Errors
/// [`Refusal`].
pub fn point(layer: &Layer, cut_off: &CutOff, before: Before) -> Result<LayerPoint, Refusal> {
    let Before { modal, envelope, settings } = before;
    let settings = match (hindrance::find(&modal, layer.height_mm, settings.as_ref().err()), settings) {
        (None, Ok(settings)) => settings,
        (Some(why), _) => return Err(Refusal::Layer { layer: layer.number, why: why.to_string() }),
        (None, Err(why)) => return Err(Refusal::Layer { layer: layer.number, why: why.to_string() }),
    };
    // Whoever names the layer has seen that the nozzle stands at its height, or where the pause has left it.
    let stands_at_mm = cut_off.height_mm.filter(|_| cut_off.parked).unwrap_or(layer.height_mm);
    Ok(LayerPoint { layer: layer.number, read_to: layer.read_to, modal, stands_at_mm, envelope, settings })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::print_job::hindrance::Hindrance;
    use crate::serial::Envelope;
    use rstest::rstest;
    use stardust_gcode::command::parse;
    use stardust_gcode::modal::{ExtruderRule, Modal};

    fn layers(count: u32) -> Result<Vec<Layer>, Unfit> {
        let layer = |number| Layer {
            number,
            read_to: u64::from(number) * 100,
            height_mm: f64::from(number) * 0.2,
            hindrance: None,
        };
        Ok((1..=count).map(layer).collect())
    }

    fn cut_off(layer: u32) -> CutOff {
        CutOff {
            reason: "It was reset.".into(),
            layer,
            height_mm: Some(9.9),
            parked: false,
            acknowledged: 1000,
            extruder_rule: ExtruderRule::GoesAlong,
        }
    }

    fn marlin() -> Machine {
        let area = Area { min: [0.0; 3], max: [220.0, 220.0, 250.0] };
        Machine { dialect: Some(Dialect::Marlin), area: Some(area) }
    }

    #[rstest]
    #[case::in_the_middle(50, 12, &[10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20])]
    #[case::at_the_beginning_never_the_first(50, 1, &[2, 3, 4, 5, 6, 7, 8, 9])]
    #[case::at_the_end(13, 12, &[10, 11, 12, 13])]
    fn layers_about_the_known_one_are_offered(#[case] of: u32, #[case] at: u32, #[case] expected: &[u32]) {
        let offered = choices(&layers(of), &cut_off(at), marlin()).unwrap();
        assert_eq!(offered.iter().map(|layer| layer.layer).collect::<Vec<_>>(), expected);
        assert!(
            choices(&layers(of), &cut_off(at), Machine::default()).is_ok(),
            "it may be switched off still"
        );
    }

    #[test]
    fn a_head_that_was_parked_stands_where_it_was_parked() {
        let parked = CutOff { parked: true, ..cut_off(12) };
        assert_eq!(choices(&layers(50), &parked, marlin()).unwrap().len(), 1);
        let layer = &layers(50).unwrap()[11];
        let before = || set("M109 S205|G28|G1 X1 Y1 Z2.4");
        assert_eq!(point(layer, &parked, before()).unwrap().stands_at_mm, 9.9);
        assert_eq!(point(layer, &cut_off(12), before()).unwrap().stands_at_mm, layer.height_mm);
    }

    #[test]
    fn what_is_not_safe_is_refused() {
        let refusal = |layers, machine| choices(&layers, &cut_off(12), machine).unwrap_err();
        assert_eq!(
            refusal(layers(50), Machine { dialect: Some(Dialect::Klipper), ..marlin() }),
            Refusal::Firmware
        );
        let delta = Area { min: [-90.0, -90.0, 0.0], max: [90.0, 90.0, 250.0] };
        assert_eq!(refusal(layers(50), Machine { area: Some(delta), ..marlin() }), Refusal::Delta);
        assert_eq!(refusal(Err(Unfit::PartByPart), marlin()), Refusal::File(Unfit::PartByPart));
        assert_eq!(refusal(layers(1), marlin()), Refusal::JustBegun);
    }

    #[test]
    fn layers_that_can_not_be_gone_on_at_are_not_offered() {
        let with = |unfit: fn(u32) -> Option<&'static str>| {
            let mut layers = layers(50).unwrap();
            for layer in &mut layers {
                layer.hindrance = unfit(layer.number).map(Hindrance::Beginning);
            }
            Ok(layers)
        };
        let some = with(|number| (number < 15).then_some("it is before"));
        let offered = choices(&some, &cut_off(12), marlin()).unwrap();
        assert_eq!(offered.iter().map(|layer| layer.layer).collect::<Vec<_>>(), [15, 16, 17, 18, 19, 20]);
        let refused = |layers, cut_off| choices(&layers, &cut_off, marlin()).unwrap_err();
        let parked = CutOff { parked: true, ..cut_off(12) };
        assert_eq!(refused(some, parked), Refusal::EachLayer("it is before".into()));

        let all = with(|number| Some(if number == 12 { "of this one" } else { "of another" }));
        let refusal = refused(all, cut_off(12));
        assert_eq!(refusal, Refusal::EachLayer("of this one".into()));
        let words = refusal.to_string();
        assert!(words.contains("Give it up") && !words.contains("nother one"), "{words}");
    }

    fn set(lines: &str) -> Before {
        let mut modal = Modal::default();
        let settings =
            if lines.contains("G29") { Err("the bed was measured".into()) } else { Ok(Vec::new()) };
        for line in lines.split('|') {
            modal.apply(&parse(line.as_bytes()).unwrap());
        }
        Before { modal, settings, envelope: Envelope::default() }
    }

    #[rstest]
    #[case("M109 S205|G28|G1 X1 Y1 Z2.4", None)]
    #[case("M109 S205|G28|G1 X1 Y1", Some("firmware alone"))]
    #[case("M109 S205|G28|G1 X1 Y1 Z2.4|G92 X0", Some("origin"))]
    #[case("M109 S205|G28|G1 X1 Y1 Z2.4|T1", Some("another nozzle"))]
    #[case("G28|G1 X1 Y1 Z2.4", Some("how hot"))]
    #[case("M109 S205|M104 S0|G28|G1 X1 Y1 Z2.4", Some("how hot"))]
    #[case("M109 S205|G28|G1 X1 Y1 Z2.2", Some("begins below it"))]
    #[case("M109 S205|G28|G29|G1 X1 Y1 Z2.4", Some("measured"))]
    #[case("M109 S205|G28|G1 X1 Y1 Z2.4|G20", Some("inches"))]
    #[case("M109 S205|G28|G1 X1 Y1 Z2.4|G10", Some("drawn"))]
    fn what_the_file_has_set_must_be_known(#[case] lines: &str, #[case] refused: Option<&str>) {
        let layer = &layers(50).unwrap()[11];
        match (point(layer, &cut_off(12), set(lines)), refused) {
            (Ok(point), None) => assert_eq!((point.layer, point.read_to), (12, 1200)),
            (Err(refusal), Some(why)) => assert!(refusal.to_string().contains(why), "{refusal}"),
            (other, _) => panic!("{other:?}"),
        }
    }
}
