//! Looks whether the demo's ports are free before anything is started, and says what to do when one is not.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};

/// Checks one address; `variable` is what `make demo` takes the port from.
///
/// # Errors
/// A sentence that names the port and the way to choose another.
pub(crate) fn check(address: SocketAddr, purpose: &str, variable: &str, option: &str) -> Result<(), String> {
    let port = address.port();
    // Any port but this one, and one that is likely to be free.
    let other = if port == 9090 { 9191 } else { 9090 };
    let other = if variable.contains("MQTT") { other + 1 } else { other };
    let way_out = format!(
        "Choose another one: {variable}={other} make demo (or stardust-demo {option} {}:{other})",
        address.ip()
    );
    match TcpListener::bind(address) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            Err(format!("Port {port}, for {purpose}, is taken by another program. {way_out}"))
        }
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            Err(format!("Port {port}, for {purpose}, is not for ordinary users. {way_out}"))
        }
        Err(error) => Err(format!("{address}, for {purpose}, can't be used: {error}. {way_out}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_named_with_the_way_to_choose_another() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        let sentence = check(address, "the dashboard", "DEMO_PORT", "--listen").unwrap_err();
        assert!(sentence.contains(&address.port().to_string()), "{sentence}");
        assert!(sentence.contains("DEMO_PORT=9090 make demo"), "{sentence}");
        drop(taken);
        assert_eq!(check(address, "the dashboard", "DEMO_PORT", "--listen"), Ok(()));
    }
}
