//! A stop at once through a hub that is reading many large uploads at the same time.
//!
//! Owns: that a try counts only while all of them are under way. Must not know: how a stop travels, or an upload.

use std::io::Write;
use std::time::Duration;

use crate::BenchError;
use crate::host::{Host, pause};
use crate::installed::failed;
use crate::run::Bench;
use crate::stop::{Rig, stop_by_api};
use crate::targets;
use crate::uploads::{Target, Uploads};

/// At the same time.
const UPLOADS: usize = 40;
/// Between two tries; different each time, so that they fall everywhere.
const BETWEEN: Duration = Duration::from_millis(150);
/// A hub that has not so many at once by then reads none of them.
const PATIENCE: Duration = Duration::from_secs(120);

impl<W: Write> Bench<W> {
    pub(crate) fn stop_under_load(&mut self) -> Result<(), BenchError> {
        let Host::Agent(agent) = self.agent.clone() else { return Ok(()) };
        let mut rig = Rig::start(self, &agent)?;
        let mut heard = rig.ready(&[])?;
        let installed = rig.installed()?;
        let (hub, token) = (installed.address(), installed.new_token()?);
        let mut quiet = Vec::new();
        for _ in 0..self.plan.stops_under_load {
            let (ms, back) = stop_by_api(installed, heard, 1, &self.clock)?;
            heard = back;
            quiet.push(ms);
            installed.take_up_again()?;
        }
        let uploads = Uploads::start(&Target { hub, token, bytes: self.plan.upload }, UPLOADS)?;
        let (began, mut busy) = (self.clock.elapsed(), Vec::new());
        for number in 0..self.plan.stops_under_load {
            pause(BETWEEN + BETWEEN.mul_f64(f64::from(number * 7 % 10) / 10.0))?;
            let deadline = self.clock.elapsed() + PATIENCE;
            while uploads.under_way() < UPLOADS {
                if self.clock.elapsed() > deadline {
                    return Err(failed("the uploads are not under way together"));
                }
                pause(Duration::from_millis(1))?;
            }
            let (ms, back) = stop_by_api(installed, heard, 1, &self.clock)?;
            heard = back;
            busy.push(ms);
            installed.take_up_again()?;
        }
        let (sent, took) = (uploads.sent(), self.clock.elapsed().saturating_sub(began).as_secs_f64());
        let whole = uploads.finish()?;
        let show = |ms: f64| format!("{ms:.0} ms");
        #[allow(clippy::cast_precision_loss, reason = "a figure for people")]
        let (size, rate) = (self.plan.upload as f64 / 1e6, sent as f64 / 1e6 / took);
        let what = format!("API to M112, {UPLOADS} uploads of {size:.0} MB");
        self.table.slowest("API to M112, nothing else", &mut quiet, targets::STOP_UNDER_LOAD_MS, show)?;
        self.table.slowest(&what, &mut busy, targets::STOP_UNDER_LOAD_MS, show)?;
        Ok(self.table.note(&format!(
            "  meanwhile {rate:.0} MB/s were read by the hub, {whole} uploads to their end"
        ))?)
    }
}
