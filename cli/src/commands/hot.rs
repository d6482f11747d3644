//! What of a printer is too hot to be touched although nobody may expect it.
//!
//! Owns: the rule and its sentences. What was measured before its agent was lost, or its board halted, is never told as if it were
//! so now. Must not know: how printers are listed.

use crate::api::{PrintJob, Printer, PrinterStatus, Temperature};
use crate::quantity;

/// From here on, in °C, a nozzle or bed counts as hot; the dashboard has the same bound.
const HOT_C: f64 = 50.0;

/// `Still hot: nozzle 182 °C, bed 55 °C`; none while a job is at work that can be seen. `job`: the one that is on it.
pub(crate) fn sentence(printer: &Printer, job: Option<&PrintJob>) -> Option<String> {
    match (&printer.status, printer.measured_now()) {
        (Some(status), _) if status.may_be_hot => Some(out_of_reach(status)),
        (_, Some(status)) => now(printer, status),
        (_, None) => before(printer, job),
    }
}

/// Its agent says so itself, and knows what it has heated.
fn out_of_reach(status: &PrinterStatus) -> String {
    let hot = told(status, |heat| (heat.actual >= HOT_C).then_some(heat.actual));
    let measured = if hot.is_empty() { String::new() } else { format!(" ({hot} when last measured)") };
    format!(
        "May be HOT{measured}: its heaters stay as they were set until its agent reaches it again. Switch it off if nobody watches \
         it."
    )
}

fn now(printer: &Printer, status: &PrinterStatus) -> Option<String> {
    let at_work = match printer.state.as_str() {
        "printing" | "preparing" | "paused" => true,
        // A job may wait for the answer.
        "attention" => printer.current_job_id.is_some(),
        _ => false,
    };
    if at_work {
        return None;
    }
    let hot = told(status, |heat| (heat.actual >= HOT_C).then_some(heat.actual));
    let still = if is_heating(status) { "Hot" } else { "Still hot" };
    (!hot.is_empty()).then(|| format!("{still}: {hot}"))
}

/// Nobody here measures it any more.
fn before(printer: &Printer, job: Option<&PrintJob>) -> Option<String> {
    let status = printer.status.clone().unwrap_or_default();
    let at_work = job.map_or(status.job.is_some(), PrintJob::is_at_work);
    // Its agent is in reach and tells how the job goes: that is hot on purpose, as one that is seen at work.
    if printer.contact.waits && job.is_some_and(PrintJob::is_at_work) {
        return None;
    }
    // Without a job it cools, unless it was being heated then; how hot a halted board was it can't say any more.
    if !at_work && !status.halted && !is_heating(&status) {
        return None;
    }
    let hot = told(&status, |heat| (heat.actual >= HOT_C || heat.target >= HOT_C).then_some(heat.actual));
    match (hot.is_empty(), at_work) {
        (false, _) => Some(format!("May still be hot: {hot} when last measured. Look at the printer.")),
        (true, true) => {
            Some("May be hot: a print was at work at the last contact. Look at the printer.".into())
        }
        (true, false) => None,
    }
}

fn is_heating(status: &PrinterStatus) -> bool {
    status.tools.iter().chain(&status.bed).any(|heat| heat.target > 0.0)
}

/// Those nozzles and beds that `which` gives a temperature of.
fn told(status: &PrinterStatus, which: impl Fn(&Temperature) -> Option<f64>) -> String {
    let several = status.tools.len() > 1;
    let nozzles = status.tools.iter().enumerate().map(|(index, tool)| {
        let name = if several { format!("nozzle {}", index + 1) } else { "nozzle".to_owned() };
        (name, tool)
    });
    let parts = nozzles.chain(status.bed.iter().map(|bed| ("bed".to_owned(), bed)));
    let hot =
        parts.filter_map(|(name, heat)| Some(format!("{name} {}", quantity::temperature(which(heat)?, 0.0))));
    hot.collect::<Vec<String>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const WARM: &str = r#""tools":[{"actual":210,"target":215}],"bed":{"actual":60,"target":60}"#;
    const COOLING: &str = r#""tools":[{"actual":99,"target":0}]"#;
    const LAST: &str = "May still be hot: nozzle 210 °C, bed 60 °C when last measured. Look at the printer.";

    #[rstest]
    #[case::seen_at_work("online", WARM, Some("printing"), None)]
    #[case::in_mid_print("lost", WARM, Some("printing"), Some(LAST))]
    #[case::its_job_is_not_known("lost", WARM, None, Some(LAST))]
    #[case::its_hub_was_started_anew(
        "lost",
        "",
        Some("paused"),
        Some("May be hot: a print was at work at the last contact. Look at the printer.")
    )]
    #[case::its_agent_was_started_anew_behind_the_cable(
        "online",
        r#""state":"offline","may_be_hot":true"#,
        None,
        Some(
            "May be HOT: its heaters stay as they were set until its agent reaches it again. Switch it off if nobody watches it."
        )
    )]
    #[case::its_agent_waits_by_https("waits", "", Some("printing"), None)]
    #[case::its_agent_waits_and_measured_long_ago("waits", WARM, Some("paused"), None)]
    #[case::its_agent_waits_and_it_was_heated_without_a_job("waits", WARM, None, Some(LAST))]
    #[case::its_cable_is_out(
        "online",
        r#""state":"offline","tools":[{"actual":210,"target":215}],"bed":{"actual":60,"target":60}"#,
        Some("failed"),
        Some(LAST)
    )]
    #[case::it_was_cooling("lost", COOLING, Some("awaiting_removal"), None)]
    #[case::halted(
        "online",
        r#""halted":true,"tools":[{"actual":99,"target":0}]"#,
        Some("failed"),
        Some("May still be hot: nozzle 99 °C when last measured. Look at the printer.")
    )]
    fn what_is_not_measured_any_more_may_be_hot(
        #[case] contact: &str,
        #[case] status: &str,
        #[case] job: Option<&str>,
        #[case] expected: Option<&str>,
    ) {
        let state = if contact == "online" { "printing" } else { "offline" };
        let contact = match contact {
            "waits" => r#""state":"lost","waits":true"#.to_owned(),
            state => format!(r#""state":"{state}""#),
        };
        let printer = format!(
            r#"{{"id":"p1","name":"Ada","state":"{state}","contact":{{{contact}}},"status":{{{status}}}}}"#
        );
        let job = job.map(|state| format!(r#"{{"id":"j1","file_name":"a.gcode","state":"{state}"}}"#));
        let job: Option<PrintJob> = job.map(|job| serde_json::from_str(&job).unwrap());
        let told = sentence(&serde_json::from_str(&printer).unwrap(), job.as_ref());
        assert_eq!(told.as_deref(), expected);
    }
}
