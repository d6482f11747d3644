//! The calls of `/agent/v1`.
//!
//! Owns: URLs, the credential, and what an answer means. Must not know: when to call; it never repeats a call.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RANGE};
use reqwest::{Method, Request, Response, StatusCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use stardust_protocol::agent_api::{
    ClaimRequest, ClaimResponse, CommandsResponse, EventsRequest, EventsResponse, INSTANCE_HEADER,
    PairRequest, PairResponse, PinPollRequest, PinPollResponse, PinRequest, PinResponse, SessionResponse,
    StartRequest, StartResponse, TelemetryRequest, TelemetryResponse,
};
use stardust_protocol::{AgentEvent, ClaimId, JobId, ProtocolVersion, TelemetrySample, limits};
use tokio::time::Instant;
use url::Url;

use super::back_off::BackOff;
use super::instance::Instance;
use super::transport::{Network, Transport, causes};

/// An answer that takes longer will not come.
const CALL_TIMEOUT: Duration = Duration::from_secs(20);
/// One that the hub keeps back until there is something to say takes so much longer.
const KEPT_BACK: Duration = Duration::from_millis(limits::COMMAND_WAIT_MS.unsigned_abs());

/// A call has failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum HubError {
    /// No answer.
    #[error("The hub at {url} can't be reached: {cause}")]
    Unreachable {
        /// Where it was looked for.
        url: String,
        /// What went wrong.
        cause: String,
    },
    /// The credential does not count any more.
    #[error("The hub no longer accepts this printer's credential: pair the printer again")]
    Revoked,
    /// The hub has refused, with its reason.
    #[error("{detail}")]
    Problem {
        /// HTTP status.
        status: u16,
        /// A stable word.
        code: String,
        /// A sentence.
        detail: String,
    },
    /// The answer is none of the contract's.
    #[error("{url} does not answer as a Stardust hub: {cause}")]
    Strange {
        /// Who answered.
        url: String,
        /// What was wrong.
        cause: String,
    },
}

impl HubError {
    /// Whether the claim is gone: the job is dropped unprinted.
    #[must_use]
    pub fn is_claim_lost(&self) -> bool {
        matches!(self, Self::Problem { status: 404 | 409 | 410, .. })
    }

    /// Whether the same call would be refused again, now and later: the fault is in what was said.
    #[must_use]
    pub fn is_for_good(&self) -> bool {
        // Not: too slow, another agent is listened to, too early, too often.
        matches!(self, Self::Problem { status, .. } if (400..500).contains(status) && ![408, 423, 425, 429].contains(status))
    }
}

/// Problem details (RFC 9457), as far as they matter here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Problem {
    title: String,
    detail: String,
    code: String,
}

/// A device token. Not printable.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential(String);

impl Credential {
    /// From a file's text or an answer.
    #[must_use]
    pub fn new(token: &str) -> Self {
        Self(token.trim().to_owned())
    }

    /// The token itself: for the wire and the credential's file alone.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credential(…)")
    }
}

/// The hub, as this printer sees it.
#[derive(Debug, Clone)]
pub struct HubClient {
    transport: Arc<dyn Transport>,
    base: Url,
    credential: Option<Credential>,
    instance: Option<Instance>,
}

impl HubClient {
    /// A client for the hub at `base`; `ca`: the file of those who vouch for it besides those of the system.
    #[must_use]
    pub fn new(base: Url, credential: Option<Credential>, ca: Option<PathBuf>) -> Self {
        Self::over(Arc::new(Network::new(ca)), base, credential)
    }

    /// The same over a transport that is there already.
    #[must_use]
    pub fn over(transport: Arc<dyn Transport>, base: Url, credential: Option<Credential>) -> Self {
        Self { transport, base, credential, instance: None }
    }

