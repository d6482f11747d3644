//! What an uploaded file is, judged by its content and never by its name.
//!
//! Owns: telling plain G-code from everything else, and the sentence for everything else. Must not know:
//! where the bytes came from, and how containers are opened.

mod container;

use std::fmt;

use crate::command::{self, Command};
use crate::lines::LineScanner;

pub use container::{Container, container};

/// How many bytes of the beginning of a file are looked at; hand over all of a shorter file.
pub const WINDOW: usize = 64 * 1024;

/// What a file is. `Display` gives a sentence for a person: what it is and what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Content {
    /// Plain G-code.
    Gcode,
    /// Nothing at all, or only white space.
    Empty,
    /// Something that may hold G-code inside.
    Container(Container),
    /// Something else.
    NotGcode {
        /// What it is instead.
        reason: Reason,
    },
}

/// What a file is that is no G-code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// A 3D model (STL) that has not been sliced.
    Model,
    /// A picture.
    Picture,
    /// Text in UTF-16.
    Utf16,
    /// A document: PDF, HTML, XML.
    Document,
    /// Some other binary data.
    Binary,
    /// Text without a single command in the part looked at.
    NoCommands,
}

impl Content {
    /// Whether it can be printed as it is.
    #[must_use]
    pub const fn is_gcode(self) -> bool {
        matches!(self, Self::Gcode)
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Container(container) => return container.fmt(f),
            Self::Gcode => "This is plain G-code.",
            Self::Empty => "The file is empty. Export it again from the slicer and use that file.",
            Self::NotGcode { reason } => match reason {
                Reason::Model => {
                    "This is a 3D model, not a print file. Slice it for the printer and use the G-code."
                }
                Reason::Picture => {
                    "This is a picture, not a print file. Use the G-code that the slicer exports."
                }
                Reason::Utf16 => {
                    "This text is written in UTF-16, which printers don't read. \
                     Save it as UTF-8 or export it again from the slicer."
                }
                Reason::Document => {
                    "This is a document, not a print file. Use the G-code that the slicer exports."
                }
                Reason::Binary => {
                    "This is binary data, not G-code: the file is damaged or of another kind. \
                     Export plain G-code from the slicer and use that file."
                }
                Reason::NoCommands => {
                    "This is text without any G-code command at its beginning. \
                     Export plain G-code from the slicer and use that file."
                }
            },
        })
    }
}

/// What a file is, from its first [`WINDOW`] bytes (more are not looked at).
#[must_use]
pub fn sniff(head: &[u8]) -> Content {
    let head = head.get(..WINDOW).unwrap_or(head);
    if let Some(content) = container(head).map(Content::Container).or_else(|| by_signature(head)) {
        return content;
    }
    if head.trim_ascii().is_empty() {
        return Content::Empty;
    }
    if is_binary(head) {
        return Content::NotGcode { reason: Reason::Binary };
    }
    if looks_like_gcode(head) {
        return Content::Gcode;
    }
    let reason = if is_text_model(head) {
        Reason::Model
    } else if head.trim_ascii_start().first() == Some(&b'<') {
        Reason::Document
    } else {
        Reason::NoCommands
    };
    Content::NotGcode { reason }
}

fn by_signature(head: &[u8]) -> Option<Content> {
    let not_gcode = |reason| Content::NotGcode { reason };
    let signatures: [(&[u8], Content); 8] = [
        (b"\x89PNG", not_gcode(Reason::Picture)),
        (b"\xFF\xD8\xFF", not_gcode(Reason::Picture)),
        (b"GIF8", not_gcode(Reason::Picture)),
        (b"qoif", not_gcode(Reason::Picture)),
        (b"%PDF-", not_gcode(Reason::Document)),
        (b"\xFF\xFE", not_gcode(Reason::Utf16)),
        (b"\xFE\xFF", not_gcode(Reason::Utf16)),
        (b"\x7FELF", not_gcode(Reason::Binary)),
    ];
    signatures.into_iter().find(|(signature, _)| head.starts_with(signature)).map(|(_, content)| content)
}

/// Text has hardly any control bytes. Stray ones happen (a NUL in a title, flow control bytes), so one in a
/// hundred is let pass.
fn is_binary(head: &[u8]) -> bool {
    let control = head.iter().filter(|byte| matches!(byte, 0..=8 | 14..=31 | 127)).count();
    control * 100 > head.len()
}

fn is_text_model(head: &[u8]) -> bool {
    head.trim_ascii_start().starts_with(b"solid") && memchr::memmem::find(head, b"facet").is_some()
}

/// At least one line is a command; or the window is full of a slicer's comments (thumbnails can fill it).
fn looks_like_gcode(head: &[u8]) -> bool {
    let mut scanner = LineScanner::new().with_max_line(4096);
    let mut rest = head;
    let mut only_comments = true;
    let mut by_slicer = false;
    while let Some(line) = scanner.next_line(&mut rest) {
        let text = line.text.trim_ascii_start();
        if text.first() == Some(&b';') {
            by_slicer |= is_slicer_comment(text);
        } else if command::parse(text).is_some_and(|command| is_recognisable(&command)) {
            return true;
        } else {
            only_comments &= text.is_empty();
        }
    }
    // The last line: whole in a short file, cut off in a longer one.
    let in_full = head.len() < WINDOW;
    let last = scanner.finish().and_then(|line| command::parse(line.text));
    if last.is_some_and(|command| is_recognisable(&command)) {
        return true;
    }
    !in_full && only_comments && by_slicer
}

