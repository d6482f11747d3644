//! Errors over HTTP: problem details (RFC 9457).

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::error::Error;

/// What every failed request answers, as `application/problem+json`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// Names the kind of problem: `urn:stardust:problem:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// The HTTP status in words.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What happened and what to do about it, for people.
    pub detail: String,
    /// A stable word for programs.
    pub code: &'static str,
    /// Of what is too large: how many bytes the hub takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_bytes: Option<u64>,
    /// Of what is too large: how many bytes there are, where that was announced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, code) = match &self {
            Self::NotFound { .. } => (StatusCode::NOT_FOUND, "not_found"),
            // A body that broke off or can't be read is malformed; one that means nothing is unprocessable.
            Self::Invalid { code: code @ ("upload_incomplete" | "bad_request" | "bad_form"), .. } => {
                (StatusCode::BAD_REQUEST, *code)
            }
            Self::Invalid { code, .. } => (StatusCode::UNPROCESSABLE_ENTITY, *code),
            Self::Conflict { code, .. } => (StatusCode::CONFLICT, *code),
            Self::Unauthorized { code, .. } => (StatusCode::UNAUTHORIZED, *code),
            Self::Forbidden { code, .. } => (StatusCode::FORBIDDEN, *code),
            Self::AnotherAgent { .. } => (StatusCode::LOCKED, "another_agent"),
            Self::TooMany { .. } => (StatusCode::TOO_MANY_REQUESTS, "too_many_requests"),
            Self::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            Self::Db(_) | Self::Objects(_) | Self::Internal(_) => {
                (StatusCode::INTERNAL_SERVER_ERROR, "internal")
            }
        };
        let detail = if status == StatusCode::INTERNAL_SERVER_ERROR {
            // What failed inside is for the log: it may name files, hosts or statements.
            let source = std::error::Error::source(&self).map(ToString::to_string).unwrap_or_default();
            tracing::error!(error = %self, source, "a request failed inside the hub");
            "The hub could not do this because of a fault of its own. Nothing was changed. Try again; \
             if it happens again, look into the hub's log."
                .to_owned()
        } else {
            self.to_string()
        };
        let (limit_bytes, size_bytes) = match self {
            Self::TooLarge { limit_bytes, size_bytes, .. } => (limit_bytes, size_bytes),
            _ => (None, None),
        };
        let problem = Problem {
            kind: format!("urn:stardust:problem:{code}"),
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail,
            code,
            limit_bytes,
            size_bytes,
        };
        let body = serde_json::to_string(&problem).unwrap_or_default();
        (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response()
    }
}
