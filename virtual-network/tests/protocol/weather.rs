//! What comes and goes by itself: outages of the network, and the hub's own looks at the time.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use crate::dice::Dice;
use crate::world::World;

/// Takes the network away now and then, and sets the hosts' clocks, while there is trouble.
pub(crate) async fn blow(world: Arc<World>) {
    let mut dice = Dice::new(world.plan.seed, 6);
    while world.began.elapsed() < world.plan.trouble {
        for printer in 0..world.plan.printers {
            let rate = world.rates().away;
            if !world.is_away(printer) && dice.percent(rate) {
                let longest = world.plan.away_at_most.as_millis() as u64;
                let away = dice.millis(5_000, longest.max(5_000));
                world.note(|| format!("no network for {} for {away:?}", crate::template::NAMES[printer]));
                let mut state = world.state();
                state.counts.network_outages += 1;
                state.ways[printer].away_until = Some(Instant::now() + away);
                state.ways[printer].inbox = None;
            }
        }
        for host in &world.hosts {
            // The time of day comes late to a host without a battery.
            if dice.percent(world.rates().clock_set) {
                let ahead = dice.below(7_200_000) as i64 - 3_600_000;
                host.ahead_ms.store(ahead, Ordering::SeqCst);
                world.state().counts.clocks_set += 1;
            }
        }
        tokio::time::sleep(dice.seconds(20, 40)).await;
    }
}

/// Waits until the last outage is over.
pub(crate) async fn calm(world: &World) {
    let until = world.state().ways.iter().filter_map(|way| way.away_until).max();
    if let Some(until) = until {
        tokio::time::sleep_until(until).await;
    }
}

/// The hub sweeps its queue as time passes.
pub(crate) async fn sweep(world: Arc<World>) {
    let mut dice = Dice::new(world.plan.seed, 7);
    loop {
        let is_long = world.began.elapsed() > 2 * world.plan.trouble && !world.state().is_well;
        // In an outage of days the hub has little to do.
        tokio::time::sleep(if is_long { Duration::from_secs(300) } else { dice.seconds(10, 30) }).await;
        if world.state().hub_is_up {
            world.hub.clock.set(world.ms());
            world.hub.sweep();
            world.after_a_change();
        }
    }
}
