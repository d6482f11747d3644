//! What becomes of the jobs and events of a printer that is paired again, maybe with another hub.
//!
//! Owns: when that is refused, and what is said. Must not know: where the facts come from.

use std::path::Path;

use url::Url;

/// How the printer stands with its hub before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// The file of the job that it holds.
    pub job: Option<String>,
    /// Events that the hub does not know yet.
    pub undelivered: usize,
    /// Whether an agent drives it just now.
    pub running: bool,
}

impl Standing {
    /// A job is not taken from its hub by the way.
    ///
    /// # Errors
    /// What to do first, in a sentence.
    pub fn may_leave(&self, force: bool) -> Result<(), String> {
        match &self.job {
            Some(file) if !force => Err(format!(
                "The printer is at work on “{file}”. Nothing was changed, and the code was not used up. Wait until the \
                 job is over or cancel it, or pair with --force."
            )),
            _ => Ok(()),
        }
    }

    /// The same printer at the same hub, with another credential.
    #[must_use]
    pub fn renewed(&self) -> String {
        let events = match self.undelivered {
            0 => String::new(),
            count => format!(" {count} events that wait for the hub are delivered with the new credential."),
        };
        format!("The hub knows the printer: its jobs and its history stay with it.{events}")
    }

    /// Another printer for the hub, or another hub. `former`: where what is left over is kept.
    #[must_use]
    pub fn left(&self, old_hub: &Url, former: &Path) -> String {
        let mut lines = vec![format!(
            "For the hub this is a new printer. The one before is listed at {old_hub} still: remove it there."
        )];
        if self.undelivered > 0 {
            let (count, former) = (self.undelivered, former.display());
            lines.push(format!(
                "It does not know {count} events yet. What can't be delivered soon is kept in {former}, and nobody \
                 delivers it later."
            ));
        }
        if let Some(file) = &self.job {
            lines.push(format!(
                "“{file}” comes to its end first, and the hub before is told of it if it can be. The new pairing takes \
                 over then."
            ));
        }
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_in_the_way_unless_forced() {
        let at_work = Standing { job: Some("bracket.gcode".into()), undelivered: 2, running: true };
        assert!(at_work.may_leave(false).unwrap_err().contains("“bracket.gcode”"));
        assert_eq!(at_work.may_leave(true), Ok(()));
        assert_eq!(Standing::default().may_leave(false), Ok(()));
    }

    #[test]
    fn what_is_said_about_the_hub_before() {
        let at_work = Standing { job: Some("bracket.gcode".into()), undelivered: 2, running: true };
        let hub = "https://old.example/".parse().unwrap();
        let said = at_work.left(&hub, Path::new("/data/former"));
        assert!(
            said.contains("2 events") && said.contains("/data/former") && said.contains("to its end"),
            "{said}"
        );
        assert!(!Standing::default().left(&hub, Path::new("/x")).contains("events"));
    }
}
