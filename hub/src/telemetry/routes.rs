//! `GET /api/v1/jobs/{id}/telemetry`.

use std::sync::Arc;

use axum::extract::State;
use serde::Deserialize;
use stardust_protocol::JobId;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::points::{self, JobTelemetry};
use super::store;
use crate::accounts::Person;
use crate::api::extract::{Path, Query};
use crate::api::problem::Problem;
use crate::app::App;
use crate::error::Error;
use crate::queue;

/// How finely.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TelemetryQuery {
    /// Most points, 2 to 1,000 (500 when absent).
    points: Option<usize>,
}

/// The routes.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(get))
}

/// Tells how a print went: progress and temperatures over time, also while its agent was out of the hub's reach.
#[utoipa::path(get, path = "/api/v1/jobs/{id}/telemetry", operation_id = "get_job_telemetry", tag = "jobs",
    params(("id" = JobId, Path,), TelemetryQuery),
    responses((status = 200, body = JobTelemetry), (status = 404, body = Problem, content_type = "application/problem+json"),
              (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn get(
    State(app): State<Arc<App>>,
    person: Person,
    Path(id): Path<JobId>,
    Query(query): Query<TelemetryQuery>,
) -> Result<axum::Json<JobTelemetry>, Error> {
    let most = query.points.unwrap_or(500);
    if !(2..=points::MOST).contains(&most) {
        return Err(Error::invalid("bad_points", "A series has 2 to 1,000 points."));
    }
    queue::store::view(&app.db, person.workspace_id, id).await?;
    let all = store::of_job(&app.db, person.workspace_id, id).await?;
    Ok(axum::Json(JobTelemetry { points: points::thinned(all, most) }))
}
