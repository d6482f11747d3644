//! Agents and a hub on a virtual network and clock: the one place that knows both from inside, and only its tests do.
//!
//! `tests/protocol` runs the agent's and the hub's own code against each other, thousands of times in seconds, while
//! calls get lost, doubled, late and out of order and either side is killed; and looks at what is left: the hub's history
//! and the agent's journal must say the same, and no job may have run twice.
