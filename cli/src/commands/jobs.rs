//! `stardust jobs`.

use crate::api::{Client, PrintJob};
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
    lines(&jobs).iter().try_for_each(|line| output::line(line))
}

fn lines(jobs: &[PrintJob]) -> Vec<String> {
    let rows: Vec<_> = jobs.iter().map(row).collect();
    let mut table =
        table::lines(["FILE", "PRINTER", "STATE", "DONE", "LEFT", "QUEUED", "ID"], &rows).into_iter();
    let mut lines: Vec<_> = table.next().into_iter().collect();
    for (line, job) in table.zip(jobs) {
        lines.push(line);
        // A sentence of its own: one long reason would push every other column off the screen.
        lines.extend(job.reason.as_deref().map(|reason| format!("    {}", printable(reason))));
    }
    lines
}

fn row(job: &PrintJob) -> [String; 7] {
    let printer = match (&job.printer_name, &job.target_printer_id) {
        (Some(name), _) => name.clone(),
        (None, Some(_)) => "(waiting for it)".into(),
        (None, None) => "(first available)".into(),
    };
    let state = match &job.requested {
        Some(requested) => format!("{} ({requested} asked for)", job.state),
        None => job.state.clone(),
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
        // RFC 3339 to the minute.
        job.queued_at.as_deref().and_then(|at| at.get(..16)).unwrap_or_default().replace('T', " "),
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
            {"id":"2","file_name":"b.gcode","state":"queued","needs_removal":false},
            {"id":"3","file_name":"c.gcode","state":"failed","reason":"The printer was reset.",
             "printer_name":"Bo","needs_removal":true}]"#,
        )
        .unwrap();
        assert_eq!(
            lines(&jobs),
            [
                "FILE     PRINTER            STATE                       DONE  LEFT  QUEUED            ID",
                "a.gcode  Ada                printing (pause asked for)  99 %  59s   2026-11-23 06:25  1",
                "b.gcode  (first available)  queued                                                    2",
                "c.gcode  Bo                 failed, bed not cleared                                   3",
                "    The printer was reset.",
            ]
        );
    }
}
