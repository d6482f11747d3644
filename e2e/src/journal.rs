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
/// A host sets the numbering before each job. Left out is what it numbers on its own account: the greeting, which
/// begins with `M115`; the progress (M73) and the dead-man (M85), of which no file that is printed here brings one of
/// its own; the `M400` and `M105` by which it makes sure of the end, with the questions of an idle host behind them.
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
    for job in &mut jobs {
        job.truncate(without_closing(job));
    }
    jobs.retain(|job| job.first().is_some_and(|first| first != "M115"));
    jobs
}

/// How many commands stand before the host's closing ones, where there are any.
fn without_closing(job: &[String]) -> usize {
    let asks = |command: &&String| matches!(command.as_str(), "M105" | "M27");
    let questions = job.iter().rev().take_while(asks).count();
    match job.len() - questions {
        // One question at least: the proof.
        end if questions > 0 && end > 0 && job[end - 1] == "M400" => end - 1,
        _ => job.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hosts_own_lines_are_no_part_of_a_job() {
        let lines = [
            "M110 N0", "M115", "M155 S1", "M110 N0", "G28", "M105", "G1 X1", "M400", "M105", "M27",
            "M110 N0", "G28", "M84",
        ];
        let entries: Vec<_> =
            lines.iter().map(|line| Entry { n: Some(1), command: (*line).to_owned() }).collect();
        let expected = [vec!["G28", "M105", "G1 X1"], vec!["G28", "M84"]];
        assert_eq!(jobs(&entries), expected);
    }
}
