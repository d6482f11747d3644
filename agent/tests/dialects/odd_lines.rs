//! Lines as slicers, scripts and people write them, each with what has to come of it. Made without the agent's own idea
//! of a command: a line is put together of parts whose meaning is known.

/// What has to be carried out for a line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Due {
    /// Nothing: a comment, a command for the host.
    Nothing,
    /// Exactly this, byte for byte.
    Exactly(String),
    /// A message with these words.
    Message(String),
    /// A command with a name in it: where the name is not ASCII, another name each time another name.
    Named(String, String),
    /// A pause of the host's.
    Pause,
    /// No printer can be sent it: the file is refused.
    Refusal,
}

/// A line and what is due for it.
#[derive(Debug, Clone)]
pub(crate) struct OddLine {
    pub(crate) bytes: Vec<u8>,
    pub(crate) due: Due,
    /// Some firmware may be unable to take it as it stands.
    pub(crate) may_be_refused: bool,
}

/// Numbers that are made from one.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) % bound as u64) as usize
    }

    pub(crate) fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

const WORDS: [&str; 32] = [
    "Layer", "5/10", "G1 X99", "M110 N5", "M112", "N7", "(1/2)", "(", ")", "\"a;b\"", "\"", "'", "*", "*5*",
    "2*3", "1\\60", "\\", ";", "10:30", "100%", "@home", "{x}", "}", "größe", "日本", "10 °C", "“so”", "T1",
    "Go", "M0", "#1", "ok",
];
/// What a host might take for an answer, were it said back.
const ANSWERS: [&str; 10] = [
    "ok",
    "ok N5 P1 B1",
    "Resend: 3",
    "rs 4",
    "start",
    "wait",
    "Error:Printer halted. kill() called!",
    "!! stop",
    "busy: paused for user",
    "T:20.00 /0.00 @:0",
];
const NAMES: [&str; 12] = [
    "part (1)",
    "part (2)",
    "Part_(1).stl",
    "benchy.stl id:0 copy 0",
    "testü_0",
    "testue_0",
    "größe",
    "a\"b",
    "Bob's",
    "A*B",
    "ring#1",
    "cube_copy_0",
];
const COMMENTS: [&str; 6] = ["", "; move", " ;TYPE:Außenwand", ";G1 X1,5", " ; \"a;b\" (c)", "; – 日本"];

/// A line made from the dice.
pub(crate) fn odd_line(dice: &mut Dice) -> OddLine {
    match dice.below(20) {
        0..=5 => plain(dice),
        6..=9 => message(dice, "M117"),
        10 | 11 => message(dice, "M118"),
        12 | 13 => named(dice),
        14 => words(dice),
        15 => line(due_nothing(dice), Due::Nothing, false),
        16 => {
            let refused =
                ["G1 X1,5", "G1 Z–5", "g1 y,5 ; Ä", "M23 größe.gco", "@cancel", "G1 Xπ", "PRINT_START X=ß"];
            line(dice.one_of(&refused).into(), Due::Refusal, true)
        }
        17 => {
            let (text, sent) =
                dice.one_of(&[("M0 S0.5", "G4 P500"), ("M1 P20 go", "G4 P20"), ("m0 s1", "G4 P1000")]);
            line(text.into(), Due::Exactly(sent.into()), false)
        }
        18 => line(dice.one_of(&["@pause", "M0", "M1 Press (x);y", " @PAUSE ü"]).into(), Due::Pause, false),
        _ => quoted(dice),
    }
}

fn line(text: String, due: Due, may_be_refused: bool) -> OddLine {
    OddLine { bytes: text.into_bytes(), due, may_be_refused }
}

fn due_nothing(dice: &mut Dice) -> String {
    dice.one_of(&[
        "",
        "; ü",
        "(note) ; x",
        "\u{feff};LAYER:3",
        "M110 N5",
        "@plugin do(1)",
        "\u{a0}",
        "N5",
        ";TYPE:“a",
    ])
    .into()
}

/// Moves and settings, in any dress.
fn plain(dice: &mut Dice) -> OddLine {
    let (x, y) = (dice.below(90) + 1, dice.below(90) + 1);
    let bare = match dice.below(6) {
        0 => format!("G1 X{x} Y{y} F3000"),
        1 => format!("G1 X{x}.{y}"),
        2 => format!("M106 S{x}"),
        3 => "G92 E0".into(),
        4 => format!("G0 X{x} Z1 F{}", y * 100),
        _ => format!("M220 S{}", 90 + x % 20),
    };
    let mut text = bare.clone();
    match dice.below(6) {
        0 => text = text.replace(' ', "\u{a0}"),
        1 => text = format!("\u{feff}{text}"),
        2 => text = format!("  {text}\t"),
        3 => text = text.to_lowercase(),
        4 => text = format!("(größe) {text}"),
        _ => {}
    }
    let mut bytes = format!("{text}{}", dice.one_of(&COMMENTS)).into_bytes();
    if dice.below(12) == 0 {
        // Latin-1's.
        bytes.push(0xA0);
    }
    OddLine { bytes, due: Due::Exactly(bare), may_be_refused: false }
}

