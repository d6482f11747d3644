//! Emergency stops: of one printer, of several, of all.
//!
//! Promises: a stop is on its way to the agent before anything of it is written down, and waits behind nothing else that the
//! hub has to do; it is sent again until the agent has answered; what people are told is what the agent has said, and that
//! nobody has answered is said plainly. Until a person says that the printer is in order again nothing starts on it.
//! [`crate::fleet::emergency`] says how a stop goes on (pure), [`deliver`] brings it there, [`books`] writes it down behind that,
//! in the rows of [`store`].
//! Must not know: jobs. The agent ends the one at work.

pub mod books;
pub mod deliver;
pub mod routes;
pub mod store;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::app::App;
use crate::db::DbError;

/// At the start of the hub: the stops that stand, and those that are not answered yet go on.
///
/// # Errors
/// The database's.
pub async fn load(app: &Arc<App>) -> Result<(), DbError> {
    for (printer, stop) in store::all(&app.db).await? {
        let is_over = stop.state.is_over();
        app.fleet.set_stop(printer, Some(stop.clone()));
        if let (false, Some(workspace)) = (is_over, app.fleet.workspace_of(printer)) {
            books::follow(app, printer, stop.clone());
            deliver::see_through(app, (workspace, printer), stop, deliver::Pace::URGENT);
        }
    }
    Ok(())
}
