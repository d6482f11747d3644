//! A stop under way, line by line.

use super::*;
use rstest::rstest;

const T0: Duration = Duration::from_secs(100);

fn told(acts_at_once: bool, before: usize) -> Told {
    Told::new(T0, "by Ada", StopLines::of(false, acts_at_once), before)
}

fn hear(told: &mut Told, at: Duration, line: &str) {
    let reply = Reply::parse(line);
    let waits = matches!(&reply, Reply::Temperatures(report) if report.waiting);
    told.hear(at, &reply, waits);
}

/// What it does until so long after its beginning, with one of these lines every half second.
fn run(told: &mut Told, from: u64, to: u64, line: Option<&str>) -> Vec<Next> {
    let mut done = Vec::new();
    for half in 2 * from..2 * to {
        let at = T0 + Duration::from_millis(500 * half);
        line.iter().for_each(|line| hear(told, at, line));
        match told.poll(at) {
            Next::Nothing => {}
            next => done.push(next),
        }
        if done.last() == Some(&Next::Ignored) {
            break;
        }
    }
    done
}

#[test]
fn the_lines_have_the_numbers_and_checksums_that_firmware_wants() {
    for (number, command) in [(0, "M110 N0"), (1, "M112")] {
        let line = crate::serial::numbered::numbered_line(number, command);
        for lines in [BARE_FIRST, NUMBERED_FIRST] {
            assert!(lines.windows(line.len()).any(|window| window == line), "{command}");
        }
    }
    let line = crate::serial::numbered::numbered_line(1, "M105");
    assert!(QUESTION.ends_with(&line));
}

#[rstest]
#[case::reports(" T:210.0 /210.0 B:60.0 /60.0 @:0 B@:0")]
#[case::answers("ok")]
#[case::refuses_the_line("Resend: 5")]
#[case::is_idle("wait")]
#[case::does_not_know_it("echo:Unknown command: \"M116\"")]
fn a_printer_that_goes_on_is_told_again_and_then_given_up(#[case] line: &str) {
    let mut told = told(false, 0);
    let again = Next::Send(BARE_FIRST);
    assert_eq!(run(&mut told, 0, 60, Some(line)), [again, again, again, Next::Ignored]);
    assert!(!told.is_over());
    let words = told.sentence(Some(210.0));
    assert_eq!(
        words,
        "The stop by Ada (M112) was sent 4 times, and the printer still answers and heats to 210 °C. Switch it off."
    );
}

#[rstest]
#[case::said("Printer halted. kill() called!")]
fn what_it_says_of_its_end_ends_it(#[case] words: &str) {
    let mut told = told(true, 3);
    hear(&mut told, T0 + Duration::from_millis(20), "ok");
    told.halt(words);
    told.halt("and something else");
    assert_eq!(run(&mut told, 0, 60, Some("ok")), []);
    assert_eq!((told.is_over(), told.deadline()), (true, None));
    let words = told.sentence(None);
    assert!(words.contains("says that it has stopped: Printer halted. kill() called. Look"), "{words}");
    assert!(!words.contains("itself"), "{words}");
}

/// What was said before it took the stop.
#[test]
fn what_was_on_its_way_is_no_sign() {
    let mut told = told(true, 2);
    for line in ["ok", "ok", " T:210.0 /210.0 B:60.0 /60.0 @:0 B@:0"] {
        hear(&mut told, T0 + Duration::from_millis(300), line);
    }
    assert_eq!(
        run(&mut told, 1, 60, None).len(),
        3 + 3,
        "sent again to be sure, and asked; it is not given up"
    );
    assert!(told.is_over() && told.sentence(None).contains("says nothing any more"), "{told:?}");
    // Of a printer that was busy with itself, after all.
    hear(&mut told, T0 + Duration::from_secs(70), "ok");
    assert_eq!(told.poll(T0 + Duration::from_secs(70)), Next::Ignored);
}

#[test]
fn firmware_that_gets_to_it_behind_a_long_command_has_the_time_for_it() {
    let mut told = told(false, 2);
    assert_eq!(run(&mut told, 0, 300, Some("echo:busy: processing")), []);
    let words = told.sentence(Some(100.0));
    assert!(
        words.contains("carries that out when it gets to it") && words.contains("still heats to 100 °C"),
        "{words}"
    );
    // The two lines before it, and the reports of the second of them.
    assert_eq!(run(&mut told, 300, 301, Some("ok")), []);
    assert_eq!(run(&mut told, 301, 400, Some("T:25.0 E:0 B:21.8")), []);
    // Neither was the last thing that it did.
    assert_eq!(run(&mut told, 400, 500, Some("wait")).last(), Some(&Next::Ignored));
}

/// Which order it takes nobody knows: each has its turn.
#[test]
fn firmware_that_has_not_said_what_it_is_is_told_in_either_way() {
    let mut told = Told::new(T0, "by Ada", StopLines::ANY, 0);
    let again =
        [Next::Send(NUMBERED_FIRST), Next::Send(BARE_FIRST), Next::Send(NUMBERED_FIRST), Next::Ignored];
    assert_eq!(run(&mut told, 0, 60, Some("ok")), again);
    assert_eq!(StopLines::ANY.each(), [BARE_FIRST, NUMBERED_FIRST]);
    // It may be one that acts at once, and has lost the first.
    let mut told = Told::new(T0, "by Ada", StopLines::ANY, 0);
    assert_eq!(run(&mut told, 0, 60, Some("echo:busy: processing")), again[..1]);
    assert_eq!(run(&mut told, 60, 99, Some("wait")), again[1..]);
}

