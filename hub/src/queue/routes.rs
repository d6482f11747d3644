//! `/api/v1/jobs`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use stardust_protocol::{FileId, JobId, PrinterId};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::job::{JobTransition, PrintJob};
use super::submit::Wish;
use super::wanted::Wanted;
use super::{control, store, submit};
use crate::accounts::Person;
use crate::api::extract::{Json, JsonOrNothing, Path, Query};
use crate::api::page::{Page, PageQuery};
use crate::api::problem::Problem;
use crate::app::App;
use crate::error::Error;

/// What to print, and where.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct NewPrintJob {
    /// Which file: its newest version.
    file_id: FileId,
    /// On which printer; absent or null: the first that is free.
    printer_id: Option<PrinterId>,
    /// Also when the file's end is missing (`metadata.truncated`): without it such a file is refused (`file_cut_off`).
    #[serde(default)]
    even_if_cut_off: bool,
}

/// From where a paused job goes on.
#[derive(Default, Deserialize, utoipa::ToSchema)]
pub struct ResumeFrom {
    /// The layer, from 1, of a print that was cut off: one of `status.interruption.layers` of its printer. Whoever names it
    /// says that the nozzle stands at its height (of a print that was paused, where the pause has left it:
    /// `status.interruption.parked`), that the part still sticks and that nothing is in the way.
    #[schema(minimum = 1)]
    from_layer: Option<u32>,
}

/// Which jobs to list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobScope {
    /// In the queue or on a printer, oldest first.
    Active,
    /// Ended and cleared, newest first.
    History,
    /// All, newest first.
    #[default]
    All,
}

/// Which jobs to list.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct JobsQuery {
    /// Which jobs (all when absent).
    #[param(inline)]
    scope: Option<JobScope>,
    /// Only those of this printer.
    printer_id: Option<PrinterId>,
    /// Most items on the page, 1 to 200 (50 when absent).
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The routes of the queue.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get))
        .routes(routes!(transitions))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(cancel))
        .routes(routes!(confirm_removal))
        .merge(super::answer::router())
}

/// Lists print jobs.
#[utoipa::path(get, path = "/api/v1/jobs", operation_id = "list_jobs", tag = "jobs", params(JobsQuery),
    responses((status = 200, body = Page<PrintJob>)))]
async fn list(
    State(app): State<Arc<App>>,
    person: Person,
    Query(query): Query<JobsQuery>,
) -> Result<axum::Json<Page<PrintJob>>, Error> {
    let scope = match query.scope.unwrap_or_default() {
        JobScope::Active => store::Scope::Active,
        JobScope::History => store::Scope::History,
        JobScope::All => store::Scope::All,
    };
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let page = store::list(&app.db, person.workspace_id, scope, query.printer_id, &page).await?;
    let items = page.items.into_iter().map(|job| job.into_view(&app.fleet)).collect();
    Ok(axum::Json(Page { items, next_cursor: page.next_cursor }))
}

/// Queues a print job. With an `Idempotency-Key`, the same request again is the same job.
#[utoipa::path(post, path = "/api/v1/jobs", operation_id = "create_job", tag = "jobs", request_body = NewPrintJob,
    params(("Idempotency-Key" = Option<String>, Header, description = "Any text of the client's, up to 200 characters")),
    responses((status = 201, body = PrintJob), (status = 404, body = Problem, content_type = "application/problem+json"),
              (status = 409, body = Problem, content_type = "application/problem+json")))]
async fn create(
    State(app): State<Arc<App>>,
    person: Person,
    headers: HeaderMap,
    Json(wanted): Json<NewPrintJob>,
) -> Result<(StatusCode, axum::Json<PrintJob>), Error> {
    let key = headers.get("idempotency-key").map(|value| value.to_str().unwrap_or_default());
    if key.is_some_and(|key| key.is_empty() || key.len() > 200) {
        return Err(Error::invalid(
            "bad_idempotency_key",
            "An Idempotency-Key is 1 to 200 ASCII characters.",
        ));
    }
    let (file_id, printer_id, even_if_cut_off) = (wanted.file_id, wanted.printer_id, wanted.even_if_cut_off);
    let wish = Wish { file_id, printer_id, even_if_cut_off, idempotency_key: key };
    Ok((StatusCode::CREATED, axum::Json(submit::submit(&app, &person, wish).await?)))
}

