//! The books of a job: what the agent's journal tells of it, and that the hub's history says the same.

use std::path::Path;

use serde_json::Value;

/// The agent's journal, a record a line. A last line that is still being written is left out.
#[must_use]
pub fn read(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().map(|line| serde_json::from_str(line).expect("a line of the journal is JSON")).collect()
}

/// The moves of a job in the agent's journal: each state with the time when it was reached.
#[must_use]
pub fn moves(records: &[Value], job: &str) -> Vec<(String, String)> {
    let of_job = |record: &&Value| {
        record["record"] == "event" && record["kind"] == "job_moved" && record["job_id"] == job
    };
    records.iter().filter(of_job).map(|moved| (text(&moved["state"]), text(&moved["at"]))).collect()
}

/// The hub's time of a move is worked out from its age, so it differs from the agent's clock by the way of an answer, ms.
const NEAR_MS: i64 = 2_000;

/// Fails unless the hub's history of a job is what the agent's journal says, move by move at the same times, each
/// once; between them stand only the moves that are the hub's or a person's to make.
///
/// # Panics
/// When they differ.
pub fn assert_alike(history: &[Value], journal: &[(String, String)]) {
    // Those in the queue, the claim, the leave to start, the bed that was cleared.
    let of_others = ["queued", "claimed", "preparing", "finished"];
    let told: Vec<(String, String)> = history
        .iter()
        .map(|moved| (text(&moved["to"]), text(&moved["at"])))
        .filter(|(to, _)| !of_others.contains(&to.as_str()))
        .collect();
    let states = |moves: &[(String, String)]| moves.iter().map(|(to, _)| to.clone()).collect::<Vec<_>>();
    assert_eq!(states(&told), states(journal), "the hub's history and the agent's journal");
    for ((to, at), (_, happened)) in told.iter().zip(journal) {
        let apart = (of_day_ms(at) - of_day_ms(happened)).rem_euclid(DAY_MS);
        assert!(apart.min(DAY_MS - apart) <= NEAR_MS, "{to} at {happened} was told as at {at}");
    }
    let froms: Vec<String> = history.iter().skip(1).map(|moved| text(&moved["from"])).collect();
    let tos: Vec<String> = history.iter().rev().skip(1).rev().map(|moved| text(&moved["to"])).collect();
    assert_eq!(froms, tos, "each move begins where the one before it ended: {history:?}");
    let others: Vec<String> = history
        .iter()
        .map(|moved| text(&moved["to"]))
        .filter(|to| of_others.contains(&to.as_str()))
        .collect();
    assert!(
        of_others.iter().all(|state| others.iter().filter(|to| to == state).count() <= 1),
        "once each: {history:?}"
    );
}

const DAY_MS: i64 = 86_400_000;

/// The time of day of `2026-11-28T05:28:16.750Z`.
fn of_day_ms(at: &str) -> i64 {
    let time = at.split_once('T').map_or("", |(_, time)| time).trim_end_matches('Z');
    let seconds = time
        .split(':')
        .map(|part| part.parse::<f64>().expect("a time"))
        .fold(0.0, |sum, part| sum * 60.0 + part);
    #[allow(clippy::cast_possible_truncation, reason = "a day")]
    let ms = (seconds * 1000.0).round() as i64;
    ms
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
