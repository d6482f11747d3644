//! Lists in pages: a cursor is the place of the last item in the list's order, opaque to clients.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// One page of a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// Where the next page begins; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Which page of a list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Most items on the page, 1 to 200 (50 when absent).
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// A place in a list that is ordered by a number (a time, mostly) and an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The number of the last item.
    pub key: i64,
    /// Its id.
    pub id: String,
}

impl Place {
    /// Before the first item of an ascending list.
    #[must_use]
    pub fn lowest() -> Self {
        Self { key: i64::MIN, id: String::new() }
    }

    /// Before the first item of a descending list.
    #[must_use]
    pub fn highest() -> Self {
        Self { key: i64::MAX, id: "~".into() }
    }

    fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{} {}", self.key, self.id))
    }

    fn decode(cursor: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        let (key, id) = text.split_once(' ')?;
        Some(Self { key: key.parse().ok()?, id: id.to_owned() })
    }
}

impl PageQuery {
    /// Most items on the page.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit.unwrap_or(50).clamp(1, 200) as usize
    }

    /// Where the page begins, or `start` for the first.
    ///
    /// # Errors
    /// The cursor is none of ours.
    pub fn place_or(&self, start: Place) -> Result<Place, Error> {
        match &self.cursor {
            None => Ok(start),
            Some(cursor) => Place::decode(cursor).ok_or_else(|| {
                Error::invalid(
                    "bad_cursor",
                    "This cursor is not one of this list. Fetch the first page again.",
                )
            }),
        }
    }
}

impl<T> Page<T> {
    /// Makes a page of up to `limit + 1` fetched items: the one too many tells that there is a next page.
    pub fn of(mut items: Vec<T>, limit: usize, place: impl Fn(&T) -> Place) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = items.last().filter(|_| more).map(|last| place(last).encode());
        Self { items, next_cursor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_to_the_place_after_the_last_item() {
        let page = Page::of(vec![1_i64, 2, 3], 2, |n| Place { key: *n, id: format!("id {n}") });
        assert_eq!(page.items, [1, 2]);
        let query = PageQuery { limit: None, cursor: page.next_cursor };
        assert_eq!(query.place_or(Place::lowest()).unwrap(), Place { key: 2, id: "id 2".into() });
        assert!(Page::of(vec![1_i64, 2], 2, |_| Place::lowest()).next_cursor.is_none());
    }

    #[test]
    fn a_foreign_cursor_is_refused() {
        for cursor in ["", "x", "!!!", "bm8"] {
            let query = PageQuery { limit: None, cursor: Some(cursor.into()) };
            assert!(query.place_or(Place::lowest()).is_err(), "{cursor}");
        }
    }
}
