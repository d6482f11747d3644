//! At which port a printer is driven: where something may be hot, before where its settings say.
//!
//! Settings may name another port than the one at which a job has heated. Whoever reads heaters back there knows nothing of
//! those. So what is hot is looked after first, and the new port counts from then on. Where the old one is not there any
//! more, the settings are believed, and what is owed stands. Owns: that choice. Must not know: jobs, the hub.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::by_hand;
use super::folder::{PrinterConfig, PrinterFolder};
use crate::journal::{HeatOwed, Journal};
use crate::port::{PortPlan, device};

/// Where a printer is driven.
#[derive(Debug)]
pub(super) struct Berth {
    pub(super) plan: PortPlan,
    pub(super) why: Why,
    /// Something may be hot at a port that was not there, and is by now.
    pub(super) old_port_is_back: bool,
    /// When that was looked at last, and whether the answer is still to come.
    pub(super) looked_at: Duration,
    pub(super) is_being_looked_for: bool,
    /// Another printer was paired at this port later.
    pub(super) is_given_up: bool,
    /// Its port has not been open since then.
    pub(super) closed_since: Option<Duration>,
}

/// Why there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Why {
    /// Its settings say so, and nothing is hot at another port.
    Settings,
    /// Something may be hot there. Its settings name another port, which counts when that is over.
    Hot,
    /// Its settings say so. Something may be hot at another port, which is not there.
    HotElsewhere(HotElsewhere),
}

/// What may be hot at a port that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HotElsewhere {
    port: PathBuf,
    baud: Option<u32>,
}

/// The port is another printer's.
#[derive(Debug, thiserror::Error)]
pub enum NotOurs {
    /// Whoever has the port would keep the one away that knows what is hot there.
    #[error(
        "The printer “{other}” may have left something hot at {port}, which is this printer's port by the settings: this one waits \
         until that one has read its heaters back as off."
    )]
    Owed {
        /// That printer.
        other: String,
        /// The port.
        port: String,
    },
    /// Most likely the same machine under a new name.
    #[error(
        "The printer “{other}” was paired later at {port}: this one is not driven any more. Give it another port, or remove its \
         folder from the agent's data."
    )]
    PairedLater {
        /// That printer.
        other: String,
        /// The port.
        port: String,
    },
}

impl Berth {
    /// For a printer with these settings, and what its journal says is owed.
    ///
    /// # Errors
    /// [`NotOurs`].
    pub(super) fn choose(
        folder: &PrinterFolder,
        config: &PrinterConfig,
        owed: Option<&HeatOwed>,
    ) -> Result<Self, NotOurs> {
        let berth = Self::of(folder, config, owed);
        let owes_here = owed.is_some() && berth.hot_elsewhere().is_none();
        if owes_here {
            return Ok(berth);
        }
        let port = berth.plan.path.display().to_string();
        if let Some(other) = owing_at(folder, &berth.plan) {
            return Err(NotOurs::Owed { other, port });
        }
        match paired_later(folder, config, &berth.plan) {
            Some(other) => Err(NotOurs::PairedLater { other, port }),
            None => Ok(berth),
        }
    }

    fn of(folder: &PrinterFolder, config: &PrinterConfig, owed: Option<&HeatOwed>) -> Self {
        let plan = folder.port_plan(config);
        let Some((port, baud)) = owed.and_then(|owed| Some((owed.port.clone()?, owed.baud))) else {
            return Self::at(plan, Why::Settings);
        };
        if port == plan.path {
            return Self::at(plan, Why::Settings);
        }
        let old = PortPlan { reset_on_open: config.reset_on_open, ..folder.port_plan_of(port.clone(), baud) };
        let (settings, name) = (plan.path.display(), folder.name());
        match device(&old) {
            // The same one under another name.
            Some(device) if named(&plan) == Some(device.clone()) => Self::at(plan, Why::Settings),
            Some(_) => {
                tracing::warn!(
                    printer.name = name, port.path = %port.display(), port.settings = %settings,
                    "the settings name another port, but something may be hot at this one: it is looked after first"
                );
                Self::at(old, Why::Hot)
            }
            None => {
                tracing::error!(
                    printer.name = name, port.path = %port.display(), port.settings = %settings,
                    "something may be hot at this port, which is not there any more, and the settings name another one: look \
                     after the printer"
                );
                folder.set_adapter_aside(&port);
                Self::at(plan, Why::HotElsewhere(HotElsewhere { port, baud }))
            }
        }
    }

    fn at(plan: PortPlan, why: Why) -> Self {
        Self {
            plan,
            why,
            old_port_is_back: false,
            looked_at: Duration::ZERO,
            is_being_looked_for: false,
            is_given_up: false,
            closed_since: None,
        }
    }

    /// Whether its settings alone say where it is.
    pub(super) fn is_settled(&self) -> bool {
        self.why == Why::Settings
    }

    /// Whether jobs may be taken here.
    pub(super) fn takes_jobs(&self) -> bool {
        self.why != Why::Hot
    }

