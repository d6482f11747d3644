//! Bodies, queries and paths whose refusal is a problem like any other.

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::error::Error;

/// A JSON body.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        match axum::Json::from_request(request, state).await {
            Ok(axum::Json(value)) => Ok(Self(value)),
            Err(JsonRejection::BytesRejection(_)) => Err(Error::bad_body()),
            Err(rejection) => Err(Error::invalid(
                "bad_request",
                format!("The request's body can't be used: {}.", rejection.body_text()),
            )),
        }
    }
}

/// A JSON body that may be left out or empty: the default then.
pub struct JsonOrNothing<T>(pub T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for JsonOrNothing<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let body = Bytes::from_request(request, state).await.map_err(|_| Error::bad_body())?;
        if body.trim_ascii().is_empty() {
            return Ok(Self(T::default()));
        }
        let read = serde_json::from_slice(&body);
        read.map(Self).map_err(|error| {
            Error::invalid("bad_request", format!("The request's body can't be used: {error}."))
        })
    }
}

/// The query of the URL.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        axum::extract::Query::from_request_parts(parts, state).await.map(|query| Self(query.0)).map_err(
            |rejection: QueryRejection| {
                Error::invalid(
                    "bad_request",
                    format!("The URL's query can't be used: {}.", rejection.body_text()),
                )
            },
        )
    }
}

/// Ids in the path. One that is no id names nothing, so it is not found.
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        axum::extract::Path::from_request_parts(parts, state).await.map(|path| Self(path.0)).map_err(
            |_: PathRejection| Error::NotFound {
                detail: "There is nothing with this id. Ids look like 0190a7c2-6f00-7000-8000-000000000000."
                    .into(),
            },
        )
    }
}
