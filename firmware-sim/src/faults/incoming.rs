//! Byte faults on the way from the host, decided line by line while the bytes pass.

use std::time::Duration;

use super::kind::{FaultKind, Site};
use super::plan::FaultPlan;
use super::rule::Rule;

/// How long the first line is taken to be, bytes, for the choice of a byte in it.
const FIRST_GUESS: usize = 16;

/// The way from the host to the printer.
#[derive(Debug)]
pub(crate) struct Incoming {
    rules: Vec<Rule>,
    /// Where in the present line the next byte stands.
    position: usize,
    /// How long the line before was: a line's own length is not known before its end.
    length_before: usize,
    after_space: bool,
    strike: Option<Strike>,
    /// A byte fault struck the line before.
    spare: bool,
}

#[derive(Debug, Clone, Copy)]
struct Strike {
    kind: FaultKind,
    position: usize,
    bit: u8,
}

impl Incoming {
    pub(crate) fn new(plan: &FaultPlan, seed: u64) -> Self {
        Self {
            rules: Rule::all(plan, seed, Site::BytesIn),
            position: 0,
            length_before: FIRST_GUESS,
            after_space: false,
            strike: None,
            spare: false,
        }
    }

    /// Lets one byte pass into `arrived`: none, one or two. Returns the fault that struck it.
    pub(crate) fn pass(&mut self, byte: u8, now: Duration, arrived: &mut Vec<u8>) -> Option<FaultKind> {
        if self.rules.is_empty() {
            arrived.push(byte);
            return None;
        }
        let ends = byte == b'\n';
        if self.position == 0 && !ends {
            self.strike = self.choose(now);
        }
        // A storm needs a request to resend: what follows the line number makes the checksum wrong, and only that.
        if let Some(strike) = self.strike.as_mut().filter(|strike| strike.kind == FaultKind::ResendStorm) {
            strike.position = if self.after_space { self.position } else { usize::MAX };
        }
        self.after_space = byte == b' ';
        // A line shorter than the one before is struck at its end.
        let struck = self.strike.take_if(|strike| strike.position == self.position || ends);
        match struck.map(|strike| (strike.kind, strike.bit)) {
            Some((FaultKind::LoseIn, _)) => {}
            Some((FaultKind::DoubleIn, _)) => arrived.extend([byte, byte]),
            Some((_, bit)) => arrived.push(byte ^ (1 << bit)),
            None => arrived.push(byte),
        }
        self.spare |= struck.is_some();
        self.position += 1;
        if ends {
            self.length_before = self.position;
            self.position = 0;
        }
        struck.map(|strike| strike.kind)
    }

    fn choose(&mut self, now: Duration) -> Option<Strike> {
        let spare = std::mem::take(&mut self.spare);
        let mut chosen = None;
        // Every rule counts every line, whichever comes first.
        for rule in &mut self.rules {
            let strikes = rule.strikes(now);
            let spared = spare && !rule.is_definite();
            if strikes && !spared && chosen.is_none() {
                let position = rule.random().below(self.length_before as u64) as usize;
                let bit = rule.random().below(8) as u8;
                chosen = Some(Strike { kind: rule.kind, position, bit });
            }
        }
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::Trigger;

    fn through(plan: FaultPlan, seed: u64, sent: &[u8]) -> (Vec<u8>, usize) {
        let mut incoming = Incoming::new(&plan, seed);
        let (mut arrived, mut struck) = (Vec::new(), 0);
        for &byte in sent {
            struck += usize::from(incoming.pass(byte, Duration::ZERO, &mut arrived).is_some());
        }
        (arrived, struck)
    }

    fn lines(count: usize) -> Vec<u8> {
        (0..count).flat_map(|n| format!("N{n} G1 X{n}\n").into_bytes()).collect()
    }

    #[test]
    fn a_lost_and_a_doubled_byte_change_the_length_by_one() {
        let sent = lines(3);
        for (kind, length) in [(FaultKind::LoseIn, sent.len() - 1), (FaultKind::DoubleIn, sent.len() + 1)] {
            for seed in 0..50 {
                let (arrived, struck) =
                    through(FaultPlan::none().with(kind, Trigger::AtLine(2)), seed, &sent);
                assert_eq!((arrived.len(), struck), (length, 1));
            }
        }
    }

    #[test]
    fn damage_is_one_bit_of_the_line_asked_for() {
        let sent = lines(5);
        let third = lines(2).len()..lines(3).len();
        for seed in 0..50 {
            let plan = FaultPlan::none().with(FaultKind::CorruptIn, Trigger::AtLine(3));
            let (arrived, _) = through(plan, seed, &sent);
            let changed: Vec<usize> = (0..sent.len()).filter(|&at| sent[at] != arrived[at]).collect();
            assert_eq!(changed.len(), 1);
            assert!(third.contains(&changed[0]));
            assert_eq!((sent[changed[0]] ^ arrived[changed[0]]).count_ones(), 1);
        }
    }

    #[test]
    fn the_rate_is_kept_but_for_spared_neighbours() {
        let plan = FaultPlan::none().with(FaultKind::LoseIn, Trigger::Rate(0.01));
        let (_, struck) = through(plan, 3, &lines(20_000));
        assert!((150..250).contains(&struck), "{struck}");
        let always = FaultPlan::none().with(FaultKind::CorruptIn, Trigger::Rate(1.0));
        assert_eq!(through(always, 3, &lines(100)).1, 50);
    }
}