    /// What is owed can't be settled here.
    pub(super) fn hot_elsewhere(&self) -> Option<&HotElsewhere> {
        match &self.why {
            Why::HotElsewhere(hot) => Some(hot),
            Why::Settings | Why::Hot => None,
        }
    }
}

impl HotElsewhere {
    /// Its port.
    pub(super) fn port(&self) -> &Path {
        &self.port
    }

    /// Whether it is there again. Looks at the machine's devices.
    pub(super) fn is_back(&self, folder: &PrinterFolder) -> bool {
        device(&folder.port_plan_of(self.port.clone(), self.baud)).is_some()
    }
}

/// Whether anybody with these data may have left something hot at the device that this plan leads to.
#[must_use]
pub fn is_owed_at(folder: &PrinterFolder, plan: &PortPlan) -> bool {
    let is_ours = || {
        let HeatOwed { port, baud, .. } = Journal::peek(&folder.journal()).heat?;
        Some(device(&folder.port_plan_of(port?, baud))? == device(plan)?)
    };
    is_ours() == Some(true)
        || owing_at(folder, plan).is_some()
        || !by_hand::left_hot_at(folder, plan).is_empty()
}

/// The printer beside this one that may have left something hot at the device that this plan leads to.
fn owing_at(folder: &PrinterFolder, plan: &PortPlan) -> Option<String> {
    let here = device(plan)?;
    folder.siblings().into_iter().find_map(|other| {
        let HeatOwed { port, baud, .. } = Journal::peek(&other.journal()).heat?;
        let theirs = device(&other.port_plan_of(port?, baud))?;
        (theirs == here).then(|| other.name())
    })
}

/// The printer beside this one that was paired later at the device that this plan leads to. A hub's ids are in order of time.
pub(super) fn paired_later(
    folder: &PrinterFolder,
    config: &PrinterConfig,
    plan: &PortPlan,
) -> Option<String> {
    let here = device(plan)?;
    folder.siblings().into_iter().find_map(|other| {
        let theirs = other.config().ok().filter(|theirs| theirs.printer_id > config.printer_id)?;
        (device(&other.port_plan(&theirs))? == here).then_some(theirs.name)
    })
}

/// The device of this name, whichever adapter it is.
fn named(plan: &PortPlan) -> Option<PathBuf> {
    plan.path.canonicalize().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use rstest::rstest;

    struct Host {
        data: tempfile::TempDir,
        folder: PrinterFolder,
    }

    impl Host {
        /// With devices of these names, and another name for one of them.
        fn with(devices: &[&str]) -> Self {
            let data = tempfile::tempdir().unwrap();
            for device in devices {
                std::fs::write(data.path().join(device), "").unwrap();
            }
            std::os::unix::fs::symlink("a", data.path().join("also-a")).unwrap();
            let settings = Settings::of_data(data.path().to_owned());
            let folder = PrinterFolder::for_name(&settings, "x");
            Self { data, folder }
        }

        fn choose(&self, settings: &str, owed: Option<&str>) -> (String, Why) {
            let port = |name: &str| self.data.path().join(name);
            let config: PrinterConfig = toml::from_str(&format!(
                "name = \"x\"\nhub = \"http://hub/\"\nworkspace_id = \"0190a7c2-6f00-7000-8000-000000000001\"\n\
                 printer_id = \"0190a7c2-6f00-7000-8000-000000000002\"\nport = {:?}\n",
                port(settings)
            ))
            .unwrap();
            let owed = owed
                .map(|name| HeatOwed { port: (!name.is_empty()).then(|| port(name)), ..HeatOwed::default() });
            let berth = Berth::choose(&self.folder, &config, owed.as_ref()).unwrap();
            let name = berth.plan.path.file_name().unwrap().to_string_lossy().into_owned();
            (name, berth.why)
        }
    }

    #[rstest]
    #[case::nothing_is_owed("b", None, "b", "Settings")]
    #[case::an_older_agent_wrote_no_port("b", Some(""), "b", "Settings")]
    #[case::at_the_same("a", Some("a"), "a", "Settings")]
    #[case::gone_and_the_same("c", Some("c"), "c", "Settings")]
    #[case::under_another_name("also-a", Some("a"), "also-a", "Settings")]
    #[case::elsewhere("b", Some("a"), "a", "Hot")]
    #[case::the_new_one_is_not_there("c", Some("a"), "a", "Hot")]
    #[case::the_old_one_is_not_there("b", Some("c"), "b", "HotElsewhere")]
    fn what_is_hot_goes_before_the_settings(
        #[case] settings: &str,
        #[case] owed: Option<&str>,
        #[case] port: &str,
        #[case] why: &str,
    ) {
        let host = Host::with(&["a", "b"]);
        let (chosen, because) = host.choose(settings, owed);
        assert_eq!(chosen, port);
        assert!(format!("{because:?}").split('(').next() == Some(why), "{because:?}");
        if let Why::HotElsewhere(hot) = because {
            assert!(!hot.is_back(&host.folder));
            std::fs::write(hot.port(), "").unwrap();
            assert!(hot.is_back(&host.folder));
        }
    }
}
