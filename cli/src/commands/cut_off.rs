//! Prints that were cut off in mid-print: where, and how they go on.
//!
//! Owns: which printer says so, and the sentence about one. Must not know: how jobs are listed.

use crate::api::{Interruption, Printer};

/// Where a print was cut off.
pub(crate) type CutOff = Interruption;

/// What a printer in reach says: what one out of reach said may be over.
pub(crate) fn told(printer: &Printer) -> Option<&CutOff> {
    printer.status.as_ref().filter(|_| printer.contact.is_online())?.interruption.as_ref()
}

/// What is to be said about it.
pub(crate) fn sentence(cut_off: &CutOff) -> String {
    let parked_at = cut_off.height_mm.filter(|_| cut_off.parked);
    let place = match (cut_off.layer, cut_off.height_mm.filter(|_| parked_at.is_none())) {
        (Some(layer), Some(height)) => format!(" at layer {layer}, {height:.2} mm"),
        (Some(layer), None) => format!(" at layer {layer}"),
        (None, Some(height)) => format!(" at {height:.2} mm"),
        (None, None) => String::new(),
    };
    let place = if parked_at.is_some() { format!("{place} while it was paused") } else { place };
    let id = &cut_off.job_id;
    let refusal = cut_off.refusal.as_ref().map(|refusal| format!(" {refusal}")).unwrap_or_default();
    if !refusal.is_empty() && cut_off.layers.is_empty() {
        return format!("Cut off{place}.{refusal} Give it up with: stardust cancel {id}");
    }
    let known = cut_off.layers.iter().find(|start| Some(start.layer) == cut_off.layer);
    let choice = known.map_or_else(|| "LAYER".to_owned(), |start| start.layer.to_string());
    let (look, layers) = match parked_at {
        // The layer's height would be taken for where the nozzle has to stand.
        Some(height) => (
            format!(
                "Look at the part, and leave the nozzle where the pause left it, {height:.2} mm up: do not lower it to the \
                 part, and give the print up if it was moved since. Then"
            ),
            String::new(),
        ),
        None => {
            let starts = cut_off.layers.iter();
            let layers: Vec<String> =
                starts.map(|start| format!("{}: {:.2} mm", start.layer, start.height_mm)).collect();
            ("Look at the part, then".to_owned(), format!(" ({})", layers.join(", ")))
        }
    };
    format!(
        "Cut off{place}.{refusal} {look} go on with: stardust resume {id} --from-layer {choice}{layers}, or give it up with: \
         stardust cancel {id}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(
        r#"{"job_id":"j1","layer":12,"height_mm":2.4,"layers":[{"layer":12,"height_mm":2.4},{"layer":13,"height_mm":2.6}]}"#,
        "Cut off at layer 12, 2.40 mm. Look at the part, then go on with: stardust resume j1 --from-layer 12 (12: 2.40 mm, \
         13: 2.60 mm), or give it up with: stardust cancel j1"
    )]
    #[case(
        r#"{"job_id":"j1","height_mm":2.4,"layers":[{"layer":12,"height_mm":2.4}]}"#,
        "Cut off at 2.40 mm. Look at the part, then go on with: stardust resume j1 --from-layer LAYER (12: 2.40 mm), or \
         give it up with: stardust cancel j1"
    )]
    #[case(
        r#"{"job_id":"j1","layer":43,"height_mm":13.6,"parked":true,"layers":[{"layer":43,"height_mm":8.6}]}"#,
        "Cut off at layer 43 while it was paused. Look at the part, and leave the nozzle where the pause left it, 13.60 mm up: do \
         not lower it to the part, and give the print up if it was moved since. Then go on with: stardust resume j1 \
         --from-layer 43, or give it up with: stardust cancel j1"
    )]
    #[case(
        r#"{"job_id":"j1","layer":12,"layers":[{"layer":12,"height_mm":2.4}],"refusal":"Not from layer 13."}"#,
        "Cut off at layer 12. Not from layer 13. Look at the part, then go on with: stardust resume j1 --from-layer 12 (12: \
         2.40 mm), or give it up with: stardust cancel j1"
    )]
    #[case(
        r#"{"job_id":"j1","layers":[],"refusal":"The file has no layers."}"#,
        "Cut off. The file has no layers. Give it up with: stardust cancel j1"
    )]
    fn sentences(#[case] told: &str, #[case] expected: &str) {
        assert_eq!(sentence(&serde_json::from_str(told).unwrap()), expected);
    }

    #[rstest]
    #[case("online", true)]
    #[case("lost", false)]
    fn what_was_said_by_a_printer_that_is_gone_may_be_over(#[case] contact: &str, #[case] told: bool) {
        let printer = format!(
            r#"{{"id":"p1","name":"Ada","state":"paused","contact":{{"state":"{contact}"}},
                "status":{{"interruption":{{"job_id":"j1","layers":[]}}}}}}"#
        );
        assert_eq!(super::told(&serde_json::from_str(&printer).unwrap()).is_some(), told);
    }
}
