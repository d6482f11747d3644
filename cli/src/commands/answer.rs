//! `stardust answer`: what a printer asks a person.

use serde_json::json;

use super::choose;
use crate::api::{Attention, Client, Printer};
use crate::error::CliError;
use crate::output;

/// Answers with a button, or shows which there are when it is left out and there is a choice.
pub(crate) async fn run(client: &Client, word: &str, button: Option<&str>) -> Result<(), CliError> {
    let id = choose::printer(client, word).await?;
    let printer: Printer = client.parse(client.get(&format!("api/v1/printers/{id}")).await?)?;
    let Some(asked) = printer.status.as_ref().and_then(|status| status.attention.as_ref()) else {
        return Err(CliError::Failed(no_question(&printer)));
    };
    let number = choice(asked, button).map_err(CliError::Failed)?;
    let body = json!({ "attention_id": asked.id, "button": number });
    client.post(&format!("api/v1/printers/{id}/answer"), &body).await?;
    let said = asked.buttons.get(number).map_or("to go on", String::as_str);
    output::line(&output::printable(&format!("{}: “{}” answered: {said}.", printer.name, asked.text)))
}

/// A print that somebody paused asks nothing: it waits for another command.
fn no_question(printer: &Printer) -> String {
    match &printer.current_job_id {
        Some(job) if printer.state == "paused" => {
            format!("{} asks nothing: its print is paused. To go on: stardust resume {job}", printer.name)
        }
        _ => format!("{} asks nothing", printer.name),
    }
}

/// The number of the button that is meant: by its label, or counted from 1.
fn choice(asked: &Attention, word: Option<&str>) -> Result<usize, String> {
    let labels = &asked.buttons;
    let all = labels.iter().enumerate().map(|(at, label)| format!("{}: {label}", at + 1));
    let all = all.collect::<Vec<_>>().join(", ");
    let Some(word) = word else {
        return match labels.len() {
            0 | 1 => Ok(0),
            _ => {
                Err(format!("“{}”: give one of these answers by its number or its words: {all}", asked.text))
            }
        };
    };
    let named = labels.iter().position(|label| label.to_lowercase() == word.to_lowercase());
    let counted = || word.parse::<usize>().ok()?.checked_sub(1).filter(|at| *at < labels.len());
    named.or_else(counted).ok_or_else(|| match labels.is_empty() {
        true => format!(
            "“{}” has no answers to choose from: leave “{word}” out to let the printer go on",
            asked.text
        ),
        false => format!("“{}” has no answer “{word}”; there are: {all}", asked.text),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("paused", "Ada asks nothing: its print is paused. To go on: stardust resume j1")]
    #[case("printing", "Ada asks nothing")]
    fn without_a_question(#[case] state: &str, #[case] expected: &str) {
        let printer = serde_json::json!({"id": "p1", "name": "Ada", "state": state, "current_job_id": "j1",
            "contact": {"state": "online"}});
        assert_eq!(no_question(&serde_json::from_value(printer).unwrap()), expected);
    }

    #[rstest]
    #[case(&[], None, Ok(0))]
    #[case(&["Continue"], None, Ok(0))]
    #[case(&["Purge More", "Continue"], Some("continue"), Ok(1))]
    #[case(&["Purge More", "Continue"], Some("1"), Ok(0))]
    #[case(&["Purge More", "Continue"], Some("3"), Err("“Parked” has no answer “3”; there are: 1: Purge More, 2: Continue"))]
    #[case(&["2", "1"], Some("1"), Ok(1))]
    #[case(&["A", "B"], None, Err("“Parked”: give one of these answers by its number or its words: 1: A, 2: B"))]
    #[case(&[], Some("Yes"), Err("“Parked” has no answers to choose from: leave “Yes” out to let the printer go on"))]
    fn choices(#[case] labels: &[&str], #[case] word: Option<&str>, #[case] expected: Result<usize, &str>) {
        let buttons = labels.iter().map(|label| (*label).to_owned()).collect();
        let asked = Attention { id: String::new(), text: "Parked".into(), buttons };
        assert_eq!(choice(&asked, word), expected.map_err(str::to_owned));
    }
}
