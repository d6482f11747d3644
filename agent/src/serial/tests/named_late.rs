//! A heater that is named while the others are being turned off, or just after.

use super::stand_in::{Bench, StandIn};
use crate::serial::{Heaters, HostEvent, Safety};

/// This printer tells of no chamber: nothing but the command for it says that it is off.
#[test]
fn it_is_turned_off_whenever_it_is_named_before_all_is_read_back() {
    let mut moments = 0;
    for moment in 0.. {
        let mut bench = Bench::ready(StandIn { capabilities: false, ..StandIn::new() });
        bench.host.make_safe(bench.now, Safety::AllOff);
        let is_settled = |bench: &Bench| bench.events.contains(&HostEvent::HeatSettled);
        (0..moment).for_each(|_| bench.step());
        if is_settled(&bench) {
            break;
        }
        bench.host.name_heaters(&Heaters { chamber: true, ..Heaters::default() });
        bench.run_until(is_settled);
        let sent = bench.printer.journal.iter().any(|(_, command)| command == "M141 S0");
        assert!(sent, "named after {moment} steps: {:?}", bench.printer.journal);
        moments += 1;
    }
    assert!(moments > 5, "{moments} moments");
}
