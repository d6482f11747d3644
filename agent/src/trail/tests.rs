//! The trail over restarts.

use super::*;
use crate::serial::{Host, Parking};
use stardust_gcode::command::parse;
use std::collections::VecDeque;

fn head() -> Head {
    Head {
        job_id: "0190a7c2-6f00-7000-8000-000000000001".parse().unwrap(),
        claim_id: "0190a7c2-6f00-7000-8000-000000000002".parse().unwrap(),
        brief: Brief { size_bytes: 1000, ..Brief::default() },
        boot: None,
        returns: false,
    }
}

/// A checkpoint of a job that has just begun.
fn checkpoint() -> Checkpoint {
    let s = Duration::from_secs;
    let mut host = Host::new(s(0), Parking::default());
    host.tick(s(1));
    for _ in 0..9 {
        host.receive(s(2), b"FIRMWARE_NAME:Marlin 2.1.2 (x)\nok\n");
    }
    let fed = crate::serial::Fed { command: parse(b"G28").unwrap().into_owned(), end: 4, layer: Some(1) };
    assert!(host.start(s(3), Box::new(VecDeque::from([fed]))));
    host.take_checkpoint(s(3)).unwrap()
}

#[test]
fn what_is_kept_is_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trail");
    assert!(Trail::find(&path).is_none());
    let mut trail = Trail::begin(&path, &head()).unwrap();
    assert!(Trail::find(&path).unwrap().place.is_none());
    let s = Duration::from_secs;
    trail.keep(s(10), checkpoint(), 250_000);
    trail.keep(s(70), checkpoint(), 250_000);
    let found = Trail::find(&path).unwrap();
    assert_eq!(found.head, head());
    assert_eq!(found.place, Some(Place { checkpoint: checkpoint(), speed: 250_000, printed: s(60) }));
    assert_eq!(Trail::left(&path), Some(checkpoint()));
    assert_eq!(found.trail.watch.elapsed(s(1000)), s(60), "it stands still until it is gone on with");
    Trail::remove(&path);
    assert!(Trail::find(&path).is_none());
}

#[test]
fn what_passes_while_a_person_is_waited_for_is_not_printed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trail");
    let s = Duration::from_secs;
    let mut trail = Trail::begin(&path, &head()).unwrap();
    trail.keep(s(10), checkpoint(), 250_000);
    trail.stand_still(s(70));
    trail.stand_still(s(3000));
    trail.keep(s(3600), checkpoint(), 250_000);
    assert_eq!(Trail::find(&path).unwrap().place.unwrap().printed, s(60));
}

#[test]
fn a_trail_that_can_not_be_written_is_no_trail_until_it_can_be() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trail");
    let s = Duration::from_secs;
    let mut trail = Trail::begin(&path, &head()).unwrap();
    trail.keep(s(1), checkpoint(), 115_200);
    trail.file = TrailFile::unwritable(&path);
    trail.keep(s(2), checkpoint(), 115_200);
    assert!(Trail::find(&path).is_none(), "an old one would mislead");
    assert!(matches!(trail.fault(), Some(DiskFault::Other(_))), "{:?}", trail.fault());
    trail.keep(s(3), checkpoint(), 115_200);
    assert!(trail.fault().is_some(), "not at every line");
    trail.keep(s(12), checkpoint(), 115_200);
    assert_eq!(trail.fault(), None);
    let found = Trail::find(&path).unwrap();
    assert_eq!((found.head, found.place.unwrap().printed), (head(), s(11)));
}

#[test]
fn a_checkpoint_is_far_smaller_than_its_room() {
    let place = Place { checkpoint: checkpoint(), speed: 115_200, printed: Duration::ZERO };
    assert!(serde_json::to_vec(&place).unwrap().len() < 8_000);
}
