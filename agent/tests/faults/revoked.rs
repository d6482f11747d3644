//! The hub does not accept the printer's credential any more.

use stardust_protocol::JobState;

use crate::host::{Host, message};
use crate::stand_in::eventually;

const SAID: &str = "no longer accepts this printer's credential: pair the printer again";

#[test]
fn a_print_goes_on_without_a_credential_and_is_told_with_the_next_one() {
    let mut host = Host::paired(None, 100);
    host.offer();
    host.run();
    host.wait_for(JobState::Printing);
    host.hub.state.lock().unwrap().revoked = true;
    host.hub.broker.cut();
    let status =
        host.status_where("said", |status| status["link"].as_str().unwrap_or_default().contains(SAID));
    // In systemd's line too.
    assert!(message(&status).contains(SAID), "{status}");
    let calls = || host.hub.state.lock().unwrap().calls;
    let before = calls();
    host.status_where("printed", |status| {
        status["status"].get("job").is_none_or(serde_json::Value::is_null)
            && status["undelivered_events"] == 1
    });
    assert!(calls() <= before + 2, "nothing is asked again and again: {} calls", calls() - before);
    assert_eq!(host.logged(SAID), 1, "said once");

    host.hub.state.lock().unwrap().token = Some("the-second-token");
    let paired = host.pair(&host.hub.url.clone(), &[]);
    assert!(paired.status.success(), "{}", String::from_utf8_lossy(&paired.stderr));
    host.wait_for(JobState::AwaitingRemoval);
    eventually("connected", || {
        host.status().filter(|status| status["link"] == "Connected to the hub." && message(status).is_empty())
    });
    assert_eq!(host.moves(), [JobState::Transferring, JobState::Printing, JobState::AwaitingRemoval]);
    host.expect_the_file(1);
}
