//! `/agent/v1/pair`, `/agent/v1/pairing-pins` and `/agent/v1/session`: how an agent becomes and stays a member of the fleet.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use stardust_protocol::ProtocolVersion;
use stardust_protocol::agent_api::{
    MqttEndpoint, PairRequest, PairResponse, PinPollRequest, PinPollResponse, PinRequest, PinResponse,
    SessionResponse,
};

use super::attempts::Attempt;
use super::{pairing, pin};
use crate::api::auth::Device;
use crate::api::client_address::ClientAddress;
use crate::api::extract::Json;
use crate::app::App;
use crate::error::Error;
use crate::params;

/// What a wrong code costs who has typed it.
const WRONG_COSTS: Duration = Duration::from_secs(1);

/// The routes.
pub fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/agent/v1/pair", post(pair))
        .route("/agent/v1/pairing-pins", post(new_pin))
        .route("/agent/v1/pairing-pins/poll", post(poll_pin))
        .route("/agent/v1/session", get(session))
}

async fn pair(
    State(app): State<Arc<App>>,
    ClientAddress(address): ClientAddress,
    Json(request): Json<PairRequest>,
) -> Result<axum::Json<PairResponse>, Error> {
    let attempt = Attempt::Code(address);
    app.attempts.take(app.clock.elapsed(), attempt)?;
    let result = pairing::pair(&app.db, app.clock.now(), &request).await;
    if matches!(result, Err(Error::Unauthorized { .. })) {
        tracing::warn!(%address, "a wrong pairing code");
        tokio::time::sleep(WRONG_COSTS).await;
    } else {
        app.attempts.give_back(attempt);
    }
    let (response, row) = result?;
    tracing::info!(printer.id = %row.id, printer.name = row.name, agent.version = request.agent_version, "printer paired");
    app.fleet.paired_anew(row);
    Ok(axum::Json(response))
}

async fn new_pin(
    State(app): State<Arc<App>>,
    ClientAddress(address): ClientAddress,
    Json(request): Json<PinRequest>,
) -> Result<axum::Json<PinResponse>, Error> {
    app.attempts.take(app.clock.elapsed(), Attempt::NewPin(address))?;
    pin::begin(&app.db, app.clock.now(), &request).await.map(axum::Json)
}

async fn poll_pin(
    State(app): State<Arc<App>>,
    Json(request): Json<PinPollRequest>,
) -> Result<axum::Json<PinPollResponse>, Error> {
    pin::poll(&app.db, app.clock.now(), &request).await.map(axum::Json)
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
