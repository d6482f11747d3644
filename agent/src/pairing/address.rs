//! The hub's address as a person types it: `https://hub`, `hub.example`, `http://192.168.1.5:8080/`.
//!
//! Owns: what is taken for an address. Must not know: whether a hub is there.

use url::Url;

use crate::settings::with_slash;

/// Reads an address; a scheme that is left out is `https`.
///
/// # Errors
/// It is none, in a sentence.
pub fn parse(text: &str) -> Result<Url, String> {
    let with_scheme = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let url: Url = with_scheme.parse().map_err(|error| format!("“{text}” is not an address: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(format!("“{text}” is not the address of a hub; it looks like https://hub.example"));
    }
    Ok(with_slash(url))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("https://hub.example", Some("https://hub.example/"))]
    #[case("hub.example", Some("https://hub.example/"))]
    #[case("http://192.168.1.5:8080", Some("http://192.168.1.5:8080/"))]
    #[case("https://example.org/stardust", Some("https://example.org/stardust/"))]
    #[case("ftp://hub", None)]
    #[case("https://", None)]
    fn addresses(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(parse(text).ok().map(|url| url.to_string()).as_deref(), expected);
    }
}
