//! Any lines: what is sent is one printable line, and the modal state behind it stays finite.
#![no_main]

use stardust_gcode::commands::CommandReader;
use stardust_gcode::modal::{Effect, ExtruderRule, Modal};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let rules = [ExtruderRule::GoesAlong, ExtruderRule::OnItsOwn, ExtruderRule::RelativeByEither];
    let mut modals = rules.map(Modal::new);
    let mut reader = CommandReader::new(input);
    // An over-long line is an error of its own; reading goes on behind it.
    while let Some(placed) = reader.next_command().transpose() {
        let Ok(placed) = placed else { continue };
        let command = placed.command;
        assert!(
            !command.text().is_empty() && command.text().bytes().all(|byte| (b' '..=b'~').contains(&byte))
        );
        assert!(placed.start < placed.end && placed.end <= input.len() as u64);
        assert!(
            command
                .params()
                .all(|(letter, value)| { letter.is_ascii_uppercase() && value.is_none_or(f64::is_finite) })
        );
        let _ = (command.check_sendable(placed.line).is_ok(), command.argument(), command.disposition());
        for modal in &mut modals {
            let at = modal.machine_mm;
            if let Effect::Move(it) = modal.apply(&command) {
                assert!(it.from == at && it.to == modal.machine_mm);
                assert!(it.to.iter().chain([&it.filament_mm]).all(|number| number.is_finite()));
                assert!(it.speed_mm_s.is_finite() && it.speed_mm_s > 0.0);
            }
            assert!(modal.e.is_finite() && modal.shift_mm.iter().all(|mm| mm.is_finite()));
        }
    }
});
