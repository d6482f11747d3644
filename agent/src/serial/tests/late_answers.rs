//! Answers that come when nobody waits for them any more, and answers that never come.

use super::stand_in::{Bench, StandIn};
use super::story::{cube, run_to, texts};
use crate::serial::{HostEvent, JobEvent};

/// Where an `ok` too many came before, its answer is taken for that of `M110`, and the first lines are under way.
#[test]
fn a_late_request_of_before_the_numbering_doubles_nothing() {
    for times in 1..5 {
        let file = cube();
        let mut bench = Bench::ready(StandIn::new());
        bench.start(&texts(&file));
        let mut late = "Resend: 104\n".repeat(times);
        while !late.is_empty() {
            let are_there = std::cell::Cell::new(false);
            let down = |bytes: Vec<u8>| {
                are_there.set(bytes.starts_with(b"N201 "));
                bytes
            };
            let up =
                |line: String| Some(if are_there.get() { std::mem::take(&mut late) + &line } else { line });
            bench.step_over(down, up);
        }
        bench.run_to_end();
        let of_the_job =
            bench.printer.journal.iter().filter(|(number, _)| number.is_some_and(|number| number > 200));
        let mut printed: Vec<&str> = of_the_job.map(|(_, command)| command.as_str()).collect();
        printed.retain(|line| *line != "M105" && *line != "M400");
        assert_eq!(printed, texts(&file), "asked {times} times");
    }
}

/// Taken for that of `M110` it would be one too many for the whole job: firmware that counts no lines would be sent the next
/// line while one that goes alone is at work.
#[test]
fn the_answer_to_a_question_of_before_the_job_stands_for_no_line_of_it() {
    let mut bench = Bench::ready(StandIn { capabilities: false, ..StandIn::new() });
    bench.printer.hold = Some("M105");
    bench.run_until(|bench| !bench.printer.held.is_empty());
    bench.start(&["G28", "G1 X1"]);
    bench.step();
    let answers = std::mem::take(&mut bench.printer.held);
    assert_eq!(
        answers,
        ["ok T:20.0 /0.0 B:20.0 /0.0 @:0 B@:0", "ok"],
        "of the question and of the numbering"
    );
    bench.printer.hold = None;
    bench.printer.say(&answers[0]);
    (0..2).for_each(|_| bench.step());
    assert_eq!(bench.printer.job(), [""; 0], "nothing comes behind a numbering that has not been answered");
    bench.printer.say(&answers[1]);
    bench.run_to_end();
    assert_eq!(bench.printer.job(), ["G28", "G1 X1"]);
}

/// At a job's last line, with so many `ok`s behind it, each of which has let something more be sent.
fn at_the_last_line(oks: usize) -> Bench {
    let mut bench = Bench::ready(StandIn { hold: Some("G28"), ..StandIn::new() });
    bench.start(&["G1 X1", "G28"]);
    bench.run_until(|bench| !bench.printer.held.is_empty());
    for _ in 0..oks {
        let sent = bench.sent.len();
        bench.printer.say("ok");
        bench.run_until(|bench| bench.sent.len() > sent);
    }
    bench
}

/// A printer that lags behind has sent them while the job's last line still waits in its buffer.
#[test]
fn a_few_oks_too_many_prove_nothing() {
    let mut bench = at_the_last_line(16);
    assert!(bench.host.progress().is_some(), "{:?}", bench.events);
    bench.printer.hold = None;
    let held = std::mem::take(&mut bench.printer.held);
    bench.printer.out.extend(held);
    bench.run_to_end();
    assert_eq!(bench.events.last(), Some(&HostEvent::Job(JobEvent::Completed)));
}

/// As of firmware that answers every question by a plain `ok`, where one of those is lost late.
#[test]
fn a_question_whose_answer_is_lost_behind_ten_plain_ones_is_put_again() {
    let mut bench = at_the_last_line(10);
    let (sent, since) = (bench.sent.len(), bench.now);
    bench.run_until(|bench| bench.sent.len() > sent);
    assert!((bench.now - since).as_secs() < 10, "after {:?}", bench.now - since);
    assert!(bench.host.progress().is_some(), "{:?}", bench.events);
}

/// While it waits for a person its queue is full, and what finds no room there is never answered.
#[test]
fn urgent_commands_that_are_never_answered_hold_nothing_up() {
    let mut bench = Bench::ready(StandIn { hold: Some("M600"), prompts: true, ..StandIn::new() });
    bench.start(&["G1 X1", "M600", "G1 X2"]);
    run_to(&mut bench, "M600");
    bench.printer.dead = true;
    for _ in 0..20 {
        bench.printer.say("//action:prompt_begin Load filament");
        bench.printer.say("//action:prompt_button Continue");
        bench.printer.say("//action:prompt_show");
        bench.printer.say("echo:busy: paused for user");
        bench.step();
        bench.host.resume(bench.now);
        bench.step();
    }
    let urgent = String::from_utf8(bench.sent.clone()).unwrap().matches("M876 S0").count();
    assert_eq!(urgent, 20, "it would be no test");
    bench.printer.dead = false;
    bench.printer.hold = None;
    let held = std::mem::take(&mut bench.printer.held);
    bench.printer.out.extend(held);
    let since = bench.now;
    bench.run_to_end();
    assert!((bench.now - since).as_secs() < 30, "{:?}", bench.now - since);
    assert_eq!(bench.printer.job(), ["G1 X1", "M600", "G1 X2"]);
}
