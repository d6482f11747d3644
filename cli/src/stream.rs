//! Server-sent events: bytes in, events out.
//!
//! Owns: the framing of `text/event-stream` (the WHATWG HTML standard, "Server-sent events"). Must not know:
//! the network, and what events mean.

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    /// Its kind; `message` when the server names none.
    pub(crate) kind: String,
    /// Its data; several `data` lines are joined by a newline.
    pub(crate) data: String,
}

/// An event or a line larger than any that a hub sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event is larger than {MAX_BYTES} bytes")]
pub(crate) struct TooLarge;

/// The largest event taken, in bytes.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Takes events out of a stream of bytes.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    /// The line that is not complete yet.
    line: Vec<u8>,
    /// The last byte was a CR: an LF that follows belongs to it.
    after_cr: bool,
    begun: bool,
    kind: String,
    data: String,
    last_id: Option<String>,
}

impl Parser {
    /// A parser that goes on behind the event with this id.
    pub(crate) fn resume(last_id: Option<String>) -> Self {
        Self { last_id, ..Self::default() }
    }

    /// The id to ask for when the connection breaks.
    pub(crate) fn last_id(&self) -> Option<&str> {
        self.last_id.as_deref()
    }

    /// Takes in bytes and gives the events they complete.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<Vec<Event>, TooLarge> {
        let mut events = Vec::new();
        for &byte in bytes {
            if std::mem::take(&mut self.after_cr) && byte == b'\n' {
                continue;
            }
            match byte {
                b'\n' => events.extend(self.end_line()),
                b'\r' => {
                    self.after_cr = true;
                    events.extend(self.end_line());
                }
                byte => self.line.push(byte),
            }
            if self.line.len() + self.data.len() > MAX_BYTES {
                return Err(TooLarge);
            }
        }
        Ok(events)
    }

    fn end_line(&mut self) -> Option<Event> {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line);
        let line = if std::mem::replace(&mut self.begun, true) {
            &line
        } else {
            line.strip_prefix('\u{feff}').unwrap_or(&line)
        };
        if line.is_empty() {
            return self.dispatch();
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.kind),
            "data" => {
                self.data.push_str(value);
                self.data.push('\n');
            }
            "id" if !value.contains('\0') => {
                self.last_id = Some(value.to_owned()).filter(|id| !id.is_empty())
            }
            // An empty field name is a comment; `retry` is ours to decide.
            _ => {}
        }
        None
    }

    fn dispatch(&mut self) -> Option<Event> {
        let kind = std::mem::take(&mut self.kind);
        let mut data = std::mem::take(&mut self.data);
        // Without any data line it is no event.
        data.pop()?;
        Some(Event { kind: if kind.is_empty() { "message".into() } else { kind }, data })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn event(kind: &str, data: &str) -> Event {
        Event { kind: kind.into(), data: data.into() }
    }

    fn parse(bytes: &[u8]) -> (Vec<Event>, Option<String>) {
        let mut parser = Parser::default();
        let events = parser.feed(bytes).unwrap();
        (events, parser.last_id().map(str::to_owned))
    }

    #[rstest]
    #[case::one("id: 7\nevent: change\ndata: {}\n\n", &[event("change", "{}")], Some("7"))]
    #[case::no_kind("data:x\n\n", &[event("message", "x")], None)]
    #[case::lines("data: a\ndata:  b\n\n", &[event("message", "a\n b")], None)]
    #[case::crlf("event: reset\r\ndata: {}\r\n\r\n", &[event("reset", "{}")], None)]
    #[case::cr("data: a\r\rdata: b\r\r", &[event("message", "a"), event("message", "b")], None)]
    #[case::comments(": keep\n\n:\n\ndata: x\n\n", &[event("message", "x")], None)]
    #[case::bom("\u{feff}data: x\n\n", &[event("message", "x")], None)]
    #[case::empty_data("data\n\n", &[event("message", "")], None)]
    #[case::id_alone("id: 9\n\n", &[], Some("9"))]
    #[case::id_forgotten("id: 9\nid\n\n", &[], None)]
    #[case::unfinished("data: x\n", &[], None)]
    #[case::unknown_field("foo: bar\nretry: 5\ndata: x\n\n", &[event("message", "x")], None)]
    fn framing(#[case] bytes: &str, #[case] events: &[Event], #[case] last_id: Option<&str>) {
        assert_eq!(parse(bytes.as_bytes()), (events.to_vec(), last_id.map(str::to_owned)));
    }

    #[test]
    fn an_endless_event_is_an_error() {
        let mut parser = Parser::default();
        let chunk = vec![b'x'; 1 << 20];
        assert!((0..10).any(|_| parser.feed(&chunk) == Err(TooLarge)));
    }

    #[test]
    fn it_goes_on_behind_the_last_event() {
        assert_eq!(Parser::resume(Some("5".into())).last_id(), Some("5"));
    }

    proptest! {
        #[test]
        fn chunking_changes_nothing(
            bytes in proptest::collection::vec(
                prop_oneof![any::<u8>(), proptest::sample::select(b"\r\n\n: data:id".to_vec())], 0..200,
            ),
            size in 1_usize..20,
        ) {
            let mut parser = Parser::default();
            let events: Vec<Event> = bytes.chunks(size).flat_map(|chunk| parser.feed(chunk).unwrap()).collect();
            prop_assert_eq!((events, parser.last_id().map(str::to_owned)), parse(&bytes));
        }
    }
}