/// Tells of one print job.
#[utoipa::path(get, path = "/api/v1/jobs/{id}", operation_id = "get_job", tag = "jobs", params(("id" = JobId, Path,)),
    responses((status = 200, body = PrintJob), (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn get(
    State(app): State<Arc<App>>,
    person: Person,
    Path(id): Path<JobId>,
) -> Result<axum::Json<PrintJob>, Error> {
    Ok(axum::Json(store::view(&app.db, person.workspace_id, id).await?.into_view(&app.fleet)))
}

/// Tells how a print job came to where it is, oldest first.
#[utoipa::path(get, path = "/api/v1/jobs/{id}/transitions", operation_id = "list_job_transitions", tag = "jobs", params(("id" = JobId, Path,), PageQuery),
    responses((status = 200, body = Page<JobTransition>), (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn transitions(
    State(app): State<Arc<App>>,
    person: Person,
    Path(id): Path<JobId>,
    Query(page): Query<PageQuery>,
) -> Result<axum::Json<Page<JobTransition>>, Error> {
    store::view(&app.db, person.workspace_id, id).await?;
    Ok(axum::Json(store::transitions(&app.db, person.workspace_id, id, &page).await?))
}

async fn request(
    app: &App,
    person: &Person,
    id: JobId,
    wanted: Wanted,
) -> Result<(StatusCode, axum::Json<PrintJob>), Error> {
    let outcome = control::request(app, person, id, wanted).await?;
    let status = if outcome.waits_for_agent { StatusCode::ACCEPTED } else { StatusCode::OK };
    Ok((status, axum::Json(outcome.job)))
}

/// Pauses a running job: 202 until its agent has answered.
#[utoipa::path(post, path = "/api/v1/jobs/{id}/pause", operation_id = "pause_job", tag = "jobs", params(("id" = JobId, Path,)),
    responses((status = 200, body = PrintJob), (status = 202, body = PrintJob),
              (status = 404, body = Problem, content_type = "application/problem+json"),
              (status = 409, body = Problem, content_type = "application/problem+json")))]
async fn pause(
    State(app): State<Arc<App>>,
    person: Person,
    Path(id): Path<JobId>,
) -> Result<(StatusCode, axum::Json<PrintJob>), Error> {
    request(&app, &person, id, Wanted::Pause).await
}

/// Goes on with a paused job: 202 until its agent has answered.
///
/// A print that was cut off (`status.interruption` of its printer) goes on from a layer that a person names; any other
/// one goes on where it stands, without a body. Where not the job is paused but its printer asks something, the button that goes
/// on is pressed: 200 when its agent has done so, 202 when that is not known yet, and refused (`not_possible_now`) where nobody can
/// know which one that is. Refused where the printer was stopped in an emergency (`stopped`), and that was not cleared.
#[utoipa::path(post, path = "/api/v1/jobs/{id}/resume", operation_id = "resume_job", tag = "jobs", params(("id" = JobId, Path,)),
    request_body = Option<ResumeFrom>,
    responses((status = 200, body = PrintJob), (status = 202, body = PrintJob),
              (status = 404, body = Problem, content_type = "application/problem+json"),
              (status = 409, body = Problem, content_type = "application/problem+json"),
              (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn resume(
    State(app): State<Arc<App>>,
    person: Person,
    Path(id): Path<JobId>,
    JsonOrNothing(from): JsonOrNothing<ResumeFrom>,
) -> Result<(StatusCode, axum::Json<PrintJob>), Error> {
    request(&app, &person, id, Wanted::going_on(from.from_layer)?).await
}

/// Cancels a job: at once if it has not started (200), by its agent otherwise (202).
#[utoipa::path(post, path = "/api/v1/jobs/{id}/cancel", operation_id = "cancel_job", tag = "jobs", params(("id" = JobId, Path,)),
    responses((status = 200, body = PrintJob), (status = 202, body = PrintJob),
              (status = 404, body = Problem, content_type = "application/problem+json"),
              (status = 409, body = Problem, content_type = "application/problem+json")))]
async fn cancel(
    State(app): State<Arc<App>>,
    person: Person,
    Path(id): Path<JobId>,
) -> Result<(StatusCode, axum::Json<PrintJob>), Error> {
    request(&app, &person, id, Wanted::Cancel).await
}

/// Confirms that the bed is clear: the printer may start its next job.
#[utoipa::path(post, path = "/api/v1/jobs/{id}/confirm-removal", operation_id = "confirm_removal", tag = "jobs", params(("id" = JobId, Path,)),
    responses((status = 200, body = PrintJob), (status = 404, body = Problem, content_type = "application/problem+json"),
              (status = 409, body = Problem, content_type = "application/problem+json")))]
async fn confirm_removal(
    State(app): State<Arc<App>>,
    person: Person,
    Path(id): Path<JobId>,
) -> Result<axum::Json<PrintJob>, Error> {
    Ok(axum::Json(control::confirm_removal(&app, &person, id).await?))
}
