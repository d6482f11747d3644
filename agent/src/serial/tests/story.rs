//! What happens, told step by step.

use super::stand_in::{Bench, StandIn};
use crate::serial::{Connection, End, HostEvent, JobEvent};

const HEAD: [&str; 5] = ["M140 S60", "G28", "M109 S200", "G92 E0", "M82"];

pub(super) fn cube() -> Vec<String> {
    let mut file: Vec<String> = HEAD.map(String::from).to_vec();
    file.extend((0..500).map(|at| format!("G1 X{at} Y{} Z0.2 E{at}.5", at % 7)));
    file.extend(["M104 S0", "M84"].map(String::from));
    file
}

pub(super) fn texts(file: &[String]) -> Vec<&str> {
    file.iter().map(String::as_str).collect()
}

fn job_events(bench: &Bench) -> Vec<JobEvent> {
    let job = |event: &HostEvent| match event {
        HostEvent::Job(event) => Some(event.clone()),
        _ => None,
    };
    bench.events.iter().filter_map(job).collect()
}

pub(super) fn run_to(bench: &mut Bench, command: &str) {
    bench.run_until(|bench| bench.printer.job().last() == Some(&command));
}

fn failure(bench: &Bench) -> String {
    match job_events(bench).pop() {
        Some(JobEvent::Stopped(End::Failed(reason))) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_handshake_numbers_identifies_and_asks_for_reports() {
    let bench = Bench::ready(StandIn::new());
    let sent = String::from_utf8(bench.sent).unwrap();
    assert_eq!(sent, "N100 M110 N100*125\nN101 M115*38\nN102 M155 S1*99\nN103 M113 S2*99\n");
    assert_eq!(bench.host.firmware().name.as_deref(), Some("Stand-in 1.0"));
}

#[test]
fn a_silent_printer_is_greeted_again_and_a_late_start_begins_anew() {
    let mut bench = Bench::new();
    bench.printer.dead = true;
    for _ in 0..10 {
        bench.step();
    }
    assert_eq!(bench.host.connection(), Connection::Connecting { silent: true });
    bench.printer.dead = false;
    bench.printer.say("start");
    bench.run_until(|bench| bench.host.is_ready());
}

#[test]
fn a_file_is_sent_numbered_and_nothing_else_with_it() {
    for advanced_ok in [false, true] {
        let file = cube();
        let mut bench = Bench::ready(StandIn { advanced_ok, ..StandIn::new() });
        bench.start(&texts(&file));
        bench.run_to_end();
        assert_eq!(bench.printer.job(), texts(&file));
        assert_eq!(job_events(&bench), [JobEvent::Printing, JobEvent::Completed]);
        let closing: Vec<_> = bench.printer.journal.iter().rev().take(2).rev().collect();
        // The greeting has counted from 100.
        let number = Some(200 + file.len() as u32);
        let after = |lines| number.map(|number| number + lines);
        let expected = [(after(1), "M400".to_owned()), (after(2), "M105".to_owned())];
        assert_eq!(closing, expected.iter().collect::<Vec<_>>(), "it waits for the last moves");
    }
}

#[test]
fn what_is_acknowledged_is_known_to_the_byte() {
    let mut bench = Bench::ready(StandIn { hold: Some("M109"), ..StandIn::new() });
    bench.start(&texts(&cube()));
    run_to(&mut bench, "M109 S200");
    let (_, acknowledged, ..) = bench.host.progress().unwrap();
    assert_eq!(acknowledged, "M140 S60\nG28\n".len() as u64);
}

#[test]
fn several_lines_are_in_flight_but_long_commands_go_alone() {
    let mut bench = Bench::ready(StandIn::new());
    bench.start(&["G1 X1", "G1 X2", "G28", "G1 X3", "G1 X4", "G1 X5", "G1 X6", "G1 X7"]);
    bench.sent.clear();
    let mut flights = Vec::new();
    while bench.host.progress().is_some() {
        let before = bench.sent.len();
        bench.step();
        let lines = bench.sent[before..].iter().filter(|byte| **byte == b'\n').count();
        flights.extend((lines > 0).then_some(lines));
    }
    assert_eq!(flights, [1, 2, 1, 4, 1, 1, 1], "numbering, two moves, homing, four moves, one, the close");
}

#[test]
fn pause_and_resume_bring_back_where_it_was() {
    let file = cube();
    let mut bench = Bench::ready(StandIn::new());
    bench.start(&texts(&file));
    bench.run_until(|bench| bench.printer.journal.len() > 100);
    bench.host.pause(bench.now);
    bench.run_until(|bench| job_events(bench).contains(&JobEvent::Paused));
    let held = bench.printer.journal.len();
    (0..20).for_each(|_| bench.step());
    let meanwhile: Vec<_> = bench.printer.journal.iter().skip(held).map(|(_, command)| command).collect();
    // Two hours and more have passed in these steps: it has been cooled.
    let own = ["M105", "M104 S0", "M140 S0"];
    assert!(meanwhile.iter().all(|sent| own.contains(&sent.as_str())), "nothing of the file: {meanwhile:?}");
    bench.host.resume(bench.now);
    bench.run_to_end();
    let sent = bench.printer.job();
    let mut rest = sent.iter();
    assert!(texts(&file).iter().all(|line| rest.any(|sent| sent == line)), "every line, in order");
    let resumed = sent.iter().position(|line| line.starts_with("G92 E")).unwrap();
    assert!(sent[resumed..].contains(&"M82"));
    assert_eq!(
        job_events(&bench),
        [
            JobEvent::Printing,
            JobEvent::Pausing(None),
            JobEvent::Paused,
            JobEvent::Resuming,
            JobEvent::Resumed,
            JobEvent::Completed
        ]
    );
}

#[test]
fn cancelling_ends_the_wait_feeds_nothing_more_and_turns_heaters_off() {
    let mut bench = Bench::ready(StandIn { hold: Some("M109"), ..StandIn::new() });
    bench.start(&texts(&cube()));
    run_to(&mut bench, "M109 S200");
    bench.sent.clear();
    bench.host.stop(bench.now, End::Cancelled);
    bench.run_to_end();
    let sent = String::from_utf8(bench.sent.clone()).unwrap();
    assert!(sent.starts_with("M108\n"), "{sent}");
    assert!(!sent.contains("G1 X"), "{sent}");
    let after: Vec<_> = bench.printer.job().into_iter().skip_while(|line| *line != "M104 S0").collect();
    assert_eq!(after, ["M104 S0", "M140 S0", "M107", "M84"]);
    assert_eq!(job_events(&bench), [JobEvent::Stopping(End::Cancelled), JobEvent::Stopped(End::Cancelled)]);
    bench.run_until(|bench| bench.host.is_ready());
}

#[test]
fn a_pause_in_the_file_is_the_hosts() {
    let mut bench = Bench::ready(StandIn::new());
    bench.start(&["G1 X1", "M0 Insert the nut", "G1 X2"]);
    bench.run_until(|bench| job_events(bench).contains(&JobEvent::Paused));
    let reason = "The print file asked for a pause: Insert the nut".to_owned();
    assert!(job_events(&bench).contains(&JobEvent::Pausing(Some(reason))));
    bench.host.resume(bench.now);
    bench.run_to_end();
    assert!(!bench.printer.job().iter().any(|line| line.starts_with("M0")));
}

#[test]
fn a_reset_in_mid_job_fails_it_and_nothing_more_of_it_is_sent() {
    let mut bench = Bench::ready(StandIn::new());
    bench.start(&texts(&cube()));
    bench.run_until(|bench| bench.printer.journal.len() > 100);
    bench.printer = StandIn::new();
    bench.printer.say("start");
    bench.run_until(|bench| bench.host.is_ready());
    assert!(failure(&bench).contains("reset in mid-print"));
    let moves = bench.printer.journal.iter().filter(|(_, line)| line.starts_with("G1 X")).count();
    assert_eq!(moves, 0, "{:?}", bench.printer.journal);
    assert!(bench.printer.job().windows(2).any(|pair| pair == ["M104 S0", "M140 S0"]), "and it is made safe");
}

#[test]
fn a_killed_printer_fails_the_job_with_its_own_words() {
    let mut bench = Bench::ready(StandIn::new());
    bench.start(&texts(&cube()));
    bench.run_until(|bench| bench.printer.journal.len() > 100);
    bench.printer.say("Error:Heating failed, system stopped! Heater_ID: 0");
    bench.printer.say("Error:Printer halted. kill() called!");
    bench.printer.dead = true;
    (0..10).for_each(|_| bench.step());
    assert!(failure(&bench).contains("Heating failed, system stopped! Heater_ID: 0"));
    assert!(matches!(bench.host.connection(), Connection::Halted(_)));
    bench.printer = StandIn::new();
    bench.printer.say("start");
    bench.run_until(|bench| bench.host.is_ready());
}

#[test]
fn a_silent_printer_fails_the_job_after_a_while() {
    let mut bench = Bench::ready(StandIn::new());
    bench.printer.say("echo:busy: processing");
    bench.start(&texts(&cube()));
    bench.run_until(|bench| bench.printer.journal.len() > 100);
    bench.printer.dead = true;
    let began = bench.now;
    bench.run_until(|bench| bench.host.progress().is_none());
    assert!(failure(&bench).contains("stopped answering"));
    assert!((bench.now - began).as_secs() < 60);
}

#[test]
fn firmware_that_does_not_report_by_itself_is_asked() {
    let mut bench = Bench::ready(StandIn { capabilities: false, ..StandIn::new() });
    (0..10).for_each(|_| bench.step());
    assert!(bench.host.thermometer().bed.is_some());
}

#[test]
fn a_long_wait_with_signs_of_life_is_no_fault() {
    let mut bench = Bench::ready(StandIn { hold: Some("M109"), ..StandIn::new() });
    bench.start(&texts(&cube()));
    run_to(&mut bench, "M109 S200");
    for _ in 0..600 {
        bench.now += std::time::Duration::from_secs(2);
        bench.printer.say("echo:busy: processing");
        bench.printer.say(" T:38.16 /200.00 B:19.38 /0.00 @:0 B@:0 W:?");
        bench.step();
    }
    assert_eq!(bench.printer.job().last(), Some(&"M109 S200"), "not even a probe");
    assert!(bench.host.progress().is_some());
}

#[test]
fn a_numbering_that_was_damaged_into_nothing_is_sent_again() {
    let file = cube();
    let mut bench = Bench::ready(StandIn::new());
    bench.printer.last = 500;
    bench.start(&texts(&file));
    // `200 M110 N200*125`: no number and no command, but an `ok`.
    let sent = bench.host.take_output();
    assert!(sent.starts_with(b"N200 M110 N200"));
    bench.printer.say("ok");
    bench.run_to_end();
    let mut printed = bench.printer.job();
    printed.retain(|line| *line != "M105" && *line != "M400");
    assert_eq!(printed, texts(&file));
}

#[test]
fn a_reset_whose_banner_was_lost_is_found_out_by_the_numbers() {
    let mut bench = Bench::ready(StandIn::new());
    bench.start(&texts(&cube()));
    bench.run_until(|bench| bench.printer.journal.len() > 100);
    bench.printer = StandIn::new();
    bench.run_until(|bench| !job_events(bench).is_empty() && bench.host.progress().is_none());
    assert!(failure(&bench).contains("reset in mid-print"), "{}", failure(&bench));
    let moves = bench.printer.journal.iter().filter(|(_, line)| line.starts_with("G1 X")).count();
    assert_eq!(moves, 0, "{:?}", bench.printer.journal);
}

#[test]
fn firmware_that_takes_only_numbered_lines_gets_them() {
    let file = cube();
    let mut bench = Bench::ready(StandIn { numbered_only: true, ..StandIn::new() });
    assert_eq!(bench.host.firmware().name.as_deref(), Some("Stand-in 1.0"));
    bench.start(&texts(&file));
    bench.run_to_end();
    let mut printed = bench.printer.job();
    printed.retain(|line| *line != "M105" && *line != "M400");
    assert_eq!(printed, texts(&file));
}

#[test]
fn a_question_of_the_firmware_is_answered_past_everything() {
    let mut bench = Bench::ready(StandIn { hold: Some("M600"), prompts: true, ..StandIn::new() });
    bench.start(&["G1 X1", "M600", "G1 X2"]);
    run_to(&mut bench, "M600");
    bench.printer.say("//action:prompt_begin Load filament");
    bench.printer.say("//action:prompt_button Continue");
    bench.printer.say("//action:prompt_show");
    bench.printer.say("echo:busy: paused for user");
    bench.step();
    assert_eq!(bench.host.attention(), Some("Load filament"));
    assert_eq!(bench.host.prompt().map(|prompt| prompt.buttons.clone()), Some(vec!["Continue".to_owned()]));
    bench.sent.clear();
    bench.host.resume(bench.now);
    bench.step();
    assert_eq!(String::from_utf8(bench.sent.clone()).unwrap(), "M876 S0\n");
    bench.run_to_end();
    assert_eq!(bench.printer.job(), ["G1 X1", "M600", "G1 X2"]);
    assert_eq!(bench.host.attention(), None);
}

#[test]
fn a_pause_at_the_panel_is_the_printers_own_affair() {
    let file = cube();
    let mut bench = Bench::ready(StandIn::new());
    bench.start(&texts(&file));
    bench.run_until(|bench| bench.printer.journal.len() > 100);
    bench.printer.say("//action:paused");
    bench.run_until(|bench| job_events(bench).contains(&JobEvent::Paused));
    bench.printer.say("// action:resumed");
    bench.run_to_end();
    assert_eq!(bench.printer.job(), texts(&file), "the host neither parks nor comes back");
}

#[test]
fn the_machine_itself_is_stopped_past_everything() {
    let mut bench = Bench::ready(StandIn::new());
    bench.start(&texts(&cube()));
    bench.run_until(|bench| bench.printer.journal.len() > 100);
    bench.sent.clear();
    let stop = bench.host.kill(bench.now, "by Ada");
    assert!(stop.acts_at_once && stop.bytes.starts_with(b"\nM112\n"), "this firmware acts on it as it comes");
    bench.printer.say("Error:Printer halted. kill() called!");
    for _ in 0..100 {
        bench.step();
    }
    assert_eq!(bench.sent, b"", "whoever has the port writes M112, and nothing comes after it");
    assert!(failure(&bench).starts_with("Stopped at once by Ada (M112)."), "{}", failure(&bench));
    assert!(matches!(bench.host.connection(), Connection::ToldToStop { is_over: true, .. }));
}

#[test]
fn a_print_whose_power_fails_is_lost() {
    let mut bench = Bench::ready(StandIn::new());
    bench.start(&texts(&cube()));
    bench.run_until(|bench| bench.printer.journal.len() > 100);
    bench.printer.say("INT4");
    bench.run_until(|bench| bench.host.progress().is_none());
    assert!(failure(&bench).contains("lost its power"), "{}", failure(&bench));
}

#[test]
fn a_printer_that_stands_elsewhere_at_a_pause_is_told_of() {
    for (place, is_elsewhere) in
        [("X:3.00 Y:2.00 Z:0.20 E:2.50", false), ("X:7.00 Y:2.00 Z:0.20 E:2.50", true)]
    {
        let mut bench = Bench::ready(StandIn { place: Some(place), ..StandIn::new() });
        bench.start(&["G28", "G1 X2 Y2 Z0.2 E2.5", "M109 S200", "G1 X3", "M109 S200"]);
        run_to(&mut bench, "G1 X3");
        bench.host.pause(bench.now);
        // The late report of a command before.
        bench.printer.say("X:2.00 Y:2.00 Z:0.20 E:0.00");
        bench.run_until(|bench| job_events(bench).contains(&JobEvent::Paused));
        assert_eq!(
            bench.host.remark().is_some_and(|text| text.contains("elsewhere")),
            is_elsewhere,
            "{place}"
        );
    }
}

#[test]
fn plastic_that_the_printer_leaves_out_is_told() {
    let mut bench = Bench::ready(StandIn::new());
    bench.printer.say("echo: cold extrusion prevented");
    bench.step();
    assert_eq!(bench.host.remark(), None, "no job of ours");
    bench.start(&texts(&cube()));
    bench.run_until(|bench| bench.printer.journal.len() > 100);
    assert_eq!(bench.host.remark(), None);
    bench.printer.say("echo: cold extrusion prevented");
    bench.step();
    assert!(bench.host.remark().unwrap().contains("too cold"));
    bench.run_to_end();
    assert_eq!(bench.host.remark(), None, "it was that job's");
}

#[test]
fn a_print_from_the_memory_card_is_left_alone() {
    let mut bench = Bench::ready(StandIn::new());
    bench.printer.say("SD printing byte 500/1000");
    bench.step();
    assert_eq!(bench.host.external().as_deref(), Some("Prints from its own memory card (50 %)."));
    assert!(!bench.host.is_ready(), "no job of ours now");
    bench.printer.say("Done printing file");
    bench.step();
    assert!(bench.host.is_ready());
}

#[test]
fn a_wait_at_the_panel_ends_by_a_word_from_afar_and_a_late_word_ends_no_other() {
    let mut bench = Bench::ready(StandIn { hold: Some("M600"), ..StandIn::new() });
    bench.start(&["G1 X1", "M600", "G1 X2"]);
    run_to(&mut bench, "M600");
    bench.printer.say("echo:busy: paused for user");
    bench.step();
    let question = bench.host.question();
    let words = |bench: &Bench| {
        String::from_utf8(bench.sent.clone()).unwrap().lines().filter(|line| *line == "M108").count()
    };
    bench.sent.clear();
    bench.host.answer(bench.now, question + 1, 0);
    bench.step();
    assert_eq!(words(&bench), 0, "nobody has asked that");
    bench.host.answer(bench.now, question, 0);
    bench.host.answer(bench.now, question, 0);
    bench.step();
    assert_eq!(words(&bench), 1, "once, however often it is said");
    bench.run_to_end();
    let mut printed = bench.printer.job();
    printed.retain(|line| *line != "M105" && *line != "M400");
    assert_eq!(printed, ["G1 X1", "M600", "G1 X2"]);
}
