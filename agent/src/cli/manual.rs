//! `stardust-agent manual DIRECTORY`: manual pages and completions, out of the very definition of the command line.
//!
//! Owns: which shells. Hidden: packages call it when they are built.

use std::path::Path;
use std::process::ExitCode;

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Arguments, Failure};

/// Writes a page for each command and a completion for each shell.
pub(super) fn run(directory: &Path) -> Result<ExitCode, Failure> {
    write(directory)
        .map_err(|error| format!("The manual can't be written to {}: {error}", directory.display()))?;
    Ok(ExitCode::SUCCESS)
}

fn write(directory: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(directory)?;
    let mut command = Arguments::command();
    let name = command.get_name().to_owned();
    for shell in [Shell::Bash, Shell::Fish, Shell::Zsh] {
        clap_complete::generate_to(shell, &mut command, &name, directory)?;
    }
    // Afresh: the shells' generator has added `help` for each command.
    clap_mangen::generate_to(Arguments::command(), directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_that_is_shown_has_a_page() {
        let directory = tempfile::tempdir().unwrap();
        run(directory.path()).unwrap();
        let mut written: Vec<_> = std::fs::read_dir(directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        written.sort();
        let shown: Vec<_> = Arguments::command()
            .get_subcommands()
            .filter(|c| !c.is_hide_set())
            .map(|c| c.get_name().to_owned())
            .collect();
        for name in &shown {
            assert!(written.contains(&format!("stardust-agent-{name}.1")), "{name}: {written:?}");
        }
        // The pages of the commands, the overview, and three shells.
        assert_eq!(written.len(), shown.len() + 4, "{written:?}");
        let page = std::fs::read_to_string(directory.path().join("stardust-agent-print.1")).unwrap();
        assert!(page.contains("Print one file with no hub"), "{page}");
    }
}
