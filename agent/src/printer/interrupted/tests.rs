use super::*;
use crate::print_job::hindrance::Hindrance;
use stardust_gcode::modal::ExtruderRule;

const PRINTED: &str = "M109 S205\nG28\nG92 E0\n;LAYER:0\nG0 X1 Y1 Z0.3\nG1 X9 E1\n;LAYER:1\nG0 X1 Z0.5\nG1 X9 E2\n;LAYER:2\n\
                       G0 X1 Z0.7\nG1 X9 E3\n";

fn job() -> JobId {
    "0190a7c2-6f00-7000-8000-000000000001".parse().unwrap()
}

fn place() -> CutOff {
    CutOff {
        reason: "It was reset.".into(),
        layer: 2,
        height_mm: Some(0.5),
        parked: false,
        acknowledged: 90,
        extruder_rule: ExtruderRule::GoesAlong,
    }
}

/// What its file says is read as the task has it read.
fn interrupted(cut_off: CutOff, file: &str) -> Interrupted {
    let path = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(path.path(), file).unwrap();
    let layers = read_layers(path.path(), &cut_off);
    let mut interrupted = Interrupted::new(cut_off);
    interrupted.know(layers);
    interrupted
}

fn view() -> PortView {
    PortView { is_ready: true, ..PortView::closed() }
}

fn told(interrupted: &Interrupted) -> Interruption {
    interrupted.document(job(), &view(), &Profile::default())
}

fn choose(interrupted: &mut Interrupted, layer: u32) -> Result<Layer, String> {
    interrupted.choose(layer, &view(), &Profile::default())
}

fn numbers(told: &Interruption) -> Vec<u32> {
    told.layers.iter().map(|start| start.layer).collect()
}

#[test]
fn of_one_that_was_paused_the_height_that_the_printer_will_be_told_is_told_as_that() {
    let parked = CutOff { parked: true, height_mm: Some(5.5), ..place() };
    let mut waits = interrupted(parked.clone(), PRINTED);
    let document = told(&waits);
    assert_eq!((document.parked, document.height_mm, numbers(&document)), (true, Some(5.5), vec![2]));
    let layer = choose(&mut waits, 2).unwrap();
    let before = layers::before(PRINTED.as_bytes(), parked.extruder_rule, &layer).unwrap();
    let point = return_plan::point(&layer, &parked, before).unwrap();
    assert_eq!(Some(point.stands_at_mm), document.height_mm);

    assert!(!told(&interrupted(place(), PRINTED)).parked);
    // The height of its layer is what the printer is told then.
    let unknown = CutOff { parked: true, height_mm: None, ..place() };
    assert!(!told(&interrupted(unknown, PRINTED)).parked);
}

#[test]
fn layers_that_can_not_be_gone_on_at_are_not_offered_and_without_one_it_is_said_at_once() {
    let some = PRINTED.replace(";LAYER:2\n", "M290 Z0.1\n;LAYER:2\n");
    let mut waits = interrupted(place(), &some);
    assert_eq!((numbers(&told(&waits)), told(&waits).refusal), (vec![2], None));
    let refused = choose(&mut waits, 3).unwrap_err();
    assert!(refused.contains("from layer 3: “M290 Z0.1” in line 10 "), "{refused}");
    assert!(choose(&mut waits, 99).unwrap_err().contains("layer 99: choose one of those"));
    assert!(choose(&mut waits, 2).is_ok());

    let none = PRINTED.replace("G28\n", "G28\nG80\n");
    let mut waits = interrupted(place(), &none);
    let document = told(&waits);
    let refusal = document.refusal.clone().unwrap();
    assert_eq!(numbers(&document), [0; 0]);
    assert!(refusal.contains("from a layer: “G80” in line 3 "), "{refusal}");
    assert!(refusal.contains("Give it up") && !refusal.contains("nother one"), "{refusal}");
    assert_eq!(choose(&mut waits, 2).unwrap_err(), refusal);
}

#[test]
fn a_refusal_is_of_the_layer_that_was_chosen_last() {
    let mut waits = interrupted(place(), PRINTED);
    for (layer, refusal) in [
        (2, Refusal::Layer { layer: 2, why: Hindrance::Beginning("it is cold").to_string() }),
        (3, Refusal::File(Unfit::Unreadable("no disk".into()))),
    ] {
        assert!(choose(&mut waits, layer).is_ok());
        assert_eq!(told(&waits).refusal, None, "what was said of another one is over");
        let planning = waits.begin_planning(layer);
        assert!(waits.end_planning(&planning));
        waits.refuse(refusal);
        let document = told(&waits);
        assert!(document.refusal.unwrap().contains(&format!("from layer {layer}: ")));
        assert_eq!(document.layers.len(), 2, "another one may be chosen");
    }
}
