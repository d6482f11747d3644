//! What is wrong with the printer's host, as people are told.
//!
//! Owns: the sentences. Pure. Must not know: how it was found out.

use crate::disk::DiskFault;

/// What is wrong with the disk of the printer's host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct HostTrouble {
    /// The journal can't be written.
    pub(super) journal: Option<DiskFault>,
    /// The trail of the job at work can't be written.
    pub(super) trail: Option<DiskFault>,
    /// There is no room for a print file.
    pub(super) no_room: bool,
}

impl HostTrouble {
    /// Whether a job can be claimed.
    pub(super) fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// What people are told, while a job is at work or not.
    pub(super) fn message(&self, at_work: bool) -> Option<String> {
        let full = DiskFault::Full;
        let fault = self.journal.as_ref().or(self.trail.as_ref());
        let fault = fault.or_else(|| (self.no_room && !at_work).then_some(&full))?;
        let mut text = format!("The printer host's disk {fault}: ");
        text += match (at_work, fault) {
            (false, DiskFault::Full) => {
                "no job can be printed before space is freed. Remove what is not needed on that computer."
            }
            (false, DiskFault::ReadOnly) => {
                "no job can be printed before it can be written again. Start that computer anew; if it comes back, its \
                 memory card is worn out."
            }
            (false, DiskFault::Other(_)) => {
                "no job can be printed before it can. Check the disk of that computer."
            }
            (true, _) => "the print goes on.",
        };
        if at_work && self.trail.is_some() {
            text += " It would not survive a restart of the agent.";
        }
        if at_work && self.journal.is_some() {
            text +=
                " What happens is kept in memory only: don't restart that computer before it is repaired.";
        }
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::nothing(HostTrouble::default(), false, None)]
    #[case::no_room(
        HostTrouble { no_room: true, ..HostTrouble::default() },
        false,
        Some("The printer host's disk is full: no job can be printed before space is freed. Remove what is not needed on that computer.")
    )]
    #[case::no_room_matters_to_the_next_job(HostTrouble { no_room: true, ..HostTrouble::default() }, true, None)]
    #[case::read_only(
        HostTrouble { journal: Some(DiskFault::ReadOnly), no_room: true, ..HostTrouble::default() },
        false,
        Some("The printer host's disk can only be read: no job can be printed before it can be written again. Start that computer anew; if it comes back, its memory card is worn out.")
    )]
    #[case::at_work(
        HostTrouble { journal: Some(DiskFault::Full), ..HostTrouble::default() },
        true,
        Some("The printer host's disk is full: the print goes on. What happens is kept in memory only: don't restart that computer before it is repaired.")
    )]
    #[case::trail_lost(
        HostTrouble { trail: Some(DiskFault::ReadOnly), ..HostTrouble::default() },
        true,
        Some("The printer host's disk can only be read: the print goes on. It would not survive a restart of the agent.")
    )]
    fn in_words(#[case] trouble: HostTrouble, #[case] at_work: bool, #[case] expected: Option<&str>) {
        assert_eq!(trouble.message(at_work).as_deref(), expected);
    }
}
