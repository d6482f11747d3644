//! Waiting until a member has typed the printer's PIN into the dashboard.
//!
//! Owns: a new PIN when one has expired, and asking on while the hub is away. Must not know: where the PIN is shown.

use std::time::Duration;

use stardust_protocol::ProtocolVersion;
use stardust_protocol::agent_api::{PairResponse, PinPollRequest, PinRequest, PinResponse};
use tokio::time::Instant;

use crate::hub_link::back_off::BackOff;
use crate::hub_link::client::{HubClient, HubError};

/// A hub that says nothing useful is not asked more often.
const EVERY_AT_LEAST: Duration = Duration::from_secs(1);
/// A hub that has refused a PIN may have seen too many.
const ASK_AGAIN: Duration = Duration::from_secs(20);
const ASK_AGAIN_LAST: Duration = Duration::from_secs(300);

/// What there is to show.
#[derive(Debug)]
pub enum Shown<'a> {
    /// This PIN.
    Pin(&'a PinResponse),
    /// None: why not.
    Nothing(&'a HubError),
}

/// What an agent asks with.
#[must_use]
pub fn request(printer_name: &str, printer_model: Option<String>) -> PinRequest {
    PinRequest {
        protocol: ProtocolVersion::CURRENT,
        agent_version: env!("CARGO_PKG_VERSION").into(),
        printer_name: printer_name.to_owned(),
        printer_model,
    }
}

/// Shows PINs until one was typed.
pub async fn wait(hub: &HubClient, request: &PinRequest, mut show: impl FnMut(Shown<'_>)) -> PairResponse {
    let mut back_off = BackOff::new(ASK_AGAIN, ASK_AGAIN_LAST);
    loop {
        match hub.new_pin(request).await {
            Ok(pin) => {
                back_off.reset();
                show(Shown::Pin(&pin));
                if let Some(paired) = typed(hub, pin).await {
                    return paired;
                }
            }
            Err(error) => {
                show(Shown::Nothing(&error));
                tokio::time::sleep(back_off.next_wait()).await;
            }
        }
    }
}

/// Asks until the PIN was typed, or is none any more.
async fn typed(hub: &HubClient, pin: PinResponse) -> Option<PairResponse> {
    let every = Duration::from_secs(pin.poll_every_s).max(EVERY_AT_LEAST);
    // A PIN that was typed at the last moment is fetched a while after its end.
    let until = Instant::now() + Duration::from_secs(pin.expires_in_s) + 2 * every;
    let poll = PinPollRequest { poll_token: pin.poll_token };
    while Instant::now() < until {
        tokio::time::sleep(every).await;
        match hub.poll_pin(&poll).await {
            Ok(answer) if answer.paired.is_some() => return answer.paired,
            Ok(_) => {}
            Err(HubError::Problem { status: 404, .. }) => return None,
            // The hub is away: what was typed before counts still.
            Err(error) => tracing::debug!(error = %error, "the hub can't be asked about the PIN"),
        }
    }
    None
}
