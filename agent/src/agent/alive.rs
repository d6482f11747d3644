//! Whether the agent is alive, for the service manager.
//!
//! Owns: that it is not told so while the thread of a printer's port hangs: what hangs in the kernel can be ended with the whole
//! process only, and the print goes on with the next one. Must not know: how it is told.

use std::time::Duration;

use super::seat::Seat;
use crate::systemd::ServiceManager;

/// Tells the service manager what the printers do, unless one of their threads hangs.
pub(super) fn tell<'a>(
    service: &mut ServiceManager,
    seats: impl Iterator<Item = &'a mut Seat>,
    now: Duration,
) {
    let (mut reports, mut hang) = (Vec::new(), false);
    for seat in seats {
        // Each is looked at: a sign that comes late is one.
        hang |= seat.hangs(now);
        reports.extend(seat.report());
    }
    if !hang {
        service.tell_alive(&reports);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::{SpeedView, Workplace, handle};
    use crate::printer::folder::PrinterFolder;
    use crate::settings::Settings;

    const SECOND: Duration = Duration::from_secs(1);

    /// A printer whose port is driven by whoever has the workplace.
    fn seat(settings: &Settings, name: &str) -> (Seat, Workplace) {
        let (port, place) = handle(SpeedView::Sought(0)).unwrap();
        (Seat::looked_at(PrinterFolder::for_name(settings, name), port.pulse()), place)
    }

    #[tokio::test]
    async fn the_watchdog_is_not_fed_while_the_thread_of_a_port_hangs() {
        let data = tempfile::tempdir().unwrap();
        let settings = Settings::of_data(data.path().to_owned());
        let ((well, turns), (hung, stuck)) = (seat(&settings, "well"), seat(&settings, "hung"));
        let mut seats = [well, hung];
        let (mut service, sent) = ServiceManager::overheard();
        let fed = || sent.lock().unwrap().drain(..).filter(|message| message.contains("WATCHDOG=1")).count();
        // As the agent's loop looks, each 2 s; both give signs at first.
        let mut now = SECOND;
        let mut look = |both: bool| {
            now += 2 * SECOND;
            turns.give_sign();
            if both {
                stuck.give_sign();
            }
            tell(&mut service, seats.iter_mut(), now);
            fed()
        };
        assert!((0..10).all(|_| look(true) == 1), "alive");
        let fed_on = (0..10).map(|_| look(false)).collect::<Vec<_>>();
        assert_eq!(fed_on.first(), Some(&1), "a thread may take its time");
        assert_eq!(fed_on.last(), Some(&0), "{fed_on:?}");
        assert_eq!(fed_on.iter().sum::<usize>(), 4, "for less than 10 s, and then never: {fed_on:?}");
        assert_eq!(look(true), 1, "it goes on");
    }
}
