//! `/api/v1/printers/{id}/preheat` and `…/cool-down`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use stardust_protocol::{Command, Preheat, PrinterId};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::rules;
use crate::accounts::Person;
use crate::api::extract::{Json, Path};
use crate::api::problem::Problem;
use crate::app::App;
use crate::error::Error;
use crate::fleet::Printer;
use crate::queue::held_back;
use crate::queue::printer_command::{self, PATIENCE, Word};

/// The routes.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(preheat)).routes(routes!(cool_down))
}

/// Preheats an idle printer for a time.
///
/// Its heaters are set, and turned off again by its agent when the time is over and when somebody cools it down; if its agent or
/// its port is away, as soon as it is back: until then it stays hot. `status.preheat` of the printer says until when. A job may start meanwhile, and heats by itself. 200 when
/// the heaters have been set, 202 when that is not known yet. Refused where the printer was stopped in an emergency (`stopped`), and
/// that was not cleared.
#[utoipa::path(post, path = "/api/v1/printers/{id}/preheat", operation_id = "preheat_printer", tag = "printers", params(("id" = PrinterId, Path,)),
    request_body = Preheat,
    responses((status = 200, body = Printer), (status = 202, body = Printer),
              (status = 404, body = Problem, content_type = "application/problem+json"),
              (status = 409, body = Problem, content_type = "application/problem+json"),
              (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn preheat(
    State(app): State<Arc<App>>,
    person: Person,
    Path(id): Path<PrinterId>,
    Json(wanted): Json<Preheat>,
) -> Result<(StatusCode, axum::Json<Printer>), Error> {
    rules::may_preheat(&printer(&app, &person, id)?, app.waiting_agents.waits(id), &wanted)?;
    ask(&app, &person, id, Command::Preheat(wanted)).await
}

/// Cools down a printer that is hot without a job: all its heaters are turned off.
///
/// 200 when its agent has the order, 202 when that is not known yet. A print at work is not touched: pause or cancel it.
#[utoipa::path(post, path = "/api/v1/printers/{id}/cool-down", operation_id = "cool_down_printer", tag = "printers", params(("id" = PrinterId, Path,)),
    responses((status = 200, body = Printer), (status = 202, body = Printer),
              (status = 404, body = Problem, content_type = "application/problem+json"),
              (status = 409, body = Problem, content_type = "application/problem+json")))]
async fn cool_down(
    State(app): State<Arc<App>>,
    person: Person,
    Path(id): Path<PrinterId>,
) -> Result<(StatusCode, axum::Json<Printer>), Error> {
    rules::may_cool_down(&printer(&app, &person, id)?, app.waiting_agents.waits(id))?;
    ask(&app, &person, id, Command::CoolDown).await
}

fn printer(app: &App, person: &Person, id: PrinterId) -> Result<Printer, Error> {
    app.fleet.printer(person.workspace_id, id).ok_or_else(|| Error::no_such("printer"))
}

async fn ask(
    app: &App,
    person: &Person,
    id: PrinterId,
    command: Command,
) -> Result<(StatusCode, axum::Json<Printer>), Error> {
    let status = match printer_command::ask(app, person, id, command, PATIENCE).await? {
        Word::Done => StatusCode::OK,
        Word::None => StatusCode::ACCEPTED,
        Word::Stopped => return Err(held_back::stopped()),
        Word::Refused(reason) => {
            let unsaid = "The printer's agent did not do it, and does not say why.";
            return Err(Error::conflict("refused_by_printer", reason.as_deref().unwrap_or(unsaid)));
        }
    };
    Ok((status, axum::Json(printer(app, person, id)?)))
}
