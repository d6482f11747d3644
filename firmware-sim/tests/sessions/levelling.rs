//! G29 takes long: nothing but `busy` lines until it is done, for whatever waits behind it too.

use crate::session::Session;

#[test]
fn probing_keeps_the_host_waiting() {
    let mut session = Session::boot(false);
    session.send(b"G29\nM105\n");
    session.wait(35.0);
    assert_eq!(session.received, ["echo:busy: processing"; 17]);
    session.received.clear();
    session.play(
        "
        +1.1
        < ok
        < ok T:19.38…
        ",
    );
}
