//! How long a USB adapter keeps bytes before it hands them on.
//!
//! FTDI's wait 16 ms for more; that holds up every answer of the printer. Owns: finding and lowering that time.
//! Must not know: who uses the port.
//!
//! The flag ASYNC_LOW_LATENCY (TIOCSSERIAL) would do the same: of the kernel's USB drivers only FTDI's heeds it, by
//! setting this very timer to 1 ms. The file needs no ioctl without a safe wrapper, can be read back, and a udev rule
//! can give it to the agent's user.

use std::path::{Path, PathBuf};

/// What adapters can do best, ms.
const BEST_MS: u32 = 1;

fn timer(port: &Path) -> Option<PathBuf> {
    let device = std::fs::canonicalize(port).ok()?;
    let name = device.file_name()?;
    let timer = Path::new("/sys/bus/usb-serial/devices").join(name).join("latency_timer");
    timer.is_file().then_some(timer)
}

/// The adapter's time in ms; none where it has no such timer.
#[must_use]
pub fn latency_ms(port: &Path) -> Option<u32> {
    std::fs::read_to_string(timer(port)?).ok()?.trim().parse().ok()
}

/// Lowers it, where there is one and this user may; otherwise it stays as it is.
pub(super) fn lower(port: &Path) {
    if let Some(timer) = timer(port) {
        if let Err(error) = std::fs::write(&timer, format!("{BEST_MS}\n")) {
            tracing::debug!(error = %error, "the adapter's latency stays as it is");
        }
    }
}
