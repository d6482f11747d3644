//! The host against a stand-in for firmware: a few dozen lines that number, check, queue and answer as Marlin
//! does, with faults on demand. Time is the test's.

mod exactness;
mod late_answers;
mod named_late;
mod stand_in;
mod story;
