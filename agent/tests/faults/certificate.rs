//! The hub's certificate changes, or was never one to trust.

use rstest::rstest;
use stardust_protocol::JobState;

use crate::host::Host;
use crate::stand_in::eventually;
use crate::tls_front::{TlsFront, file};

/// A host that is paired over TLS.
fn paired(speed: u32) -> (Host, TlsFront) {
    let mut host = Host::unpaired(None, speed);
    let front = TlsFront::before(&host.hub, "good");
    let ca = file("one.pem");
    let paired = host.pair(&front.url, &["--hub-ca", ca.to_str().unwrap()]);
    assert!(paired.status.success(), "{}", String::from_utf8_lossy(&paired.stderr));
    // The stand-in's broker is on this machine, and speaks no TLS.
    let config = host.file("printer.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(config, format!("mqtt_in_clear = true\n{text}")).unwrap();
    host.run();
    (host, front)
}

fn link_says(host: &Host, text: &str) {
    host.status_where(text, |status| status["link"].as_str().unwrap_or_default().contains(text));
}

#[test]
fn a_hub_whose_certificate_changes_in_mid_print_is_told_everything_later() {
    let (mut host, front) = paired(60);
    host.offer();
    host.wait_for(JobState::Printing);
    front.show("stranger");
    host.hub.broker.cut();
    link_says(&host, "signed by nobody whom this machine trusts. Nothing was sent to it.");
    host.prints_on();
    // Printed to the end, and the hub does not know.
    host.status_where("printed", |status| {
        status["status"].get("job").is_none_or(serde_json::Value::is_null)
            && status["undelivered_events"] == 1
    });
    assert_eq!(front.requests(), 0, "no request, and so no credential");
    assert_eq!(host.moves(), [JobState::Transferring, JobState::Printing]);
    eventually("it was tried", || (host.logged("events not delivered yet") > 0).then_some(()));

    front.show("good");
    host.wait_for(JobState::AwaitingRemoval);
    link_says(&host, "Connected to the hub.");
    assert_eq!(host.logged("events not delivered yet"), 1, "said once");
    host.expect_the_file(1);
}

#[rstest]
#[case("stranger", "signed by nobody whom this machine trusts")]
#[case("expired", "has expired on 2021-01-01T00:00:00.000Z; this machine's clock says 20")]
#[case("not-yet", "is not valid before 2120-01-01T00:00:00.000Z; this machine's clock says 20")]
#[case("elsewhere", "its certificate is not for localhost, only for")]
fn what_is_wrong_with_a_certificate_is_said(#[case] certificate: &str, #[case] expected: &str) {
    let (mut host, front) = paired(1000);
    link_says(&host, "Connected to the hub.");
    host.kill();
    front.show(certificate);
    host.run();
    link_says(&host, expected);
    let words = host.command().arg("status").output().unwrap();
    assert!(String::from_utf8_lossy(&words.stdout).contains(expected));
    assert_eq!(front.requests(), 0);
    front.show("good");
    link_says(&host, "Connected to the hub.");
}

#[test]
fn without_its_authority_the_hub_is_not_paired_with_and_nothing_is_told_to_it() {
    let host = Host::unpaired(None, 1000);
    let front = TlsFront::before(&host.hub, "good");
    let refused = host.pair(&front.url, &[]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("--hub-ca"), "{said}");
    assert_eq!(front.requests(), 0, "the code was not used up");
    let wrong = host.pair(&front.url, &["--hub-ca", "/nonexistent.pem"]);
    let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(said.contains("/nonexistent.pem can't be read"), "{said}");
    eventually("it is not paired", || (!host.file("printer.toml").exists()).then_some(()));
}
