//! Letters that an old firmware finds in a command and takes for another.
//!
//! Owns: which letter behind the first is taken for what. Must not know: which firmware looks so.

use super::firmwares::Looks;

/// The first letter that turns the command into another. `name`: it carries one.
pub(super) fn found(text: &str, name: bool, looks: Looks) -> Option<char> {
    let first = text.chars().next()?;
    let mut rest = text.chars().skip(1);
    match looks {
        Looks::AtTheBeginning => None,
        // code_seen('G'), else code_seen('M'), else code_seen('T').
        Looks::ForG => rest.find(|c| match first {
            'G' => false,
            'M' => *c == 'G',
            _ => matches!(c, 'G' | 'M'),
        }),
        Looks::ForGood if name => rest.find(char::is_ascii_alphabetic),
        Looks::Everywhere | Looks::ForGood => {
            rest.find(|c| matches!(c.to_ascii_uppercase(), 'G' | 'M' | 'N'))
        }
    }
}

/// Whether a command's letter and its number are apart.
pub(super) fn has_spaced_number(text: &str) -> bool {
    let mut letters = text.chars();
    let is_command =
        letters.next().is_some_and(|first| matches!(first.to_ascii_uppercase(), 'G' | 'M' | 'T'));
    let rest = letters.as_str();
    let number = rest.trim_start_matches([' ', '\t']);
    is_command && number.len() < rest.len() && number.starts_with(|c: char| c.is_ascii_digit())
}

/// The letter of a second command in the line: RepRapFirmware begins one at a G or M behind a space and outside quotes
/// (StringParser.cpp).
pub(super) fn second_command(text: &str) -> Option<char> {
    let (mut is_quoted, mut before) = (false, 'x');
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        is_quoted ^= c == '"';
        let begins = before == ' ' && matches!(c.to_ascii_uppercase(), 'G' | 'M');
        if begins && !is_quoted && rest.peek().is_some_and(char::is_ascii_digit) {
            return Some(c);
        }
        before = c;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("M862.3 P \"MK3SMMU2S\"", Looks::ForG, None)]
    #[case("M16 Big", Looks::ForG, None)]
    #[case("M16 BIG", Looks::ForG, Some('G'))]
    #[case("T0 M6", Looks::ForG, Some('M'))]
    #[case("G1 X1 F300", Looks::Everywhere, None)]
    #[case("M486 Aengine", Looks::Everywhere, Some('n'))]
    #[case("M486 AG1", Looks::AtTheBeginning, None)]
    fn what_is_found(#[case] text: &str, #[case] looks: Looks, #[case] expected: Option<char>) {
        assert_eq!(found(text, false, looks), expected);
    }
}
