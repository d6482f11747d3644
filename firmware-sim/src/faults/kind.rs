//! The faults by name. What each does is said here and done elsewhere.

/// Something that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// One bit of a byte from the host is flipped.
    CorruptIn,
    /// A byte from the host is lost.
    LoseIn,
    /// A byte from the host arrives twice.
    DoubleIn,
    /// One bit of a byte to the host is flipped.
    CorruptOut,
    /// A byte to the host is lost.
    LoseOut,
    /// A byte to the host arrives twice.
    DoubleOut,
    /// A line with `ok` is lost.
    LoseOk,
    /// A line with `ok` comes 20 ms to 3 s late; other lines may overtake it.
    LateOk,
    /// A line with `ok` comes twice.
    DoubleOk,
    /// A line from the host is damaged, and the request to resend it comes two to four times more.
    ResendStorm,
    /// A line that says `wait`, whatever the printer does.
    Wait,
    /// Eight to forty bytes that mean nothing, as a line at another rate brings them.
    Garbage,
    /// Neither reads nor answers nor reports for 0.5 to 8 s, then goes on as if nothing had been.
    Stall,
    /// The controller starts again: its state is lost, a second later comes the banner.
    Reset,
    /// The firmware stops for good: `Error:Printer halted. kill() called!`.
    Kill,
    /// A heater's protection stops the firmware for good.
    ThermalRunaway,
    /// The cable is out for two seconds (or as long as was set); the printer goes on alone and comes back under another name.
    Unplug,
}

impl FaultKind {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 17] = [
        Self::CorruptIn,
        Self::LoseIn,
        Self::DoubleIn,
        Self::CorruptOut,
        Self::LoseOut,
        Self::DoubleOut,
        Self::LoseOk,
        Self::LateOk,
        Self::DoubleOk,
        Self::ResendStorm,
        Self::Wait,
        Self::Garbage,
        Self::Stall,
        Self::Reset,
        Self::Kill,
        Self::ThermalRunaway,
        Self::Unplug,
    ];

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CorruptIn => "corrupt-in",
            Self::LoseIn => "lose-in",
            Self::DoubleIn => "double-in",
            Self::CorruptOut => "corrupt-out",
            Self::LoseOut => "lose-out",
            Self::DoubleOut => "double-out",
            Self::LoseOk => "lose-ok",
            Self::LateOk => "late-ok",
            Self::DoubleOk => "double-ok",
            Self::ResendStorm => "resend-storm",
            Self::Wait => "wait",
            Self::Garbage => "garbage",
            Self::Stall => "stall",
            Self::Reset => "reset",
            Self::Kill => "kill",
            Self::ThermalRunaway => "thermal-runaway",
            Self::Unplug => "unplug",
        }
    }

    /// Whether a print cannot be finished after it, however good the host: the job must end as failed.
    #[must_use]
    pub fn ends_a_job(self) -> bool {
        matches!(self, Self::Reset | Self::Kill | Self::ThermalRunaway)
    }

    pub(super) fn site(self) -> Site {
        match self {
            Self::CorruptIn | Self::LoseIn | Self::DoubleIn | Self::ResendStorm => Site::BytesIn,
            Self::CorruptOut | Self::LoseOut | Self::DoubleOut => Site::BytesOut,
            Self::LoseOk | Self::LateOk | Self::DoubleOk => Site::Ok,
            _ => Site::Event,
        }
    }
}

/// What is counted and struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Site {
    /// Bytes of the lines from the host.
    BytesIn,
    /// Bytes of the lines to the host.
    BytesOut,
    /// Lines to the host that begin with `ok`.
    Ok,
    /// The printer as a whole, when a line from the host has ended.
    Event,
}
