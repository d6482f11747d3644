//! At which port a printer is driven: where something may be hot, before where its settings say.
//!
//! Settings may name another port than the one at which a job has heated. Whoever reads heaters back there knows nothing of
//! those. So what is hot is looked after first, and the new port counts from then on. Where the old one is not there any
//! more, the settings are believed, and what is owed stands. Owns: that choice. Must not know: jobs, the hub.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::by_hand;
use super::folder::{PrinterConfig, PrinterFolder};
use crate::journal::{Debts, HeatOwed};
use crate::port::{PortPlan, device};

/// A port that could not be opened is tried again so much later: another program may have it.
const TRY_AGAIN: Duration = Duration::from_secs(5 * 60);

/// Where a printer is driven.
#[derive(Debug)]
pub(super) struct Berth {
    pub(super) plan: PortPlan,
    pub(super) why: Why,
    /// What may be hot at other ports.
    elsewhere: Vec<HotElsewhere>,
    /// When those were looked for first and last, and whether the answer is still to come.
    first_looked_at: Option<Duration>,
    pub(super) looked_at: Duration,
    pub(super) is_being_looked_for: bool,
    /// Another printer was paired at this port later.
    pub(super) is_given_up: bool,
    /// Its port has not been open since then.
    pub(super) closed_since: Option<Duration>,
    /// Something is owed here that nobody wants hot since then.
    pub(super) owing_since: Option<Duration>,
}

/// Why there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// Its settings say so, and nothing can be done about what may be hot at another port.
    Settings,
    /// Something may be hot there. Its settings name another port, which counts when that is over.
    Hot,
}

