//! The OpenAPI document, generated from the routes.

use std::sync::Arc;

use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi, SecurityRequirement};
use utoipa_axum::router::OpenApiRouter;

use super::auth::COOKIE;
use crate::app::App;

/// The routes for people, CLI and integrations.
pub(super) fn people() -> OpenApiRouter<Arc<App>> {
    super::routes::all()
}

/// The whole document, as `stardust-hub openapi` prints it.
#[must_use]
pub fn document() -> OpenApi {
    finish(people().split_for_parts().1)
}

/// Adds what the routes can't know: the title and how to sign in.
pub(super) fn finish(mut spec: OpenApi) -> OpenApi {
    spec.info = InfoBuilder::new()
        .title("Stardust hub")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Printers, print files and print jobs of a workspace. Times are RFC 3339 UTC. Lists come in pages: \
             pass `next_cursor` as `cursor` for the next. Errors are problem details (RFC 9457).",
        ))
        .build();
    let mut components = ComponentsBuilder::from(spec.components.take().unwrap_or_default());
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    components = components
        .security_scheme("token", SecurityScheme::Http(bearer))
        .security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(COOKIE))));
    spec.components = Some(components.build());
    let none: [&str; 0] = [];
    spec.security =
        Some(vec![SecurityRequirement::new("token", none), SecurityRequirement::new("session", none)]);
    spec
}

#[cfg(test)]
mod tests {
    /// The dashboard's types are made from this file: `cargo run -p stardust-hub -- openapi > hub/openapi.json`.
    #[test]
    fn the_committed_document_is_the_one_that_the_hub_serves() {
        let now = super::document().to_pretty_json().unwrap();
        let committed = include_str!("../../openapi.json");
        assert!(
            now.trim() == committed.trim(),
            "hub/openapi.json is stale: run `cargo run -p stardust-hub -- openapi > hub/openapi.json`, then \
             `npm run api` in hub/dashboard"
        );
    }
}
