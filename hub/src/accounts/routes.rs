//! `/api/v1/session` and `/api/v1/tokens`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse};
use serde::{Deserialize, Serialize};
use stardust_protocol::{Timestamp, TokenId, UserId, WorkspaceId, limits};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::tokens::ApiToken;
use super::{Person, Role, sessions, tokens};
use crate::api::auth::{COOKIE, SECURE_COOKIE, session_cookie};
use crate::api::extract::{Json, Path, Query};
use crate::api::page::{Page, PageQuery};
use crate::api::problem::Problem;
use crate::app::App;
use crate::error::Error;

/// E-mail and password.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct SignIn {
    /// The member's e-mail address.
    email: String,
    /// Their password.
    #[schema(format = Password)]
    password: String,
}

/// Who is signed in, and where.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Session {
    /// Who.
    user: SessionUser,
    /// Where.
    workspace: SessionWorkspace,
    /// When the session ends; for an API token: absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
}

/// A signed-in member.
#[derive(Serialize, utoipa::ToSchema)]
pub struct SessionUser {
    /// The member's id.
    id: UserId,
    /// Their e-mail address.
    email: String,
    /// Their name.
    name: String,
    /// What they may do.
    role: Role,
}

/// The workspace of a session.
#[derive(Serialize, utoipa::ToSchema)]
pub struct SessionWorkspace {
    /// Its id.
    id: WorkspaceId,
    /// Its name.
    name: String,
}

fn session(person: Person, expires_at: Option<Timestamp>) -> Session {
    Session {
        user: SessionUser { id: person.user_id, email: person.email, name: person.name, role: person.role },
        workspace: SessionWorkspace { id: person.workspace_id, name: person.workspace_name },
        expires_at,
    }
}

/// A new API token's name.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct NewTokenRequest {
    /// What it is for: "laptop".
    name: String,
}

/// A new API token with its secret.
#[derive(Serialize, utoipa::ToSchema)]
pub struct NewApiToken {
    /// The token.
    #[serde(flatten)]
    info: ApiToken,
    /// The secret. It is never shown again.
    token: String,
}

/// The routes of accounts.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(sign_in, who_am_i, sign_out))
        .routes(routes!(list_tokens, create_token))
        .routes(routes!(delete_token))
}

/// Signs in; the answer sets the session cookie.
#[utoipa::path(post, path = "/api/v1/session", operation_id = "sign_in", tag = "accounts", request_body = SignIn, security(()),
    responses((status = 200, body = Session), (status = 401, body = Problem, content_type = "application/problem+json")))]
async fn sign_in(State(app): State<Arc<App>>, Json(given): Json<SignIn>) -> Result<impl IntoResponse, Error> {
    let new =
        sessions::sign_in(&app.db, &app.passwords, app.clock.now(), &given.email, given.password).await?;
    let cookie = cookie(&app, &new.token, sessions::LIFETIME_MS / 1000);
    Ok((AppendHeaders([(header::SET_COOKIE, cookie)]), axum::Json(session(new.person, Some(new.expires_at)))))
}

fn cookie(app: &App, token: &str, max_age_s: i64) -> String {
    let https = app.config.public_url.as_ref().is_some_and(|url| url.scheme() == "https");
    let (name, secure) = if https { (SECURE_COOKIE, "; Secure") } else { (COOKIE, "") };
    format!("{name}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={max_age_s}{secure}")
}

/// Tells who is signed in.
#[utoipa::path(get, path = "/api/v1/session", operation_id = "get_session", tag = "accounts",
    responses((status = 200, body = Session), (status = 401, body = Problem, content_type = "application/problem+json")))]
async fn who_am_i(person: Person) -> axum::Json<Session> {
    axum::Json(session(person, None))
}

/// Signs out.
#[utoipa::path(delete, path = "/api/v1/session", operation_id = "sign_out", tag = "accounts", responses((status = 204)))]
async fn sign_out(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    _person: Person,
) -> Result<impl IntoResponse, Error> {
    if let Some(token) = session_cookie(&headers) {
        sessions::end(&app.db, token).await?;
    }
    Ok((StatusCode::NO_CONTENT, AppendHeaders([(header::SET_COOKIE, cookie(&app, "", 0))])))
}

/// Lists the API tokens of whoever asks.
#[utoipa::path(get, path = "/api/v1/tokens", operation_id = "list_tokens", tag = "accounts", params(PageQuery),
    responses((status = 200, body = Page<ApiToken>)))]
async fn list_tokens(
    State(app): State<Arc<App>>,
    person: Person,
    Query(page): Query<PageQuery>,
) -> Result<axum::Json<Page<ApiToken>>, Error> {
    Ok(axum::Json(tokens::list(&app.db, &person, &page).await?))
}

/// Makes an API token.
#[utoipa::path(post, path = "/api/v1/tokens", operation_id = "create_token", tag = "accounts", request_body = NewTokenRequest,
    responses((status = 201, body = NewApiToken), (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn create_token(
    State(app): State<Arc<App>>,
    person: Person,
    Json(request): Json<NewTokenRequest>,
) -> Result<(StatusCode, axum::Json<NewApiToken>), Error> {
    let name = request.name.trim();
    if name.is_empty() || name.chars().count() > limits::MAX_NAME_CHARS {
        return Err(Error::invalid("bad_name", "Give the token a name of 1 to 200 characters."));
    }
    let (info, token) = tokens::create(&app.db, app.clock.now(), &person, name).await?;
    Ok((StatusCode::CREATED, axum::Json(NewApiToken { info, token })))
}

/// Withdraws an API token.
#[utoipa::path(delete, path = "/api/v1/tokens/{id}", operation_id = "delete_token", tag = "accounts", params(("id" = TokenId, Path,)),
    responses((status = 204), (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn delete_token(
    State(app): State<Arc<App>>,
    person: Person,
    Path(id): Path<TokenId>,
) -> Result<StatusCode, Error> {
    tokens::delete(&app.db, &person, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
