//! The dashboard's files, embedded in the binary. Without a built dashboard a page says how to build it.

use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::error::Error;
use crate::secret;

#[derive(RustEmbed)]
#[folder = "dashboard/dist"]
#[allow_missing = true]
struct Dist;

const STUB: &str = "<!doctype html><html lang=en><meta charset=utf-8><title>Stardust</title>\
    <p>This hub was built without its dashboard. Build it with <code>npm ci &amp;&amp; npm run build</code> in \
    <code>hub/dashboard</code>, then build the hub again. The API is at <a href=/api/openapi.json>/api/openapi.json</a>.";

/// Everything policies can forbid to a page that loads only its own files.
const POLICY: &str = "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; \
    connect-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

/// Answers with a file of the dashboard, or its first page for the addresses that the dashboard itself makes up.
pub async fn serve(uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    if path.starts_with("api/") || path.starts_with("agent/") {
        return Error::NotFound { detail: format!("There is nothing at {}.", uri.path()) }.into_response();
    }
    if let Some(file) = Dist::get(path).filter(|_| !path.is_empty()) {
        return respond(path, &file, &headers);
    }
    if path.rsplit('/').next().is_some_and(|last| last.contains('.')) {
        return StatusCode::NOT_FOUND.into_response();
    }
    match Dist::get("index.html") {
        Some(page) => respond("index.html", &page, &headers),
        None => Html(STUB).into_response(),
    }
}

fn respond(path: &str, file: &EmbeddedFile, headers: &HeaderMap) -> Response {
    let etag = format!("\"{}\"", secret::hex(&file.metadata.sha256_hash()));
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let mut response = if known == Some(etag.as_str()) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        file.data.clone().into_response()
    };
    let media_type = mime_guess::from_path(path).first_or_octet_stream();
    // Names under assets/ carry a hash of their content.
    let lifetime =
        if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let out = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, media_type.as_ref()),
        (header::ETAG, etag.as_str()),
        (header::CACHE_CONTROL, lifetime),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            out.insert(name, value);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn answer(path: &'static str) -> (StatusCode, String) {
        let response = serve(Uri::from_static(path), HeaderMap::new()).await;
        let kind = response.headers().get(header::CONTENT_TYPE).map(|kind| kind.to_str().unwrap().to_owned());
        (response.status(), kind.unwrap_or_default())
    }

    /// Holds with and without a built dashboard: a stub page stands in for it.
    #[tokio::test]
    async fn pages_are_answered_and_what_is_no_page_is_not() {
        for page in ["/", "/printers", "/jobs/0190a7c2-6f00-7000-8000-000000000000"] {
            let (status, kind) = answer(page).await;
            assert_eq!(status, StatusCode::OK, "{page}");
            assert!(kind.starts_with("text/html"), "{page}: {kind}");
        }
        assert_eq!(answer("/assets/gone-1234.js").await.0, StatusCode::NOT_FOUND);
        for path in ["/api/v1/nothing", "/agent/v1/nothing"] {
            assert_eq!(
                answer(path).await,
                (StatusCode::NOT_FOUND, "application/problem+json".into()),
                "{path}"
            );
        }
    }
}
