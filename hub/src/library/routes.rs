//! `/api/v1/files`.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use futures::TryStreamExt as _;
use serde::Deserialize;
use stardust_protocol::{FileId, FileVersionId};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::file::PrintFile;
use super::{content, form, store, upload};
use crate::accounts::Person;
use crate::api::extract::{Path, Query};
use crate::api::page::{Page, PageQuery};
use crate::api::problem::Problem;
use crate::app::App;
use crate::error::Error;
use crate::events::bus::Resource;
use crate::objects::Stored;

/// The name of an upload.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct UploadQuery {
    /// The file's name: `bracket.gcode`. A form (multipart/form-data) may name its file itself.
    name: Option<String>,
}

/// An upload as a form.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the form; it is read as a stream")]
struct UploadForm {
    /// The file, with its name. Other fields are left alone.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// Which version's picture.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ThumbnailQuery {
    /// The version; absent: the newest.
    v: Option<FileVersionId>,
}

/// The routes of the library.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, delete))
        .routes(routes!(download))
        .routes(routes!(thumbnail))
}

/// Lists the print files, newest first.
#[utoipa::path(get, path = "/api/v1/files", operation_id = "list_files", tag = "files", params(PageQuery),
    responses((status = 200, body = Page<PrintFile>)))]
async fn list(
    State(app): State<Arc<App>>,
    person: Person,
    Query(page): Query<PageQuery>,
) -> Result<axum::Json<Page<PrintFile>>, Error> {
    Ok(axum::Json(store::list(&app.db, person.workspace_id, &page).await?))
}

/// Uploads a print file. The body is the file's bytes, or a form with the file in it.
///
/// The same name again makes a new version of that file. What is announced to be larger than the hub takes is
/// refused before it is read.
#[utoipa::path(post, path = "/api/v1/files", operation_id = "upload_file", tag = "files", params(UploadQuery),
    request_body(content((Vec<u8> = "application/octet-stream"), (UploadForm = "multipart/form-data"))),
    responses((status = 201, body = PrintFile), (status = 200, body = PrintFile, description = "These bytes stood there under this name already"),
              (status = 400, body = Problem, content_type = "application/problem+json"),
              (status = 413, body = Problem, content_type = "application/problem+json"),
              (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn create(
    State(app): State<Arc<App>>,
    person: Person,
    Query(query): Query<UploadQuery>,
    request: Request,
) -> Result<(StatusCode, axum::Json<PrintFile>), Error> {
    let length = request.headers().get(header::CONTENT_LENGTH);
    let declared = length.and_then(|value| value.to_str().ok()?.parse().ok());
    let boundary = form::boundary(request.headers())?;
    let body = request.into_body().into_data_stream();
    let body = body.map_err(|error| upload::incomplete(&error.to_string()));
    let unnamed =
        || Error::invalid("bad_request", "The file has no name. Add one to the URL: ?name=bracket.gcode.");
    let uploaded = if let Some(boundary) = boundary {
        upload::check_announced(&app, declared, form::MAX_WRAPPER_BYTES)?;
        let file = form::open(body, boundary).await?;
        let name = query.name.or(file.name).ok_or_else(unnamed)?;
        upload::take(&app, &person, &name, None, file.bytes).await?
    } else {
        let name = query.name.ok_or_else(unnamed)?;
        upload::take(&app, &person, &name, declared, body).await?
    };
    let status = if uploaded.new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, axum::Json(uploaded.file)))
}

/// Tells of one print file.
#[utoipa::path(get, path = "/api/v1/files/{id}", operation_id = "get_file", tag = "files", params(("id" = FileId, Path,)),
    responses((status = 200, body = PrintFile), (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn get(
    State(app): State<Arc<App>>,
    person: Person,
    Path(id): Path<FileId>,
) -> Result<axum::Json<PrintFile>, Error> {
    Ok(axum::Json(store::get(&app.db, person.workspace_id, id).await?))
}

/// Deletes a print file. What was printed from it stays in the history.
#[utoipa::path(delete, path = "/api/v1/files/{id}", operation_id = "delete_file", tag = "files", params(("id" = FileId, Path,)),
    responses((status = 204), (status = 404, body = Problem, content_type = "application/problem+json"),
              (status = 409, body = Problem, content_type = "application/problem+json")))]
async fn delete(
    State(app): State<Arc<App>>,
    person: Person,
    Path(id): Path<FileId>,
) -> Result<StatusCode, Error> {
    store::delete(&app.db, app.clock.now(), person.workspace_id, id).await?;
    app.bus.remove(person.workspace_id, Resource::File, id.to_string());
    Ok(StatusCode::NO_CONTENT)
}

/// Downloads a print file. `Range` is honoured.
#[utoipa::path(get, path = "/api/v1/files/{id}/content", operation_id = "download_file", tag = "files", params(("id" = FileId, Path,)),
    responses((status = 200, body = Vec<u8>, content_type = "text/x.gcode"),
              (status = 206, body = Vec<u8>, content_type = "text/x.gcode"),
              (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn download(
    State(app): State<Arc<App>>,
    person: Person,
    Path(id): Path<FileId>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let file = store::get(&app.db, person.workspace_id, id).await?;
    let object = Stored { sha256: file.sha256, size_bytes: file.size_bytes };
    let mut response =
        content::respond(&app.objects, &object, &headers, "text/x.gcode", |bytes| bytes).await?;
    // RFC 6266 with RFC 8187: the name in UTF-8, percent-encoded.
    let name: String = url::form_urlencoded::byte_serialize(file.name.as_bytes()).collect();
    let disposition = format!("attachment; filename*=UTF-8''{}", name.replace('+', "%20"));
    if let Ok(value) = HeaderValue::from_str(&disposition) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

/// Shows a print file's picture.
#[utoipa::path(get, path = "/api/v1/files/{id}/thumbnail", operation_id = "get_thumbnail", tag = "files", params(("id" = FileId, Path,), ThumbnailQuery),
    responses((status = 200, body = Vec<u8>, content_type = "image/png"),
              (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn thumbnail(
    State(app): State<Arc<App>>,
    person: Person,
    Path(id): Path<FileId>,
    Query(query): Query<ThumbnailQuery>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let version = match query.v {
        Some(version) => version,
        None => store::get(&app.db, person.workspace_id, id).await?.version_id,
    };
    let version = store::version(&app.db, person.workspace_id, version).await?;
    let found = version.thumbnail.filter(|_| version.file_id == id);
    let (sha256, media_type) = found.ok_or_else(|| Error::no_such("picture"))?;
    let bytes = crate::objects::collect(app.objects.read(&sha256, None).await?).await?;
    let object = Stored { sha256, size_bytes: bytes.len() as u64 };
    let mut response =
        content::respond(&app.objects, &object, &headers, &media_type, |stream| stream).await?;
    // The address names the version, whose picture never changes.
    if query.v.is_some() {
        let forever = HeaderValue::from_static("private, max-age=31536000, immutable");
        response.headers_mut().insert(header::CACHE_CONTROL, forever);
    }
    Ok(response)
}
