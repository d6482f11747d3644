//! `stardust printers`.

use super::{choose, cut_off, hot, preheat, stop};
use crate::api::{Client, Pause, PrintJob, Printer};
use crate::error::CliError;
use crate::output::printable;
use crate::{output, quantity, table};

/// A terminal that is narrower than this breaks the line: more is not cut off, or figures would be missing.
const WIDTH: usize = 100;
/// In a terminal a longer name is cut; `--json` has the whole.
const NAME_WIDTH: usize = 24;
/// More nozzles are not shown.
const NOZZLES: usize = 2;

/// Lists the printers.
pub(crate) async fn run(client: &Client, json: bool) -> Result<(), CliError> {
    let found = client.list("api/v1/printers", &[], usize::MAX).await?;
    if json {
        return output::json(&found);
    }
    let printers: Vec<Printer> = client.parse_all(&found)?;
    if printers.is_empty() {
        return output::line("There are no printers. Make a pairing code in the dashboard to add one.");
    }
    // What a printer is at that can't be seen, its job tells.
    let is_in_the_dark = |it: &Printer| it.measured_now().is_none() && it.current_job_id.is_some();
    let jobs = match printers.iter().any(is_in_the_dark) {
        true => choose::active_jobs(client).await?,
        false => Vec::new(),
    };
    lines(&printers, &jobs, output::columns()).iter().try_for_each(|line| output::line(line))
}

/// `columns`: of the terminal; whatever else reads them gets the whole lines.
fn lines(printers: &[Printer], jobs: &[PrintJob], columns: Option<usize>) -> Vec<String> {
    let names: Vec<String> = printers.iter().map(|printer| name(printer, columns)).collect();
    let rows: Vec<_> = printers.iter().zip(&names).map(|(printer, name)| row(printer, name)).collect();
    // The model last: where there is no room for it, nothing else is missing.
    let headings = ["NAME", "STATE", "JOB", "LEFT", "NOZZLE", "BED", "MODEL"];
    let fitted = |line: String| match columns {
        Some(columns) => table::cut(&line, columns.max(WIDTH)),
        None => line,
    };
    let mut table = table::lines(headings, &rows).into_iter().map(fitted);
    let mut lines: Vec<_> = table.next().into_iter().collect();
    for ((line, printer), name) in table.zip(printers).zip(&names) {
        lines.push(line);
        // By the names as they are shown: who reads them knows no more.
        let has_namesake = names.iter().filter(|other| *other == name).count() > 1;
        lines.extend(
            remarks(printer, has_namesake, jobs).iter().map(|remark| format!("    {}", printable(remark))),
        );
    }
    lines
}

