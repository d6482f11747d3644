//! `M118`: the firmware says a text of the file to its host, who must not take it for an answer.
//!
//! Owns: which texts look like an answer. `M118 ok` would be a credit, `M118 Resend: 5` a request, `M118 start` a reset
//! in mid-print. Must not know: what follows from an answer.

use super::super::reply::{Reply, tells_a_reset};

/// Put before a text that would be taken for an answer, and its colons go: temperatures are found wherever they stand.
const MARK: &str = "- ";

/// The text as it may come back. `//action:…` is what M118 is for, and stays.
pub(super) fn harmless(text: String) -> String {
    let (flags, said) = flags(&text);
    // `A1`: the firmware puts the slashes before it.
    if said.starts_with("//") || flags.contains("A1") || is_harmless(said) {
        return text;
    }
    format!("{flags}{MARK}{}", said.replace(':', "."))
}

/// Parted into `A1 E1 P0 ` and the text itself.
fn flags(text: &str) -> (&str, &str) {
    let mut said = text;
    while let [b'A' | b'E' | b'P', b'0'..=b'9', rest @ ..] = said.as_bytes() {
        if !rest.is_empty() && rest.first() != Some(&b' ') {
            break;
        }
        said = said.get(2..).unwrap_or_default().trim_start();
    }
    text.split_at(text.len() - said.len())
}

/// Nothing that the host acts on has neither a colon nor one of these words in front.
fn is_harmless(said: &str) -> bool {
    let echo = format!("echo:{said}");
    let other = |line: &str| matches!(Reply::parse(line), Reply::Other(_) | Reply::Echo(_));
    let special = said == "INT4" || said.ends_with("card ok") || said.starts_with("Unknown command");
    other(said) && other(&echo) && !tells_a_reset(said) && !special && !said.contains([':', '{'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("Layer 5 of 10", "Layer 5 of 10")]
    #[case("E1 Hello", "E1 Hello")]
    #[case("A1 action:notification x", "A1 action:notification x")]
    #[case("//action:pause", "//action:pause")]
    #[case("ok", "- ok")]
    #[case("E1 ok", "E1 - ok")]
    #[case("Resend: 5", "- Resend. 5")]
    #[case("rs 5", "- rs 5")]
    #[case("start", "- start")]
    #[case("wait", "- wait")]
    #[case("Error:Printer halted", "- Error.Printer halted")]
    #[case("!! stop", "- !! stop")]
    #[case("busy: processing", "- busy. processing")]
    #[case("PowerUp", "- PowerUp")]
    #[case("T:20 /0", "- T.20 /0")]
    #[case("INT4", "- INT4")]
    fn no_answer_is_made_up(#[case] text: &str, #[case] expected: &str) {
        let sent = harmless(text.to_owned());
        assert_eq!(sent, expected);
        let said = sent.strip_prefix("E1 ").or(sent.strip_prefix("A1 ")).unwrap_or(&sent);
        assert!(
            said.starts_with("//") || sent.starts_with("A1") || matches!(Reply::parse(said), Reply::Other(_)),
            "{said} is read as an answer"
        );
    }
}
