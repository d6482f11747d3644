//! The agent's MQTT connection. It stands in for the agent's own, which needs sockets: it asks for the session by the real
//! call, tells the same events in the same order, and brings what the virtual network brings.

use std::sync::Arc;

use stardust_agent::hub_link::client::{HubClient, HubError};
use stardust_agent::hub_link::mqtt::{FarEnd, MqttEvent};
use stardust_gateway::ConnectionId;
use tokio::sync::mpsc;

use crate::world::World;

/// Connects again and again, until the agent's side is gone.
pub(crate) async fn drive(world: Arc<World>, index: usize, hub: HubClient, mut end: FarEnd) {
    let mut back_off = hub.back_off();
    while !end.events.is_closed() {
        let reason = match hub.session().await {
            Ok(session) => {
                let _ = end.events.send(MqttEvent::Session(Box::new(session))).await;
                connection(&world, index, &mut end).await;
                "the connection was lost".to_owned()
            }
            Err(HubError::Revoked) => {
                let _ = end.events.send(MqttEvent::Revoked).await;
                return;
            }
            Err(error) => error.to_string(),
        };
        let _ = end.events.send(MqttEvent::Disconnected(reason)).await;
        tokio::time::sleep(back_off.next_wait()).await;
    }
}

async fn connection(world: &Arc<World>, index: usize, end: &mut FarEnd) {
    let (inbox, mut messages) = mpsc::unbounded_channel();
    if world.is_away(index) || !world.state().hub_is_up {
        return;
    }
    let number = {
        let mut state = world.state();
        state.connections += 1;
        state.ways[index].inbox = Some(inbox);
        ConnectionId::numbered(state.connections)
    };
    let printer = world.template.printer(index);
    world.hub.clock.set(world.ms());
    world.hub.inside(move |app| {
        Box::pin(async move { app.fleet.connected(printer, number, (app.clock.elapsed(), app.clock.now())) })
    });
    let _ = end.events.send(MqttEvent::Connected).await;
    loop {
        tokio::select! {
            biased;
            message = messages.recv() => match message {
                Some(message) => drop(end.events.send(MqttEvent::Command(message)).await),
                // The network or the hub is gone.
                None => break,
            },
            // Live data goes nowhere here: nothing depends on it.
            status = end.statuses.recv() => if status.is_none() { break },
        }
    }
    world.hub.clock.set(world.ms());
    world.hub.inside(move |app| {
        Box::pin(
            async move { app.fleet.disconnected(printer, number, (app.clock.elapsed(), app.clock.now())) },
        )
    });
}
