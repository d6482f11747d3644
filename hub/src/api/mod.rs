//! The hub over HTTP: puts the capabilities' routes together, with what all of them share.

pub mod auth;
pub mod client_address;
mod early_answer;
pub mod extract;
pub mod openapi;
pub mod page;
pub mod problem;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::routing::get;
use tower_http::compression::CompressionLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::app::App;
use crate::{accounts, dashboard, events, fleet, library, params, preheat, queue, stop, telemetry};

/// JSON bodies are small; uploads are streams and have a limit of their own.
const MAX_JSON_BYTES: usize = 256 * 1024;

/// Everything that the hub answers.
pub fn router(app: Arc<App>) -> Router {
    let (people, spec) = openapi::people().split_for_parts();
    let spec = openapi::finish(spec);
    people
        .merge(fleet::agent_routes::router())
        .merge(queue::agent_routes::router())
        .merge(telemetry::agent_routes::router())
        .route("/api/openapi.json", get(async move || axum::Json(spec)))
        .route("/healthz", get(async || "ok"))
        .route("/readyz", get(ready))
        .fallback(dashboard::serve)
        .layer(DefaultBodyLimit::max(MAX_JSON_BYTES))
        .layer(CompressionLayer::new())
        .layer(header_layer(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(header_layer(header::REFERRER_POLICY, "same-origin"))
        .layer(axum::middleware::from_fn(early_answer::answer_early))
        .with_state(app)
}

fn header_layer(name: header::HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}

/// Ready: the database answers.
async fn ready(State(app): State<Arc<App>>) -> (StatusCode, &'static str) {
    match app.db.query("SELECT 1 AS one", params![]).await {
        Ok(_) => (StatusCode::OK, "ok"),
        Err(error) => {
            tracing::warn!(%error, "not ready: the database does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer")
        }
    }
}

/// The routes for people, with their part of the OpenAPI document.
mod routes {
    use super::{App, Arc, accounts, events, fleet, library, preheat, queue, stop, telemetry};
    use utoipa_axum::router::OpenApiRouter;

    pub(super) fn all() -> OpenApiRouter<Arc<App>> {
        OpenApiRouter::new()
            .merge(accounts::routes::router())
            .merge(fleet::routes::router())
            .merge(library::routes::router())
            .merge(queue::routes::router())
            .merge(stop::routes::router())
            .merge(preheat::routes::router())
            .merge(telemetry::routes::router())
            .merge(events::stream::router())
    }
}
