//! Printers by what of them gets hot, and a job that heats all of it: a bare `M104 S0` reaches one nozzle only.

use stardust_protocol::agent_api::Claim;

use crate::host::{FILE, Host};
use crate::stand_in::eventually;
use crate::stand_in::printer::fixture;

/// What there is to heat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Machine {
    /// One nozzle and a bed.
    Plain,
    /// Two tools, a bed and a chamber.
    Large,
}

impl Machine {
    /// Of the simulator.
    pub(crate) fn options(self) -> &'static [&'static str] {
        match self {
            Self::Plain => &[],
            Self::Large => &["--tools", "2", "--chamber", "70"],
        }
    }

    /// What a job for it begins with.
    pub(crate) fn heats(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Large => "M141 S45\nM104 T1 S180\n",
        }
    }

    /// A job that heats everything.
    pub(crate) fn offer(self, host: &Host) -> Claim {
        let file = std::fs::read_to_string(fixture(FILE)).unwrap();
        host.offer_file(0, format!("{}{file}", self.heats()).as_bytes())
    }

    /// Every heater is on, at the printer.
    pub(crate) fn is_hot(self, host: &Host) {
        let targets = eventually("hot", || {
            let targets = host.printer().targets();
            targets.iter().all(|target| *target > 0.0).then_some(targets)
        });
        assert_eq!(targets.len(), if self == Self::Plain { 2 } else { 4 });
    }

    /// The plain job, whole and once; what came before it breaks off. It is switched off then.
    pub(crate) fn has_printed(self, host: &mut Host) {
        host.is_made_safe();
        if self == Self::Plain {
            host.expect_the_file(1);
        }
    }
}