fn message(dice: &mut Dice, code: &str) -> OddLine {
    if code == "M118" && dice.below(2) == 0 {
        let text = format!("{code} {}", dice.one_of(&ANSWERS));
        return line(text.clone(), Due::Message(text), false);
    }
    let count = if dice.below(12) == 0 { 30 } else { 1 + dice.below(6) };
    let (text, rest) = with_marks(dice, count);
    let said = format!("{code} {text}").trim_end().to_owned();
    line(format!("{said}{rest}"), Due::Message(said), count > 6)
}

/// So many words, with a lone quote or semicolon among them now and then: the message, and what is comment behind it. Quotes
/// keep a semicolon from being one if they are closed on their line.
fn with_marks(dice: &mut Dice, count: usize) -> (String, String) {
    const MARKS: [&str; 2] = [";", "\""];
    let mut words = |marks: bool| -> Vec<&str> {
        let mut words: Vec<&str> = (0..count).map(|_| dice.one_of(&WORDS)).collect();
        words.retain(|word| marks || !MARKS.contains(word) && !word.contains('"'));
        words
    };
    let (plain, any) = (words(false), words(true));
    let at = dice.below(plain.len() + 1);
    let (before, after) = plain.split_at(at);
    let said = |parts: &[&[&str]]| parts.concat().join(" ");
    match dice.below(8) {
        0 => (said(&[before]), format!(" ;{}", said(&[after, &any]))),
        1 => (said(&[before, &["\""]]), format!(" ; {}", said(&[after]))),
        2 => (said(&[before, &["\""], after]), String::new()),
        3 => (said(&[before, &["\"", ";"], after, &["\""]]), String::new()),
        4 => (said(&[&["\""], after, &["\""]]), " ; \" x".to_owned()),
        _ => {
            let whole: Vec<&str> = any.into_iter().filter(|word| !MARKS.contains(word)).collect();
            (said(&[&whole]), String::new())
        }
    }
}

fn named(dice: &mut Dice) -> OddLine {
    let name = dice.one_of(&NAMES);
    let command = dice.one_of(&["M486 A", "EXCLUDE_OBJECT_START NAME=", "EXCLUDE_OBJECT_END NAME="]);
    line(format!("{command}{name}"), Due::Named(command.into(), name.into()), true)
}

fn words(dice: &mut Dice) -> OddLine {
    let long = format!(
        "EXCLUDE_OBJECT_DEFINE NAME=a POLYGON=[{}]",
        vec!["[1.5,2.5]"; 20 + dice.below(40)].join(",")
    );
    let text = match dice.below(5) {
        0 => "SET_GCODE_VARIABLE MACRO=A VARIABLE=b VALUE=(10,20)".into(),
        1 => "PRINT_START BED=60".into(),
        2 => "RESPOND MSG=\"a;b*5\"".into(),
        3 => "PRINT_START (hot) X".into(),
        _ => long,
    };
    line(text.clone(), Due::Exactly(text), true)
}

fn quoted(dice: &mut Dice) -> OddLine {
    let text = dice.one_of(&["M862.3 P\"MK3S\"", "M862.3 P \"a;b\"", "M862.3 P\"2*3\"", "M587 S\"a\\b\""]);
    line(text.into(), Due::Exactly(text.into()), true)
}

/// Marks that a host might stumble over are really tried.
#[test]
fn a_lone_quote_and_a_lone_semicolon_are_among_the_messages() {
    let mut dice = Dice::new(1);
    let lines: Vec<OddLine> = (0..2000).map(|_| odd_line(&mut dice)).collect();
    let tried = |holds: fn(&str, &str) -> bool| {
        let messages = lines.iter().filter_map(|line| match &line.due {
            Due::Message(said) => Some((std::str::from_utf8(&line.bytes).unwrap(), said.as_str())),
            _ => None,
        });
        messages.filter(|(text, said)| holds(text, said)).count()
    };
    assert!(tried(|text, said| said.len() < text.len()) > 20, "behind a semicolon is comment");
    assert!(tried(|_, said| said.split(' ').any(|word| word == ";")) > 20, "one in quotes is said");
    assert!(tried(|_, said| said.matches('"').count() == 1) > 20, "a quote that nobody closes");
}
