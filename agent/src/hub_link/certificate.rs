//! The hub's certificate, where it is not trusted: what is wrong, and what to do.
//!
//! Owns: finding the reason in what went wrong, and the words for it. Nothing was sent to the hub then, no credential
//! either. Must not know: how it is verified.

use std::error::Error;

use rustls::CertificateError;
use rustls::pki_types::UnixTime;
use stardust_protocol::Timestamp;

/// The reason in words, if it is the certificate.
pub(super) fn in_words(error: &(dyn Error + 'static)) -> Option<String> {
    match find(error)? {
        rustls::Error::InvalidCertificate(error) => Some(words(error)),
        rustls::Error::NoCertificatesPresented => {
            Some("it shows no certificate. Nothing was sent to it.".into())
        }
        _ => None,
    }
}

fn find<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    if let Some(found) = error.downcast_ref::<rustls::Error>() {
        return Some(found);
    }
    // An I/O error tells the cause of its cause as its own.
    if let Some(inner) = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        return find(inner);
    }
    find(error.source()?)
}

fn words(error: &CertificateError) -> String {
    let (what, then) = match error {
        CertificateError::ExpiredContext { time, not_after } => (
            format!(
                "its certificate has expired on {}; this machine's clock says {}",
                at(*not_after),
                at(*time)
            ),
            "Renew it on the hub, or set this machine's clock.",
        ),
        CertificateError::Expired => {
            ("its certificate has expired".to_owned(), "Renew it on the hub, or set this machine's clock.")
        }
        CertificateError::NotValidYetContext { time, not_before } => (
            format!(
                "its certificate is not valid before {}; this machine's clock says {}",
                at(*not_before),
                at(*time)
            ),
            "Where the clock is wrong, it is right as soon as the network has told the time (NTP).",
        ),
        CertificateError::NotValidYet => {
            ("its certificate is not valid yet".to_owned(), "Look at this machine's clock.")
        }
        CertificateError::NotValidForNameContext { expected, presented } => (
            format!("its certificate is not for {}, only for {}", expected.to_str(), presented.join(", ")),
            "Pair the printer with the name that the certificate is for, or give the hub one for its name.",
        ),
        CertificateError::NotValidForName => (
            "its certificate is for another name".to_owned(),
            "Pair the printer with the name that the certificate is for, or give the hub one for its name.",
        ),
        CertificateError::UnknownIssuer => (
            "its certificate is signed by nobody whom this machine trusts".to_owned(),
            "If the hub's certificates are your own, name their authority: hub_ca in /etc/stardust/agent.toml (for \
             pair: --hub-ca).",
        ),
        CertificateError::Revoked => ("its certificate was revoked".to_owned(), "Give the hub another one."),
        other => {
            (format!("its certificate can't be verified ({other})"), "Look at the certificate on the hub.")
        }
    };
    format!("{what}. Nothing was sent to it. {then}")
}

fn at(time: UnixTime) -> Timestamp {
    Timestamp::from_millis(i64::try_from(time.as_secs()).unwrap_or(i64::MAX).saturating_mul(1000))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::time::Duration;

    fn wrapped(error: CertificateError) -> std::io::Error {
        // As a connector does: twice, and the inner one hidden.
        let inner =
            std::io::Error::new(std::io::ErrorKind::InvalidData, rustls::Error::InvalidCertificate(error));
        std::io::Error::other(inner)
    }

    #[rstest]
    #[case(
        CertificateError::UnknownIssuer,
        "signed by nobody whom this machine trusts. Nothing was sent to it. If the hub's"
    )]
    #[case(
        CertificateError::NotValidYetContext {
            time: UnixTime::since_unix_epoch(Duration::from_secs(7)),
            not_before: UnixTime::since_unix_epoch(Duration::from_secs(1_795_414_380)),
        },
        "is not valid before 2026-11-23T06:13:00.000Z; this machine's clock says 1970-01-01T00:00:07.000Z. Nothing"
    )]
    #[case(CertificateError::BadSignature, "can't be verified (")]
    fn what_is_wrong_and_what_to_do(#[case] error: CertificateError, #[case] expected: &str) {
        let words = in_words(&wrapped(error)).unwrap();
        assert!(words.contains(expected), "{words}");
    }

    #[test]
    fn other_faults_are_none_of_the_certificate() {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        assert_eq!(in_words(&refused), None);
        let other = std::io::Error::other(rustls::Error::DecryptError);
        assert_eq!(in_words(&other), None);
    }
}
