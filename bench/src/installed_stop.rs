//! The installed agent's printer, stopped at once by its hub, and taken up again.
//!
//! Owns: the hub's words for it. Must not know: how soon it has to be.

use std::net::SocketAddr;

use serde_json::{Value, json};
use stardust_demo::wait;

use crate::BenchError;
use crate::installed::{Installed, PATIENCE, failed};

impl Installed {
    pub(crate) fn printer(&self) -> Result<Value, BenchError> {
        let printers = self.runtime.block_on(self.client.printers())?;
        printers.into_iter().next().ok_or_else(|| failed("the hub has no printer"))
    }

    pub(crate) fn until_printer(&self, what: &str, is_so: impl Fn(&Value) -> bool) -> Result<(), BenchError> {
        let look = wait::try_until(what, PATIENCE, async || {
            let printers = self.client.printers().await?;
            Ok(printers.first().is_some_and(&is_so).then_some(()))
        });
        Ok(self.runtime.block_on(look)?)
    }

    /// Stops the printer; how far the hub says that it is.
    pub(crate) fn stop(&self) -> Result<String, BenchError> {
        // All of them, so that nothing has to be asked before.
        let all = json!({"all": true});
        let told = self.runtime.block_on(self.client.post("/api/v1/printers/emergency-stop", &all))?;
        let state = &told["printers"][0]["emergency_stop"]["state"];
        Ok(state.as_str().unwrap_or_default().to_owned())
    }

    /// The printer is in order again, and its bed is clear.
    pub(crate) fn take_up_again(&self) -> Result<(), BenchError> {
        let printer = self.printer()?;
        if printer.get("emergency_stop").is_some_and(Value::is_object) {
            let id = printer["id"].as_str().unwrap_or_default();
            let clear = format!("/api/v1/printers/{id}/emergency-stop/clear");
            self.runtime.block_on(self.client.post(&clear, &json!({})))?;
        }
        if let Some(job) = printer["current_job_id"].as_str() {
            // It has failed as soon as its agent has told so.
            self.until(job, "failed")?;
            self.runtime.block_on(self.client.ask(job, "confirm-removal"))?;
        }
        Ok(())
    }

    /// Waits until the hub knows that the printer's port is closed.
    pub(crate) fn until_port_is_closed(&self) -> Result<(), BenchError> {
        self.until_printer("the printer's port to be closed", |printer| {
            printer["status"]["state"] == "offline"
        })
    }

    /// Waits until the hub shows the printer like this.
    pub(crate) fn until_shown_as(&self, state: &str) -> Result<(), BenchError> {
        self.until_printer(&format!("the printer to be shown as {state}"), |printer| {
            printer["state"] == state
        })
    }

    /// Since when the agent is in contact, or is not.
    pub(crate) fn contact_since(&self) -> Result<Value, BenchError> {
        Ok(self.printer()?["contact"].take())
    }

    /// Waits until it is in contact again, after that.
    pub(crate) fn until_contact_after(&self, before: &Value) -> Result<(), BenchError> {
        self.until_printer("the agent to be back", |printer| {
            let contact = &printer["contact"];
            contact["state"] == "online" && contact != before
        })
    }

    /// Where the hub is.
    pub(crate) fn address(&self) -> SocketAddr {
        self.ports[0].address()
    }

    /// For who speaks to the hub by itself.
    pub(crate) fn new_token(&self) -> Result<String, BenchError> {
        Ok(self.runtime.block_on(self.client.new_token("bench"))?)
    }
}
