//! `POST /agent/v1/telemetry`.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use stardust_protocol::agent_api::{TelemetryRequest, TelemetryResponse};
use stardust_protocol::limits::MAX_SAMPLES_PER_POST;

use super::store;
use crate::api::auth::Device;
use crate::api::extract::Json;
use crate::app::App;
use crate::error::Error;

/// The routes.
pub fn router() -> Router<Arc<App>> {
    Router::new().route("/agent/v1/telemetry", post(take))
}

async fn take(
    State(app): State<Arc<App>>,
    device: Device,
    Json(request): Json<TelemetryRequest>,
) -> Result<axum::Json<TelemetryResponse>, Error> {
    if request.samples.len() > MAX_SAMPLES_PER_POST {
        return Err(Error::invalid("too_many_samples", "Send at most 100 samples at once."));
    }
    let kept = store::keep(&app.db, device, &request.samples, app.clock.now()).await?;
    Ok(axum::Json(TelemetryResponse { kept }))
}
