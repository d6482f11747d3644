//! All words that the demo says on the terminal.

use std::fmt::Display;
use std::io::Write;

use stardust_demo::house::{House, HouseOptions};

use crate::lock::Holder;

/// Says a line on standard output. A terminal that is gone is no reason to fail.
pub(crate) fn say(line: impl Display) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Says why the demo can't go on, on standard error.
pub(crate) fn complain(error: &impl Display) {
    let _ = writeln!(std::io::stderr(), "{error}");
}

/// How to get in and what to try.
pub(crate) fn welcome(house: &House, options: &HouseOptions) -> String {
    let url = house.hub.url();
    let printers = house.stations.len();
    let way_in = match &house.sign_in {
        Some(sign_in) => format!(
            "  E-mail      {}\n  Password    {}\n              (both are kept in {})",
            sign_in.email,
            sign_in.password,
            options.sign_in_file().display()
        ),
        None => "  Sign in with the password that you have given to the owner's account.".to_owned(),
    };
    format!(
        "
Stardust is running: a hub and {printers} simulated printers, {speed} times as fast as real ones.

  Dashboard   {url}
{way_in}

What to try
  1. Open the dashboard and sign in.
  2. Drop a G-code file onto it, or take one that is in the library.
  3. Press Print and choose a printer: watch it heat up and print, pause it, resume it.
  4. When the print is done, confirm that the bed is clear: the next job starts.

Logs: {logs}   Data: {data}
Press Ctrl-C to stop. The next start goes on from the same data.
",
        speed = options.speed,
        logs = options.logs().display(),
        data = options.data.display(),
    )
}

/// A second demo on the same data.
pub(crate) fn already_running(holder: &Holder) -> String {
    format!(
        "A demo is already running (process {}) on this data; its dashboard is {}",
        holder.process, holder.url
    )
}
