//! Device credentials: which printer an agent speaks for, over HTTPS and over MQTT.

use async_trait::async_trait;
use stardust_gateway::{Authenticator, Principal, Refusal};
use stardust_protocol::PrinterId;

use crate::api::auth::Device;
use crate::db::Db;
use crate::error::Error;
use crate::{params, secret};

/// Whose device token this is.
///
/// # Errors
/// The database's.
pub async fn device(db: &Db, token: &str) -> Result<Option<Device>, Error> {
    let row = db
        .query_opt(
            "SELECT id, workspace_id FROM printers WHERE token_hash = $1 AND removed_at IS NULL",
            params![secret::hash(token)],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Device { printer_id: row.get("id")?, workspace_id: row.get("workspace_id")?, instance: None }))
}

/// Checks MQTT logins: the user is the printer's id, the password its token.
pub struct DeviceAuthenticator(pub Db);

#[async_trait]
impl Authenticator for DeviceAuthenticator {
    async fn authenticate(&self, user: &str, password: &[u8]) -> Result<Principal, Refusal> {
        let claimed: PrinterId = user.parse().map_err(|_| Refusal::Malformed)?;
        let token = std::str::from_utf8(password).map_err(|_| Refusal::Malformed)?;
        match device(&self.0, token).await {
            Ok(Some(device)) if device.printer_id == claimed => {
                Ok(Principal::Device { workspace: device.workspace_id, printer: device.printer_id })
            }
            Ok(_) => Err(Refusal::Denied),
            Err(error) => {
                tracing::error!(%error, "an MQTT login could not be checked");
                Err(Refusal::Unavailable)
            }
        }
    }
}
