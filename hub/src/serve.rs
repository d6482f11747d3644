//! `stardust-hub serve`: puts the hub together and runs it until it is asked to stop.

use std::sync::Arc;

use sd_notify::NotifyState;
use stardust_clock::SharedClock;
use stardust_gateway::{EdgeEvent, Gateway, GatewayConfig};
use stardust_outlet::manager;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::accounts::password::Passwords;
use crate::app::{App, Parts};
use crate::config::Config;
use crate::db::{Db, DbError};
use crate::error::Error;
use crate::events::outbox;
use crate::fleet;
use crate::fleet::credentials::DeviceAuthenticator;
use crate::work::Work;
use crate::{accounts, api, last_times, queue};

/// Why the hub can't serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// An address can't be listened on.
    #[error(
        "{what} can't listen on {address}: {error}. Is another program (or another hub) using the port? Choose another with {option}."
    )]
    Listen {
        /// What wanted to listen.
        what: &'static str,
        /// Where.
        address: std::net::SocketAddr,
        /// Why not.
        error: std::io::Error,
        /// The option that changes it.
        option: &'static str,
    },
    /// The data directory can't be used.
    #[error("the data directory {path} can't be used: {error}")]
    Data {
        /// Which directory.
        path: String,
        /// Why not.
        error: std::io::Error,
    },
    /// The database can't be opened.
    #[error("the database {address} can't be opened: {error}")]
    Db {
        /// Which, without its password.
        address: String,
        /// Why not.
        error: DbError,
    },
    /// The gateway can't start.
    #[error(transparent)]
    Gateway(#[from] stardust_gateway::GatewayError),
    /// The hub itself failed.
    #[error(transparent)]
    Hub(#[from] Error),
    /// The HTTP server failed.
    #[error("the HTTP server failed: {0}")]
    Http(std::io::Error),
}

/// Runs the hub until `stop` completes.
///
/// # Errors
/// It can't start, or its HTTP server fails.
pub async fn serve(
    config: Config,
    clock: SharedClock,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let http = listen("the dashboard and API", config.listen, "--listen").await?;
    let mqtt = listen("MQTT", config.mqtt_listen, "--mqtt-listen").await?;
    let (app, gateway, edge) = build(config, clock, mqtt).await?;
    let (stop_tasks, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    tasks.spawn(fleet::ingest::run(Arc::clone(&app), edge));
    tasks.spawn(fleet::second_agent::run(Arc::clone(&app), stopped.clone()));
    tasks.spawn(fleet::waiting::run(Arc::clone(&app), stopped.clone()));
    tasks.spawn(last_times::run(Arc::clone(&app), stopped.clone()));
    tasks.spawn(queue::sweep::run(Arc::clone(&app), stopped.clone()));
    let work = Arc::new(Work(Arc::clone(&app)));
    tasks.spawn(outbox::work(app.db.clone(), app.clock.clone(), app.bell.clone(), work, stopped.clone()));

    let address = http.local_addr().map_err(ServeError::Http)?;
    tracing::info!(http.address = %address, mqtt.port = app.mqtt_port, "the hub is ready");
    tell_service_manager(&[NotifyState::Ready, NotifyState::Status(&format!("serving at {address}"))]);
    let mut http_stopped = stopped;
    let routes = api::router(Arc::clone(&app)).into_make_service_with_connect_info::<std::net::SocketAddr>();
    let server = axum::serve(http, routes);
    let serving = async move {
        tokio::select! {
            // Streams to browsers never end by themselves: no waiting for them.
            result = server.into_future() => result,
            _ = http_stopped.changed() => Ok(()),
        }
    };
    let ending = async {
        stop.await;
        tracing::info!("the hub is stopping");
        tell_service_manager(&[NotifyState::Stopping]);
        let _ = stop_tasks.send(true);
    };
    let (served, ()) = tokio::join!(serving, ending);
    gateway.shutdown().await;
    tasks.join_all().await;
    app.last_times.write_last(&app.db).await;
    served.map_err(ServeError::Http)
}

/// Does nothing where systemd has not started the hub.
fn tell_service_manager(state: &[NotifyState<'_>]) {
    if let Err(error) = manager::tell(state) {
        tracing::warn!(%error, "the service manager could not be told how it goes");
    }
}

async fn listen(
    what: &'static str,
    address: std::net::SocketAddr,
    option: &'static str,
) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|error| ServeError::Listen { what, address, error, option })
}

/// Opens everything and loads what is live.
async fn build(
    config: Config,
    clock: SharedClock,
    mqtt: TcpListener,
) -> Result<(Arc<App>, Gateway, mpsc::Receiver<EdgeEvent>), ServeError> {
    let data = |error| ServeError::Data { path: config.data.display().to_string(), error };
    create_private(&config.data).map_err(data)?;
    let db = open_db(&config).await?;
    let passwords = Passwords::start()?;
    accounts::first_start::ensure_owner(&db, &passwords, clock.now()).await?;
    let mqtt_port = mqtt.local_addr().map_err(ServeError::Http)?.port();
    let authenticator = Arc::new(DeviceAuthenticator(db.clone()));
    let (gateway, edge) =
        Gateway::start(GatewayConfig::default(), mqtt, authenticator, clock.clone()).await?;
    let agents = Arc::new(gateway.clone());
    let app = App::load(Parts { config, clock, db, passwords, agents, mqtt_port }).await?;
    Ok((app, gateway, edge))
}

/// The directory holds hashes of credentials and everybody's files: it is nobody else's to read.
fn create_private(directory: &std::path::Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

/// Opens the database of a configuration.
///
/// # Errors
/// It can't be opened.
pub async fn open_db(config: &Config) -> Result<Db, ServeError> {
    Db::open(&config.database)
        .await
        .map_err(|error| ServeError::Db { address: format!("{:?}", config.database), error })
}
