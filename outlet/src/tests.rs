//! Against a real pipe, which nobody reads for as long as a test likes.

use std::fs::File;
use std::io::Read as _;

use super::*;

/// Far more than a pipe and the queue have room for, in lines that tell where they stood.
const MANY: usize = 200_000;
/// A reader that reads has all that waits within this.
const SOON: Duration = Duration::from_secs(30);
const AT_ONCE: Duration = Duration::from_millis(20);

fn line(number: usize) -> String {
    format!("line {number} of a log that is as long as such lines are, more or less\n")
}

fn piped() -> (Outlet, File) {
    let (reader, writer) = rustix::pipe::pipe().unwrap();
    (Outlet::of_text("test", File::from(writer)).unwrap(), File::from(reader))
}

/// What the reader gets, read behind the back of whoever writes until the outlet is gone.
fn read_all(mut reader: File) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        text
    })
}

/// The lines that are there, and how many are told as missing, each where it stood.
fn accounted(text: &str) -> usize {
    let (mut next, mut missing) = (0, 0);
    for told in text.lines() {
        if let Some(rest) = told.strip_prefix('[') {
            let lost: usize = rest.split(' ').next().unwrap().parse().unwrap();
            (next, missing) = (next + lost, missing + lost);
            continue;
        }
        assert_eq!(format!("{told}\n"), line(next));
        next += 1;
    }
    assert!(missing > 0, "everything had room: it would be no test");
    next
}

#[test]
fn who_is_not_read_goes_on_and_what_is_missing_is_told_in_its_place() {
    let (outlet, reader) = piped();
    for number in 0..MANY {
        outlet.put(line(number).as_bytes());
    }
    assert!(outlet.0.0.lock().bytes <= MOST_BYTES);
    assert!(!outlet.flush(AT_ONCE), "nobody has read it");

    let read = read_all(reader);
    assert!(outlet.flush(SOON));
    // Behind those that were lost last.
    outlet.put(line(MANY).as_bytes());
    drop(outlet);
    assert_eq!(accounted(&read.join().unwrap()), MANY + 1);
}

#[test]
fn what_is_missing_at_the_very_end_is_told_too() {
    let (outlet, reader) = piped();
    for number in 0..MANY {
        outlet.put(line(number).as_bytes());
    }
    let read = read_all(reader);
    assert!(outlet.flush(SOON));
    drop(outlet);
    assert_eq!(accounted(&read.join().unwrap()), MANY);
}

#[test]
fn everything_that_is_read_in_time_is_there() {
    let (outlet, reader) = piped();
    let read = read_all(reader);
    let all: String = (0..1000).map(line).collect();
    for number in 0..1000 {
        outlet.put(line(number).as_bytes());
    }
    assert!(outlet.flush(SOON));
    drop(outlet);
    assert_eq!(read.join().unwrap(), all);
}

#[test]
fn one_piece_has_room_however_long_it_is() {
    let (outlet, reader) = piped();
    let read = read_all(reader);
    outlet.put(&vec![b'x'; MOST_BYTES * 2]);
    assert!(outlet.flush(SOON));
    drop(outlet);
    assert_eq!(read.join().unwrap().len(), MOST_BYTES * 2);
}

#[test]
fn a_reader_that_is_gone_is_no_reason_to_wait() {
    let (outlet, reader) = piped();
    drop(reader);
    outlet.put(b"to nobody\n");
    assert!(outlet.flush(SOON), "it was tried");
}

/// Whoever else writes there may have set it so.
#[test]
fn a_reader_that_would_rather_refuse_than_let_wait_gets_everything_all_the_same() {
    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
    let (reader, writer) = rustix::pipe::pipe().unwrap();
    fcntl_setfl(&writer, fcntl_getfl(&writer).unwrap() | OFlags::NONBLOCK).unwrap();
    let outlet = Outlet::of_text("test", File::from(writer)).unwrap();
    // More than a pipe takes, less than waits for it.
    let all: String = (0..3000).map(line).collect();
    for number in 0..3000 {
        outlet.put(line(number).as_bytes());
    }
    assert!(!outlet.flush(AT_ONCE), "it would be no test");
    let read = read_all(File::from(reader));
    assert!(outlet.flush(SOON));
    drop(outlet);
    assert_eq!(read.join().unwrap(), all);
}
