//! `/agent/v1`: claims, downloads, leave to start, events and commands.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::{get, post};
use futures::StreamExt as _;
use stardust_protocol::agent_api::{
    ClaimRequest, ClaimResponse, CommandsResponse, EventsRequest, EventsResponse, StartRequest, StartResponse,
};
use stardust_protocol::{Command, CommandMessage, JobId, ProtocolVersion, limits};

use super::{claim, dispatch, report};
use crate::api::auth::Device;
use crate::api::extract::{Json, Path};
use crate::app::App;
use crate::error::Error;
use crate::fleet::pairing::check_version;
use crate::library::content;
use crate::waiting_agents::Found;

/// As long as the contract says.
const WAIT: Duration = Duration::from_millis(limits::COMMAND_WAIT_MS.unsigned_abs());
/// A download renews its lease this often.
const RENEW_EVERY: Duration = Duration::from_secs(20);

/// The routes.
pub fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/agent/v1/claim", post(take_claim))
        .route("/agent/v1/jobs/{id}/file", get(file))
        .route("/agent/v1/jobs/{id}/start", post(start))
        .route("/agent/v1/events", post(events))
        .route("/agent/v1/commands", get(commands))
        .route("/agent/v1/commands/next", get(next_commands))
}

async fn take_claim(
    State(app): State<Arc<App>>,
    device: Device,
    Json(request): Json<ClaimRequest>,
) -> Result<axum::Json<ClaimResponse>, Error> {
    check_version(request.protocol)?;
    let largest = request.free_spool_bytes.unwrap_or(i64::MAX as u64);
    Ok(axum::Json(ClaimResponse { claim: claim::claim(&app, device, largest).await? }))
}

async fn file(
    State(app): State<Arc<App>>,
    device: Device,
    Path(id): Path<JobId>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let object = claim::object(&app, device, id).await?;
    let watching = Arc::clone(&app);
    content::respond(&app.objects, &object, &headers, "application/octet-stream", |bytes| {
        let mut renewed = watching.clock.elapsed();
        bytes.inspect(move |_| {
            let now = watching.clock.elapsed();
            if now.saturating_sub(renewed) >= RENEW_EVERY {
                renewed = now;
                let app = Arc::clone(&watching);
                tokio::spawn(async move {
                    if let Err(error) = claim::renew(&app, device, id).await {
                        tracing::warn!(%error, job.id = %id, "the lease could not be renewed");
                    }
                });
            }
        })
    })
    .await
}

async fn start(
    State(app): State<Arc<App>>,
    device: Device,
    Path(id): Path<JobId>,
    Json(request): Json<StartRequest>,
) -> Result<axum::Json<StartResponse>, Error> {
    let started_at = claim::start(&app, device, id, request.claim_id).await?;
    Ok(axum::Json(StartResponse { started_at }))
}

async fn events(
    State(app): State<Arc<App>>,
    device: Device,
    Json(request): Json<EventsRequest>,
) -> Result<axum::Json<EventsResponse>, Error> {
    if request.events.len() > limits::MAX_EVENTS_PER_POST {
        return Err(Error::invalid("too_many_events", "Send at most 100 events at once."));
    }
    let acknowledged_seq = report::apply(&app, device, &request.events).await?;
    Ok(axum::Json(EventsResponse { acknowledged_seq }))
}

async fn commands(
    State(app): State<Arc<App>>,
    device: Device,
) -> Result<axum::Json<CommandsResponse>, Error> {
    Ok(axum::Json(CommandsResponse { commands: dispatch::open_commands(&app, device.printer_id).await? }))
}

async fn next_commands(
    State(app): State<Arc<App>>,
    device: Device,
) -> Result<axum::Json<CommandsResponse>, Error> {
    // In this order: who is looked at in between counts as waiting already.
    let next = app.waiting_agents.next(device.printer_id, WAIT);
    app.fleet.agent_waits(device.printer_id);
    let commands = match next.await {
        Found::Said(commands) => commands,
        Found::First => vec![CommandMessage {
            protocol: ProtocolVersion::CURRENT,
            id: None,
            at: app.clock.now(),
            expires_at: None,
            command: Command::Wake,
        }],
    };
    Ok(axum::Json(CommandsResponse { commands }))
}
