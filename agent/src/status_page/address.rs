//! Where the status page may be: on an address that only this machine reaches.
//!
//! Owns: saying no to every other one. Must not know: sockets.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;

use serde::Deserialize;

/// An address of the loopback, and a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct PageAddress(SocketAddr);

/// Not an address for the status page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotLoopback {
    /// No address.
    #[error("status_page = “{0}” is no address with a port. Write it as 127.0.0.1:8091")]
    Unreadable(String),
    /// Others could reach it.
    #[error(
        "status_page = “{0}” could be reached from other machines, and the page asks nobody who they are. Use \
         127.0.0.1:8091, and the dashboard from elsewhere"
    )]
    Open(String),
}

impl PageAddress {
    /// The address.
    #[must_use]
    pub fn get(self) -> SocketAddr {
        self.0
    }
}

impl FromStr for PageAddress {
    type Err = NotLoopback;

    fn from_str(text: &str) -> Result<Self, NotLoopback> {
        let unreadable = || NotLoopback::Unreadable(text.to_owned());
        let address = match text.strip_prefix("localhost:") {
            Some(port) => (Ipv4Addr::LOCALHOST, port.parse().map_err(|_| unreadable())?).into(),
            None => text.parse::<SocketAddr>().map_err(|_| unreadable())?,
        };
        if address.ip().is_loopback() { Ok(Self(address)) } else { Err(NotLoopback::Open(text.to_owned())) }
    }
}

impl TryFrom<String> for PageAddress {
    type Error = NotLoopback;

    fn try_from(text: String) -> Result<Self, NotLoopback> {
        text.parse()
    }
}

impl fmt::Display for PageAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("127.0.0.1:8091", Ok("127.0.0.1:8091"))]
    #[case("127.8.9.1:0", Ok("127.8.9.1:0"))]
    #[case("[::1]:8091", Ok("[::1]:8091"))]
    #[case("localhost:80", Ok("127.0.0.1:80"))]
    #[case("0.0.0.0:8091", Err("could be reached from other machines"))]
    #[case("[::]:8091", Err("could be reached from other machines"))]
    #[case("192.168.0.7:8091", Err("could be reached from other machines"))]
    #[case("[::ffff:10.0.0.1]:8091", Err("could be reached from other machines"))]
    #[case("8091", Err("no address with a port"))]
    #[case("127.0.0.1", Err("no address with a port"))]
    #[case("localhost:http", Err("no address with a port"))]
    #[case("printer.local:8091", Err("no address with a port"))]
    fn only_this_machine(#[case] text: &str, #[case] expected: Result<&str, &str>) {
        match (text.parse::<PageAddress>(), expected) {
            (Ok(address), Ok(expected)) => assert_eq!(address.to_string(), expected),
            (Err(error), Err(expected)) => assert!(error.to_string().contains(expected), "{error}"),
            (parsed, _) => panic!("{text}: {parsed:?}"),
        }
    }
}
