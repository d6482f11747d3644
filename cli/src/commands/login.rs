//! `stardust login` and `stardust logout`.

use crate::api::{self, Client};
use crate::credentials::{self, Credentials};
use crate::error::CliError;
use crate::{output, password};

/// Signs in and stores a token.
pub(crate) async fn login(hub: &str, email: Option<String>, password_stdin: bool) -> Result<(), CliError> {
    let hub = credentials::parse_hub(hub)?;
    if hub.scheme() == "http" && !api::is_loopback(&hub) {
        output::note(&format!(
            "warning: {hub} is not encrypted: others in the network can read the password"
        ));
    }
    let path = credentials::path()?;
    let email = match email {
        Some(email) => email,
        None => password::ask("E-mail: ")?,
    };
    let password =
        if password_stdin { password::from_stdin()? } else { password::ask_hidden("Password: ").await? };
    let client = Client::anonymous(hub.clone())?;
    let made = api::sign_in(&client, &email, &password, &token_name()).await?;
    let before = credentials::load(&path).ok().flatten();
    let new = Credentials { hub: hub.clone(), token: made.token, token_id: Some(made.id) };
    credentials::store(&path, &new)?;
    output::line(&format!("Signed in to {hub} as {email}. The token is kept in {}.", path.display()))?;
    if let Some(before) = before {
        withdraw(before).await;
    }
    Ok(())
}

/// Withdraws the stored token and forgets it.
pub(crate) async fn logout() -> Result<(), CliError> {
    let path = credentials::path()?;
    let Some(stored) = credentials::load(&path)? else {
        return output::line("Nobody is signed in.");
    };
    let hub = stored.hub.clone();
    let withdrawn = withdraw(stored).await;
    credentials::forget(&path)?;
    if withdrawn {
        output::line(&format!("Signed out of {hub}."))
    } else {
        Err(CliError::Failed(format!(
            "signed out here, but {hub} could not be told: delete the token there under API tokens"
        )))
    }
}

/// Whether the token is of no use to anyone any more.
async fn withdraw(old: Credentials) -> bool {
    let Some(id) = old.token_id.clone() else { return false };
    let Ok(client) = Client::new(old) else { return false };
    match client.delete(&format!("api/v1/tokens/{id}")).await {
        Ok(()) | Err(CliError::TokenRefused(..)) => true,
        Err(CliError::Problem(problem)) => problem.status == 404,
        Err(_) => false,
    }
}

/// What the token is called in the dashboard's list.
fn token_name() -> String {
    let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    let host: String = host.trim().chars().take(64).collect();
    if host.is_empty() { "command line".into() } else { format!("command line on {host}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use url::Url;

    #[test]
    fn the_password_stays_on_this_machine_or_a_warning_is_due() {
        for (hub, loopback) in [
            ("http://localhost:1", true),
            ("http://127.0.0.1:1", true),
            ("http://[::1]:1", true),
            ("http://192.168.1.5", false),
            ("http://hub.local", false),
        ] {
            assert_eq!(api::is_loopback(&Url::parse(hub).unwrap()), loopback, "{hub}");
        }
    }
}