/// What is to be said of a printer beside its figures, each in a line of its own: a sentence would push the columns apart.
fn remarks(printer: &Printer, has_namesake: bool, jobs: &[PrintJob]) -> Vec<String> {
    let id = has_namesake.then(|| format!("id {}", printer.id));
    let job = jobs.iter().find(|job| Some(&job.id) == printer.current_job_id.as_ref());
    let status = printer.status.as_ref().filter(|_| printer.contact.is_online());
    [
        id,
        printer.emergency_stop.as_ref().map(|emergency| stop::sentence(&printer.name, emergency)),
        no_contact(printer),
        status.and_then(|status| status.message.clone()),
        cut_off::told(printer).map(cut_off::sentence),
        preheat::sentence(printer),
        hot::sentence(printer, job),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// `Last contact with its agent: 2026-11-23 06:25 UTC`; none while there is contact.
fn no_contact(printer: &Printer) -> Option<String> {
    if printer.contact.waits {
        return Some(
            "Its agent gets commands at once, over HTTPS, but shows nothing live here: it does not reach the hub's MQTT port"
                .into(),
        );
    }
    match (printer.contact.state.as_str(), printer.contact.since.as_deref()) {
        ("lost", Some(since)) => {
            Some(format!("Last contact with its agent: {} UTC", quantity::to_the_minute(since)))
        }
        ("lost", None) => Some("No contact with its agent".into()),
        ("never", _) => Some("Its agent has not been in contact yet".into()),
        _ => None,
    }
}

/// A printer's name as it is shown.
fn name(printer: &Printer, columns: Option<usize>) -> String {
    let name = printable(&printer.name);
    if columns.is_some() { table::cut(&name, NAME_WIDTH) } else { name }
}

fn row(printer: &Printer, name: &str) -> [String; 7] {
    let status = printer.measured_now().cloned().unwrap_or_default();
    let mut nozzles: Vec<String> =
        status.tools.iter().map(|tool| quantity::temperature(tool.actual, tool.target)).collect();
    if nozzles.len() > NOZZLES {
        nozzles.truncate(NOZZLES);
        nozzles.push("…".into());
    }
    let state = match status.job.map(|job| job.state) {
        // Its printer is told as paused from the beginning of it to the end.
        Some(Pause::Pausing) if printer.state == "paused" => "pausing".to_owned(),
        Some(Pause::Resuming) if printer.state == "paused" => "resuming".to_owned(),
        _ => printer.state.replace('_', " "),
    };
    [
        name.to_owned(),
        state,
        status.job.map(|job| quantity::percent(job.fraction)).unwrap_or_default(),
        status.job.and_then(|job| job.left_s).map(quantity::duration).unwrap_or_default(),
        nozzles.join(" "),
        status.bed.map(|bed| quantity::temperature(bed.actual, bed.target)).unwrap_or_default(),
        printer.model.clone().unwrap_or_default(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list() {
        let printers: Vec<Printer> = serde_json::from_str(
            r#"[
            {"id":"1","name":"Ada","state":"printing","contact":{"state":"online"},"model":"MK3S","status":
             {"state":"printing","tools":[{"actual":214.7,"target":215}],"bed":{"actual":60,"target":60},
              "job":{"job_id":"9","state":"printing","fraction":0.425,"elapsed_s":60,"left_s":3750}}},
            {"id":"2","name":"Bo","state":"offline","contact":{"state":"lost","since":"2026-11-23T06:25:24.123Z"},
             "current_job_id":"j8","status":{"state":"idle","tools":[{"actual":214.2,"target":0}]}},
            {"id":"8","name":"Bo","state":"offline","contact":{"state":"never"}},
            {"id":"9","name":"Bob","state":"offline","contact":{"state":"lost","since":"2026-11-23T06:25:24.123Z","waits":true},
             "current_job_id":"j8"},
            {"id":"3","name":"Cy","state":"error","contact":{"state":"online"},
             "status":{"state":"error","message":"Thermal runaway","halted":true,"tools":[{"actual":120,"target":0}]}},
            {"id":"4","name":"Di","state":"paused","contact":{"state":"online"},
             "status":{"interruption":{"job_id":"j1","refusal":"The file is gone."}}},
            {"id":"5","name":"Ed","state":"awaiting_removal","contact":{"state":"online"},"current_job_id":"j2",
             "status":{"tools":[{"actual":182.4,"target":0}],"bed":{"actual":55,"target":0}}},
            {"id":"6","name":"Fi","state":"idle","contact":{"state":"online"},
             "status":{"tools":[{"actual":49.9,"target":0},{"actual":50,"target":0}]}},
            {"id":"7","name":"Gus","state":"idle","contact":{"state":"online"},"model":"Original Prusa MK4S with an MMU3 and more",
             "status":{"tools":[{"actual":120,"target":200}],
                       "preheat":{"until":"2026-11-23T06:25:24.123Z","reason":"asked"}}},
            {"id":"10","name":"Hal","state":"paused","contact":{"state":"online"},"status":{"job":{"state":"resuming","fraction":0.5}}},
            {"id":"11","name":"Ian","state":"paused","contact":{"state":"online"},"status":{"job":{"state":"paused","fraction":0.5}}}]"#,
        )
        .unwrap();
        let jobs: Vec<PrintJob> =
            serde_json::from_str(r#"[{"id":"j8","file_name":"a.gcode","state":"printing"}]"#).unwrap();
        assert_eq!(
            lines(&printers, &jobs, Some(80)),
            [
                "NAME  STATE             JOB   LEFT   NOZZLE       BED       MODEL",
                "Ada   printing          42 %  1h 2m  215/215 °C   60/60 °C  MK3S",
                "Bo    offline",
                "    id 2",
                "    Last contact with its agent: 2026-11-23 06:25 UTC",
                "    May still be hot: nozzle 214 °C when last measured. Look at the printer.",
                "Bo    offline",
                "    id 8",
                "    Its agent has not been in contact yet",
                "Bob   offline",
                "    Its agent gets commands at once, over HTTPS, but shows nothing live here: it does not reach the hub's MQTT \
                 port",
                "Cy    error",
                "    Thermal runaway",
                "    May still be hot: nozzle 120 °C when last measured. Look at the printer.",
                "Di    paused",
                "    Cut off. The file is gone. Give it up with: stardust cancel j1",
                "Ed    awaiting removal               182 °C       55 °C",
                "    Still hot: nozzle 182 °C, bed 55 °C",
                "Fi    idle                           50 °C 50 °C",
                "    Still hot: nozzle 2 50 °C",
                "Gus   idle                           120/200 °C             Original Prusa MK4S with an MMU3 and mo…",
                "    Preheated until 06:25 UTC",
                "    Hot: nozzle 120 °C",
                "Hal   resuming          50 %",
                "Ian   paused            50 %",
            ]
        );
    }

    #[test]
    fn a_stop_that_stands_is_told_whatever_came_of_it() {
        let printers: Vec<Printer> = serde_json::from_str(
            r#"[{"id":"1","name":"Ada","state":"idle","contact":{"state":"online"},"emergency_stop":{"id":"s","state":"sent"}},
                {"id":"2","name":"Bo","state":"offline","contact":{"state":"lost"},"emergency_stop":{"id":"t","state":"sending"}}]"#,
        )
        .unwrap();
        let told = lines(&printers, &[], None);
        assert!(
            told[2].starts_with("    Ada: M112 was sent") && told[2].ends_with("stardust stop --clear Ada"),
            "{told:?}"
        );
        assert!(told[4].contains("Bo: it is to be stopped") && told[4].contains("by hand"), "{told:?}");
    }

    #[test]
    fn names_that_look_the_same_have_their_ids_and_only_a_terminal_cuts_them() {
        let printers: Vec<Printer> = serde_json::from_str(
            r#"[{"id":"1","name":"Prusa i3 MK3S+ in the cellar, left","state":"idle","contact":{"state":"online"},
                 "model":"A model whose name is so long that no line of a hundred characters has room for it"},
                {"id":"2","name":"Prusa i3 MK3S+ in the cellar, right","state":"idle","contact":{"state":"online"}}]"#,
        )
        .unwrap();
        let cut = [
            "Prusa i3 MK3S+ in the c…  idle                           A model whose name is so long that no line…",
            "    id 1",
            "Prusa i3 MK3S+ in the c…  idle",
            "    id 2",
        ];
        assert_eq!(lines(&printers, &[], Some(80))[1..], cut);
        let wide = lines(&printers, &[], Some(200));
        assert!(wide[1].ends_with("has room for it") && wide[1].contains("in the c…"), "{wide:?}");
        let piped = lines(&printers, &[], None);
        assert_eq!(piped.len(), 3, "each has its own name: {piped:?}");
        assert!(piped[1].starts_with("Prusa i3 MK3S+ in the cellar, left  "), "{piped:?}");
        assert!(
            piped[1].ends_with("has room for it")
                && piped[2].starts_with("Prusa i3 MK3S+ in the cellar, right")
        );
    }
}
