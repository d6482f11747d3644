//! What a browser gets: the page, the status as JSON, or a sentence why not.
//!
//! Owns: who is answered, with which headers. Any page in the world may make a browser ask here, also under a name of its
//! own that leads to the loopback: only requests under the loopback's names are answered, nothing is shared with other
//! pages, and nothing is told that would let anybody in. Must not know: sockets, or what the status says.

use std::net::IpAddr;

use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderName, HeaderValue,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use hyper::http::uri::Authority;
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use tokio::sync::{mpsc, oneshot};

use crate::status_socket::Question;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Page,
    Status,
}

/// Why nothing is told.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Refusal {
    #[error("This page is for this machine alone. Open it as http://127.0.0.1, with its port.")]
    Foreign,
    #[error("This page can only be looked at.")]
    Method,
    #[error("There is nothing here but / and /status.json.")]
    Unknown,
    #[error("The agent is stopping.")]
    Stopping,
}

/// Answers a request; its body is not looked at.
pub(super) async fn answer<B>(request: &Request<B>, questions: &mpsc::Sender<Question>) -> Response<String> {
    let answer = match asked(request.method(), request.uri().path(), request.headers()) {
        Ok(Asked::Page) => page(),
        Ok(Asked::Status) => status(questions).await,
        Err(refusal) => Err(refusal),
    };
    let mut response = answer.unwrap_or_else(|refusal| refused(&refusal));
    let headers = response.headers_mut();
    for (name, value) in [
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

fn asked(method: &Method, path: &str, headers: &HeaderMap) -> Result<Asked, Refusal> {
    if !headers.get(HOST).and_then(|host| host.to_str().ok()).is_some_and(is_loopback) {
        return Err(Refusal::Foreign);
    }
    if ![Method::GET, Method::HEAD].contains(method) {
        return Err(Refusal::Method);
    }
    match path {
        "/" => Ok(Asked::Page),
        "/status.json" => Ok(Asked::Status),
        _ => Err(Refusal::Unknown),
    }
}

/// Whether a `Host` header names this machine by a name that no name server can lead here.
fn is_loopback(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host();
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The page, whole: its style and script are in it, and no others may run.
fn page() -> Result<Response<String>, Refusal> {
    let number = || getrandom::u64().map_err(|_| Refusal::Stopping);
    let nonce = format!("{:016x}{:016x}", number()?, number()?);
    let text = PAGE.replace("{{nonce}}", &nonce).replace("{{style}}", STYLE).replace("{{script}}", SCRIPT);
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; connect-src 'self'; \
         img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let mut response = with_type("text/html; charset=utf-8", text);
    // It has no characters that a header could not hold.
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    Ok(response)
}

async fn status(questions: &mpsc::Sender<Question>) -> Result<Response<String>, Refusal> {
    let (question, told) = oneshot::channel();
    questions.send(question).await.map_err(|_| Refusal::Stopping)?;
    let report = told.await.map_err(|_| Refusal::Stopping)?.without_pins();
    let text = serde_json::to_string(&report).map_err(|_| Refusal::Stopping)?;
    Ok(with_type("application/json", text))
}

fn refused(refusal: &Refusal) -> Response<String> {
    let mut response = with_type("text/plain; charset=utf-8", format!("{refusal}\n"));
    *response.status_mut() = match refusal {
        Refusal::Foreign => StatusCode::FORBIDDEN,
        Refusal::Method => StatusCode::METHOD_NOT_ALLOWED,
        Refusal::Unknown => StatusCode::NOT_FOUND,
        Refusal::Stopping => StatusCode::SERVICE_UNAVAILABLE,
    };
    if *refusal == Refusal::Method {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    response
}

fn with_type(kind: &'static str, body: String) -> Response<String> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("127.0.0.1:8091", true)]
    #[case("127.4.5.6", true)]
    #[case("[::1]:8091", true)]
    #[case("LocalHost:8091", true)]
    #[case("localhost.example:8091", false)]
    #[case("127.0.0.1.example", false)]
    #[case("printer.local", false)]
    #[case("192.168.0.7:8091", false)]
    #[case("[::ffff:127.0.0.1]", false)]
    #[case("", false)]
    fn only_names_that_cannot_be_led_here(#[case] host: &str, #[case] expected: bool) {
        assert_eq!(is_loopback(host), expected);
    }

    #[rstest]
    #[case(Method::GET, "/", Some("127.0.0.1"), Ok(Asked::Page))]
    #[case(Method::HEAD, "/status.json", Some("127.0.0.1"), Ok(Asked::Status))]
    #[case(Method::POST, "/status.json", Some("127.0.0.1"), Err(Refusal::Method))]
    #[case(Method::GET, "/printers", Some("127.0.0.1"), Err(Refusal::Unknown))]
    #[case(Method::GET, "/", Some("evil.example"), Err(Refusal::Foreign))]
    #[case(Method::GET, "/", None, Err(Refusal::Foreign))]
    fn who_gets_what(
        #[case] method: Method,
        #[case] path: &str,
        #[case] host: Option<&str>,
        #[case] expected: Result<Asked, Refusal>,
    ) {
        let headers = host.map(|host| (HOST, HeaderValue::from_str(host).unwrap())).into_iter().collect();
        assert_eq!(asked(&method, path, &headers), expected);
    }

    #[test]
    fn the_page_brings_everything_with_it_and_each_copy_has_a_nonce_of_its_own() {
        let policy =
            |page: &Response<String>| page.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
        let (one, other) = (page().unwrap(), page().unwrap());
        assert_ne!(policy(&one), policy(&other));
        let nonce = policy(&one).split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
        assert_eq!(one.body().matches(&format!("nonce=\"{nonce}\"")).count(), 2, "style and script");
        for from_elsewhere in ["{{", "src=", "url(", "@import", "href=\"http"] {
            assert!(!one.body().contains(from_elsewhere), "{from_elsewhere}");
        }
    }
}
