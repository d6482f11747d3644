//! Whether a person reads the same in a message that was made harmless: its letters and digits, in their order.

use stardust_agent::serial::dialect::Dialect;

/// A message of the file (its command as it stands there) and what the printer has carried out.
pub(crate) fn same_words(file: &str, carried_out: &str, dialect: Dialect) -> bool {
    let code = file.split(' ').next().unwrap();
    if dialect == Dialect::Teacup {
        // It is a comment to it: no letter of it may be looked at.
        return carried_out == code;
    }
    carried_out.split(' ').next() == Some(code) && words(file) == words(carried_out)
}

/// A star may have become an x.
fn words(text: &str) -> String {
    let plain: String = text.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    plain.to_ascii_lowercase().replace('x', "")
}

#[test]
fn words_that_are_not_the_same() {
    assert!(same_words("M117 2*3 \"copies\";", "M117 2x3 'copies',", Dialect::Marlin));
    assert!(!same_words("M117 2*3 copies", "M117 2", Dialect::Marlin));
    assert!(!same_words("M117 Go to X10", "Go to X10", Dialect::Ultimaker2));
    assert!(!same_words("M117 Go", "GO M117", Dialect::Teacup));
}
