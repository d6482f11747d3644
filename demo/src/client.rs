//! A small client of the hub's public API, for the demo and the tests. Answers are plain JSON values: a test
//! that reads a field by its name in the API also tests that name.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, COOKIE, ORIGIN, SET_COOKIE};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::{Error, Result, wait};

const TIMEOUT: Duration = Duration::from_secs(30);

/// Speaks to one hub, as nobody, as a person, or with a token.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    credential: Credential,
}

#[derive(Clone)]
enum Credential {
    None,
    Cookie(String),
    Token(String),
}

// Both are secrets: they must not reach a log by way of Debug.
impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Cookie(_) => "a cookie",
            Self::Token(_) => "a token",
        })
    }
}

impl Client {
    /// A client without credential.
    ///
    /// # Errors
    /// The HTTP client can't be built.
    pub fn new(url: &str) -> Result<Self> {
        // Fails when it is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().timeout(TIMEOUT).build()?;
        Ok(Self { http, url: url.trim_end_matches('/').to_owned(), credential: Credential::None })
    }

    /// Signs in as a person; the session's cookie goes with every later call.
    ///
    /// # Errors
    /// Wrong e-mail or password (`bad_credentials`), or no answer.
    pub async fn sign_in(&self, email: &str, password: &str) -> Result<Self> {
        let call = self.request(Method::POST, "/api/v1/session");
        let response = call.json(&json!({ "email": email, "password": password })).send().await?;
        let response = accepted("POST /api/v1/session", response).await?;
        let cookie = response
            .headers()
            .get_all(SET_COOKIE)
            .iter()
            .filter_map(|header| header.to_str().ok()?.split(';').next().map(str::to_owned))
            .collect::<Vec<_>>()
            .join("; ");
        Ok(Self { credential: Credential::Cookie(cookie), ..self.clone() })
    }

