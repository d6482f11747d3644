//! A heater that the firmware does not tell of, heated by a job whose agent is gone: the next one knows it from the journal, and turns
//! off what there may be where the journal does not say. Read at the printer.

use std::process::{Child, Stdio};

use rstest::rstest;

use crate::host::Host;
use crate::stand_in::eventually;

/// What is known of it to the next process.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Known {
    /// The agent has written it down.
    ByTheAgent,
    /// Its print file and its trail are gone as well.
    ByTheJournalAlone,
    /// An agent before 0.2 has written the journal.
    NotFromOldJournals,
    /// Nobody can read it.
    NotFromADamagedJournal,
    /// A print with no hub has written it down.
    ByAPrint,
}

fn job() -> String {
    let moves: String = (0..4000).map(|at| format!("G1 X{} F1200\n", at % 100)).collect();
    format!("{HEATS}{moves}")
}

fn print(host: &Host, file: &str) -> Child {
    let (path, port) = (host.runtime().join("job.gcode"), host.printer().port());
    std::fs::write(&path, file).unwrap();
    let mut command = host.command();
    command.arg("print").arg(&path).arg("--port").arg(port);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

const HEATS: &str = "M141 S45\nM104 S200\nM140 S60\nG28\n";
const HOT: [f64; 4] = [200.0, 0.0, 60.0, 45.0];

/// What the first one has heated is the second one's to turn off: it is the second one that says that all is off.
#[rstest]
fn a_print_behind_one_that_was_killed_turns_off_what_that_has_heated(
    #[values("prusa", "repetier", "reprapfirmware")] profile: &str,
) {
    let host = Host::unpaired_with(None, 20, &["--profile", profile, "--tools", "2", "--chamber", "60"]);
    let mut first = print(&host, &job());
    eventually("hot", || (host.printer().targets() == HOT).then_some(()));
    first.kill().unwrap();
    first.wait().unwrap();
    let ended = print(&host, "M104 S200\nG28\nG1 X10 F600\n").wait().unwrap();
    assert!(ended.success());
    assert!(host.printer().is_cold(), "it said so: {:?}", host.printer().targets());
}

#[rstest]
#[case::prusa("prusa")]
#[case::repetier("repetier")]
#[case::reprapfirmware("reprapfirmware")]
fn a_chamber_that_nobody_tells_of_is_turned_off_by_the_next_agent(
    #[case] profile: &str,
    #[values(
        Known::ByTheAgent,
        Known::ByTheJournalAlone,
        Known::NotFromOldJournals,
        Known::NotFromADamagedJournal,
        Known::ByAPrint
    )]
    known: Known,
) {
    let options = ["--profile", profile, "--tools", "2", "--chamber", "60"];
    let mut host = match known {
        Known::ByAPrint => Host::unpaired_with(None, 20, &options),
        _ => Host::paired_with(None, 20, &options),
    };
    let file = job();
    let is_hot = |host: &Host| eventually("hot", || (host.printer().targets() == HOT).then_some(()));
    if known == Known::ByAPrint {
        let mut print = print(&host, &file);
        is_hot(&host);
        print.kill().unwrap();
        print.wait().unwrap();
    } else {
        let claim = host.offer_file(1, file.as_bytes());
        host.run();
        is_hot(&host);
        host.kill();
        std::fs::remove_file(host.spooled(&claim)).unwrap();
        let journal = host.file("journal.jsonl");
        if known != Known::ByTheAgent {
            std::fs::remove_dir_all(host.file("trail")).ok();
            std::fs::remove_file(host.file("trail")).ok();
        }
        match known {
            Known::NotFromOldJournals => {
                let text = std::fs::read_to_string(&journal).unwrap();
                let lines = text.lines().map(|line| {
                    let mut record: serde_json::Value = serde_json::from_str(line).unwrap();
                    record.as_object_mut().unwrap().remove("heaters");
                    format!("{record}\n")
                });
                std::fs::write(&journal, lines.collect::<String>()).unwrap();
            }
            Known::NotFromADamagedJournal => std::fs::write(&journal, [0; 64]).unwrap(),
            _ => {}
        }
    }
    assert_eq!(host.printer().targets(), HOT, "nobody could turn it off");
    host.run();
    host.is_made_safe();
}
