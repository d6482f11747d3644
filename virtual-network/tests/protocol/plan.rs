//! What a run is made of: everything follows from its seed.

use std::time::Duration;

use crate::dice::Dice;

/// No print takes so long, unless it is made to.
const HUB_DOWN: Duration = Duration::from_secs(600);

/// Which fault a run is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The hub dies when a print begins and comes back when it is over.
    HubDownForThePrint,
    /// 30 % of the calls, and 30 % of the answers of the rest, are lost.
    Lossy,
    /// Half of the calls arrive twice, the second time when others have come between.
    Doubled,
    /// The network is away for minutes up to hours.
    Away,
    /// The agents are killed, also between two lines of their journal.
    AgentsKilled,
    /// The hub is killed before and after it has applied a call.
    HubKilled,
    /// Everything at once.
    Everything,
}

impl Kind {
    pub(crate) const ALL: [Self; 8] = [
        Self::HubDownForThePrint,
        Self::Lossy,
        Self::Doubled,
        Self::Away,
        Self::AgentsKilled,
        Self::HubKilled,
        Self::Everything,
        Self::Everything,
    ];
}

/// Where the hub dies in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// It has not done anything.
    Before,
    /// It has done it and said nothing.
    After,
}

/// Faults in so many of a hundred.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rates {
    pub(crate) lost_call: u64,
    pub(crate) lost_answer: u64,
    pub(crate) doubled: u64,
    pub(crate) slow: u64,
    pub(crate) cut_download: u64,
    /// Of the calls that change something.
    pub(crate) hub_dies: u64,
    /// Of the agent's processes.
    pub(crate) agent_dies: u64,
    /// Of the agent's processes, after which the end of its journal is torn.
    pub(crate) torn: u64,
    /// Of the looks at the weather, every half a minute.
    pub(crate) away: u64,
    /// Of the looks at the weather: the time of day of a host is set.
    pub(crate) clock_set: u64,
    /// Of the printers' jobs, and of their idle times.
    pub(crate) printer: u64,
    /// Of the jobs that a person looks at.
    pub(crate) whim: u64,
}

/// A run.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) kind: Kind,
    pub(crate) printers: usize,
    pub(crate) jobs: u64,
    /// How long there are faults; then everything is well.
    pub(crate) trouble: Duration,
    pub(crate) away_at_most: Duration,
    pub(crate) rates: Rates,
    /// How long the first print takes; none: as the dice fall.
    pub(crate) first_print: Option<Duration>,
    /// How long the hub is down for a print ([`Kind::HubDownForThePrint`]).
    pub(crate) hub_down: Duration,
    /// The hub dies at this call of those that change something, counted from 0; nothing else goes wrong.
    pub(crate) hub_dies_at: Option<(u64, Side)>,
}

impl Plan {
    /// The run of a seed.
    pub(crate) fn of(seed: u64) -> Self {
        let mut dice = Dice::new(seed, 1);
        let turn = usize::try_from(seed).unwrap() % Kind::ALL.len();
        let kind = Kind::ALL[turn];
        let some = |dice: &mut Dice, at_most: u64| dice.below(at_most + 1);
        let mut rates = Rates { printer: 10, whim: 25, slow: 2, clock_set: 30, ..Rates::default() };
        match kind {
            Kind::HubDownForThePrint => {}
            Kind::Lossy => (rates.lost_call, rates.lost_answer, rates.cut_download) = (30, 30, 30),
            Kind::Doubled => (rates.doubled, rates.slow) = (50, 20),
            Kind::Away => rates.away = 30,
            Kind::AgentsKilled => (rates.agent_dies, rates.torn) = (90, 30),
            Kind::HubKilled => rates.hub_dies = 12,
            Kind::Everything => {
                rates = Rates {
                    lost_call: some(&mut dice, 40),
                    lost_answer: some(&mut dice, 40),
                    doubled: some(&mut dice, 40),
                    slow: some(&mut dice, 20),
                    cut_download: some(&mut dice, 40),
                    hub_dies: some(&mut dice, 10),
                    agent_dies: some(&mut dice, 90),
                    torn: 30,
                    away: some(&mut dice, 15),
                    clock_set: some(&mut dice, 60),
                    printer: some(&mut dice, 20),
                    whim: some(&mut dice, 50),
                };
            }
        }
        let round = seed / u64::try_from(Kind::ALL.len()).unwrap();
        let away_at_most = match (kind, round % 16) {
            // Hours take long even here: not in every run.
            (Kind::Away, 7) => Duration::from_secs(4 * 3600),
            _ => Duration::from_secs(600),
        };
        Self {
            seed,
            kind,
            printers: if dice.percent(40) { 2 } else { 1 },
            jobs: 1 + dice.below(4),
            trouble: dice.seconds(180, 600),
            away_at_most,
            rates,
            first_print: None,
            hub_down: HUB_DOWN,
            hub_dies_at: None,
        }
    }

    /// A print that takes long, and whose hub dies when it begins and is back when it is over.
    pub(crate) fn long_print_without_a_hub(print: Duration) -> Self {
        let hub_down = print + Duration::from_secs(3600);
        Self {
            seed: 7,
            kind: Kind::HubDownForThePrint,
            printers: 1,
            jobs: 1,
            trouble: hub_down + Duration::from_secs(3600),
            away_at_most: Duration::ZERO,
            rates: Rates { clock_set: 30, ..Rates::default() },
            first_print: Some(print),
            hub_down,
            hub_dies_at: None,
        }
    }

    /// One job after the other with nothing wrong, but that the hub dies at this call.
    pub(crate) fn hub_dies_at(seed: u64, call: Option<(u64, Side)>) -> Self {
        Self {
            seed,
            kind: Kind::HubKilled,
            printers: 1,
            jobs: 2,
            trouble: Duration::from_secs(600),
            away_at_most: Duration::ZERO,
            rates: Rates { whim: 30, ..Rates::default() },
            first_print: None,
            hub_down: HUB_DOWN,
            hub_dies_at: call,
        }
    }
}
