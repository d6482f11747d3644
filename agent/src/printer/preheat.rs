//! Whether a person may have a printer heated without a job.
//!
//! Owns: the refusals, in words. Pure. Must not know: how it is heated, for how long it stays so.

use std::time::Duration;

use stardust_protocol::{Preheat, PreheatFlaw};

use crate::port::PortView;
use crate::print_job::profile::Profile;
use crate::serial;
use crate::serial::Heating;

/// Why not.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(super) enum Refusal {
    #[error(transparent)]
    Impossible(#[from] PreheatFlaw),
    #[error("The hub no longer accepts this printer's credential: nothing is heated for it.")]
    Revoked,
    #[error("The printer has a print at hand, which heats it by itself.")]
    Busy,
    #[error("The printer does not answer: switch it on, look at its cable, and try again.")]
    Silent,
    #[error("The printer is at work on something that was started at its panel: wait until that is over.")]
    AtItsPanel,
    #[error("The printer waits for somebody at its panel: answer it first.")]
    Asks,
    #[error("Its heaters are just being set or turned off: try again in a moment.")]
    StillOwing,
    #[error("It has {}, and number {named} was named.", if *has == 1 { "one nozzle".into() } else { format!("{has} nozzles") })]
    NoSuchNozzle { has: usize, named: usize },
    #[error("{wanted} °C are too hot for a nozzle of this printer: its settings allow {most} °C.")]
    NozzleTooHot { wanted: u16, most: f64 },
    #[error("{wanted} °C are too hot for the bed of this printer: its settings allow {most} °C.")]
    BedTooHot { wanted: u16, most: f64 },
}

/// What the printer is to be told. `has_job`: one is at hand, whatever it is doing.
pub(super) fn check(
    wanted: &Preheat,
    view: &PortView,
    profile: &Profile,
    has_job: bool,
) -> Result<serial::Preheat, Refusal> {
    wanted.check()?;
    if has_job {
        return Err(Refusal::Busy);
    }
    is_free(view)?;
    let told = view.machine.1.and_then(|count| usize::try_from(count).ok());
    let set = profile.tools.and_then(|count| usize::try_from(count).ok());
    let has = set.or(told).unwrap_or(1).max(view.thermometer.tools.len()).max(1);
    if wanted.nozzles_c.len() > has {
        return Err(Refusal::NoSuchNozzle { has, named: wanted.nozzles_c.len() });
    }
    let too_hot = |most: Option<f64>, wanted: u16| most.filter(|most| f64::from(wanted) > *most);
    for nozzle in &wanted.nozzles_c {
        if let Some(most) = too_hot(profile.nozzle_max_c, *nozzle) {
            return Err(Refusal::NozzleTooHot { wanted: *nozzle, most });
        }
    }
    if let Some((wanted, most)) = wanted.bed().and_then(|bed| Some((bed, too_hot(profile.bed_max_c, bed)?))) {
        return Err(Refusal::BedTooHot { wanted, most });
    }
    let nozzles = (0..).zip(&wanted.nozzles_c).map(|(tool, target)| (tool, f64::from(*target))).collect();
    let lasts = Duration::from_secs(60 * u64::from(wanted.minutes));
    Ok(serial::Preheat { nozzles, bed: wanted.bed().map(f64::from), lasts })
}

fn is_free(view: &PortView) -> Result<(), Refusal> {
    if !view.answers() {
        return Err(Refusal::Silent);
    }
    if view.attention.is_some() {
        return Err(Refusal::Asks);
    }
    if view.external.is_some() {
        return Err(Refusal::AtItsPanel);
    }
    match (view.is_ready, view.heating) {
        (true, _) => Ok(()),
        (false, Heating::Settled) => Err(Refusal::Silent),
        (false, _) => Err(Refusal::StillOwing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serial::Connection;
    use rstest::rstest;

    fn idle() -> PortView {
        PortView { connection: Connection::Ready, is_ready: true, ..PortView::closed() }
    }

    fn wanted(nozzles_c: &[u16], bed_c: Option<u16>) -> Preheat {
        Preheat { nozzles_c: nozzles_c.to_vec(), bed_c, minutes: 20 }
    }

    #[test]
    fn what_an_idle_printer_is_told() {
        let preheat = check(&wanted(&[200], Some(60)), &idle(), &Profile::default(), false).unwrap();
        let expected =
            serial::Preheat { nozzles: vec![(0, 200.0)], bed: Some(60.0), lasts: Duration::from_secs(1200) };
        assert_eq!(preheat, expected);
        let bed_alone = check(&wanted(&[], Some(60)), &idle(), &Profile::default(), false).unwrap();
        assert_eq!(bed_alone.nozzles, []);
    }

    #[rstest]
    #[case::two(&[0, 200], None, Refusal::NoSuchNozzle { has: 1, named: 2 })]
    #[case::hot(&[261], None, Refusal::NozzleTooHot { wanted: 261, most: 260.0 })]
    #[case::hot_bed(&[], Some(101), Refusal::BedTooHot { wanted: 101, most: 100.0 })]
    #[case::nothing(&[], None, Refusal::Impossible(PreheatFlaw::Nothing))]
    fn what_this_printer_can_not(
        #[case] nozzles: &[u16],
        #[case] bed: Option<u16>,
        #[case] refusal: Refusal,
    ) {
        let profile = Profile { nozzle_max_c: Some(260.0), bed_max_c: Some(100.0), ..Profile::default() };
        assert_eq!(check(&wanted(nozzles, bed), &idle(), &profile, false), Err(refusal));
        let two = PortView { machine: (None, Some(2)), ..idle() };
        assert!(check(&wanted(&[0, 200], None), &two, &profile, false).is_ok());
    }

    #[test]
    fn only_a_printer_that_has_nothing_to_do() {
        let ask = |view: &PortView, has_job| {
            check(&wanted(&[200], None), view, &Profile::default(), has_job).unwrap_err()
        };
        assert_eq!(ask(&idle(), true), Refusal::Busy);
        assert_eq!(ask(&PortView::closed(), false), Refusal::Silent);
        let gone = PortView { port_error: Some("No port.".into()), ..idle() };
        assert_eq!(ask(&gone, false), Refusal::Silent);
        let cooling = PortView { is_ready: false, heating: Heating::Owed, ..idle() };
        assert_eq!(ask(&cooling, false), Refusal::StillOwing);
        let prints = PortView { is_ready: false, external: Some("Prints.".into()), ..idle() };
        assert_eq!(ask(&prints, false), Refusal::AtItsPanel);
    }
}
