//! A stop at once before the firmware has said what it is: in the greeting, and as the first thing at a port that was closed.

use std::time::Duration;

use firmware_sim::profile::Profile;
use rstest::rstest;

use crate::rig::{At, Reads, Rig, Way};

/// Some take no line without a checksum and throw away what has come behind one; some have reported by themselves since another
/// host has asked them to.
#[rstest]
fn a_stop_needs_to_know_nothing_of_the_firmware(
    #[values(Way::Clean, Way::LostOnce, Way::Lost)] way: Way,
    #[values(At::Preheated, At::Printing, At::Heating, At::OnCard)] at: At,
    #[values(Reads::AsItComes, Reads::Late)] reads: Reads,
) {
    for named in Profile::NAMES {
        // Before the greeting and in it.
        for ahead_ms in [0, 301] {
            let case = format!("{} {way:?} {at:?} {reads:?} {ahead_ms} ms", named.name);
            let mut rig = Rig::at(named.name, at);
            rig.connect_anew();
            (rig.way, rig.reads) = (way, reads);
            rig.run_for(Duration::from_millis(ahead_ms));
            rig.stop_at_once();
            // Whether it acts at once is not known, so one that is at a command has the time for that.
            let acts_at_once =
                Profile::named(named.name).unwrap().config.emergency_parser && way != Way::Lost;
            let waits = at == At::Heating && !acts_at_once;
            rig.comes_to_rest(&case, waits);
            assert!(way == Way::Lost || rig.printer.is_halted(), "{case}: {}", rig.story());
        }
    }
}
