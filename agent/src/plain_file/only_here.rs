//! That nothing else in the agent opens a file. Read in the sources: clippy knows one list of forbidden methods, which every test
//! would have to be excepted from, as tests put all kinds of things there, and with it from what is forbidden to tests above all.

use std::collections::BTreeMap;
use std::path::Path;

/// What opens files.
const OPENS: [&str; 10] = [
    "File::open",
    "File::create",
    "File::create_new",
    "File::options",
    "OpenOptions",
    "fs::open",
    "fs::read",
    "fs::read_to_string",
    "fs::write",
    "fs::copy",
];

/// Where else that is, how often, and why nothing can stand in its place, or nobody is held up by it.
const ELSEWHERE: [(&str, usize, &str); 10] = [
    ("boot.rs", 1, "the kernel's"),
    ("folder_lock.rs", 1, "a folder and nothing else"),
    ("pairing/service.rs", 1, "the system's users"),
    ("port/devices.rs", 1, "the kernel's"),
    ("port/latency.rs", 2, "the kernel's"),
    ("port/open.rs", 1, "a port, not a file"),
    ("port/permission.rs", 2, "the system's users and groups"),
    ("printer/slow_disk.rs", 1, "a test"),
    ("printer/slow_disk/going_on.rs", 1, "a test"),
    ("trail/file.rs", 1, "for tests: one that can't be written"),
];

/// How many lines of it open one, but for its tests.
fn openings(source: &str) -> usize {
    let lines: Vec<&str> = source.lines().collect();
    let is_tests = |two: &[&str]| two[0] == "#[cfg(test)]" && two[1].ends_with("mod tests {");
    let tests = lines.windows(2).position(is_tests).unwrap_or(lines.len());
    let goes_on = |char: char| char.is_alphanumeric() || char == '_';
    let opens = |line: &&&str| {
        let names = |word: &&str| {
            line.match_indices(*word).any(|(at, _)| {
                !line[..at].ends_with(goes_on) && !line[at + word.len()..].starts_with(goes_on)
            })
        };
        !line.trim_start().starts_with("//") && OPENS.iter().any(names)
    };
    lines[..tests].iter().filter(opens).count()
}

fn look(folder: &Path, name: &str, found: &mut BTreeMap<String, usize>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let inner = entry.file_name().into_string().unwrap();
        let name = if name.is_empty() { inner.clone() } else { format!("{name}/{inner}") };
        if entry.file_type().unwrap().is_dir() {
            look(&entry.path(), &name, found);
        } else if inner != "tests.rs" && name != "plain_file.rs" {
            let count = openings(&std::fs::read_to_string(entry.path()).unwrap());
            if count > 0 {
                found.insert(name, count);
            }
        }
    }
}

#[test]
fn no_file_of_the_agents_is_opened_by_anything_else() {
    let mut found = BTreeMap::new();
    look(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut found);
    assert!(found.remove("plain_file/only_here.rs").is_some(), "they are found: this file names them all");
    let expected: BTreeMap<String, usize> =
        ELSEWHERE.iter().map(|(name, count, _)| ((*name).to_owned(), *count)).collect();
    assert_eq!(found, expected, "use crate::plain_file, or say here why not");
}
