//! Heat without a job: a person preheats a printer for a time, and has it cooled down.
//!
//! Promises: it is asked only of a printer that has nothing else to do, and whoever asks learns what the printer's agent says
//! to it. Until when heaters stay on is in the printer's live status: the agent turns them off by itself, also without a hub.
//! [`rules`] says when it may be asked (pure), [`routes`] are for people. Must not know: how a printer is heated.

pub mod routes;
pub mod rules;
#[cfg(test)]
mod tests;
