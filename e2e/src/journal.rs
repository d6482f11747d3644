//! What a simulated printer really did, from its journal.

use std::path::Path;

use serde_json::Value;

/// One accepted command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its line number, if it had one.
    pub n: Option<u64>,
    /// The command.
    pub command: String,
}

/// All accepted commands, in the order of acceptance. A last line that is still being written is left out.
#[must_use]
pub fn read(path: &Path) -> Vec<Entry> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("a line of the journal is JSON"))
        .filter_map(|value| {
            let command = value["cmd"].as_str()?.to_owned();
            Some(Entry { n: value["n"].as_u64(), command })
        })
        .collect()
}

/// The jobs in a journal: for each, what was accepted with line numbers after the numbering was set to 0.
///
/// A host sets the numbering before each job. What it puts between on its own account is left out: the progress (M73)
/// and the dead-man (M85); no file that is printed here brings one of its own.
#[must_use]
pub fn jobs(entries: &[Entry]) -> Vec<Vec<String>> {
    let mut jobs: Vec<Vec<String>> = Vec::new();
    for entry in entries {
        let own = ["M73 P", "M85 S"].iter().any(|code| entry.command.starts_with(code));
        if own {
            continue;
        }
        if entry.command.starts_with("M110") {
            jobs.push(Vec::new());
        } else if let (Some(_), Some(job)) = (entry.n, jobs.last_mut()) {
            job.push(entry.command.clone());
        }
    }
    jobs.retain(|job| !job.is_empty());
    jobs
}
