//! Who is asking: a person (session cookie or API token) or a device (its token).

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use stardust_protocol::agent_api::INSTANCE_HEADER;
use stardust_protocol::{PrinterId, WorkspaceId};

use super::client_address::ClientAddress;
use crate::accounts::Person;
use crate::app::App;
use crate::error::Error;
use crate::fleet::speaker::Instance;

/// The session cookie over plain HTTP.
pub const COOKIE: &str = "stardust_session";
/// The session cookie over HTTPS: browsers then refuse to have it set by anyone else.
pub const SECURE_COOKIE: &str = "__Host-stardust_session";

/// A printer's agent.
#[derive(Debug, Clone, Copy)]
pub struct Device {
    /// Its workspace.
    pub workspace_id: WorkspaceId,
    /// The printer that it speaks for.
    pub printer_id: PrinterId,
    /// Which agent it is, of those that use this printer's credential; an old one does not say.
    pub instance: Option<Instance>,
}

impl FromRequestParts<Arc<App>> for Person {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Error> {
        let now = app.clock.now();
        if let Some(token) = bearer(&parts.headers) {
            let bearer = crate::accounts::tokens::person(&app.db, now, token).await?;
            let bearer = bearer.ok_or_else(|| Error::Unauthorized {
                code: "bad_token",
                detail: "This API token is not valid (any more). Sign in again, or make a new token under Settings."
                    .into(),
            })?;
            bearer.to_note.into_iter().for_each(|token| app.last_times.token_used(token, now));
            return Ok(bearer.person);
        }
        if let Some(token) = session_cookie(&parts.headers)
            && let Some(person) = crate::accounts::sessions::person(&app.db, now, token).await?
        {
            same_origin(&parts.method, &parts.headers)?;
            return Ok(person);
        }
        Err(Error::Unauthorized {
            code: "not_signed_in",
            detail: "You are not signed in. Sign in and try again.".into(),
        })
    }
}

impl FromRequestParts<Arc<App>> for Device {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Error> {
        let device = match bearer(&parts.headers) {
            Some(token) => crate::fleet::credentials::device(&app.db, token).await?,
            None => None,
        };
        let device = device.ok_or_else(|| Error::Unauthorized {
            code: "bad_device_token",
            detail: "The hub does not know this agent's credential: the printer was removed or paired anew. \
                     Pair it again with a code from the dashboard."
                .into(),
        })?;
        let instance = instance(&parts.headers)?;
        let Ok(ClientAddress(address)) = ClientAddress::from_request_parts(parts, app).await;
        app.fleet.hear(device.printer_id, instance, address, (app.clock.elapsed(), app.clock.now()))?;
        Ok(Self { instance, ..device })
    }
}

fn instance(headers: &HeaderMap) -> Result<Option<Instance>, Error> {
    let Some(value) = headers.get(INSTANCE_HEADER) else { return Ok(None) };
    let instance = value.to_str().ok().and_then(Instance::from_header);
    instance.map(Some).ok_or_else(|| {
        Error::invalid("bad_request", format!("{INSTANCE_HEADER} is 1 to 64 visible ASCII characters."))
    })
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ").map(str::trim)
}

/// The session token in the cookies.
#[must_use]
pub fn session_cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE || *name == SECURE_COOKIE)
        .map(|(_, token)| token)
}

/// Another site must not write with a visitor's cookie. Browsers say where a request comes from.
fn same_origin(method: &Method, headers: &HeaderMap) -> Result<(), Error> {
    if matches!(*method, Method::GET | Method::HEAD) {
        return Ok(());
    }
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let from_elsewhere =
        match (headers.get("sec-fetch-site").and_then(|v| v.to_str().ok()), text(header::ORIGIN)) {
            (Some(site), _) => !matches!(site, "same-origin" | "none"),
            (None, Some(origin)) => origin.split_once("://").map(|(_, host)| host) != text(header::HOST),
            (None, None) => false,
        };
    if from_elsewhere {
        return Err(Error::Forbidden {
            code: "other_origin",
            detail: "This request came from another site. Use the dashboard, or an API token.".into(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn the_session_is_found_among_other_cookies() {
        let found = headers(&[("cookie", "a=b; stardust_session=sds_x; c=d")]);
        assert_eq!(session_cookie(&found), Some("sds_x"));
        assert_eq!(session_cookie(&headers(&[("cookie", "__Host-stardust_session=y")])), Some("y"));
        assert_eq!(session_cookie(&headers(&[("cookie", "xstardust_session=y")])), None);
    }

    #[test]
    fn only_this_site_writes_with_the_cookie() {
        for (pairs, allowed) in [
            (&[("sec-fetch-site", "same-origin")][..], true),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("origin", "http://hub:8080"), ("host", "hub:8080")], true),
            (&[("origin", "http://evil"), ("host", "hub:8080")], false),
            (&[("origin", "null"), ("host", "hub:8080")], false),
            (&[("host", "hub:8080")], true),
        ] {
            assert_eq!(same_origin(&Method::POST, &headers(pairs)).is_ok(), allowed, "{pairs:?}");
            assert!(same_origin(&Method::GET, &headers(pairs)).is_ok(), "{pairs:?}");
        }
    }
}
