//! Faults on the way to the host, decided line by line.

use std::time::Duration;

use super::kind::{FaultKind, Site};
use super::plan::FaultPlan;
use super::rule::Rule;

/// What becomes of a line to the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sending {
    /// The bytes to send, perhaps none.
    pub(crate) bytes: Vec<u8>,
    /// How much later.
    pub(crate) delay: Duration,
}

/// The way from the printer to the host.
#[derive(Debug)]
pub(crate) struct Outgoing {
    bytes: Vec<Rule>,
    oks: Vec<Rule>,
    spare: bool,
}

impl Outgoing {
    pub(crate) fn new(plan: &FaultPlan, seed: u64) -> Self {
        Self {
            bytes: Rule::all(plan, seed, Site::BytesOut),
            oks: Rule::all(plan, seed, Site::Ok),
            spare: false,
        }
    }

    /// Takes a line with its end; tells every fault that strikes it.
    pub(crate) fn pass(&mut self, line: &[u8], now: Duration, mut tell: impl FnMut(FaultKind)) -> Sending {
        let mut sending = Sending { bytes: line.to_vec(), delay: Duration::ZERO };
        if line.starts_with(b"ok") {
            self.strike_ok(&mut sending, now, &mut tell);
        }
        if !sending.bytes.is_empty() {
            self.strike_byte(&mut sending.bytes, now, &mut tell);
        }
        sending
    }

    fn strike_ok(&mut self, sending: &mut Sending, now: Duration, tell: &mut impl FnMut(FaultKind)) {
        let mut struck = false;
        for rule in &mut self.oks {
            // Every rule counts every ok, but only one strikes it.
            if !rule.strikes(now) || std::mem::replace(&mut struck, true) {
                continue;
            }
            match rule.kind {
                FaultKind::LoseOk => sending.bytes.clear(),
                FaultKind::DoubleOk => sending.bytes.extend_from_within(..),
                _ => sending.delay = Duration::from_millis(rule.random().between(20, 3000)),
            }
            tell(rule.kind);
        }
    }

    fn strike_byte(&mut self, bytes: &mut Vec<u8>, now: Duration, tell: &mut impl FnMut(FaultKind)) {
        let spare = std::mem::take(&mut self.spare);
        for rule in &mut self.bytes {
            let strikes = rule.strikes(now);
            let spared = spare && !rule.is_definite();
            if !strikes || spared || self.spare {
                continue;
            }
            self.spare = true;
            let position = rule.random().below(bytes.len() as u64) as usize;
            match rule.kind {
                FaultKind::LoseOut => {
                    bytes.remove(position);
                }
                FaultKind::DoubleOut => {
                    let byte = bytes[position];
                    bytes.insert(position, byte);
                }
                _ => bytes[position] ^= 1 << rule.random().below(8),
            }
            tell(rule.kind);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::Trigger;
    use rstest::rstest;

    fn pass(kind: FaultKind, trigger: Trigger, line: &[u8]) -> (Sending, Vec<FaultKind>) {
        let mut outgoing = Outgoing::new(&FaultPlan::none().with(kind, trigger), 5);
        let mut told = Vec::new();
        let sending = outgoing.pass(line, Duration::from_secs(1), |kind| told.push(kind));
        (sending, told)
    }

    #[rstest]
    #[case(FaultKind::LoseOk, b"".as_slice())]
    #[case(FaultKind::DoubleOk, b"ok N3\nok N3\n")]
    fn an_ok_is_struck(#[case] kind: FaultKind, #[case] bytes: &[u8]) {
        let (sending, told) = pass(kind, Trigger::AtLine(1), b"ok N3\n");
        assert_eq!((sending.bytes.as_slice(), sending.delay), (bytes, Duration::ZERO));
        assert_eq!(told, [kind]);
        assert_eq!(pass(kind, Trigger::AtLine(1), b"T:20\n").0.bytes, b"T:20\n");
    }

    #[test]
    fn a_late_ok_is_whole() {
        let (sending, _) = pass(FaultKind::LateOk, Trigger::AtTime(Duration::from_secs(1)), b"ok\n");
        assert_eq!(sending.bytes, b"ok\n");
        assert!(sending.delay >= Duration::from_millis(20) && sending.delay <= Duration::from_secs(3));
    }

    #[rstest]
    #[case(FaultKind::LoseOut, 9)]
    #[case(FaultKind::DoubleOut, 11)]
    #[case(FaultKind::CorruptOut, 10)]
    fn a_byte_is_struck(#[case] kind: FaultKind, #[case] length: usize) {
        let (sending, told) = pass(kind, Trigger::Rate(1.0), b"Resend: 1\n");
        assert_eq!((sending.bytes.len(), told), (length, vec![kind]));
        assert_ne!(sending.bytes, b"Resend: 1\n");
    }
}
