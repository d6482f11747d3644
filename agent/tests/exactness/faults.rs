//! What can go wrong on the way, and how often.

use std::time::Duration;

use crate::dice::Dice;
use crate::wire::Wire;

/// A kind of fault. The first half happens to lines on the way to the printer, the second to its answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    BitToPrinter,
    ByteLostToPrinter,
    ByteDoubledToPrinter,
    LineLostToPrinter,
    StallToPrinter,
    BitToHost,
    ByteLostToHost,
    ByteDoubledToHost,
    OkLost,
    OkDoubled,
    OkLate,
    ResendStorm,
    Wait,
    Garbage,
}

impl Fault {
    pub(crate) const ALL: [Self; 14] = [
        Self::BitToPrinter,
        Self::ByteLostToPrinter,
        Self::ByteDoubledToPrinter,
        Self::LineLostToPrinter,
        Self::StallToPrinter,
        Self::BitToHost,
        Self::ByteLostToHost,
        Self::ByteDoubledToHost,
        Self::OkLost,
        Self::OkDoubled,
        Self::OkLate,
        Self::ResendStorm,
        Self::Wait,
        Self::Garbage,
    ];

    fn goes_to_printer(self) -> bool {
        (self as usize) < Self::BitToHost as usize
    }
}

/// Which faults, each at so many lines of a million.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rates(pub(crate) Vec<(Fault, u32)>);

impl Rates {
    fn draw(&self, dice: &mut Dice, to_printer: bool) -> Option<Fault> {
        // At most one a line: two in one line may cancel out in an exclusive-or, and then no host can help.
        let mine = self.0.iter().filter(|(fault, _)| fault.goes_to_printer() == to_printer);
        mine.filter(|(_, rate)| dice.ppm(*rate)).map(|(fault, _)| *fault).last()
    }
}

fn stall(dice: &mut Dice) -> Duration {
    Duration::from_millis(dice.below(4000) as u64)
}

/// Sends lines to the printer.
pub(crate) fn to_printer(rates: &Rates, dice: &mut Dice, wire: &mut Wire, now: Duration, bytes: &[u8]) {
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let mut line = line.to_vec();
        let fault = rates.draw(dice, true);
        match fault {
            Some(Fault::LineLostToPrinter) => line.clear(),
            Some(Fault::StallToPrinter) => wire.stall(now, stall(dice)),
            Some(Fault::BitToPrinter) => flip(dice, &mut line),
            Some(Fault::ByteLostToPrinter) => lose(dice, &mut line),
            Some(Fault::ByteDoubledToPrinter) => double(dice, &mut line),
            _ => {}
        }
        wire.send(now, &line);
    }
}

/// Sends answers to the host.
pub(crate) fn to_host(rates: &Rates, dice: &mut Dice, wire: &mut Wire, now: Duration, bytes: &[u8]) {
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let mut line = line.to_vec();
        let is_ok = line.starts_with(b"ok");
        let fault = rates.draw(dice, false);
        match fault {
            Some(Fault::BitToHost) => flip(dice, &mut line),
            Some(Fault::ByteLostToHost) => lose(dice, &mut line),
            Some(Fault::ByteDoubledToHost) => double(dice, &mut line),
            Some(Fault::OkLost) if is_ok => line.clear(),
            Some(Fault::OkDoubled) if is_ok => line.extend(line.clone()),
            Some(Fault::OkLate) if is_ok => wire.stall(now, stall(dice)),
            Some(Fault::Wait) => line.extend(b"wait\n"),
            Some(Fault::Garbage) => {
                line.extend((0..dice.below(64)).map(|_| dice.next().to_le_bytes()[0]));
                line.push(b'\n');
            }
            _ => {}
        }
        let storms = rates.0.iter().any(|(fault, _)| *fault == Fault::ResendStorm);
        if storms && line.starts_with(b"Resend") {
            // Whenever there is a Resend: they are rare enough.
            let times = 1 + dice.below(8);
            line = line.repeat(times);
        }
        wire.send(now, &line);
    }
}

fn flip(dice: &mut Dice, line: &mut [u8]) {
    let at = dice.below(line.len());
    if let Some(byte) = line.get_mut(at) {
        *byte ^= 1 << dice.below(8);
    }
}

fn lose(dice: &mut Dice, line: &mut Vec<u8>) {
    line.remove(dice.below(line.len()));
}

fn double(dice: &mut Dice, line: &mut Vec<u8>) {
    let at = dice.below(line.len());
    line.insert(at, line[at]);
}
