//! A person preheats or cools down a printer whose host's disk takes as long as it likes: what may be hot has to be known over a
//! restart, whatever comes in between.

use serde_json::{Value, json};
use tokio::time::timeout;

use super::{NEVER, Run};
use crate::folder_lock::FolderLock;
use crate::hub_link::mqtt::MqttEvent;
use crate::journal::Journal;
use crate::port::{Order, PortEvent, Reach};
use crate::serial::{HeatOutOfReach, HostEvent, NotSet, Safety};

fn preheat(nozzle_c: u16) -> Value {
    json!({"kind": "preheat", "nozzles_c": [nozzle_c], "minutes": 30})
}

impl Run {
    /// The hub takes the credential away: it sees nothing more.
    async fn is_revoked(&mut self) {
        self.far_end.events.send(MqttEvent::Revoked).await.unwrap();
    }

    /// The next order, where nobody sees the printer any more.
    async fn order_unseen(&mut self) -> Order {
        loop {
            if let Ok(order) = self.place.orders.try_recv() {
                return order;
            }
            self.lets_the_disk_go_on_unseen().await;
        }
    }

    async fn lets_the_disk_go_on_unseen(&mut self) {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        while let Ok(pass) = self.at_the_disk.try_recv() {
            let _ = pass.send(());
        }
    }

    async fn order(&mut self) -> Order {
        loop {
            if let Ok(order) = self.place.orders.try_recv() {
                return order;
            }
            self.lets_the_disk_go_on().await;
        }
    }

    async fn lets_the_disk_go_on(&mut self) {
        if let Some(pass) = self.waits_at_the_disk().await {
            let _ = pass.send(());
        }
    }

    /// What the hub is told of a command, and the orders that the port gets until then.
    async fn outcome(&mut self, number: u8) -> (Value, Vec<Order>) {
        let mut orders = Vec::new();
        loop {
            orders.extend(self.place.orders.try_recv());
            assert!(!orders.iter().any(|order| matches!(order, Order::Preheat(_))), "{orders:?}");
            let outcome = self.hub.outcomes.lock().unwrap().get(&format!("{number:02x}")).cloned();
            if let Some(outcome) = outcome {
                return (outcome, orders);
            }
            self.lets_the_disk_go_on().await;
        }
    }

    fn printer_says(&self, event: HostEvent) {
        self.place.events.send(PortEvent::Host(event, 0)).unwrap();
    }

    /// Is stopped at once by what was asked so many seconds after the others.
    async fn is_stopped(&mut self, seconds: u8, number: u8) {
        self.is_told_what_was_asked(seconds, number, json!({"kind": "emergency_stop"})).await;
        let order = timeout(NEVER, self.place.orders.recv()).await.unwrap();
        assert!(matches!(order, Some(Order::Kill(_))), "{order:?}");
    }
}

#[tokio::test]
async fn nothing_gets_hot_before_that_is_on_disk_and_not_at_all_behind_a_stop_at_once() {
    for is_stopped in [false, true] {
        let data = tempfile::tempdir().unwrap();
        let mut run = Run::begin_with(data.path(), false).await;
        run.is_told(3, preheat(200)).await;
        if is_stopped {
            run.is_stopped(0, 4).await;
        }
        match run.order().await {
            Order::Preheat(preheat) => assert!(!is_stopped && preheat.nozzles == [(0, 200.0)]),
            // What is said to be owed is settled.
            order => assert!(is_stopped && matches!(order, Order::MakeSafe(Safety::InPlace)), "{order:?}"),
        }
        let owed = Journal::peek(&run.folder.journal()).heat.latest().cloned().expect("on disk");
        assert!(owed.in_place && owed.port.is_some_and(|port| port.ends_with("none")));
    }
}

/// The hub has taken its credential away while it was being written down, or being set.
#[tokio::test]
async fn for_somebody_who_is_gone_nothing_is_heated_and_what_was_is_turned_off_once() {
    for is_set in [false, true] {
        let data = tempfile::tempdir().unwrap();
        let mut run = Run::begin_with(data.path(), false).await;
        run.is_told(3, preheat(200)).await;
        if is_set {
            assert!(matches!(run.order().await, Order::Preheat(_)));
        }
        for _ in 0..2 {
            run.is_revoked().await;
        }
        // One that was on its way.
        run.is_told(4, preheat(210)).await;
        let order = run.order_unseen().await;
        assert!(matches!(order, Order::MakeSafe(Safety::InPlace)), "{order:?}");
        if is_set {
            run.printer_says(HostEvent::Preheated(Err(NotSet::Ended)));
        }
        run.printer_says(HostEvent::HeatSettled);
        while Journal::peek(&run.folder.journal()).heat.latest().is_some() {
            run.lets_the_disk_go_on_unseen().await;
            assert!(run.place.orders.try_recv().is_err(), "nothing more is ordered");
        }
    }
}

/// It has waited somewhere while the stop went past it.
#[tokio::test]
async fn what_was_asked_before_a_stop_at_once_heats_nothing_after_it() {
    let data = tempfile::tempdir().unwrap();
    let mut run = Run::begin_with(data.path(), false).await;
    run.is_stopped(5, 4).await;
    for (seconds, number) in [(3, 5), (5, 6)] {
        run.is_told_what_was_asked(seconds, number, preheat(200)).await;
        let (outcome, orders) = run.outcome(number).await;
        assert_eq!((outcome, orders.len()), (json!("refused"), 0), "{orders:?}");
    }
    let owed = Journal::peek(&run.folder.journal()).heat.latest().cloned();
    assert!(owed.is_some_and(|owed| owed.in_place), "whether the stop was taken was not read back yet");
    run.is_told_what_was_asked(6, 7, preheat(200)).await;
    assert!(matches!(run.order().await, Order::Preheat(_)));
}

