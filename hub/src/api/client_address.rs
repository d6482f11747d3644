//! From which address a request comes.
//!
//! A proxy on this very machine is believed (it sets `X-Forwarded-For`): nobody else can speak from loopback.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;

use crate::app::App;

/// The address of whoever asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl FromRequestParts<Arc<App>> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip());
        Ok(Self(of(peer, &parts.headers)))
    }
}

fn of(peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    if !peer.to_canonical().is_loopback() {
        return peer;
    }
    // Each proxy appends whom it has heard: what stands before the last one is hearsay.
    let forwarded = headers.get_all("x-forwarded-for").iter().next_back();
    let last = forwarded.and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
    last.unwrap_or(peer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("192.0.2.1", None, "192.0.2.1")]
    #[case("192.0.2.1", Some("198.51.100.7"), "192.0.2.1")]
    #[case("127.0.0.1", Some("198.51.100.7"), "198.51.100.7")]
    #[case("::1", Some("203.0.113.5, 198.51.100.7"), "198.51.100.7")]
    #[case("127.0.0.1", Some("nonsense"), "127.0.0.1")]
    #[case("127.0.0.1", None, "127.0.0.1")]
    fn only_a_proxy_on_this_machine_is_believed(
        #[case] peer: &str,
        #[case] forwarded: Option<&str>,
        #[case] expected: &str,
    ) {
        let headers = forwarded.map(|value| ("x-forwarded-for".parse().unwrap(), value.parse().unwrap()));
        let headers: HeaderMap = headers.into_iter().collect();
        assert_eq!(of(peer.parse().unwrap(), &headers).to_string(), expected);
    }
}
