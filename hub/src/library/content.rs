//! Handing bytes out over HTTP: whole or one range, with an ETag that is the hash.

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures::Stream;

use crate::error::Error;
use crate::objects::{Objects, Stored};

/// What a `Range` header asks for, of an object of a given length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// All of it.
    Whole,
    /// From the first byte up to, not including, the second.
    Part(u64, u64),
    /// Nothing that there is.
    Unsatisfiable,
}

/// Reads a `Range` header (RFC 9110, 14.2). Forms that we don't serve, such as several ranges, mean all of it.
#[must_use]
pub fn wanted(range: Option<&str>, length: u64) -> Wanted {
    let Some((first, last)) = range.and_then(|r| r.strip_prefix("bytes=")).and_then(|r| r.split_once('-'))
    else {
        return Wanted::Whole;
    };
    match (first.trim().parse::<u64>(), last.trim().parse::<u64>(), first.is_empty(), last.is_empty()) {
        (Ok(first), _, _, true) if first < length => Wanted::Part(first, length),
        (Ok(first), Ok(last), ..) if first < length && first <= last => {
            Wanted::Part(first, (last.saturating_add(1)).min(length))
        }
        (_, Ok(suffix), true, _) if suffix > 0 && length > 0 => {
            Wanted::Part(length.saturating_sub(suffix), length)
        }
        (Ok(_), _, _, true) | (Ok(_), Ok(_), ..) | (_, Ok(_), true, _) => Wanted::Unsatisfiable,
        _ => Wanted::Whole,
    }
}

/// Answers with an object. `watch` sees the bytes go by.
///
/// # Errors
/// The object store's.
pub async fn respond<S>(
    objects: &Objects,
    object: &Stored,
    headers: &HeaderMap,
    media_type: &str,
    watch: impl FnOnce(futures::stream::BoxStream<'static, Result<Bytes, object_store::Error>>) -> S,
) -> Result<Response, Error>
where
    S: Stream<Item = Result<Bytes, object_store::Error>> + Send + 'static,
{
    let etag = format!("\"{}\"", object.sha256);
    let text = |name| headers.get(name).and_then(|value: &header::HeaderValue| value.to_str().ok());
    if text(header::IF_NONE_MATCH) == Some(etag.as_str()) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response());
    }
    // A range of another version would be glued to the wrong bytes.
    let same = text(header::IF_RANGE).is_none_or(|known| known == etag);
    let length = object.size_bytes;
    let (status, range) = match wanted(text(header::RANGE).filter(|_| same), length) {
        Wanted::Whole => (StatusCode::OK, None),
        Wanted::Part(first, end) => (StatusCode::PARTIAL_CONTENT, Some(first..end)),
        Wanted::Unsatisfiable => {
            let range = [(header::CONTENT_RANGE, format!("bytes */{length}"))];
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, range).into_response());
        }
    };
    let sent = range.as_ref().map_or(length, |range| range.end - range.start);
    let content_range =
        range.as_ref().map(|r| format!("bytes {}-{}/{length}", r.start, r.end.saturating_sub(1)));
    let bytes = watch(objects.read(&object.sha256, range).await?);
    let mut response = Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, media_type)
        .header(header::CONTENT_LENGTH, sent)
        .header(header::ACCEPT_RANGES, "bytes")
        .header(header::ETAG, etag);
    if let Some(range) = content_range {
        response = response.header(header::CONTENT_RANGE, range);
    }
    response.body(Body::from_stream(bytes)).map_err(|error| Error::Internal(format!("response: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(None, Wanted::Whole)]
    #[case(Some("bytes=0-"), Wanted::Part(0, 10))]
    #[case(Some("bytes=4-"), Wanted::Part(4, 10))]
    #[case(Some("bytes=4-4"), Wanted::Part(4, 5))]
    #[case(Some("bytes=4-99"), Wanted::Part(4, 10))]
    #[case(Some("bytes=4-18446744073709551615"), Wanted::Part(4, 10))]
    #[case(Some("bytes=-3"), Wanted::Part(7, 10))]
    #[case(Some("bytes=-99"), Wanted::Part(0, 10))]
    #[case(Some("bytes=10-"), Wanted::Unsatisfiable)]
    #[case(Some("bytes=-0"), Wanted::Unsatisfiable)]
    #[case(Some("bytes=5-4"), Wanted::Unsatisfiable)]
    #[case(Some("bytes=1-2,4-5"), Wanted::Whole)]
    #[case(Some("lines=1-2"), Wanted::Whole)]
    #[case(Some("bytes=-"), Wanted::Whole)]
    fn ranges_of_ten_bytes(#[case] header: Option<&str>, #[case] expected: Wanted) {
        assert_eq!(wanted(header, 10), expected);
    }
}
