//! Waiting until a printer is ready, for who can't wait for ever.
//!
//! Owns: how long is waited, and what is said when it was in vain. The driver does the work: the speed is found out
//! there, for `run` as for everyone. Must not know: jobs. Only ports that a person has named are ever tried.

use std::time::Duration;

use stardust_clock::SharedClock;
use tokio::time::{Instant, timeout_at};

use super::driver::drive;
use super::handle::{PortHandle, SpeedView};
use super::plan::PortPlan;
use super::speed_search::{ENOUGH_ROUNDS, SPEEDS};
use crate::serial::{Connection, Parking};

/// A printer whose speed is known is ready by then.
const READY: Duration = Duration::from_secs(60);

/// The printer can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// The port can't be opened; with what to do about it.
    #[error("{0}")]
    Port(String),
    /// Nothing intelligible comes back.
    #[error("The printer does not answer at {0}: is it switched on, and is its speed another one (--baud)?")]
    Silent(String),
    /// It has stopped itself.
    #[error("The printer has stopped itself: {0}. Switch it off and on again.")]
    Halted(String),
    /// It is at work on something else.
    #[error("The printer is not free: {0} Wait until it is done.")]
    NotFree(String),
}

/// Opens the port and waits until the printer is ready for a job. Returns the speed, too.
///
/// # Errors
/// [`ConnectError`].
pub async fn connect(plan: PortPlan, clock: &SharedClock) -> Result<(PortHandle, u32), ConnectError> {
    let (given, known) = (plan.baud, plan.baud);
    let mut port = drive(plan, Parking::default(), clock.clone())
        .map_err(|error| ConnectError::Port(format!("The port can't be driven: {error}")))?;
    let mut until = Instant::now() + READY;
    let mut known = known;
    loop {
        let (view, speed) = (port.view.borrow_and_update().clone(), *port.speed.borrow_and_update());
        match speed {
            SpeedView::Known(speed) if known.is_none() => {
                known = Some(speed);
                until = Instant::now() + READY;
            }
            SpeedView::Sought(rounds) if rounds >= ENOUGH_ROUNDS => return Err(silent(given)),
            SpeedView::Known(_) | SpeedView::Sought(_) => {}
        }
        match (view.port_error, view.connection, view.external) {
            (Some(error), ..) => return Err(ConnectError::Port(error)),
            (_, Connection::Halted(reason), _) => return Err(ConnectError::Halted(reason)),
            (_, _, Some(external)) => return Err(ConnectError::NotFree(external)),
            (_, Connection::Connecting { silent: false }, _) => until = Instant::now() + READY,
            _ => {}
        }
        if let (true, SpeedView::Known(speed)) = (view.is_ready, speed) {
            return Ok((port, speed));
        }
        let changed = async {
            tokio::select! {
                view = port.view.changed() => view.is_ok(),
                speed = port.speed.changed() => speed.is_ok(),
            }
        };
        // The search has an end of its own.
        let waited = match speed {
            SpeedView::Sought(_) => changed.await,
            SpeedView::Known(_) => timeout_at(until, changed).await.unwrap_or(false),
        };
        if !waited {
            return Err(silent(given.or(known)));
        }
    }
}

fn silent(baud: Option<u32>) -> ConnectError {
    let tried = baud.map_or_else(|| SPEEDS.to_vec(), |baud| vec![baud]);
    let tried: Vec<String> = tried.iter().map(u32::to_string).collect();
    ConnectError::Silent(format!("{} baud", tried.join(", ")))
}
