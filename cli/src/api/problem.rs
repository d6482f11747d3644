//! Problem details (RFC 9457), the form of every error of the hub.
//!
//! Owns: reading them, and a stand-in for answers that have none (a proxy's page). Must not know: what to do
//! about them.

use std::fmt;

use reqwest::StatusCode;
use serde::Deserialize;

/// Why the hub said no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The HTTP status.
    pub(crate) status: u16,
    /// A sentence for people.
    pub(crate) detail: String,
    /// A stable word for programs.
    pub(crate) code: Option<String>,
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    detail: Option<String>,
    #[serde(default)]
    code: Option<String>,
}

impl Problem {
    /// Reads the body of a failed answer.
    pub(crate) fn from_answer(status: StatusCode, body: &[u8]) -> Self {
        let given: Option<Body> = serde_json::from_slice(body).ok();
        let code = given.as_ref().and_then(|body| body.code.clone());
        let detail = given.and_then(|body| body.detail.or(body.title)).filter(|detail| !detail.is_empty());
        let detail = detail.unwrap_or_else(|| format!("the hub answered “{status}” without saying why"));
        Self { status: status.as_u16(), detail: clipped(&detail), code: code.map(|code| clipped(&code)) }
    }
}

fn clipped(text: &str) -> String {
    crate::output::printable(text).chars().take(1000).collect()
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)?;
        self.code.as_ref().map_or(Ok(()), |code| write!(f, " ({code})"))
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(422, r#"{"type":"urn:stardust:problem:not_gcode","status":422,"detail":"This is a picture.","code":"not_gcode"}"#, "This is a picture. (not_gcode)")]
    #[case(404, r#"{"title":"Not Found"}"#, "Not Found")]
    #[case(502, "<html>Bad gateway", "the hub answered “502 Bad Gateway” without saying why")]
    #[case(500, "{\"detail\":\"\"}", "the hub answered “500 Internal Server Error” without saying why")]
    #[case(400, "{\"detail\":\"a\\u001bb\"}", "a\u{fffd}b")]
    fn sentences(#[case] status: u16, #[case] body: &str, #[case] expected: &str) {
        let problem = Problem::from_answer(StatusCode::from_u16(status).unwrap(), body.as_bytes());
        assert_eq!(problem.to_string(), expected);
        assert_eq!(problem.status, status);
    }
}
