//! A value for each tool, without a heap.
//!
//! Owns: which tool numbers there are. Must not know: what the value is.

use std::fmt;

use crate::metadata::MAX_TOOLS;

/// One value for each of the tools 0 to [`MAX_TOOLS`] − 1.
#[derive(Clone, Copy, PartialEq)]
pub struct PerTool<T>([T; MAX_TOOLS]);

impl<T: Copy> PerTool<T> {
    /// The same value for every tool.
    #[must_use]
    pub const fn all(value: T) -> Self {
        Self([value; MAX_TOOLS])
    }

    /// The value of a tool; none when there is no such tool.
    #[must_use]
    pub fn get(&self, tool: u32) -> Option<T> {
        self.0.get(tool as usize).copied()
    }

    /// Sets the value of a tool; does nothing when there is no such tool.
    pub fn set(&mut self, tool: u32, value: T) {
        if let Some(place) = self.0.get_mut(tool as usize) {
            *place = value;
        }
    }

    /// All tools with their values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (u32, T)> + '_ {
        (0_u32..).zip(self.0.iter().copied())
    }
}

impl<T: Copy + PartialEq + fmt::Debug> fmt::Debug for PerTool<T> {
    /// Only the values that differ from the last tool's: sixty of them would hide what is meant.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let usual = self.0.last().copied();
        f.debug_map().entries(self.iter().filter(|(_, value)| Some(*value) != usual)).finish()
    }
}