fn is_slicer_comment(comment: &[u8]) -> bool {
    [b"generated by".as_slice(), b"Generated with", b"thumbnail", b"FLAVOR:", b"HEADER_BLOCK_START"]
        .iter()
        .any(|mark| memchr::memmem::find(comment, mark).is_some())
}

/// A command whose words are all parameters: `M4 screws are needed` is not one.
fn is_recognisable(command: &Command<'_>) -> bool {
    let Some(code) = command.code() else { return false };
    if code.carries_text() {
        return code.number > 1 || command.argument().is_empty();
    }
    let unquoted = command.argument().split('"').step_by(2);
    unquoted.flat_map(str::split_ascii_whitespace).all(|word| is_parameter(word.as_bytes()))
}

/// Letters with numbers (`X1.5Y-2`), a number alone, one bare letter, or several that name axes (`G28 XY`).
fn is_parameter(word: &[u8]) -> bool {
    if word.iter().all(u8::is_ascii_alphabetic) {
        return word.len() == 1 || word.iter().all(|letter| b"XYZEABCUVW".contains(letter));
    }
    word.iter().any(u8::is_ascii_digit)
        && word.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'-'))
        && !word.windows(2).any(|pair| pair.iter().all(u8::is_ascii_alphabetic))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    const fn not(reason: Reason) -> Content {
        Content::NotGcode { reason }
    }

    #[rstest]
    #[case::one_command(b"G28", Content::Gcode)]
    #[case::after_comments(b"; generated by hand\n\nM104 S200\nhello", Content::Gcode)]
    #[case::lower_case_crlf_bom(b"\xEF\xBB\xBFg1 x1.5\r\n", Content::Gcode)]
    #[case::klipper(b"START_PRINT BED=60\nG1X1Y2E.3\n", Content::Gcode)]
    #[case::quoted(b"M862.3 P \"MK3S\"\n", Content::Gcode)]
    #[case::stray_control_bytes(b"M117 Benchy in pl\0stic, a message that is long enough to hide one stray zero byte\nG28 ; home all the axes now\n", Content::Gcode)]
    #[case::nothing(b"", Content::Empty)]
    #[case::blank(b" \r\n\n", Content::Empty)]
    #[case::gzip(b"\x1F\x8B\x08", Content::Container(Container::Gzip))]
    #[case::multipart(
        b"--x\r\nContent-Disposition: form-data; name=f\r\n\r\nG28\nG1 X1\n\r\n--x--\r\n",
        Content::Container(Container::Multipart)
    )]
    #[case::png(b"\x89PNG\r\n", not(Reason::Picture))]
    #[case::jpeg(b"\xFF\xD8\xFF\xE0", not(Reason::Picture))]
    #[case::pdf(b"%PDF-1.7\n", not(Reason::Document))]
    #[case::html(b"<!doctype html>\n<p>G1 is a move</p>", not(Reason::Document))]
    #[case::utf16(b"\xFF\xFEG\x001\0", not(Reason::Utf16))]
    #[case::stl(b"solid cube\n facet normal 0 0 1\n", not(Reason::Model))]
    #[case::zeros(&[0; 4096], not(Reason::Binary))]
    #[case::prose(b"Dear all,\nM4 screws are needed\nT1 line is down\n", not(Reason::NoCommands))]
    #[case::only_comments(b"; generated by PrusaSlicer\n", not(Reason::NoCommands))]
    #[case::config(b"[printer]\nmodel = MK3\n", not(Reason::NoCommands))]
    fn by_content(#[case] head: &[u8], #[case] expected: Content) {
        assert_eq!(sniff(head), expected);
    }

    #[test]
    fn thumbnails_may_fill_the_window() {
        let mut file = b"; generated by PrusaSlicer 2.9.3\n; thumbnail begin 640x480 90000\n".to_vec();
        while file.len() < 2 * WINDOW {
            file.extend_from_slice(b"; iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk\n");
        }
        assert_eq!(sniff(&file), Content::Gcode);
        assert_eq!(sniff(&file[..1000]), not(Reason::NoCommands));
        let foreign = b"; just a comment\n".repeat(WINDOW);
        assert_eq!(sniff(&foreign), not(Reason::NoCommands));
    }

    #[test]
    fn every_sentence_says_what_to_do() {
        let reasons = [
            Reason::Model,
            Reason::Picture,
            Reason::Utf16,
            Reason::Document,
            Reason::Binary,
            Reason::NoCommands,
        ];
        for content in reasons.map(not).into_iter().chain([Content::Empty]) {
            let sentence = content.to_string();
            assert!(["use ", "Use ", "Save it"].iter().any(|advice| sentence.contains(advice)), "{sentence}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes(head in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = sniff(&head).to_string();
        }

        #[test]
        fn any_text(head in "[ -~\n]{0,200}") {
            let _ = sniff(head.as_bytes());
        }
    }
}
