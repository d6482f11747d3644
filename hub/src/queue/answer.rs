//! A person answers what a printer asks.
//!
//! Owns: that an answer goes to the question that the person saw, and that they learn whether it got there.
//! Must not know: how firmware asks.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use stardust_protocol::{AttentionId, Command, PrinterId};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::held_back;
use super::printer_command::{self, PATIENCE, Word};
use crate::accounts::Person;
use crate::api::extract::{Json, Path};
use crate::api::problem::Problem;
use crate::app::App;
use crate::error::Error;
use crate::fleet::{ContactState, Printer};

/// An answer to what a printer asks.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
pub struct PrinterAnswer {
    /// Which question: `status.attention.id` of the printer.
    pub attention_id: AttentionId,
    /// Which of its buttons, from 0. Of a question without buttons: 0, which lets the printer go on.
    #[serde(default)]
    pub button: u8,
}

/// The route.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(answer_printer))
}

/// Answers what a printer asks: 200 when its agent has passed it on, 202 when that is not known yet.
///
/// Refused where it was stopped in an emergency (`stopped`), and that was not cleared.
#[utoipa::path(post, path = "/api/v1/printers/{id}/answer", operation_id = "answer_printer", tag = "printers", params(("id" = PrinterId, Path,)),
    request_body = PrinterAnswer,
    responses((status = 200, body = Printer), (status = 202, body = Printer),
              (status = 404, body = Problem, content_type = "application/problem+json"),
              (status = 409, body = Problem, content_type = "application/problem+json"),
              (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn answer_printer(
    State(app): State<Arc<App>>,
    person: Person,
    Path(id): Path<PrinterId>,
    Json(wanted): Json<PrinterAnswer>,
) -> Result<(StatusCode, axum::Json<Printer>), Error> {
    let told = answer(&app, &person, id, wanted, PATIENCE).await?;
    let printer = app.fleet.printer(person.workspace_id, id).ok_or_else(|| Error::no_such("printer"))?;
    Ok((if told { StatusCode::OK } else { StatusCode::ACCEPTED }, axum::Json(printer)))
}

/// Answers, and waits for the agent's word on it. Returns whether it has come.
///
/// # Errors
/// No such printer, it is out of reach or does not ask that (any more), or the database's.
pub async fn answer(
    app: &App,
    person: &Person,
    id: PrinterId,
    wanted: PrinterAnswer,
    patience: Duration,
) -> Result<bool, Error> {
    let printer = app.fleet.printer(person.workspace_id, id).ok_or_else(|| Error::no_such("printer"))?;
    may_answer(&printer, wanted)?;
    let command = Command::Answer { attention_id: wanted.attention_id, button: wanted.button };
    match printer_command::ask(app, person, id, command, patience).await? {
        Word::Done => Ok(true),
        Word::None => Ok(false),
        Word::Stopped => Err(held_back::stopped()),
        Word::Refused(reason) => Err(not_asked(reason.as_deref())),
    }
}

fn not_asked(reason: Option<&str>) -> Error {
    let gone = "The printer does not ask that any more: it was answered already, at its own panel or by someone else.";
    Error::conflict("not_asked", reason.unwrap_or(gone))
}

fn may_answer(printer: &Printer, wanted: PrinterAnswer) -> Result<(), Error> {
    if printer.contact.state != ContactState::Online {
        return Err(Error::conflict(
            "printer_out_of_reach",
            "The printer's agent is out of reach, so the answer can't be passed on. Answer at the printer itself.",
        ));
    }
    if printer.emergency_stop.is_some() {
        return Err(held_back::stopped());
    }
    let asked = printer.status.as_ref().and_then(|status| status.attention.as_ref());
    let Some(asked) = asked.filter(|asked| asked.id == wanted.attention_id) else {
        return Err(not_asked(None));
    };
    if usize::from(wanted.button) >= asked.buttons.len().max(1) {
        let detail = match asked.buttons.len() {
            0 | 1 => "There is only one answer to what the printer asks: button 0.".to_owned(),
            count => {
                format!("There are {count} answers to what the printer asks: buttons 0 to {}.", count - 1)
            }
        };
        return Err(Error::invalid("no_such_button", detail));
    }
    Ok(())
}
