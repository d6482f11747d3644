//! Signing in: e-mail and password for a session, the session for a token.
//!
//! Owns: that exchange. The session lasts no longer than the exchange; what is kept is the token. Must not
//! know: where passwords come from and where tokens go.

use reqwest::header::{COOKIE, ORIGIN, SET_COOKIE};
use reqwest::{Method, Response};
use serde::Deserialize;
use serde_json::json;

use super::Client;
use crate::error::CliError;

/// A token and whose it is.
#[derive(Deserialize)]
pub(crate) struct NewToken {
    /// The token's id.
    pub(crate) id: String,
    /// The token.
    pub(crate) token: String,
}

/// Signs in and has a token made that is called `name`.
pub(crate) async fn sign_in(
    client: &Client,
    email: &str,
    password: &str,
    name: &str,
) -> Result<NewToken, CliError> {
    let request = client.request(Method::POST, "api/v1/session")?;
    let answer = client.send(request.json(&json!({"email": email, "password": password}))).await?;
    let session = cookies(&answer);
    // Writes by cookie must come from the hub's own origin.
    let origin = client.hub().origin().ascii_serialization();
    let by_session = |method, path| {
        client
            .request(method, path)
            .map(|r| r.header(COOKIE, session.as_str()).header(ORIGIN, origin.as_str()))
    };
    let request = by_session(Method::POST, "api/v1/tokens")?.json(&json!({"name": name}));
    let made = match client.send(request).await {
        Ok(answer) => client.read(answer).await.and_then(|token| client.parse(token)),
        Err(error) => Err(error),
    };
    // The token is what was wanted: a session that can't be ended ends by itself.
    let _ = client.send(by_session(Method::DELETE, "api/v1/session")?).await;
    made
}

/// The cookies an answer sets, as a request sends them.
fn cookies(answer: &Response) -> String {
    let set = answer.headers().get_all(SET_COOKIE).iter();
    let pairs: Vec<&str> = set
        .filter_map(|cookie| cookie.to_str().ok())
        .filter_map(|cookie| cookie.split(';').next())
        .map(str::trim)
        .collect();
    pairs.join("; ")
}
