//! A value for each tool, without a heap.
//!
//! Owns: which tool numbers there are. Must not know: what the value is.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

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

/// As it is written down: most tools have the usual value.
#[derive(Serialize, Deserialize)]
struct Written<T> {
    usual: T,
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    others: Vec<(u32, T)>,
}

impl<T: Copy + PartialEq + Serialize> Serialize for PerTool<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let [.., usual] = self.0;
        let others = self.iter().filter(|(_, value)| *value != usual).collect();
        Written { usual, others }.serialize(serializer)
    }
}

impl<'de, T: Copy + Deserialize<'de>> Deserialize<'de> for PerTool<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written::deserialize(deserializer)?;
        let mut values = Self::all(written.usual);
        for (tool, value) in written.others {
            let place = values.0.get_mut(tool as usize);
            *place.ok_or_else(|| D::Error::custom(format!("there is no tool {tool}")))? = value;
        }
        Ok(values)
    }
}
