//! Log lines for systemd's journal: every field of an event is a field there, to be asked for by name
//! (`journalctl STARDUST_JOB_ID=…`), and stands in the message too, for people.
//!
//! Owns: the journal's native protocol (systemd.io, "Native Journal Protocol"). Must not know: who logs what.

use std::fmt::Write as _;
use std::io::Write;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixDatagram;

use stardust_outlet::Outlet;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

use super::outlets::add_journal;

const SOCKET: &str = "/run/systemd/journal/socket";

/// The journal that takes this process's standard error.
pub(super) struct Journal(Outlet);

/// Its socket: each piece is an entry.
struct Socket(UnixDatagram);

impl Write for Socket {
    fn write(&mut self, entry: &[u8]) -> std::io::Result<usize> {
        self.0.send(entry)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Journal {
    /// None where standard error goes elsewhere: to a terminal, a file, or nobody.
    pub(super) fn of_this_service() -> Option<Self> {
        let stream = std::env::var("JOURNAL_STREAM").ok()?;
        let standard_error = std::fs::metadata("/proc/self/fd/2").ok()?;
        // A variable that was inherited from a service further up tells nothing of us.
        if stream != format!("{}:{}", standard_error.dev(), standard_error.ino()) {
            return None;
        }
        let socket = UnixDatagram::unbound().ok()?;
        socket.connect(SOCKET).ok()?;
        let missing = |lost| {
            let message = format!("{lost} entries are missing here: the journal did not take them in time");
            entry(Level::WARN, module_path!(), &Fields { message, others: Vec::new() })
        };
        let outlet = Outlet::new("journal", Socket(socket), missing).ok()?;
        add_journal(outlet.clone());
        Some(Self(outlet))
    }
}

impl<S: Subscriber> Layer<S> for Journal {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let metadata = event.metadata();
        self.0.put(&entry(*metadata.level(), metadata.target(), &fields));
    }
}

/// What an event says.
#[derive(Debug, Default)]
struct Fields {
    message: String,
    others: Vec<(&'static str, String)>,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.add(field.name(), format!("{value:?}"));
    }
}

impl Fields {
    fn add(&mut self, name: &'static str, value: String) {
        if name == "message" {
            self.message = value;
        } else {
            self.others.push((name, value));
        }
    }
}

fn entry(level: Level, target: &str, fields: &Fields) -> Vec<u8> {
    let mut message = fields.message.clone();
    for (name, value) in &fields.others {
        // Writing to a string does not fail.
        let _ = write!(message, " {name}={value}");
    }
    // As syslog counts them.
    let priority = match level {
        Level::ERROR => "3",
        Level::WARN => "4",
        Level::INFO => "6",
        _ => "7",
    };
    let mut entry = Vec::with_capacity(256);
    put(&mut entry, "MESSAGE", &message);
    put(&mut entry, "PRIORITY", priority);
    put(&mut entry, "SYSLOG_IDENTIFIER", env!("CARGO_PKG_NAME"));
    put(&mut entry, "TARGET", target);
    for (name, value) in &fields.others {
        let upper: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
            .collect();
        put(&mut entry, &format!("STARDUST_{upper}"), value);
    }
    entry
}

/// `NAME=value`, or with the value's length where it has lines of its own.
fn put(entry: &mut Vec<u8>, name: &str, value: &str) {
    entry.extend_from_slice(name.as_bytes());
    if value.contains('\n') {
        entry.push(b'\n');
        entry.extend_from_slice(&(value.len() as u64).to_le_bytes());
    } else {
        entry.push(b'=');
    }
    entry.extend_from_slice(value.as_bytes());
    entry.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_a_message_for_people_and_fields_for_programs() {
        let fields = Fields {
            message: "job moved".into(),
            others: vec![("job.id", "0190".into()), ("wait_ms", "20".into())],
        };
        let entry = String::from_utf8(entry(Level::WARN, "stardust_agent::printer", &fields)).unwrap();
        insta::assert_snapshot!(entry, @r"
        MESSAGE=job moved job.id=0190 wait_ms=20
        PRIORITY=4
        SYSLOG_IDENTIFIER=stardust-agent
        TARGET=stardust_agent::printer
        STARDUST_JOB_ID=0190
        STARDUST_WAIT_MS=20
        ");
    }

    #[test]
    fn a_value_of_two_lines_adds_no_field() {
        let mut entry = Vec::new();
        put(&mut entry, "MESSAGE", "a\nPRIORITY=0");
        assert_eq!(entry, b"MESSAGE\n\x0c\0\0\0\0\0\0\0a\nPRIORITY=0\n");
    }
}
