//! Which faults are wanted and when. Parsed from and shown as `KIND`, `KIND=RATE`, `KIND@LINE`, `KIND@TIME`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::kind::FaultKind;

/// How often a kind strikes when nothing is said: one line in a hundred.
const DEFAULT_RATE: f64 = 0.01;

/// When a fault strikes. Lines are those of its direction: from the host, to the host, or with `ok`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Trigger {
    /// This share of all lines, 0 to 1.
    Rate(f64),
    /// The line with this number, counted from 1.
    AtLine(u64),
    /// Once, as soon as this time of the line has come and there is something to strike.
    AtTime(Duration),
}

/// One kind and when it strikes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fault {
    /// What happens.
    pub kind: FaultKind,
    /// When it happens.
    pub trigger: Trigger,
}

/// All that is to go wrong. Empty: nothing does.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FaultPlan {
    faults: Vec<Fault>,
}

impl FaultPlan {
    /// Nothing goes wrong.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// This plan and one fault more.
    #[must_use]
    pub fn with(mut self, kind: FaultKind, trigger: Trigger) -> Self {
        self.faults.push(Fault { kind, trigger });
        self
    }

    /// All faults of the plan, in the order they were given.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }
}

impl FromIterator<Fault> for FaultPlan {
    fn from_iter<I: IntoIterator<Item = Fault>>(faults: I) -> Self {
        Self { faults: faults.into_iter().collect() }
    }
}

/// What cannot be read as a fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidFault {
    /// No such kind.
    #[error("there is no fault `{0}`; there are {names}", names = names())]
    Kind(String),
    /// Not a share of the lines.
    #[error(
        "`{0}` is no rate: write a share from 0 to 1 or a percentage, as in `lose-ok=0.01` or `lose-ok=1%`"
    )]
    Rate(String),
    /// Neither line nor time.
    #[error(
        "`{0}` is neither line nor time: write a line from 1 or a time with its unit, as in `reset@120` or `reset@30s`"
    )]
    When(String),
}

fn names() -> String {
    FaultKind::ALL.map(FaultKind::name).join(", ")
}

impl FromStr for Fault {
    type Err = InvalidFault;

    fn from_str(text: &str) -> Result<Self, InvalidFault> {
        let (name, trigger) = if let Some((name, rate)) = text.split_once('=') {
            (name, Trigger::Rate(parse_rate(rate).ok_or_else(|| InvalidFault::Rate(rate.to_owned()))?))
        } else if let Some((name, when)) = text.split_once('@') {
            (name, parse_when(when).ok_or_else(|| InvalidFault::When(when.to_owned()))?)
        } else {
            (text, Trigger::Rate(DEFAULT_RATE))
        };
        let kind = FaultKind::ALL.into_iter().find(|kind| kind.name() == name);
        Ok(Self { kind: kind.ok_or_else(|| InvalidFault::Kind(name.to_owned()))?, trigger })
    }
}

fn parse_rate(text: &str) -> Option<f64> {
    let rate = match text.strip_suffix('%') {
        Some(percent) => percent.parse::<f64>().ok()? / 100.0,
        None => text.parse().ok()?,
    };
    (0.0..=1.0).contains(&rate).then_some(rate)
}

fn parse_when(text: &str) -> Option<Trigger> {
    if let Ok(line) = text.parse::<u64>() {
        return (line > 0).then_some(Trigger::AtLine(line));
    }
    let units = [("ms", 0.001), ("min", 60.0), ("h", 3600.0), ("s", 1.0)];
    let (number, unit) = units.iter().find_map(|(unit, s)| Some((text.strip_suffix(unit)?, s)))?;
    let time = Duration::try_from_secs_f64(number.parse::<f64>().ok()? * unit).ok()?;
    Some(Trigger::AtTime(time))
}

impl fmt::Display for Fault {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.kind.name();
        match self.trigger {
            Trigger::Rate(rate) => write!(to, "{name}={rate}"),
            Trigger::AtLine(line) => write!(to, "{name}@{line}"),
            Trigger::AtTime(time) => write!(to, "{name}@{}s", time.as_secs_f64()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("lose-ok", FaultKind::LoseOk, Trigger::Rate(0.01), "lose-ok=0.01")]
    #[case("corrupt-in=0.005", FaultKind::CorruptIn, Trigger::Rate(0.005), "corrupt-in=0.005")]
    #[case("late-ok=1%", FaultKind::LateOk, Trigger::Rate(0.01), "late-ok=0.01")]
    #[case("reset@120", FaultKind::Reset, Trigger::AtLine(120), "reset@120")]
    #[case("unplug@30s", FaultKind::Unplug, Trigger::AtTime(Duration::from_secs(30)), "unplug@30s")]
    #[case("kill@2.5min", FaultKind::Kill, Trigger::AtTime(Duration::from_secs(150)), "kill@150s")]
    #[case("stall@250ms", FaultKind::Stall, Trigger::AtTime(Duration::from_millis(250)), "stall@0.25s")]
    fn read_and_shown(
        #[case] text: &str,
        #[case] kind: FaultKind,
        #[case] trigger: Trigger,
        #[case] shown: &str,
    ) {
        let fault: Fault = text.parse().unwrap();
        assert_eq!(fault, Fault { kind, trigger });
        assert_eq!(fault.to_string(), shown);
        assert_eq!(shown.parse(), Ok(fault));
    }

    #[rstest]
    #[case("lose-ko", "there is no fault `lose-ko`; there are corrupt-in,")]
    #[case("lose-ok=2", "`2` is no rate")]
    #[case("lose-ok=NaN", "`NaN` is no rate")]
    #[case("reset@0", "`0` is neither line nor time")]
    #[case("reset@soon", "`soon` is neither")]
    #[case("reset@-3s", "`-3s` is neither")]
    fn refused_with_a_reason(#[case] text: &str, #[case] message: &str) {
        let error = text.parse::<Fault>().unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    }

    #[test]
    fn every_kind_is_found_by_its_name() {
        for kind in FaultKind::ALL {
            assert_eq!(kind.name().parse::<Fault>().map(|fault| fault.kind), Ok(kind));
        }
    }
}
