//! Why the heaters of a printer that answers can't be turned off from here.
//!
//! Owns: the reasons, in words. Must not know: how they are found out, who wants it cold, or what is on.

/// Why its heaters can't be turned off from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeatOutOfReach {
    /// It takes no command until somebody unlocks it.
    #[error(
        "The printer is locked by a password and takes no command: its heaters are turned off as soon as it is unlocked. If it is \
         hot, unlock it at its panel, or switch it off."
    )]
    Locked,
    /// It is at work for somebody at its panel.
    #[error(
        "The printer is busy with something of its own panel, which its heaters are left to: end that there. If nobody is there and \
         it is hot, switch it off."
    )]
    AtItsPanel,
}
