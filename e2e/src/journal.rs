//! What a simulated printer really did, from its journal.

use std::collections::HashSet;
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
    files(entries).into_iter().map(|(commands, _)| commands).collect()
}

/// Those of the [`jobs`] whose end the host has made sure of: all of them is there, and nothing of the host's own counts
/// for a command of the file, which the `M400` alone would while the question behind it is not written yet.
#[must_use]
pub fn finished(entries: &[Entry]) -> Vec<Vec<String>> {
    files(entries).into_iter().filter_map(|(commands, is_finished)| is_finished.then_some(commands)).collect()
}

/// The [`jobs`], each with whether its end is proven.
fn files(entries: &[Entry]) -> Vec<(Vec<String>, bool)> {
    let without_own = |mut job: Vec<String>| {
        job.retain(|command| !["M73 P", "M85 S"].iter().any(|code| command.starts_with(code)));
        let (whole, end) = (job.len(), without_closing(&job));
        job.truncate(end);
        (job, end < whole)
    };
    let mut jobs: Vec<_> = numbered(entries).into_iter().map(without_own).collect();
    jobs.retain(|(job, _)| job.first().is_some_and(|first| first != "M115"));
    jobs
}

/// The same with all that has a number, the host's own lines too: for [`compare`], which tells them apart.
#[must_use]
pub fn prints(entries: &[Entry]) -> Vec<Vec<String>> {
    let mut prints = numbered(entries);
    prints.retain(|print| print.first().is_some_and(|first| first != "M115"));
    prints
}

/// What was accepted with numbers each time after they were set.
fn numbered(entries: &[Entry]) -> Vec<Vec<String>> {
    let mut parts: Vec<Vec<String>> = Vec::new();
    for entry in entries {
        if entry.command.starts_with("M110") {
            parts.push(Vec::new());
        } else if let (Some(_), Some(part)) = (entry.n, parts.last_mut()) {
            part.push(entry.command.clone());
        }
    }
    parts
}

/// What the host sends by itself whatever is printed: questions and waits, which change nothing at the printer.
const QUESTIONS: [&str; 7] = ["M27", "M105", "M113", "M114", "M115", "M155", "M400"];
/// What the host sends by itself with a print whose file leaves it out: progress, a message, the dead man's switch.
const SERVICES: [&str; 3] = ["M73", "M85", "M117"];

/// Compares the numbered lines of one print with its file's commands: all of them, each once, in order. Between them
/// nothing may stand but what the host sends by itself (the lists above). Returns those in between.
///
/// # Errors
/// The first difference, in words.
pub fn compare(printed: &[String], file: &[String]) -> Result<Vec<String>, String> {
    let code = |command: &str| command.split([' ', 'S']).next().unwrap_or_default().to_owned();
    let of_file: HashSet<String> = file.iter().map(|command| code(command)).collect();
    let is_own = |command: &str| {
        let code = code(command);
        QUESTIONS.contains(&code.as_str()) || SERVICES.contains(&code.as_str()) && !of_file.contains(&code)
    };
    let (mut own, mut next) = (Vec::new(), 0);
    for (at, command) in printed.iter().enumerate() {
        if file.get(next) == Some(command) {
            next += 1;
        } else if is_own(command) {
            own.push(command.clone());
        } else {
            let wanted = file.get(next).map_or("the end", String::as_str);
            return Err(format!(
                "line {at} of the print is “{command}”, command {next} of the file is “{wanted}”"
            ));
        }
    }
    match file.get(next) {
        None => Ok(own),
        Some(missing) => {
            Err(format!("{} commands of the file are missing, from “{missing}”", file.len() - next))
        }
    }
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

/// How often a printer was told to halt (`M112`), by the record of its line.
#[must_use]
pub fn halts(wire: &Path) -> usize {
    let bytes = std::fs::read(wire).unwrap_or_default();
    String::from_utf8_lossy(&bytes).lines().filter(|line| *line == "M112").count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(commands: &[&str]) -> Vec<String> {
        commands.iter().map(|&command| command.to_owned()).collect()
    }

    #[test]
    fn a_print_is_its_file_and_what_the_host_puts_between() {
        let file = of(&["G28", "M105", "G1 X1", "M117 hello"]);
        assert_eq!(compare(&file, &file), Ok(of(&[])));
        let more = of(&["M85 S60", "G28", "M105", "M105", "G1 X1", "M73 P5", "M117 hello", "M400"]);
        assert_eq!(compare(&more, &file), Ok(of(&["M85 S60", "M105", "M73 P5", "M400"])));
        let refused: [&[&str]; 5] = [
            &["G28", "M105", "G1 X1"],
            &["G28", "M105", "M117 hello", "G1 X1"],
            &["G28", "G28", "M105", "G1 X1", "M117 hello"],
            &["G28", "M105", "G1 X1", "M117 hello", "M117 hello"],
            &["G28", "M105", "G1 X1", "M117 hello", "M104 S0"],
        ];
        for printed in refused {
            assert!(compare(&of(printed), &file).is_err(), "{printed:?}");
        }
    }

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
        assert_eq!(finished(&entries), expected[..1]);
        let before_its_proof = entries.iter().position(|entry| entry.command == "M400").unwrap() + 1;
        assert!(finished(&entries[..before_its_proof]).is_empty());
    }
}
