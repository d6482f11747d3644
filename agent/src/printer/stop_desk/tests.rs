//! What becomes of a stop at the desk.

use futures::FutureExt as _;
use stardust_protocol::StopReach;

use super::*;

const SENT: Reach = Reach::Sent { on_wire: true, dtr_pulsed: false };

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}

fn id_of(ms: i64) -> CommandId {
    CommandId::generate(at(ms))
}

/// As one looks, and as one waits.
fn is_wanted(desk: &StopDesk) -> (bool, bool) {
    (desk.is_wanted(), desk.wanted().now_or_never().is_some())
}

#[tokio::test(start_paused = true)]
async fn a_stop_is_wanted_until_a_port_has_it_and_again_if_that_was_left() {
    let (desk, id) = (StopDesk::default(), id_of(7));
    assert_eq!(is_wanted(&desk), (false, false));
    assert!(!desk.take());
    desk.ask(id, at(7));
    assert_eq!(is_wanted(&desk), (true, true));
    assert!(desk.take() && !desk.take());
    desk.ask(id, at(7));
    assert_eq!(is_wanted(&desk), (false, false), "it is being carried out");
    desk.in_vain();
    desk.wanted().await;
    assert!(desk.take() && !desk.wants_follow_up(), "nothing was sent");
    desk.reached(SENT);
    desk.ask(id, at(7));
    desk.in_vain();
    assert_eq!(is_wanted(&desk), (false, false), "once");
    assert!(desk.wants_follow_up());
    assert_eq!(desk.report().map(|stop| (stop.command_id, stop.reach)), Some((id, StopReach::Sent)));
    desk.ask(id_of(9), at(9));
    assert_eq!(is_wanted(&desk), (true, true), "another one");
}

/// A system without descriptors has none a moment later either: no loop that turns as fast as it can.
#[tokio::test(start_paused = true)]
async fn one_that_was_tried_in_vain_waits_a_moment_and_people_hear_that_it_waits() {
    let (desk, began) = (StopDesk::default(), Instant::now());
    let mut news = desk.news();
    desk.ask(id_of(1), at(0));
    news.come().await;
    for tries in 1..10 {
        desk.wanted().await;
        assert_eq!(began.elapsed(), AGAIN * (tries - 1), "{tries}");
        assert!(desk.take());
        desk.in_vain();
        assert_eq!(desk.report().unwrap().reach, StopReach::PortClosed);
        assert_eq!(desk.report().unwrap().at, at(0), "since when");
        assert_eq!(is_wanted(&desk), (true, false));
    }
    desk.ask(id_of(2), at(0));
    assert_eq!(is_wanted(&desk), (true, true), "a person has pressed once more");
}

/// Each is repeated until the hub has heard of its answer.
#[tokio::test(start_paused = true)]
async fn none_of_several_that_were_answered_is_carried_out_once_more() {
    let desk = StopDesk::default();
    let ids: Vec<_> = (1..=5).map(id_of).collect();
    for id in &ids {
        desk.ask(*id, at(0));
    }
    assert!(desk.take());
    desk.reached(SENT);
    for id in &ids {
        desk.ask(*id, at(0));
        assert!(!desk.is_wanted(), "{id}");
    }
    for ms in 10..50 {
        desk.ask(id_of(ms), at(0));
        assert!(desk.take());
        desk.reached(SENT);
    }
    assert!(desk.0.borrow().answered.len() <= MOST_ANSWERED);
}

#[tokio::test(start_paused = true)]
async fn it_is_told_since_when_it_is_so_by_the_hubs_time() {
    let desk = StopDesk::default();
    desk.ask(id_of(1), at(1000));
    tokio::time::sleep(Duration::from_millis(250)).await;
    desk.reached(Reach::Waits);
    tokio::time::sleep(Duration::from_secs(5)).await;
    desk.reached(Reach::Waits);
    assert_eq!(desk.report().unwrap().at, at(1250));
    desk.reached(SENT);
    assert_eq!(desk.report().unwrap().at, at(6250));
}

#[tokio::test(start_paused = true)]
async fn one_that_nobody_could_send_is_given_up_in_the_end() {
    let desk = StopDesk::default();
    assert!(!desk.give_up_if_late());
    desk.ask(id_of(1), at(0));
    assert!(desk.take());
    tokio::time::sleep(STOP_KEPT).await;
    assert!(!desk.give_up_if_late(), "its port's thread says so first");
    tokio::time::sleep(TOO_LATE - STOP_KEPT).await;
    assert!(desk.give_up_if_late() && !desk.give_up_if_late());
    assert_eq!(desk.report().unwrap().reach, StopReach::GivenUp);
    assert!(!desk.is_under_way() && desk.wants_follow_up());
}

#[tokio::test(start_paused = true)]
async fn what_is_read_back_counts_behind_the_stop_alone() {
    let desk = StopDesk::default();
    desk.settled();
    assert!(desk.has_settled(), "all is off, and nobody has asked for a stop");
    desk.ask(id_of(1), at(0));
    desk.settled();
    assert!(!desk.has_settled(), "before it");
    desk.reached(SENT);
    let mut news = desk.news();
    desk.settled();
    assert!(news.come().now_or_never().is_some() && desk.has_settled() && !desk.wants_follow_up());
    desk.settled();
    assert!(news.come().now_or_never().is_none(), "no news");
    desk.ask(id_of(2), at(0));
    desk.settled();
    assert!(!desk.has_settled(), "another one, and it is under way");
}
