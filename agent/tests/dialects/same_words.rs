//! Whether a person reads the same in a message that was made harmless: every character in its place, but those that this
//! firmware acts on, which are others of the same look. After the firmwares' sources (decision 18), not after the agent's table.

use stardust_agent::serial::dialect::Dialect::{self, *};

/// A message of the file (its command as it stands there) and what the printer has carried out, with what is comment to
/// it.
pub(crate) fn same_words(file: &str, carried_out: &str, dialect: Dialect) -> bool {
    let (code, text) = parted(file);
    let (carried_out_code, mut shown) = parted(carried_out);
    if code != carried_out_code {
        return false;
    }
    if dialect == Teacup && !text.is_empty() {
        // It is a comment to it: no letter of it may be looked at.
        match shown.strip_prefix('(').and_then(|shown| shown.strip_suffix(')')) {
            Some(comment) => shown = comment,
            None => return false,
        }
    }
    let text = spelled(text);
    // What comes back to the host must be no answer: it is marked.
    let marked = shown.strip_prefix("- ").filter(|_| code == "M118" && !text.starts_with("- "));
    let is_marked = marked.is_some();
    let shown = marked.unwrap_or(shown);
    let mut rest = text.as_str();
    let as_shown = |c: char, shown: char, is_m110: bool| {
        let c = if is_lower_case(dialect) { c.to_ascii_lowercase() } else { c };
        c == shown
            || acts_on(dialect).contains(c) && looks_like(c) == shown
            || is_marked && c == ':' && shown == '.'
            || is_m110 && sets_numbers(dialect) && shown == 'm'
    };
    text.chars().count() == shown.chars().count()
        && shown.chars().all(|shown| {
            let mut chars = rest.chars();
            let (is_m110, c) = (rest.starts_with("M110"), chars.next());
            rest = chars.as_str();
            c.is_some_and(|c| as_shown(c, shown, is_m110))
        })
}

fn parted(command: &str) -> (&str, &str) {
    command.split_once(' ').unwrap_or((command, ""))
}

/// Letters that no firmware is sent, as people without them write them.
fn spelled(text: &str) -> String {
    let ascii = [
        ("ö", "oe"),
        ("ß", "ss"),
        ("ü", "ue"),
        ("°", "deg"),
        ("“", "'"),
        ("”", "'"),
        ("日", "?"),
        ("本", "?"),
    ];
    ascii.iter().fold(text.to_owned(), |text, (letter, spelled)| text.replace(letter, spelled))
}

/// What a firmware of this family, in one of its builds, does something at.
fn acts_on(dialect: Dialect) -> &'static str {
    match dialect {
        Marlin | Marlin1 => ";*\\\"()",
        Prusa => ";*",
        Ultimaker2 => ";*:",
        Malyan => ";*:\\\"()",
        Repetier => ";*(%",
        RepRapFirmware => ";*\"{}",
        Klipper => "",
        Teacup => ";*\"()",
    }
}

/// A capital letter is a command to it.
fn is_lower_case(dialect: Dialect) -> bool {
    matches!(dialect, Ultimaker2 | Malyan)
}

/// `M110` counts wherever it stands.
fn sets_numbers(dialect: Dialect) -> bool {
    matches!(dialect, Marlin | Marlin1)
}

fn looks_like(c: char) -> char {
    match c {
        ';' => ',',
        '*' => 'x',
        '\\' | '%' => '/',
        '"' => '\'',
        '(' | '{' => '[',
        ')' | '}' => ']',
        ':' => '.',
        c => c,
    }
}

#[test]
fn words_that_are_the_same() {
    assert!(same_words("M117 2*3 \"copies\";", "M117 2x3 'copies',", Marlin));
    assert!(same_words("M117 about M110 N5", "M117 about m110 N5", Marlin));
    assert!(same_words("M117 Go to X10", "M117 go to x10", Ultimaker2));
    assert!(same_words("M117 Go (x)", "M117 (Go [x])", Teacup));
    assert!(same_words("M118 Resend: 3", "M118 - Resend. 3", Klipper));
    assert!(same_words("M117 größe", "M117 groesse", Klipper));
    assert!(same_words("M117", "M117", Teacup));
}

#[test]
fn words_that_are_not_the_same() {
    for (file, carried_out, dialect) in [
        ("M117 2*3 copies", "M117 2", Marlin),
        ("M117 2*3 copies", "M117 23 copies", Marlin),
        ("M117 X10", "M117 10", Marlin),
        ("M117 10:30", "M117 1030", Marlin),
        ("M117 10:30", "M117 10.30", Marlin),
        ("M117 a,b", "M117 a;b", Marlin),
        ("M117 Go to X10", "Go to X10", Ultimaker2),
        ("M117 Go to X10", "M117 Go to X10", Ultimaker2),
        ("M117 Go", "GO M117", Teacup),
        ("M117 Go", "M117", Teacup),
        ("M117 Go", "M117 Go", Teacup),
        ("M117 Go on", "M117 (Go)", Teacup),
        ("M117 2*3", "M117 2x3", Klipper),
        ("M117 about M110", "M117 about m110", Prusa),
    ] {
        assert!(!same_words(file, carried_out, dialect), "{file}: {carried_out}");
    }
}
