//! `/api/v1/printers/…/emergency-stop`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use stardust_protocol::{CommandId, PrinterId};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::deliver::Pace;
use super::{books, deliver};
use crate::accounts::Person;
use crate::api::extract::{Json, JsonOrNothing, Path};
use crate::api::problem::Problem;
use crate::app::App;
use crate::error::Error;
use crate::fleet::Printer;
use crate::queue::dispatch;

/// An agent at hand answers within some hundred milliseconds, a board's reset included.
const PATIENCE: Duration = Duration::from_secs(3);
/// More are not named in one request; `all` has no such bound.
const MOST_NAMED: usize = 1000;

/// Which printers to stop.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct PrintersToStop {
    /// These.
    #[serde(default)]
    ids: Vec<PrinterId>,
    /// Every printer of the workspace.
    #[serde(default)]
    all: bool,
}

/// Which stop to clear.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
pub struct StopToClear {
    /// The `emergency_stop.id` that a person has seen: one that was asked for since stands (`another_stop`). Without it: whichever
    /// stands.
    stop_id: Option<CommandId>,
}

/// How far the stops are.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct StoppedPrinters {
    /// The printers, each with its `emergency_stop`.
    printers: Vec<Printer>,
    /// Those named that are no printers of this workspace.
    unknown: Vec<PrinterId>,
}

/// The routes.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(stop_printer)).routes(routes!(stop_printers)).routes(routes!(clear))
}

/// Stops a printer at once: `M112` to its firmware, past everything that waits, and its board's reset line.
///
/// 200 when `M112` has been sent to the printer, 202 when that is not known yet: `emergency_stop` of the printer says how far
/// it is. It is sent again until its agent has answered, and carried out once. No job is needed; one at work fails.
/// Nothing starts on the printer until the stop is cleared. It goes out also while the hub can't write it down: `recorded` says
/// whether it could.
#[utoipa::path(post, path = "/api/v1/printers/{id}/emergency-stop", operation_id = "stop_printer", tag = "printers", params(("id" = PrinterId, Path,)),
    responses((status = 200, body = Printer), (status = 202, body = Printer),
              (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn stop_printer(
    State(app): State<Arc<App>>,
    person: Person,
    Path(id): Path<PrinterId>,
) -> Result<(StatusCode, axum::Json<Printer>), Error> {
    let gone = || Error::no_such("printer");
    app.fleet.printer(person.workspace_id, id).ok_or_else(gone)?;
    deliver::ask(&app, &person, &[id], Pace::URGENT).await;
    let told = deliver::settled(&app, &[id], PATIENCE).await;
    let printer = app.fleet.printer(person.workspace_id, id).ok_or_else(gone)?;
    Ok((status(told), axum::Json(printer)))
}

/// Stops several printers at once, or all of the workspace.
///
/// 200 when `M112` has been sent to all of them, 202 when that is not known of all yet: each printer's `emergency_stop` says
/// how far it is.
#[utoipa::path(post, path = "/api/v1/printers/emergency-stop", operation_id = "stop_printers", tag = "printers",
    request_body = PrintersToStop,
    responses((status = 200, body = StoppedPrinters), (status = 202, body = StoppedPrinters),
              (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn stop_printers(
    State(app): State<Arc<App>>,
    person: Person,
    Json(wanted): Json<PrintersToStop>,
) -> Result<(StatusCode, axum::Json<StoppedPrinters>), Error> {
    if wanted.ids.is_empty() && !wanted.all || wanted.ids.len() > MOST_NAMED {
        return Err(Error::invalid(
            "no_printers",
            "Say which printers to stop: `ids` with 1 to 1000 of them, or `all`: true.",
        ));
    }
    let ours: Vec<PrinterId> =
        app.fleet.printers(person.workspace_id).iter().map(|printer| printer.id).collect();
    let (mut known, unknown): (Vec<_>, Vec<_>) = wanted.ids.iter().partition(|id| ours.contains(id));
    if wanted.all {
        known = ours;
    }
    known.sort_unstable();
    known.dedup();
    deliver::ask(&app, &person, &known, Pace::URGENT).await;
    let told = deliver::settled(&app, &known, PATIENCE).await && unknown.is_empty();
    let printers = app.fleet.printers(person.workspace_id);
    let printers = printers.into_iter().filter(|printer| known.contains(&printer.id)).collect();
    Ok((status(told), axum::Json(StoppedPrinters { printers, unknown })))
}

/// Says that a printer is in order again after an emergency stop: jobs may start on it. A stop that its agent has not
/// answered yet is taken back.
///
/// Refused are one where no stop stands (`not_stopped`) and, where `stop_id` says which one was seen, one where another stands by
/// now (`another_stop`).
#[utoipa::path(post, path = "/api/v1/printers/{id}/emergency-stop/clear", operation_id = "clear_emergency_stop", tag = "printers", params(("id" = PrinterId, Path,)),
    request_body = Option<StopToClear>,
    responses((status = 200, body = Printer), (status = 404, body = Problem, content_type = "application/problem+json"),
              (status = 409, body = Problem, content_type = "application/problem+json"),
              (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn clear(
    State(app): State<Arc<App>>,
    person: Person,
    Path(id): Path<PrinterId>,
    JsonOrNothing(wanted): JsonOrNothing<StopToClear>,
) -> Result<axum::Json<Printer>, Error> {
    let gone = || Error::no_such("printer");
    let printer = app.fleet.printer(person.workspace_id, id).ok_or_else(gone)?;
    let Some(stop) = printer.emergency_stop else {
        return Err(Error::conflict("not_stopped", "There is no emergency stop of this printer to clear."));
    };
    if wanted.stop_id.is_some_and(|seen| seen != stop.id) {
        return Err(Error::conflict(
            "another_stop",
            "The printer was stopped anew meanwhile, and stays stopped. See why before you say that it is in order again.",
        ));
    }
    books::clear(&app, id, &stop).await?;
    tracing::info!(printer.id = %id, "emergency stop cleared");
    dispatch::wake(&app, person.workspace_id, Some(id)).await;
    app.fleet.printer(person.workspace_id, id).map(axum::Json).ok_or_else(gone)
}

fn status(told: bool) -> StatusCode {
    if told { StatusCode::OK } else { StatusCode::ACCEPTED }
}
