//! Temperature reports: `T:205.1 /205.0 B:60.0 /60.0 T0:… C:… @:127 W:3`.
//!
//! Owns: the spellings of a heater's actual and set temperature. Must not know: who asked for them.

/// One heater, °C.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heat {
    /// Measured; none: the firmware has no number for it (`inf`, `nan`: a sensor that is off or broken).
    pub actual: Option<f64>,
    /// Set, where the report says so.
    pub target: Option<f64>,
}

/// What one line tells about the heaters.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TemperatureReport {
    /// Hot ends by tool number.
    pub tools: Vec<(u8, Heat)>,
    /// The bed.
    pub bed: Option<Heat>,
    /// The chamber.
    pub chamber: Option<Heat>,
    /// The firmware is waiting for a temperature: `W:`, in Marlin 1 also `E:` alone, the tool that is waited for.
    pub waiting: bool,
}

impl TemperatureReport {
    /// Finds heaters in a line; none when there is not one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut report = Self::default();
        let mut current = None;
        let mut rest = text;
        while let Some(colon) = rest.find(':') {
            let (before, after) = rest.split_at(colon);
            let name = before.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '@').next().unwrap_or("");
            // Creality's doubled reports: `TT::27.9327.93  //0.000.00`.
            let value = after.get(1..).unwrap_or("").trim_start_matches(':');
            let heat = heat(value);
            let name = once(name);
            match (name, heat) {
                ("W" | "E", _) => report.waiting = true,
                ("T", Some(heat)) => current = Some(heat),
                ("B", Some(heat)) => report.bed = Some(heat),
                ("C", Some(heat)) => report.chamber = Some(heat),
                (name, Some(heat)) => {
                    if let Some(tool) = name.strip_prefix('T').and_then(|tool| tool.parse().ok()) {
                        report.tools.push((tool, heat));
                    }
                }
                _ => {}
            }
            rest = value;
        }
        // `T:` is the tool in use; alone, it is the only one.
        if report.tools.is_empty() {
            report.tools.extend(current.map(|heat| (0, heat)));
        }
        let any = !report.tools.is_empty() || report.bed.is_some() || report.chamber.is_some();
        any.then_some(report)
    }
}

/// `205.1 /205.0`, `21.30/ 0.00`, `205.1`, `27.9327.93  //0.000.00`.
fn heat(text: &str) -> Option<Heat> {
    let (actual, rest) = match no_number(text) {
        Some(rest) => (None, rest),
        None => number(text).map(|(actual, rest)| (Some(actual), rest))?,
    };
    let slash = rest.trim_start().strip_prefix('/');
    let target = slash.and_then(|rest| number(rest.trim_start_matches('/'))).map(|(target, _)| target);
    Some(Heat { actual, target })
}

/// What C prints for a number that is none.
fn no_number(text: &str) -> Option<&str> {
    let text = text.trim_start();
    let bare = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (word, rest) = bare.split_at_checked(3)?;
    ["inf", "nan"].iter().any(|none| word.eq_ignore_ascii_case(none)).then_some(rest)
}

fn number(text: &str) -> Option<(f64, &str)> {
    let text = text.trim_start();
    let belongs = |c: char| c.is_ascii_digit() || c == '-' || c == '.';
    let end = text.len() - text.trim_start_matches(belongs).len();
    let (number, rest) = text.split_at(end);
    // With a point in each half it has been written twice.
    let number: f64 = if number.matches('.').count() == 2 { once(number) } else { number }.parse().ok()?;
    Some((number, rest))
}

/// The half of a text that is the same twice over, else all of it: some of Creality's boards send every piece of a report
/// to the same port as two (CR6Community/Marlin#3).
fn once(text: &str) -> &str {
    match text.split_at_checked(text.len() / 2) {
        Some((first, second)) if first == second => first,
        _ => text,
    }
}
