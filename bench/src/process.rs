//! What the kernel says of a running process.
//!
//! Owns: the files of `/proc/PID`. Must not know: whose process it is.

use std::io;
use std::time::Duration;

/// Clock ticks a second in `/proc/PID/stat`: the same on every Linux that this runs on.
const TICKS: u64 = 100;

/// Resident size now and at most, KiB.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    pub(crate) now_kib: f64,
    pub(crate) peak_kib: f64,
    /// The part that is not pages of files, now.
    pub(crate) own_kib: f64,
}

/// `VmRSS`, `VmHWM` and `RssAnon`.
pub(crate) fn memory(pid: u32) -> io::Result<Memory> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok())
            .ok_or_else(|| io::Error::other(format!("/proc/{pid}/status has no {name}")))
    };
    Ok(Memory { now_kib: field("VmRSS:")?, peak_kib: field("VmHWM:")?, own_kib: field("RssAnon:")? })
}

/// Processor time of all its threads, user and system, also of those that have ended.
pub(crate) fn cpu(pid: u32) -> io::Result<Duration> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // Behind the program's name, which may hold anything; the first field there is the third.
    let rest = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 =
        rest.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(ticks * 1000 / TICKS))
}

/// Bytes that it has caused to be sent to the disk: whole pages, each time that one is made dirty.
pub(crate) fn written(pid: u32) -> io::Result<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/io"))?;
    let field = text.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    field.and_then(|field| field.parse().ok()).ok_or_else(|| io::Error::other("no write_bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_figures() {
        let pid = std::process::id();
        let memory = memory(pid).unwrap();
        assert!(memory.own_kib > 0.0 && memory.own_kib < memory.now_kib && memory.now_kib <= memory.peak_kib);
        let before = cpu(pid).unwrap();
        let mut sum = 0_u64;
        while cpu(pid).unwrap() < before + Duration::from_millis(20) {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(written(pid).is_ok());
    }
}
