//! What happened in a run, line by line: to find out why it failed, and to see that the same seed does the same.

use std::collections::HashMap;

/// The lines of a run.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    lines: Option<Vec<String>>,
}

impl Trace {
    /// Without `keep` nothing is written: a failed run is done once more with it.
    pub(crate) fn new(keep: bool) -> Self {
        Self { lines: keep.then(Vec::new) }
    }

    pub(crate) fn note(&mut self, ms: i64, line: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.lines {
            lines.push(format!("{:>10.3}  {}", ms as f64 / 1000.0, line()));
        }
    }

    /// All lines; ids, which are others in every run, by the order in which they appear.
    pub(crate) fn told(&self) -> Vec<String> {
        let mut names = HashMap::new();
        self.lines.iter().flatten().map(|line| named(line, &mut names)).collect()
    }
}

fn named(line: &str, names: &mut HashMap<String, usize>) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, id, after)) = first_id(rest) {
        let next = names.len() + 1;
        let number = *names.entry(id.to_owned()).or_insert(next);
        out.push_str(before);
        out.push_str(&format!("#{number}"));
        rest = after;
    }
    out + rest
}

fn first_id(text: &str) -> Option<(&str, &str, &str)> {
    const LENGTH: usize = 36;
    let is_id = |part: &str| {
        part.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
    };
    let starts = 0..text.len().saturating_sub(LENGTH - 1);
    let at = starts.into_iter().find(|at| text.get(*at..at + LENGTH).is_some_and(is_id))?;
    Some((&text[..at], &text[at..at + LENGTH], &text[at + LENGTH..]))
}

#[test]
fn ids_are_told_by_the_order_of_their_first_mention() {
    let mut trace = Trace::new(true);
    let (one, two) = ("0190a7c2-6f00-7000-8000-000000000001", "0190a7c2-6f00-7000-8000-000000000002");
    trace.note(1500, || format!("job {two} and {one}"));
    trace.note(2500, || format!("{one}."));
    assert_eq!(trace.told(), ["     1.500  job #1 and #2", "     2.500  #2."]);
}
