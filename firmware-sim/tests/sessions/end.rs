//! The firmware stops for good.

use rstest::rstest;

use crate::session::Session;

const KILL: &str = "
    > G1 X150 F1200
    < ok P14 B3
    > M400
    +2
    < echo:busy: processing
    > M112
    < echo:M112 Shutdown
    < Error:Printer halted. kill() called!
    < //action:poweroff
    > M105
    > M999
    +60
";

const INACTIVITY: &str = "
    > M85 S30
    < ok P15 B3
    > G4 S40
    +29
    < echo:busy: processing
    < echo:busy: processing
    < echo:busy: processing
    < echo:busy: processing
    < echo:busy: processing
    < echo:busy: processing
    < echo:busy: processing
    < echo:busy: processing
    < echo:busy: processing
    < echo:busy: processing
    < echo:busy: processing
    < echo:busy: processing
    < echo:busy: processing
    < echo:busy: processing
    +1
    < Error:!! KILL caused by too much inactive time - current command: G4 S40
    < Error:Printer halted. kill() called!
    < //action:poweroff
";

#[rstest]
#[case::kill(KILL)]
#[case::inactivity(INACTIVITY)]
fn it_answers_as_observed(#[case] script: &str) {
    Session::boot(true).play(script);
}
