//! Prints from the memory card.

use firmware_sim::firmware::Config;

use crate::session::Session;

#[test]
fn a_print_started_at_the_panel_shows_its_bytes_and_ends_by_itself() {
    let config = Config { prints_from_card: Some(60_000), ..Config::default() };
    let mut session = Session::with(config);
    session.play(
        "
        +10
        > M27
        < SD printing byte 10000/60000
        < ok
        > M105
        < ok T:5…
        > M25
        < ok
        +100
        > M27
        < Not SD printing
        < ok
        > M24
        < ok
        +49
        > M27
        < SD printing byte 59000/60000
        < ok
        +1
        < Done printing file
        > M27
        < Not SD printing
        < ok
        > M105
        < ok T:204…
        ",
    );
}

#[test]
fn marlin_ends_one_for_a_host() {
    let config = Config { prints_from_card: Some(60_000), ..Config::default() };
    Session::with(config).play(
        "
        > M524
        < ok
        > M27
        < Not SD printing
        < ok
        > M105
        < ok T:21.00 /0.00 B:21.00 /0.00 @:0 B@:0
        ",
    );
}

#[test]
fn a_host_can_start_one_too() {
    let config = Config { card: true, ..Config::default() };
    let mut session = Session::with(config);
    session.play(
        "
        > M20
        < Begin file list
        < PANEL~1.GCO 600000
        < End file list
        < ok
        > M21
        < SD card ok
        < ok
        > M23 PANEL~1.GCO
        < File opened: PANEL~1.GCO Size: 600000
        < File selected
        < ok
        > M24
        < ok
        +5
        > M27
        < SD printing byte 5000/600000
        < ok
        ",
    );
}

#[test]
fn without_a_card_reader_nothing_of_that_is_known() {
    Session::boot(false).play("> M27\n < echo:Unknown command: \"M27\"\n < ok");
}

/// UltiMaker 2, Creality's Marlin 1.1, Repetier before 2.0: M27 asks whether a card is in, and not whether it prints.
#[rstest::rstest]
#[case("ultimaker2")]
#[case("creality")]
fn old_firmware_tells_a_position_whenever_a_card_is_in(#[case] profile: &str) {
    let named = firmware_sim::profile::Profile::named(profile).unwrap().config;
    Session::with(Config { receive_buffer: None, ..named.clone() }).play(
        "
        > M27
        < SD printing byte 0/0
        < ok
        ",
    );
    Session::with(Config { prints_from_card: Some(10_000), ..named }).play(
        "
        +5
        > M25
        < ok
        +100
        > M27
        < SD printing byte 5000/10000
        < ok
        > M24
        < ok
        +5
        < Done printing file
        > M27
        < SD printing byte 10000/10000
        < ok
        ",
    );
}