/// Whether the printer has taken it was not known when the agent was killed: what it prints from its memory card is nobody's then.
#[tokio::test]
async fn a_stop_at_once_is_followed_up_by_the_next_process() {
    let data = tempfile::tempdir().unwrap();
    let mut run = Run::begin_with(data.path(), false).await;
    run.is_stopped(5, 4).await;
    while Journal::peek(&run.folder.journal()).heat.is_empty() {
        run.lets_the_disk_go_on().await;
    }
    let folder = run.folder.clone();
    drop(run);
    while FolderLock::take_if_free(folder.path()).is_none() {
        tokio::task::yield_now().await;
    }
    let mut next = Run::begin_with(data.path(), false).await;
    // What it was at nobody knows.
    let order = next.order().await;
    assert!(matches!(&order, Order::Name(heaters) if heaters.chamber), "{order:?}");
    let order = next.order().await;
    assert!(matches!(order, Order::FollowStopUp), "{order:?}");
    next.printer_says(HostEvent::HeatSettled);
    while Journal::peek(&next.folder.journal()).heat.latest().is_some() {
        next.lets_the_disk_go_on().await;
    }
}

/// It was read back before the stop, and is heard of behind it.
#[tokio::test]
async fn what_was_read_back_before_a_stop_at_once_does_not_cross_out_what_the_stop_owes() {
    let data = tempfile::tempdir().unwrap();
    let mut run = Run::begin_with(data.path(), false).await;
    run.is_told(3, preheat(200)).await;
    assert!(matches!(run.order().await, Order::Preheat(_)));
    run.printer_says(HostEvent::Preheated(Ok(())));
    assert_eq!(run.outcome(3).await.0, "done");
    run.is_stopped(5, 4).await;
    run.printer_says(HostEvent::HeatSettled);
    let sent = Reach::Sent { on_wire: true, dtr_pulsed: false };
    run.place.events.send(PortEvent::Killed(sent)).unwrap();
    assert_eq!(run.outcome(4).await.0, "done");
    assert!(
        Journal::peek(&run.folder.journal()).heat.latest().is_some(),
        "a kill -9 now must not leave it hot"
    );
    // What is read back behind it counts.
    run.printer_says(HostEvent::HeatSettled);
    while Journal::peek(&run.folder.journal()).heat.latest().is_some() {
        run.lets_the_disk_go_on().await;
    }
}

/// The port did not come back in time: what may be hot there is turned off when it does.
#[tokio::test]
async fn what_a_stop_at_once_that_was_given_up_owes_is_settled_when_the_port_is_back() {
    let data = tempfile::tempdir().unwrap();
    let mut run = Run::begin_with(data.path(), false).await;
    run.is_stopped(5, 4).await;
    for reach in [Reach::Waits, Reach::GaveUp] {
        run.place.events.send(PortEvent::Killed(reach)).unwrap();
    }
    let order = run.order().await;
    assert!(matches!(order, Order::FollowStopUp), "{order:?}");
}

/// The first one ends while it is being written down that the second one may get hot.
#[tokio::test]
async fn what_one_preheat_leaves_is_settled_without_crossing_out_what_the_next_one_owes() {
    let data = tempfile::tempdir().unwrap();
    let mut run = Run::begin_with(data.path(), false).await;
    run.is_told(3, preheat(200)).await;
    assert!(matches!(run.order().await, Order::Preheat(_)));
    run.printer_says(HostEvent::Preheated(Ok(())));
    assert_eq!(run.outcome(3).await.0, "done");

    run.is_told(4, preheat(210)).await;
    let pass = loop {
        if let Some(pass) = run.waits_at_the_disk().await {
            break pass;
        }
    };
    run.printer_says(HostEvent::HeatSettled);
    let _ = pass.send(());
    assert!(matches!(run.order().await, Order::Preheat(preheat) if preheat.nozzles == [(0, 210.0)]));
    // And one that was said before the port had the order.
    run.printer_says(HostEvent::HeatSettled);
    run.printer_says(HostEvent::Preheated(Ok(())));
    assert_eq!(run.outcome(4).await.0, "done");
    assert!(
        Journal::peek(&run.folder.journal()).heat.latest().is_some(),
        "a kill -9 now must not leave it hot"
    );

    // Its own end is its end.
    run.printer_says(HostEvent::HeatSettled);
    while Journal::peek(&run.folder.journal()).heat.latest().is_some() {
        run.lets_the_disk_go_on().await;
    }
}

#[tokio::test]
async fn what_can_not_be_cooled_from_here_is_not_said_to_be_cooled() {
    for (out_of_reach, outcome, is_ordered) in [
        (None, "done", true),
        (Some(HeatOutOfReach::Locked), "refused", true),
        // The heat is theirs.
        (Some(HeatOutOfReach::AtItsPanel), "refused", false),
    ] {
        let data = tempfile::tempdir().unwrap();
        let mut run = Run::begin_with(data.path(), false).await;
        run.place.view.send_modify(|view| view.heat_out_of_reach = out_of_reach);
        run.is_told(3, json!({"kind": "cool_down"})).await;
        let (told, orders) = run.outcome(3).await;
        assert_eq!(told, outcome, "{out_of_reach:?}");
        let makes_safe = matches!(orders[..], [Order::MakeSafe(Safety::InPlace)]);
        assert_eq!((makes_safe, orders.len()), (is_ordered, usize::from(is_ordered)), "{orders:?}");
    }
}