    /// A number that is another one for each process.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.transport.seed()
    }

    /// How long to wait between attempts to reach the hub.
    #[must_use]
    pub fn back_off(&self) -> BackOff {
        BackOff::for_hub(self.transport.seed())
    }

    /// Tells this agent apart from others that use the same credential.
    #[must_use]
    pub fn speaking_as(self, instance: Instance) -> Self {
        Self { instance: Some(instance), ..self }
    }

    /// Where the hub is.
    #[must_use]
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// The credential, for MQTT.
    #[must_use]
    pub fn credential(&self) -> Option<&Credential> {
        self.credential.as_ref()
    }

    /// Turns a pairing code into a credential.
    ///
    /// # Errors
    /// [`HubError`].
    pub async fn pair(&self, request: &PairRequest) -> Result<PairResponse, HubError> {
        self.call(Method::POST, "agent/v1/pair", Some(request)).await
    }

    /// Asks for a PIN that a member types into the dashboard.
    ///
    /// # Errors
    /// [`HubError`].
    pub async fn new_pin(&self, request: &PinRequest) -> Result<PinResponse, HubError> {
        self.call(Method::POST, "agent/v1/pairing-pins", Some(request)).await
    }

    /// Asks whether a PIN was typed.
    ///
    /// # Errors
    /// [`HubError`]; a problem of status 404: the PIN is none any more.
    pub async fn poll_pin(&self, request: &PinPollRequest) -> Result<PinPollResponse, HubError> {
        self.call(Method::POST, "agent/v1/pairing-pins/poll", Some(request)).await
    }

    /// Who we are to the hub, and where its MQTT is. The hub's clock comes as it shows by now, at the latest: a command
    /// is rather taken for too old than carried out too late, where the answer was long on its way.
    ///
    /// # Errors
    /// [`HubError`].
    pub async fn session(&self) -> Result<SessionResponse, HubError> {
        let asked = Instant::now();
        let mut session: SessionResponse = self.call(Method::GET, "agent/v1/session", None::<&()>).await?;
        let took_ms = i64::try_from(asked.elapsed().as_millis()).unwrap_or(i64::MAX);
        session.now = session.now.plus_millis(took_ms);
        Ok(session)
    }

    /// Asks for the next job.
    ///
    /// # Errors
    /// [`HubError`].
    pub async fn claim(&self, free_spool_bytes: Option<u64>) -> Result<ClaimResponse, HubError> {
        let request = ClaimRequest { protocol: ProtocolVersion::CURRENT, free_spool_bytes };
        self.call(Method::POST, "agent/v1/claim", Some(&request)).await
    }

    /// Asks for leave to start.
    ///
    /// # Errors
    /// [`HubError`].
    pub async fn start(&self, job: JobId, claim_id: ClaimId) -> Result<StartResponse, HubError> {
        let path = format!("agent/v1/jobs/{job}/start");
        self.call(Method::POST, &path, Some(&StartRequest { claim_id })).await
    }

    /// Posts events, in order and without gaps.
    ///
    /// # Errors
    /// [`HubError`].
    pub async fn events(&self, events: Vec<AgentEvent>) -> Result<EventsResponse, HubError> {
        self.call(Method::POST, "agent/v1/events", Some(&EventsRequest { events })).await
    }

    /// Posts what was seen of prints.
    ///
    /// # Errors
    /// [`HubError`].
    pub async fn telemetry(&self, samples: Vec<TelemetrySample>) -> Result<TelemetryResponse, HubError> {
        self.call(Method::POST, "agent/v1/telemetry", Some(&TelemetryRequest { samples })).await
    }

    /// The commands whose outcome the hub does not know.
    ///
    /// # Errors
    /// [`HubError`].
    pub async fn commands(&self) -> Result<CommandsResponse, HubError> {
        self.call(Method::GET, "agent/v1/commands", None::<&()>).await
    }

    /// What the hub says to this agent, as soon as it says something; after a while nothing.
    ///
    /// # Errors
    /// [`HubError`]; a problem of status 404: the hub knows no such call.
    pub async fn next_commands(&self) -> Result<CommandsResponse, HubError> {
        let mut request = self.request(Method::GET, "agent/v1/commands/next")?;
        *request.timeout_mut() = Some(CALL_TIMEOUT + KEPT_BACK);
        self.send(request).await?.json().await.map_err(|error| self.strange(&error))
    }

    /// Begins to download a job's file at `offset`. The answer may begin at 0 all the same (status 200).
    ///
    /// # Errors
    /// [`HubError`].
    pub async fn file(&self, job: JobId, offset: u64) -> Result<Response, HubError> {
        let mut request = self.request(Method::GET, &format!("agent/v1/jobs/{job}/file"))?;
        if offset > 0 {
            let range = format!("bytes={offset}-").try_into().map_err(|error| self.strange(&error))?;
            request.headers_mut().insert(RANGE, range);
        }
        self.send(request).await
    }

    fn request(&self, method: Method, path: &str) -> Result<Request, HubError> {
        let url = self.base.join(path).map_err(|error| self.strange(&error))?;
        let mut request = Request::new(method, url);
        if let Some(credential) = &self.credential {
            let bearer = format!("Bearer {}", credential.secret());
            let mut bearer: HeaderValue = bearer.try_into().map_err(|error| self.strange(&error))?;
            bearer.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, bearer);
        }
        if let Some(instance) = &self.instance {
            let instance = HeaderValue::from_str(instance.as_str()).map_err(|error| self.strange(&error))?;
            request.headers_mut().insert(INSTANCE_HEADER, instance);
        }
        Ok(request)
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<T, HubError> {
        let mut request = self.request(method, path)?;
        *request.timeout_mut() = Some(CALL_TIMEOUT);
        if let Some(body) = body {
            let json = serde_json::to_vec(body).map_err(|error| self.strange(&error))?;
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *request.body_mut() = Some(json.into());
        }
        self.send(request).await?.json().await.map_err(|error| self.strange(&error))
    }

    async fn send(&self, request: Request) -> Result<Response, HubError> {
        let sent = self.transport.send(request).await;
        let response = sent.map_err(|cause| HubError::Unreachable { url: self.base.to_string(), cause })?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        if status == StatusCode::UNAUTHORIZED && self.credential.is_some() {
            return Err(HubError::Revoked);
        }
        let problem: Problem = response.json().await.unwrap_or_default();
        let title =
            if problem.title.is_empty() { format!("The hub answered {status}") } else { problem.title };
        let detail = if problem.detail.is_empty() { title } else { problem.detail };
        Err(HubError::Problem { status: status.as_u16(), code: problem.code, detail })
    }

    fn strange(&self, error: &dyn std::error::Error) -> HubError {
        HubError::Strange { url: self.base.to_string(), cause: causes(error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_not_printable() {
        let text = format!("{:?}", Credential::new("secret-token\n"));
        assert!(!text.contains("secret"), "{text}");
    }

    fn problem(status: u16) -> HubError {
        HubError::Problem { status, code: String::new(), detail: String::new() }
    }

    #[test]
    fn what_is_refused_for_good_is_not_said_again() {
        assert!([400, 404, 413, 422].into_iter().all(|status| problem(status).is_for_good()));
        assert!(![408, 423, 429, 500, 503].into_iter().any(|status| problem(status).is_for_good()));
        assert!(!HubError::Revoked.is_for_good(), "another credential may count");
    }

    #[test]
    fn a_claim_is_lost_by_a_conflict_not_by_a_fault() {
        assert!(problem(409).is_claim_lost());
        assert!(!problem(503).is_claim_lost());
        assert!(!problem(423).is_claim_lost(), "another agent speaks for the printer now");
    }
}