/// Whatever was known of it before: what was said while the port was gone nobody has heard.
#[rstest]
#[case::at_work("echo:busy: processing")]
#[case::goes_on("wait")]
fn a_port_that_is_back_has_it_told_at_once_and_all_four_times(#[case] line: &str) {
    let mut told = told(false, 0);
    assert_eq!(told.port_is_back(T0), Back::WasThere);
    run(&mut told, 0, 5, Some(line));
    let sent = told.sent();
    told.port_is_lost(T0 + Duration::from_secs(5));
    assert_eq!((told.deadline(), told.is_over()), (None, false));
    told.port_is_lost(T0 + Duration::from_secs(300));
    let back = T0 + Duration::from_secs(5) + STOP_KEPT - Duration::from_secs(1);
    assert_eq!(told.port_is_back(back), Back::Send(BARE_FIRST));
    let since = (back - T0).as_secs();
    let again = Next::Send(BARE_FIRST);
    assert_eq!(run(&mut told, since, since + 60, Some("wait")), [again, again, again, Next::Ignored]);
    assert_eq!(told.sent(), sent + 4, "people are told of all");
    told.port_is_lost(back);
    assert_eq!(told.port_is_back(back + STOP_KEPT), Back::TooLate);
}

/// In a search for the speed nothing is heard but noise: it has had the time to start, and was asked at all speeds.
#[test]
fn what_answers_at_no_speed_is_silent_and_whoever_switches_it_on_later_is_not_halted() {
    let mut told = told(false, 0);
    told.nobody_answers(T0 + STARTED_WITHIN - Duration::from_millis(1));
    assert!(!told.is_over(), "it may be starting");
    told.nobody_answers(T0 + STARTED_WITHIN);
    assert!(told.is_over() && told.sentence(None).contains("says nothing any more"), "{told:?}");
    assert_eq!((told.deadline(), told.port_is_back(T0 + STARTED_WITHIN)), (None, Back::TooLate));
    // Its own words are more.
    told.halt("Printer halted. kill() called!");
    told.nobody_answers(T0 + STARTED_WITHIN * 2);
    assert!(told.has_halted());
}

/// It has stopped, as far as anybody can tell, and is wanted to stop again: whoever switches it off and on then is not halted once
/// more. One word of it, and nobody knows.
#[test]
fn what_was_silent_before_another_stop_is_switched_off_when_its_port_goes() {
    let mut silent = told(false, 0);
    run(&mut silent, 0, 60, None);
    assert!(silent.may_be_switched_off());
    let mut again = silent.once_more(T0 + Duration::from_secs(60), "by Bo", silent.lines);
    assert!(again.may_be_switched_off() && !again.is_over());
    hear(&mut again, T0 + Duration::from_secs(61), "echo:busy: processing");
    assert!(!again.may_be_switched_off());
    assert!(!told(false, 0).once_more(T0, "by Bo", silent.lines).may_be_switched_off());
}

/// With EMERGENCY_PARSER there is nothing that it could have to do first.
#[test]
fn firmware_that_acts_at_once_and_is_busy_has_not_got_it() {
    let mut told = told(true, 2);
    assert_eq!(run(&mut told, 0, 60, Some("echo:busy: processing")).last(), Some(&Next::Ignored));
}

#[test]
fn no_command_is_waited_for_for_ever() {
    let mut told = told(false, 1);
    let most = AT_WORK_AT_MOST.as_secs();
    assert_eq!(run(&mut told, 0, most, Some("echo:busy: paused for user")), []);
    assert_eq!(
        run(&mut told, most, most + 60, Some("echo:busy: paused for user")).last(),
        Some(&Next::Ignored)
    );
}

#[test]
fn what_became_of_it_is_told_afterwards() {
    let mut told = Told::new(T0, "from the hub", StopLines::ANY, 0);
    told.sent = TIMES;
    let mut ignored = Ignored::new(&told);
    let hot = ignored.sentence(Some(210.0));
    assert!(hot.contains("sent 4 times") && hot.contains("heats to 210 °C. Switch it off."), "{hot}");
    assert!(!hot.contains("memory card"), "{hot}");
    // One command after the other, and not in one breath.
    let mut sent = Vec::new();
    for second in 0..12 {
        sent.extend(ignored.end_card_print(T0 + Duration::from_secs(second), Dialect::Marlin));
    }
    assert_eq!(sent, ["M524", "M25", "M524"]);
    let hot = ignored.sentence(Some(210.0));
    assert!(hot.contains("from its memory card") && hot.contains("Switch it off."), "{hot}");
    ignored.is_off = true;
    let cold = ignored.sentence(Some(0.0));
    assert!(cold.contains("did not take it") && cold.contains("read back"), "{cold}");
    assert!(!cold.contains("Switch it off"), "{cold}");
}
