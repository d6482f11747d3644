//! Requests with a token, and their answers.
//!
//! Owns: addresses, deadlines, paging, reading answers. Must not know: what is asked for, and why.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::Problem;
use crate::credentials::Credentials;
use crate::error::CliError;

/// How long the hub may take to answer a small request.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// The largest page the hub gives.
const PAGE: &str = "200";

/// Speaks to one hub, with a token or without.
#[derive(Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    hub: Url,
    token: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    items: Vec<Value>,
    next_cursor: Option<String>,
}

impl Client {
    /// A client that has the right of these credentials.
    pub(crate) fn new(credentials: Credentials) -> Result<Self, CliError> {
        Ok(Self { token: Some(credentials.token), ..Self::anonymous(credentials.hub)? })
    }

    /// A client without any right.
    pub(crate) fn anonymous(hub: Url) -> Result<Self, CliError> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("stardust/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_WITHIN)
            // A token must not follow a redirect to somewhere else.
            .redirect(reqwest::redirect::Policy::none());
        if is_loopback(&hub) {
            builder = builder.no_proxy();
        }
        let http = builder
            .build()
            .map_err(|error| CliError::Failed(format!("the network can't be used: {}", causes(&error))))?;
        Ok(Self { http, hub, token: None })
    }

    /// The hub's address.
    pub(crate) const fn hub(&self) -> &Url {
        &self.hub
    }

    /// A request to a path below the hub's address, without a deadline.
    pub(crate) fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, CliError> {
        let url = self
            .hub
            .join(path)
            .map_err(|error| CliError::Failed(format!("“{path}” makes no address: {error}")))?;
        let request = self.http.request(method, url);
        Ok(match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        })
    }

    /// Sends a request; an answer that is no success is an error.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Response, CliError> {
        let answer = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        if status.is_redirection() {
            let to = answer.headers().get("location").and_then(|to| to.to_str().ok()).unwrap_or("elsewhere");
            return Err(CliError::Failed(format!(
                "the hub has moved to {to}: sign in there with `stardust login`"
            )));
        }
        let body = answer.bytes().await.unwrap_or_default();
        let problem = Problem::from_answer(status, &body);
        if problem.status == 401 && self.token.is_some() {
            return Err(CliError::TokenRefused(problem, self.hub.to_string()));
        }
        Err(problem.into())
    }

    /// The body of an answer, as it is.
    pub(crate) async fn read(&self, answer: Response) -> Result<Value, CliError> {
        let body = answer.bytes().await.map_err(|error| self.unreachable(&error))?;
        serde_json::from_slice(&body).map_err(|error| self.garbled(error.to_string()))
    }

    /// `GET`.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, CliError> {
        let answer = self.send(self.request(Method::GET, path)?.timeout(ANSWER_WITHIN)).await?;
        self.read(answer).await
    }

    /// `POST` with a JSON body.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, CliError> {
        let request = self.request(Method::POST, path)?.timeout(ANSWER_WITHIN).json(body);
        let answer = self.send(request).await?;
        self.read(answer).await
    }

    /// `POST` of what a printer is asked: the answer, and whether it is done. Else it is not known yet (202).
    pub(crate) async fn ask(&self, path: &str, body: &Value) -> Result<(Value, bool), CliError> {
        let request = self.request(Method::POST, path)?.timeout(ANSWER_WITHIN).json(body);
        let answer = self.send(request).await?;
        let is_done = answer.status() != StatusCode::ACCEPTED;
        Ok((self.read(answer).await?, is_done))
    }

    /// `DELETE`.
    pub(crate) async fn delete(&self, path: &str) -> Result<(), CliError> {
        self.send(self.request(Method::DELETE, path)?.timeout(ANSWER_WITHIN)).await.map(drop)
    }

    /// All items of a list, page by page, at most `limit`.
    pub(crate) async fn list(
        &self,
        path: &str,
        query: &[(&str, &str)],
        limit: usize,
    ) -> Result<Vec<Value>, CliError> {
        let mut items: Vec<Value> = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut request = self.request(Method::GET, path)?.timeout(ANSWER_WITHIN).query(query);
            request = request.query(&[("limit", PAGE)]);
            if let Some(cursor) = &cursor {
                request = request.query(&[("cursor", cursor)]);
            }
            let answer = self.send(request).await?;
            let page: Page = self.parse(self.read(answer).await?)?;
            let is_empty = page.items.is_empty();
            items.extend(page.items);
            items.truncate(limit);
            match page.next_cursor {
                // An empty page with a cursor would lead round and round.
                Some(next) if items.len() < limit && !is_empty => cursor = Some(next),
                _ => return Ok(items),
            }
        }
    }

    /// Reads a resource.
    pub(crate) fn parse<T: DeserializeOwned>(&self, value: Value) -> Result<T, CliError> {
        serde_json::from_value(value).map_err(|error| self.garbled(error.to_string()))
    }

    /// Reads several.
    pub(crate) fn parse_all<T: DeserializeOwned>(&self, values: &[Value]) -> Result<Vec<T>, CliError> {
        values.iter().map(|value| self.parse(value.clone())).collect()
    }

    pub(crate) fn unreachable(&self, error: &reqwest::Error) -> CliError {
        CliError::Unreachable { hub: self.hub.to_string(), reason: causes(error) }
    }

    fn garbled(&self, reason: String) -> CliError {
        CliError::Garbled { hub: self.hub.to_string(), reason }
    }
}

/// Whether what is sent stays on this machine.
pub(crate) fn is_loopback(hub: &Url) -> bool {
    match hub.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The innermost cause says most ("Connection refused"); what is around it repeats the address.
fn causes(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it took too long".into();
    }
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
