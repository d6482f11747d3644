//! `/api/v1/printers` and `/api/v1/pairing-codes`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};
use stardust_gateway::Principal;
use stardust_protocol::{PrinterId, Timestamp, limits};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::attempts::Attempt;
use super::printer::Printer;
use super::{pairing, pin, removal, store};
use crate::accounts::Person;
use crate::api::extract::{Json, Path, Query};
use crate::api::page::{Page, PageQuery, Place};
use crate::api::problem::Problem;
use crate::app::App;
use crate::error::Error;

/// What to change of a printer; what is absent stays.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct PrinterChange {
    /// Its new name.
    name: Option<String>,
    /// Its model.
    model: Option<String>,
}

/// A pairing code.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PairingCode {
    /// Eight characters with a dash, good once.
    code: String,
    /// Until when.
    expires_at: Timestamp,
    /// What to type on the printer host.
    command: String,
}

/// What a printer shows.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct ShownPin {
    /// The PIN; case and dashes don't matter.
    pin: String,
}

/// The routes of the fleet.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get, change, remove))
        .routes(routes!(create_code))
        .routes(routes!(enter_pin))
}

/// Lists the printers, in the order in which they were paired.
#[utoipa::path(get, path = "/api/v1/printers", operation_id = "list_printers", tag = "printers", params(PageQuery),
    responses((status = 200, body = Page<Printer>)))]
async fn list(
    State(app): State<Arc<App>>,
    person: Person,
    Query(page): Query<PageQuery>,
) -> Result<axum::Json<Page<Printer>>, Error> {
    let after = page.place_or(Place::lowest())?.id;
    let printers = app.fleet.printers(person.workspace_id).into_iter();
    let rest = printers.skip_while(|printer| printer.id.to_string() <= after).take(page.limit() + 1);
    Ok(axum::Json(Page::of(rest.collect(), page.limit(), |p| Place { key: 0, id: p.id.to_string() })))
}

/// Tells of one printer.
#[utoipa::path(get, path = "/api/v1/printers/{id}", operation_id = "get_printer", tag = "printers", params(("id" = PrinterId, Path,)),
    responses((status = 200, body = Printer), (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn get(
    State(app): State<Arc<App>>,
    person: Person,
    Path(id): Path<PrinterId>,
) -> Result<axum::Json<Printer>, Error> {
    app.fleet.printer(person.workspace_id, id).map(axum::Json).ok_or_else(|| Error::no_such("printer"))
}

/// Changes a printer's name or model.
#[utoipa::path(patch, path = "/api/v1/printers/{id}", operation_id = "change_printer", tag = "printers", params(("id" = PrinterId, Path,)),
    request_body = PrinterChange,
    responses((status = 200, body = Printer), (status = 404, body = Problem, content_type = "application/problem+json"),
              (status = 409, body = Problem, content_type = "application/problem+json")))]
async fn change(
    State(app): State<Arc<App>>,
    person: Person,
    Path(id): Path<PrinterId>,
    Json(wanted): Json<PrinterChange>,
) -> Result<axum::Json<Printer>, Error> {
    let name = wanted.name.as_deref().map(pairing::printer_name).transpose()?;
    let model = wanted.model.as_deref().map(str::trim);
    if model.is_some_and(|model| model.chars().count() > limits::MAX_NAME_CHARS) {
        return Err(Error::invalid("bad_name", "A printer model has at most 200 characters."));
    }
    let row = store::change(&app.db, &person, id, name, model).await?;
    app.fleet.put_row(row);
    app.fleet.printer(person.workspace_id, id).map(axum::Json).ok_or_else(|| Error::no_such("printer"))
}

/// Removes a printer: its agent loses its credential at once. What it printed stays in the history.
///
/// One that has a job (`printer_busy`) or is being heated (`printer_hot`) is not removed; one that goes on heating in spite of an
/// emergency stop has to be switched off first. One that is out of reach or has stopped (`status.halted`) is removed: whether it is
/// hot nobody can tell. When its agent is back and learns of that, it ends what it heats without a job, a preheat and the bed of an
/// interrupted print; one of an earlier release may know neither. What somebody has set at the printer's panel it leaves as it is.
#[utoipa::path(delete, path = "/api/v1/printers/{id}", operation_id = "remove_printer", tag = "printers", params(("id" = PrinterId, Path,)),
    responses((status = 204), (status = 404, body = Problem, content_type = "application/problem+json"),
              (status = 409, body = Problem, content_type = "application/problem+json")))]
async fn remove(
    State(app): State<Arc<App>>,
    person: Person,
    Path(id): Path<PrinterId>,
) -> Result<StatusCode, Error> {
    app.fleet.printer(person.workspace_id, id).as_ref().map_or(Ok(()), removal::may_remove)?;
    store::remove(&app.db, app.clock.now(), &person, id).await?;
    app.fleet.remove(id);
    // Not connected is fine too: its credential is gone.
    app.agents.disconnect(&Principal::Device { workspace: person.workspace_id, printer: id });
    app.waiting_agents.forget(id);
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a pairing code for a new printer.
#[utoipa::path(post, path = "/api/v1/pairing-codes", operation_id = "create_pairing_code", tag = "printers",
    responses((status = 201, body = PairingCode)))]
async fn create_code(
    State(app): State<Arc<App>>,
    person: Person,
    headers: HeaderMap,
) -> Result<(StatusCode, axum::Json<PairingCode>), Error> {
    let (code, expires_at) = pairing::create_code(&app.db, app.clock.now(), &person).await?;
    let (head, tail) = code.split_at(code.len() / 2);
    let code = format!("{head}-{tail}");
    let command = format!("sudo stardust-agent pair {} {code}", hub_url(&app, &headers));
    Ok((StatusCode::CREATED, axum::Json(PairingCode { code, expires_at, command })))
}

/// Adds the printer that shows a PIN on its display. Its agent fetches its credential within seconds.
#[utoipa::path(post, path = "/api/v1/pairings", operation_id = "pair_by_pin", tag = "printers",
    request_body = ShownPin,
    responses((status = 201, body = Printer), (status = 422, body = Problem, content_type = "application/problem+json"),
              (status = 429, body = Problem, content_type = "application/problem+json")))]
async fn enter_pin(
    State(app): State<Arc<App>>,
    person: Person,
    Json(shown): Json<ShownPin>,
) -> Result<(StatusCode, axum::Json<Printer>), Error> {
    let attempt = Attempt::Pin(person.user_id);
    app.attempts.take(app.clock.elapsed(), attempt)?;
    let row = pin::enter(&app.db, app.clock.now(), &person, &shown.pin).await?;
    app.attempts.give_back(attempt);
    let id = row.id;
    tracing::info!(printer.id = %id, printer.name = row.name, "printer paired by PIN");
    app.fleet.paired_anew(row);
    let printer = app.fleet.printer(person.workspace_id, id).ok_or_else(|| Error::no_such("printer"))?;
    Ok((StatusCode::CREATED, axum::Json(printer)))
}

/// How this hub is reached: as it is set, else as whoever asks has reached it.
fn hub_url(app: &App, headers: &HeaderMap) -> String {
    if let Some(url) = &app.config.public_url {
        return url.as_str().trim_end_matches('/').to_owned();
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("HUB");
    format!("http://{host}")
}
