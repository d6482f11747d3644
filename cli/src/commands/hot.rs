//! What of a printer is too hot to be touched although no job is at work on it.
//!
//! Owns: the rule and its sentence. Must not know: how printers are listed.

use crate::api::Printer;
use crate::quantity;

/// From here on, in °C, a nozzle or bed counts as hot; the dashboard has the same bound.
const HOT_C: f64 = 50.0;

/// `Still hot: nozzle 182 °C, bed 55 °C`; none while a job is at work, and of what is not measured now.
pub(crate) fn sentence(printer: &Printer) -> Option<String> {
    let status = printer.status.as_ref().filter(|_| printer.contact.state == "online")?;
    let at_work = match printer.state.as_str() {
        "printing" | "preparing" | "paused" => true,
        // A job may wait for the answer.
        "attention" => printer.current_job_id.is_some(),
        _ => false,
    };
    if at_work {
        return None;
    }
    let several = status.tools.len() > 1;
    let nozzles = status.tools.iter().enumerate().map(|(index, tool)| {
        let name = if several { format!("nozzle {}", index + 1) } else { "nozzle".to_owned() };
        (name, *tool)
    });
    let parts: Vec<_> = nozzles.chain(status.bed.map(|bed| ("bed".to_owned(), bed))).collect();
    let hot: Vec<String> = parts
        .iter()
        .filter(|(_, heat)| heat.actual >= HOT_C)
        .map(|(name, heat)| format!("{name} {}", quantity::temperature(heat.actual, 0.0)))
        .collect();
    let still = if parts.iter().any(|(_, heat)| heat.target > 0.0) { "Hot" } else { "Still hot" };
    (!hot.is_empty()).then(|| format!("{still}: {}", hot.join(", ")))
}
