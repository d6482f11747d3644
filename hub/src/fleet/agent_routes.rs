//! `/agent/v1/pair` and `/agent/v1/session`: how an agent becomes and stays a member of the fleet.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use stardust_protocol::ProtocolVersion;
use stardust_protocol::agent_api::{MqttEndpoint, PairRequest, PairResponse, SessionResponse};

use super::pairing;
use crate::api::auth::Device;
use crate::api::extract::Json;
use crate::app::App;
use crate::error::Error;
use crate::params;

/// The routes.
pub fn router() -> Router<Arc<App>> {
    Router::new().route("/agent/v1/pair", post(pair)).route("/agent/v1/session", get(session))
}

async fn pair(
    State(app): State<Arc<App>>,
    Json(request): Json<PairRequest>,
) -> Result<axum::Json<PairResponse>, Error> {
    let (response, row) = pairing::pair(&app.db, app.clock.now(), &request).await?;
    tracing::info!(printer.id = %row.id, printer.name = row.name, agent.version = request.agent_version, "printer paired");
    app.fleet.put_row(row);
    Ok(axum::Json(response))
}

async fn session(State(app): State<Arc<App>>, device: Device) -> Result<axum::Json<SessionResponse>, Error> {
    let row = app
        .db
        .query_opt("SELECT name, last_event_seq FROM printers WHERE id = $1", params![device.printer_id])
        .await?
        .ok_or_else(|| Error::no_such("printer"))?;
    Ok(axum::Json(SessionResponse {
        protocol: ProtocolVersion::CURRENT,
        workspace_id: device.workspace_id,
        printer_id: device.printer_id,
        printer_name: row.get("name")?,
        mqtt: MqttEndpoint { host: None, port: app.mqtt_port, tls: false },
        last_event_seq: row.get("last_event_seq")?,
        now: app.clock.now(),
    }))
}
