//! `stardust jobs`.

use super::{cut_off, hot};
use crate::api::{Client, PrintJob, Printer};
use crate::error::CliError;
use crate::output::printable;
use crate::{output, quantity, table};

/// Lists print jobs.
pub(crate) async fn run(client: &Client, scope: &str, limit: usize, json: bool) -> Result<(), CliError> {
    let found = client.list("api/v1/jobs", &[("scope", scope)], limit).await?;
    if json {
        return output::json(&found);
    }
    let jobs: Vec<PrintJob> = client.parse_all(&found)?;
    if jobs.is_empty() {
        return output::line("There are no print jobs.");
    }
    // The printers are asked only when one of them may have something to say.
    let printers = match jobs.iter().any(PrintJob::is_at_work) {
        true => client.parse_all(&client.list("api/v1/printers", &[], usize::MAX).await?)?,
        false => Vec::new(),
    };
    lines(&jobs, &printers).iter().try_for_each(|line| output::line(line))
}

fn lines(jobs: &[PrintJob], printers: &[Printer]) -> Vec<String> {
    let rows: Vec<_> = jobs.iter().map(row).collect();
    let mut table =
        table::lines(["FILE", "PRINTER", "STATE", "DONE", "LEFT", "QUEUED", "ID"], &rows).into_iter();
    let mut lines: Vec<_> = table.next().into_iter().collect();
    for (line, job) in table.zip(jobs) {
        lines.push(line);
        // A sentence of its own: one long reason would push every other column off the screen.
        lines.extend(job.reason.as_deref().map(|reason| format!("    {}", printable(reason))));
        let on = printers.iter().find(|printer| printer.current_job_id.as_ref() == Some(&job.id));
        let cut_off = printers.iter().filter_map(cut_off::told).find(|cut_off| cut_off.job_id == job.id);
        let said = on.filter(|_| job.is_at_work()).map(|on| of_printer(job, on)).unwrap_or_default();
        let said = said.into_iter().chain(cut_off.map(cut_off::sentence));
        lines.extend(said.map(|sentence| format!("    {}", printable(&sentence))));
    }
    lines
}

/// What is to be said of the printer that a job is at work on.
fn of_printer(job: &PrintJob, on: &Printer) -> Vec<String> {
    let out_of_reach = (!on.contact.is_in_reach()).then(|| {
        format!("The agent of {} is out of reach: it may be down or cut off. The printer may go on.", on.name)
    });
    out_of_reach.into_iter().chain(hot::sentence(on, Some(job))).collect()
}

fn state_in_words(job: &PrintJob) -> String {
    job.state.replace('_', " ")
}

fn row(job: &PrintJob) -> [String; 7] {
    let printer = match (&job.printer_name, &job.target_printer_id) {
        (Some(name), _) => name.clone(),
        (None, Some(_)) => "(waiting for it)".into(),
        (None, None) => "(first available)".into(),
    };
    let state = match &job.requested {
        Some(requested) => format!("{} ({requested} asked for)", state_in_words(job)),
        None => state_in_words(job),
    };
    let state = if job.needs_removal && job.state != "awaiting_removal" {
        format!("{state}, bed not cleared")
    } else {
        state
    };
    [
        job.file_name.clone(),
        printer,
        state,
        job.progress.map(|progress| quantity::percent(progress.fraction)).unwrap_or_default(),
        job.progress.and_then(|progress| progress.left_s).map(quantity::duration).unwrap_or_default(),
        job.queued_at.as_deref().map(quantity::to_the_minute).unwrap_or_default(),
        job.id.clone(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list() {
        let jobs: Vec<PrintJob> = serde_json::from_str(
            r#"[
            {"id":"1","file_name":"a.gcode","state":"printing","printer_name":"Ada","requested":"pause",
             "progress":{"fraction":0.999,"left_s":59},"queued_at":"2026-11-23T06:25:24.123Z","needs_removal":false},
            {"id":"2","file_name":"b.gcode","state":"awaiting_removal","needs_removal":true},
            {"id":"3","file_name":"c.gcode","state":"failed","reason":"The printer was reset.",
             "printer_name":"Bo","needs_removal":true},
            {"id":"4","file_name":"d.gcode","state":"paused","reason":"The power failed.","printer_name":"Cy",
             "needs_removal":false},
            {"id":"5","file_name":"e.gcode","state":"printing","printer_name":"Di"},
            {"id":"6","file_name":"f.gcode","state":"printing","printer_name":"Ed"},
            {"id":"7","file_name":"g.gcode","state":"paused","reason":"It lost its power.","printer_name":"Flo"}]"#,
        )
        .unwrap();
        let printers: Vec<Printer> = serde_json::from_str(
            r#"[{"id":"p4","name":"Cy","state":"paused","contact":{"state":"online"},"current_job_id":"4","status":
                 {"interruption":{"job_id":"4","layer":12,"layers":[{"layer":12,"height_mm":2.4}]}}},
                {"id":"p5","name":"Di","state":"offline","contact":{"state":"lost"},"current_job_id":"5","status":
                 {"bed":{"actual":60,"target":60}}},
                {"id":"p6","name":"Ed","state":"offline","contact":{"state":"lost","waits":true},"current_job_id":"6"},
                {"id":"p7","name":"Flo","state":"paused","contact":{"state":"online"},"current_job_id":"7","status":
                 {"interruption":{"job_id":"7","layer":43,"height_mm":13.6,"parked":true,
                  "layers":[{"layer":43,"height_mm":8.6}]}}}]"#,
        )
        .unwrap();
        assert_eq!(
            lines(&jobs, &printers),
            [
                "FILE     PRINTER            STATE                       DONE  LEFT  QUEUED            ID",
                "a.gcode  Ada                printing (pause asked for)  99 %  59s   2026-11-23 06:25  1",
                "b.gcode  (first available)  awaiting removal                                          2",
                "c.gcode  Bo                 failed, bed not cleared                                   3",
                "    The printer was reset.",
                "d.gcode  Cy                 paused                                                    4",
                "    The power failed.",
                "    Cut off at layer 12. Look at the part, then go on with: stardust resume 4 --from-layer 12 (12: \
                 2.40 mm), or give it up with: stardust cancel 4",
                "e.gcode  Di                 printing                                                  5",
                "    The agent of Di is out of reach: it may be down or cut off. The printer may go on.",
                "    May still be hot: bed 60 °C when last measured. Look at the printer.",
                "f.gcode  Ed                 printing                                                  6",
                "g.gcode  Flo                paused                                                    7",
                "    It lost its power.",
                "    Cut off at layer 43 while it was paused. Look at the part, and leave the nozzle where the pause left \
                 it, 13.60 mm up: do not lower it to the part, and give the print up if it was moved since. Then go on \
                 with: stardust resume 7 --from-layer 43, or give it up with: stardust cancel 7",
            ]
        );
    }
}