    /// The same hub, with an API token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { credential: Credential::Token(token.to_owned()), ..self.clone() }
    }

    /// The same hub, as nobody.
    #[must_use]
    pub fn anonymous(&self) -> Self {
        Self { credential: Credential::None, ..self.clone() }
    }

    /// Whether it calls as nobody.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        matches!(self.credential, Credential::None)
    }

    /// Where the hub is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A call with the credential, for what has no method of its own here. `path` starts with `/`.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let call = self.http.request(method, format!("{}{path}", self.url));
        match &self.credential {
            Credential::None => call,
            // What a browser sends: the hub takes a cookie's writes from its own pages only.
            Credential::Cookie(cookie) => call.header(COOKIE, cookie).header(ORIGIN, &self.url),
            Credential::Token(token) => call.header(AUTHORIZATION, format!("Bearer {token}")),
        }
    }

    /// GET, answered with JSON.
    ///
    /// # Errors
    /// Refused, no answer, or no JSON.
    pub async fn get(&self, path: &str) -> Result<Value> {
        let response = self.request(Method::GET, path).send().await?;
        Ok(accepted(&format!("GET {path}"), response).await?.json().await?)
    }

    /// POST of a JSON body, answered with JSON.
    ///
    /// # Errors
    /// Refused, no answer, or no JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let response = self.request(Method::POST, path).json(body).send().await?;
        Ok(accepted(&format!("POST {path}"), response).await?.json().await?)
    }

    /// Whether the hub says that it is ready; no answer is a no.
    pub async fn is_ready(&self) -> bool {
        let call = self.request(Method::GET, "/readyz").timeout(Duration::from_secs(2));
        call.send().await.is_ok_and(|response| response.status().is_success())
    }

    /// Makes an API token; its text.
    ///
    /// # Errors
    /// Refused or no answer.
    pub async fn new_token(&self, name: &str) -> Result<String> {
        let answer = self.post("/api/v1/tokens", &json!({ "name": name })).await?;
        text(&answer, "POST /api/v1/tokens", "token")
    }

    /// Makes a pairing code.
    ///
    /// # Errors
    /// Refused or no answer.
    pub async fn pairing_code(&self) -> Result<String> {
        let answer = self.post("/api/v1/pairing-codes", &json!({})).await?;
        text(&answer, "POST /api/v1/pairing-codes", "code")
    }

    /// Uploads a file; the `PrintFile`.
    ///
    /// # Errors
    /// Refused or no answer.
    pub async fn upload(&self, name: &str, bytes: Vec<u8>) -> Result<Value> {
        let path = "/api/v1/files";
        let response = self.request(Method::POST, path).query(&[("name", name)]).body(bytes).send().await?;
        Ok(accepted(&format!("POST {path}"), response).await?.json().await?)
    }

    /// One file.
    ///
    /// # Errors
    /// Refused or no answer.
    pub async fn file(&self, id: &str) -> Result<Value> {
        self.get(&format!("/api/v1/files/{id}")).await
    }

    /// Waits until the metadata of a file have been read, or reading them has failed; the `PrintFile`.
    ///
    /// # Errors
    /// Neither within the deadline, or the hub refused.
    pub async fn extracted_file(&self, id: &str, deadline: Duration) -> Result<Value> {
        wait::try_until("the file's metadata", deadline, async || {
            let file = self.file(id).await?;
            Ok((file["extraction"] != "pending").then_some(file))
        })
        .await
    }

    /// All printers (of the first page).
    ///
    /// # Errors
    /// Refused or no answer.
    pub async fn printers(&self) -> Result<Vec<Value>> {
        items(self.get("/api/v1/printers?limit=200").await?, "GET /api/v1/printers")
    }

    /// One printer.
    ///
    /// # Errors
    /// Refused or no answer.
    pub async fn printer(&self, id: &str) -> Result<Value> {
        self.get(&format!("/api/v1/printers/{id}")).await
    }

    /// Jobs of a scope (`active`, `history`, `all`), of the first page.
    ///
    /// # Errors
    /// Refused or no answer.
    pub async fn jobs(&self, scope: &str) -> Result<Vec<Value>> {
        items(self.get(&format!("/api/v1/jobs?limit=200&scope={scope}")).await?, "GET /api/v1/jobs")
    }

    /// Puts a file into the queue, for one printer or for the first available one; the `PrintJob`.
    ///
    /// # Errors
    /// Refused or no answer.
    pub async fn create_job(&self, file_id: &str, printer_id: Option<&str>) -> Result<Value> {
        self.post("/api/v1/jobs", &json!({ "file_id": file_id, "printer_id": printer_id })).await
    }

    /// One job.
    ///
    /// # Errors
    /// Refused or no answer.
    pub async fn job(&self, id: &str) -> Result<Value> {
        self.get(&format!("/api/v1/jobs/{id}")).await
    }

    /// The states that a job went through, oldest first.
    ///
    /// # Errors
    /// Refused or no answer.
    pub async fn transitions(&self, job_id: &str) -> Result<Vec<Value>> {
        let path = format!("/api/v1/jobs/{job_id}/transitions?limit=200");
        items(self.get(&path).await?, "GET /api/v1/jobs/…/transitions")
    }

    /// Asks for something to be done with a job: `pause`, `resume`, `cancel` or `confirm-removal`; the `PrintJob`.
    ///
    /// # Errors
    /// `not_possible_now`, `nothing_to_remove`, or no answer.
    pub async fn ask(&self, job_id: &str, what: &str) -> Result<Value> {
        self.post(&format!("/api/v1/jobs/{job_id}/{what}"), &json!({})).await
    }

    /// Waits until a job is in a state; the `PrintJob`.
    ///
    /// # Errors
    /// It is not within the deadline (the message tells in which state it was last), or the hub refused.
    pub async fn job_in_state(&self, job_id: &str, state: &str, deadline: Duration) -> Result<Value> {
        let mut last = String::new();
        let seen = wait::try_until("", deadline, async || {
            let job = self.job(job_id).await?;
            last = format!("{} {}", job["state"], job["reason"]);
            Ok((job["state"] == state).then_some(job))
        })
        .await;
        seen.map_err(|error| match error {
            Error::NotInTime { after, .. } => {
                Error::NotInTime { what: format!("job {job_id} to be {state}; last it was {last}"), after }
            }
            other => other,
        })
    }
}

/// The response, if it is a success; else the problem in it.
async fn accepted(call: &str, response: Response) -> Result<Response> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let body = response.text().await?;
    let problem: Value = serde_json::from_str(&body).unwrap_or_default();
    let word = |field: &str| problem[field].as_str().map(str::to_owned);
    Err(Error::Refused {
        call: call.to_owned(),
        status: status.as_u16(),
        code: word("code").unwrap_or_default(),
        detail: word("detail").unwrap_or(body),
    })
}

fn text(answer: &Value, call: &str, field: &'static str) -> Result<String> {
    answer[field].as_str().map(str::to_owned).ok_or_else(|| Error::Answer {
        call: call.to_owned(),
        field,
        answer: answer.to_string(),
    })
}

fn items(mut page: Value, call: &str) -> Result<Vec<Value>> {
    match page["items"].take() {
        Value::Array(items) => Ok(items),
        _ => Err(Error::Answer { call: call.to_owned(), field: "items", answer: page.to_string() }),
    }
}
