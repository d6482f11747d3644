//! Names of print files.

use stardust_protocol::limits::MAX_NAME_CHARS;

use crate::error::Error;

/// A file's name as it is kept: the last part of whatever path a browser or slicer sent.
///
/// # Errors
/// Nothing is left of it, it is too long, or it holds control characters.
pub fn parse(text: &str) -> Result<String, Error> {
    let last = text.rsplit(['/', '\\']).next().unwrap_or_default().trim();
    let bad = |detail: &str| Error::invalid("bad_name", detail);
    if matches!(last, "" | "." | "..") {
        return Err(bad("The file has no name. Give it one, such as bracket.gcode."));
    }
    if last.chars().count() > MAX_NAME_CHARS {
        return Err(bad("The file's name is longer than 200 characters. Shorten it."));
    }
    if last.contains(char::is_control) {
        return Err(bad("The file's name holds control characters. Rename the file."));
    }
    Ok(last.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_part_of_a_path_is_a_name() {
        for (text, name) in [
            ("bracket.gcode", "bracket.gcode"),
            ("  C:\\prints\\bracket v2.gcode ", "bracket v2.gcode"),
            ("../../etc/passwd", "passwd"),
            ("vis-à-vis 部品.gcode", "vis-à-vis 部品.gcode"),
        ] {
            assert_eq!(parse(text).unwrap(), name);
        }
        for text in ["", "/", "..", "a/..", "  ", "a\u{7}b", "x\n.gcode"] {
            assert!(parse(text).is_err(), "{text:?}");
        }
        assert!(parse(&"ü".repeat(200)).is_ok());
        assert!(parse(&"ü".repeat(201)).is_err());
    }
}
