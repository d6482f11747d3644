//! The samples that the hub does not have, over restarts of the agent.
//!
//! Written seldom, whole, and never waited for: an SD card must live, and nothing depends on them. After a loss of power
//! some or all may be missing.
//! Owns: the file's format. Must not know: what samples say, or when they are written.

use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use stardust_protocol::TelemetrySample;

use crate::plain_file;

/// So many samples are not kept.
const LONGEST_BYTES: u64 = 64 << 20;

/// What an earlier process has left; lines that can't be read are passed over.
#[must_use]
pub fn read(path: &Path) -> Vec<TelemetrySample> {
    let text = plain_file::read_text(path, LONGEST_BYTES).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// What is written of them.
///
/// # Errors
/// Samples that are no JSON.
pub fn text<'a>(samples: impl Iterator<Item = &'a TelemetrySample>) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    for sample in samples {
        serde_json::to_writer(&mut text, sample)?;
        text.push(b'\n');
    }
    Ok(text)
}

/// Writes that for the next process; nothing: there is no file. Waits for the disk.
///
/// # Errors
/// The disk's; what was there before is there still.
pub fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    if text.is_empty() {
        return match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
    }
    let new = path.with_extension("new");
    plain_file::draft(&new)?.write_all(text)?;
    fs::rename(new, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use stardust_protocol::telemetry::Heat;
    use stardust_protocol::{Temperature, Timestamp};

    #[test]
    fn samples_outlive_the_process_and_a_torn_line_takes_no_other_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("telemetry.jsonl");
        assert_eq!(read(&path), []);
        let bed = Some(Temperature { actual: 60.1, target: 60.0 });
        let sample = |number| TelemetrySample {
            job_id: "0190a7c2-6f00-7000-8000-000000000001".parse().unwrap(),
            number,
            at: Timestamp::from_millis(1_795_000_000_000),
            fraction: 0.25,
            layer: Some(12),
            heat: Heat { tools: Vec::new(), bed, chamber: None },
        };
        let samples = [sample(1), sample(2)];
        write(&path, &text(samples.iter()).unwrap()).unwrap();
        assert_eq!(read(&path), samples);
        let written = fs::read_to_string(&path).unwrap();
        insta::assert_snapshot!(written.lines().next().unwrap(), @r#"{"job_id":"0190a7c2-6f00-7000-8000-000000000001","number":1,"at":"2026-11-18T11:06:40.000Z","fraction":0.25,"layer":12,"tools":[],"bed":{"actual":60.1,"target":60.0}}"#);
        fs::write(&path, &written[..written.len() - 9]).unwrap();
        assert_eq!(read(&path), samples[..1]);
        write(&path, &[]).unwrap();
        assert!(!path.exists());
        write(&path, &[]).unwrap();
    }
}
