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