/// What may be hot at a port that is not driven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HotElsewhere {
    port: PathBuf,
    baud: Option<u32>,
    is_there: bool,
    /// It could not be opened, so it is not tried again at once.
    is_given_up: bool,
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
        owed: &Debts,
    ) -> Result<Self, NotOurs> {
        let berth = Self::of(folder, config, owed);
        if owed.iter().any(|owed| berth.is_here(owed)) {
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

    fn of(folder: &PrinterFolder, config: &PrinterConfig, owed: &Debts) -> Self {
        let plan = folder.port_plan(config);
        let elsewhere_than = |plan: &PortPlan| -> Vec<HotElsewhere> {
            let is_here =
                |port: &Path| port == plan.path || is_same(&folder.port_plan_of(port.to_owned(), None), plan);
            owed.iter()
                .filter_map(|owed| Some((owed.port.clone()?, owed.baud)))
                .filter(|(port, _)| !is_here(port))
                .map(|(port, baud)| HotElsewhere::look(folder, port, baud))
                .collect()
        };
        let elsewhere = elsewhere_than(&plan);
        // Where nothing can be done here, or just was done in vain, the others have their turn.
        let is_in_reach = !folder.has_given_up(&plan.path) && device(&plan).is_some();
        let is_owed_here = owed.iter().count() > elsewhere.len() && is_in_reach;
        let (settings, name) = (plan.path.display(), folder.name());
        if let Some(hot) = elsewhere.iter().rev().find(|hot| hot.is_reachable()).filter(|_| !is_owed_here) {
            tracing::warn!(
                printer.name = name, port.path = %hot.port.display(), port.settings = %settings,
                "the settings name another port, but something may be hot at this one: it is looked after first"
            );
            let plan = PortPlan {
                reset_on_open: config.reset_on_open,
                ..folder.port_plan_of(hot.port.clone(), hot.baud)
            };
            // Among them what is owed at the port of the settings.
            let others = elsewhere_than(&plan);
            return Self::at(plan, Why::Hot, others);
        }
        for hot in &elsewhere {
            folder.set_adapter_aside(&hot.port);
            if !hot.is_reachable() {
                tracing::error!(
                    printer.name = name, port.path = %hot.port.display(), port.settings = %settings,
                    "something may be hot at this port, which is not there or can't be opened, and the settings name another \
                     one: look after the printer"
                );
            }
        }
        Self::at(plan, Why::Settings, elsewhere)
    }

    fn at(plan: PortPlan, why: Why, elsewhere: Vec<HotElsewhere>) -> Self {
        Self {
            plan,
            why,
            elsewhere,
            first_looked_at: None,
            looked_at: Duration::ZERO,
            is_being_looked_for: false,
            is_given_up: false,
            closed_since: None,
            owing_since: None,
        }
    }

    /// Whether its settings alone say where it is.
    pub(super) fn is_settled(&self) -> bool {
        self.why == Why::Settings && self.elsewhere.is_empty()
    }

    /// Whether it is the port of the settings.
    pub(super) fn is_by_settings(&self) -> bool {
        self.why == Why::Settings
    }

    /// Whether jobs may be taken here.
    pub(super) fn takes_jobs(&self) -> bool {
        self.why != Why::Hot
    }

    /// Whether what is read back at the port that is driven says something of this.
    pub(super) fn is_here(&self, owed: &HeatOwed) -> bool {
        match &owed.port {
            // Nobody knows where: by all that is known, at the port of the settings.
            None => self.is_by_settings(),
            Some(port) => self.elsewhere.iter().all(|hot| hot.port != *port),
        }
    }

    /// What of this is owed at a port that is not driven, the latest first.
    pub(super) fn elsewhere<'a>(&'a self, owed: &'a Debts) -> impl Iterator<Item = &'a HotElsewhere> {
        owed.iter()
            .rev()
            .filter_map(|owed| self.elsewhere.iter().find(|hot| Some(&hot.port) == owed.port.as_ref()))
    }

    /// Such a port was looked for, and is there or not.
    pub(super) fn looked_for(&mut self, now: Duration, port: &Path, is_there: bool) {
        let first = *self.first_looked_at.get_or_insert(now);
        if let Some(hot) = self.elsewhere.iter_mut().find(|hot| hot.port == port) {
            hot.is_there = is_there;
            // What has gone and come again is another matter.
            hot.is_given_up &= is_there && now < first + TRY_AGAIN;
        }
    }
}

impl HotElsewhere {
    fn look(folder: &PrinterFolder, port: PathBuf, baud: Option<u32>) -> Self {
        let is_given_up = folder.has_given_up(&port);
        let mut hot = Self { port, baud, is_there: false, is_given_up };
        hot.is_there = hot.is_back(folder);
        hot
    }

    /// Its port.
    pub(super) fn port(&self) -> &Path {
        &self.port
    }

    /// Whether it can be driven, as far as is known.
    pub(super) fn is_reachable(&self) -> bool {
        self.is_there && !self.is_given_up
    }

    /// Whether it is there. Looks at the machine's devices.
    pub(super) fn is_back(&self, folder: &PrinterFolder) -> bool {
        device(&folder.port_plan_of(self.port.clone(), self.baud)).is_some()
    }
}

/// Whether anybody with these data may have left something hot at the device that this plan leads to.
#[must_use]
pub fn is_owed_at(folder: &PrinterFolder, plan: &PortPlan) -> bool {
    let Some(here) = device(plan) else { return false };
    owes_at(folder, &here)
        || owing_at(folder, plan).is_some()
        || !by_hand::left_hot_at(folder, plan).is_empty()
}

/// The printer beside this one that may have left something hot at the device that this plan leads to.
fn owing_at(folder: &PrinterFolder, plan: &PortPlan) -> Option<String> {
    let here = device(plan)?;
    folder.siblings().into_iter().find_map(|other| owes_at(&other, &here).then(|| other.name()))
}

/// Whether this printer may have left something hot at the device that this plan leads to.
#[must_use]
pub fn owes_at_plan(folder: &PrinterFolder, plan: &PortPlan) -> bool {
    device(plan).is_some_and(|here| owes_at(folder, &here))
}

/// Whether the device that this plan leads to is this printer's: by its settings, or by what it has left hot.
pub(super) fn is_at_plan(folder: &PrinterFolder, plan: &PortPlan) -> bool {
    device(plan).is_some_and(|here| is_named(folder, &here) || owes_at(folder, &here))
}

/// Whether its settings name this device.
fn is_named(folder: &PrinterFolder, here: &Path) -> bool {
    let config = folder.config().ok().map(|config| folder.port_plan(&config));
    let of_broken = || folder.port_of_broken().map(|(port, baud)| folder.port_plan_of(port, baud));
    config.or_else(of_broken).is_some_and(|plan| device(&plan).as_deref() == Some(here))
}

/// Whether this printer may have left something hot at this device. What can't be read, or is damaged, may say so: of the port that
/// its settings name.
fn owes_at(folder: &PrinterFolder, here: &Path) -> bool {
    let is_here = |plan: &PortPlan| device(plan).as_deref() == Some(here);
    let of_settings = || is_named(folder, here);
    match folder.look_at_journal() {
        Err(_) => of_settings(),
        Ok(state) => state.heat.iter().any(|HeatOwed { port, baud, .. }| match port {
            Some(port) => is_here(&folder.port_plan_of(port.clone(), *baud)),
            None => of_settings(),
        }),
    }
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

/// Whether what hangs at the one is the device of the other one's name, whichever adapter that is.
fn is_same(old: &PortPlan, plan: &PortPlan) -> bool {
    device(old).is_some_and(|device| plan.path.canonicalize().ok() == Some(device))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub_link::client::Credential;
    use crate::journal::{Journal, Record};
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

        fn config(&self, port: &str) -> PrinterConfig {
            toml::from_str(&format!(
                "name = \"x\"\nhub = \"http://hub/\"\nworkspace_id = \"0190a7c2-6f00-7000-8000-000000000001\"\n\
                 printer_id = \"0190a7c2-6f00-7000-8000-000000000002\"\nport = {:?}\n",
                self.data.path().join(port)
            ))
            .unwrap()
        }

        fn choose(&self, settings: &str, owed: &[&str]) -> (String, Why, Vec<String>) {
            let port = |name: &str| self.data.path().join(name);
            let config = self.config(settings);
            let owed: Vec<Record> = owed
                .iter()
                .map(|name| {
                    HeatOwed {
                        port: (!name.is_empty()).then(|| port(name)),
                        in_place: true,
                        ..HeatOwed::default()
                    }
                    .into()
                })
                .collect();
            let _ = std::fs::remove_file(self.folder.journal());
            self.folder.prepare().unwrap();
            Journal::open(&self.folder.journal()).unwrap().append(&owed).unwrap();
            let owed = Journal::peek(&self.folder.journal()).heat;
            let berth = Berth::choose(&self.folder, &config, &owed).unwrap();
            let name = berth.plan.path.file_name().unwrap().to_string_lossy().into_owned();
            let elsewhere = berth.elsewhere(&owed).map(|hot| hot.port().to_string_lossy().into_owned());
            let elsewhere = elsewhere.map(|port| port[port.len() - 1..].to_owned()).collect();
            (name, berth.why, elsewhere)
        }
    }

    #[rstest]
    #[case::nothing_is_owed("b", &[], "b", Why::Settings, &[])]
    #[case::an_older_agent_wrote_no_port("b", &[""], "b", Why::Settings, &[])]
    #[case::at_the_same("a", &["a"], "a", Why::Settings, &[])]
    #[case::gone_and_the_same("c", &["c"], "c", Why::Settings, &[])]
    #[case::under_another_name("also-a", &["a"], "also-a", Why::Settings, &[])]
    #[case::elsewhere("b", &["a"], "a", Why::Hot, &[])]
    #[case::the_new_one_is_not_there("c", &["a"], "a", Why::Hot, &[])]
    #[case::the_old_one_is_not_there("b", &["c"], "b", Why::Settings, &["c"])]
    #[case::at_both("b", &["a", "b"], "b", Why::Settings, &["a"])]
    #[case::at_two_others("b", &["c", "a"], "a", Why::Hot, &["c"])]
    #[case::nobody_knows_where_and_elsewhere("b", &["a", ""], "b", Why::Settings, &["a"])]
    #[case::at_both_and_the_new_one_is_not_there("c", &["a", "c"], "a", Why::Hot, &["c"])]
    fn what_is_hot_goes_before_the_settings(
        #[case] settings: &str,
        #[case] owed: &[&str],
        #[case] port: &str,
        #[case] why: Why,
        #[case] elsewhere: &[&str],
    ) {
        let host = Host::with(&["a", "b"]);
        assert_eq!(
            host.choose(settings, owed),
            (port.into(), why, elsewhere.iter().map(|port| (*port).into()).collect())
        );
    }

    /// Another program has it, say.
    #[test]
    fn a_port_that_could_not_be_opened_is_left_to_itself_for_a_while() {
        let mut host = Host::with(&["a", "b"]);
        host.folder.give_up(Some(host.data.path().join("a")));
        assert_eq!(host.choose("b", &["a"]), ("b".into(), Why::Settings, vec!["a".into()]));
        let owed = Journal::peek(&host.folder.journal()).heat;
        let (start, a) = (Duration::from_secs(7), host.data.path().join("a"));
        let mut berth = Berth::choose(&host.folder, &host.config("b"), &owed).unwrap();
        let mut is_reachable_after = |later: Duration, is_there: bool| {
            berth.looked_for(start + later, &a, is_there);
            berth.elsewhere(&owed).any(HotElsewhere::is_reachable)
        };
        assert!(!is_reachable_after(Duration::ZERO, true));
        assert!(!is_reachable_after(TRY_AGAIN / 2, true));
        assert!(is_reachable_after(TRY_AGAIN, true));
        let mut berth = Berth::choose(&host.folder, &host.config("b"), &owed).unwrap();
        berth.looked_for(start, &a, false);
        berth.looked_for(start, &a, true);
        assert!(berth.elsewhere(&owed).any(HotElsewhere::is_reachable), "it has gone and come again");
        // Each in its turn.
        host.folder.give_up(Some(host.data.path().join("b")));
        assert_eq!(host.choose("b", &["a", "b"]).0, "a");
        host.folder.give_up(None);
        assert_eq!(host.choose("b", &["a"]).0, "a");
    }

    /// It may have said so.
    #[test]
    fn a_printer_beside_it_whose_journal_is_damaged_or_can_not_be_read_goes_first() {
        let host = Host::with(&["a", "b"]);
        let other = PrinterFolder::for_name(&Settings::of_data(host.data.path().to_owned()), "other");
        other.store(&host.config("b"), &Credential::new("token")).unwrap();
        std::fs::write(other.journal(), [0; 40]).unwrap();
        let choose = || Berth::choose(&host.folder, &host.config("b"), &Debts::default());
        assert!(matches!(choose(), Err(NotOurs::Owed { .. })));
        std::fs::remove_file(other.journal()).unwrap();
        assert!(choose().is_ok());
        std::fs::create_dir(other.journal()).unwrap();
        assert!(matches!(choose(), Err(NotOurs::Owed { .. })));
    }
}
