//! What comments tell of motion: where a layer begins, and what is not part of the print itself.
//!
//! Owns: the marks of PrusaSlicer and its kin (`;LAYER_CHANGE`, `;TYPE:Custom`), of Bambu's kin (`; CHANGE_LAYER`,
//! `; FEATURE: Skirt`) and of Cura (`;LAYER:0`, `;TYPE:SKIRT`). Must not know: moves.

/// What a comment says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// A layer begins.
    Layer,
    /// What follows is of the print (or of its supports and infill).
    Print,
    /// What follows is skirt, brim, purging, a prime or wipe tower, or the printer's own start and end.
    Aside,
}

/// The types that are not of the print, in lower case without punctuation.
const ASIDE: [&[u8]; 9] = [
    b"skirt",
    b"skirtbrim",
    b"brim",
    b"custom",
    b"primetower",
    b"wipetower",
    b"prime",
    b"purge",
    b"adhesion",
];

/// Reads a comment, without its `;`.
pub(super) fn read(text: &[u8]) -> Option<Mark> {
    let text = text.trim_ascii();
    if text == b"LAYER_CHANGE" || text == b"CHANGE_LAYER" {
        return Some(Mark::Layer);
    }
    if let Some(number) = text.strip_prefix(b"LAYER:") {
        return number.last().is_some_and(u8::is_ascii_digit).then_some(Mark::Layer);
    }
    let kind = text.strip_prefix(b"TYPE:").or_else(|| text.strip_prefix(b"FEATURE:"))?;
    Some(if ASIDE.iter().any(|aside| is(kind, aside)) { Mark::Aside } else { Mark::Print })
}

/// Whether the letters of a text are those of a name.
fn is(text: &[u8], name: &[u8]) -> bool {
    text.iter().filter(|byte| byte.is_ascii_alphabetic()).map(u8::to_ascii_lowercase).eq(name.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("LAYER_CHANGE", Some(Mark::Layer))]
    #[case(" CHANGE_LAYER", Some(Mark::Layer))]
    #[case("LAYER:12", Some(Mark::Layer))]
    #[case("LAYER:-2", Some(Mark::Layer))]
    #[case("LAYER_COUNT:12", None)]
    #[case("LAYER:", None)]
    #[case("TYPE:Skirt/Brim", Some(Mark::Aside))]
    #[case("TYPE:SKIRT", Some(Mark::Aside))]
    #[case("TYPE:Custom", Some(Mark::Aside))]
    #[case("TYPE:PRIME-TOWER", Some(Mark::Aside))]
    #[case(" FEATURE: Prime tower", Some(Mark::Aside))]
    #[case("TYPE:Wipe tower", Some(Mark::Aside))]
    #[case("TYPE:External perimeter", Some(Mark::Print))]
    #[case("TYPE:WALL-OUTER", Some(Mark::Print))]
    #[case(" FEATURE: Outer wall", Some(Mark::Print))]
    #[case("Z:0.2", None)]
    #[case("", None)]
    fn marks(#[case] text: &str, #[case] expected: Option<Mark>) {
        assert_eq!(read(text.as_bytes()), expected);
    }
}
