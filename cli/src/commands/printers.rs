//! `stardust printers`.

use super::{cut_off, hot, preheat};
use crate::api::{Client, Printer};
use crate::error::CliError;
use crate::output::printable;
use crate::{output, quantity, table};

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
    lines(&printers).iter().try_for_each(|line| output::line(line))
}

fn lines(printers: &[Printer]) -> Vec<String> {
    let rows: Vec<_> = printers.iter().map(row).collect();
    let headings = ["NAME", "STATE", "JOB", "LEFT", "NOZZLE", "BED", "MODEL", "ID"];
    let mut table = table::lines(headings, &rows).into_iter();
    let mut lines: Vec<_> = table.next().into_iter().collect();
    for (line, printer) in table.zip(printers) {
        lines.push(line);
        let cut_off = cut_off::told(printer).map(cut_off::sentence);
        lines.extend(cut_off.map(|sentence| format!("    {}", printable(&sentence))));
        lines.extend(preheat::sentence(printer).map(|sentence| format!("    {sentence}")));
        lines.extend(hot::sentence(printer).map(|sentence| format!("    {sentence}")));
    }
    lines
}

fn row(printer: &Printer) -> [String; 8] {
    // Temperatures of a printer out of reach are of another time.
    let status = printer.status.clone().filter(|_| printer.contact.state == "online").unwrap_or_default();
    let state = match (printer.contact.state.as_str(), &status.message) {
        ("lost", _) => format!("{} (contact lost)", printer.state),
        (_, Some(message)) => format!("{} ({message})", printer.state),
        _ => printer.state.clone(),
    };
    let nozzles: Vec<String> =
        status.tools.iter().map(|tool| quantity::temperature(tool.actual, tool.target)).collect();
    [
        printer.name.clone(),
        state,
        status.job.map(|job| quantity::percent(job.fraction)).unwrap_or_default(),
        status.job.and_then(|job| job.left_s).map(quantity::duration).unwrap_or_default(),
        nozzles.join(" "),
        status.bed.map(|bed| quantity::temperature(bed.actual, bed.target)).unwrap_or_default(),
        printer.model.clone().unwrap_or_default(),
        printer.id.clone(),
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
            {"id":"2","name":"Bo","state":"offline","contact":{"state":"lost"},
             "status":{"state":"idle","tools":[{"actual":99,"target":0}]}},
            {"id":"3","name":"Cy","state":"error","contact":{"state":"online"},
             "status":{"state":"error","message":"Thermal runaway","tools":[]}},
            {"id":"4","name":"Di","state":"paused","contact":{"state":"online"},
             "status":{"interruption":{"job_id":"j1","refusal":"The file is gone."}}},
            {"id":"5","name":"Ed","state":"awaiting_removal","contact":{"state":"online"},"current_job_id":"j2",
             "status":{"tools":[{"actual":182.4,"target":0}],"bed":{"actual":55,"target":0}}},
            {"id":"6","name":"Fi","state":"idle","contact":{"state":"online"},
             "status":{"tools":[{"actual":49.9,"target":0},{"actual":50,"target":0}]}},
            {"id":"7","name":"Gus","state":"idle","contact":{"state":"online"},
             "status":{"tools":[{"actual":120,"target":200}],
                       "preheat":{"until":"2026-11-23T06:25:24.123Z","reason":"asked"}}}]"#,
        )
        .unwrap();
        assert_eq!(
            lines(&printers),
            [
                "NAME  STATE                    JOB   LEFT   NOZZLE       BED       MODEL  ID",
                "Ada   printing                 42 %  1h 2m  215/215 °C   60/60 °C  MK3S   1",
                "Bo    offline (contact lost)                                              2",
                "Cy    error (Thermal runaway)                                             3",
                "Di    paused                                                              4",
                "    Cut off. The file is gone. Give it up with: stardust cancel j1",
                "Ed    awaiting_removal                      182 °C       55 °C            5",
                "    Still hot: nozzle 182 °C, bed 55 °C",
                "Fi    idle                                  50 °C 50 °C                   6",
                "    Still hot: nozzle 2 50 °C",
                "Gus   idle                                  120/200 °C                    7",
                "    Preheated until 06:25 UTC",
                "    Hot: nozzle 120 °C",
            ]
        );
    }
}
