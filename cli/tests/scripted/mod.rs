//! A hub that answers by a script: just enough HTTP to run the program against.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

/// A request as the script sees it.
pub struct Request {
    /// `GET /path?query`.
    pub line: String,
    /// Header lines, names in lower case.
    pub headers: Vec<String>,
    /// The body.
    pub body: String,
}

/// What the script answers.
pub struct Reply {
    pub status: u16,
    pub header: &'static str,
    pub body: String,
}

/// A JSON answer.
pub fn json(status: u16, body: &str) -> Reply {
    Reply { status, header: "content-type: application/json", body: body.to_owned() }
}

/// A stream that breaks off behind these events.
pub fn events(body: &str) -> Reply {
    Reply { status: 200, header: "content-type: text/event-stream", body: body.to_owned() }
}

/// The hub and what it was asked.
pub struct Hub {
    pub url: String,
    asked: Arc<Mutex<Vec<Request>>>,
    pub config: tempfile::TempDir,
}

impl Hub {
    /// Starts a hub; the script is given each request and how many of the same came before it.
    pub fn start(script: impl Fn(&Request, usize) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::<Request>::new()));
        let log = Arc::clone(&asked);
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let mut connection = connection.unwrap();
                let Some(request) = read(&connection) else { continue };
                let mut log = log.lock().unwrap();
                let before = log.iter().filter(|earlier| earlier.line == request.line).count();
                let reply = script(&request, before);
                log.push(request);
                drop(log);
                // The program may have gone away already.
                let _ = write!(
                    connection,
                    "HTTP/1.1 {} x\r\n{}\r\nconnection: close\r\n\r\n{}",
                    reply.status, reply.header, reply.body
                );
            }
        });
        Self { url, asked, config: tempfile::tempdir().unwrap() }
    }

    /// Runs the program with a token for this hub.
    pub fn stardust(&self, args: &[&str]) -> Output {
        self.command(args).env("STARDUST_HUB", &self.url).env("STARDUST_TOKEN", "sdt_test").output().unwrap()
    }

    /// The program with its own place for credentials, and nothing else set.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stardust"));
        command.args(args).env_clear().env("XDG_CONFIG_HOME", self.config.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// The requests so far: their first lines.
    pub fn lines(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|request| request.line.clone()).collect()
    }

    /// The `number`th request that begins so.
    pub fn asked<T>(&self, line: &str, number: usize, look: impl Fn(&Request) -> T) -> T {
        let asked = self.asked.lock().unwrap();
        look(asked.iter().filter(|request| request.line.starts_with(line)).nth(number).unwrap())
    }
}

fn read(connection: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(connection);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let line = line.rsplit_once(' ')?.0.to_owned();
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        match header.trim_end().split_once(": ") {
            Some((name, value)) => headers.push(format!("{}: {value}", name.to_lowercase())),
            None => break,
        }
    }
    let length = headers.iter().find_map(|header| header.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    Some(Request { line, headers, body: String::from_utf8_lossy(&body).into_owned() })
}
