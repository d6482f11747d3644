//! What distinguishes one simulated printer from another. No behaviour here.

use super::dialect::Dialect;
use super::limits::Corner;

/// When a firmware at work says `busy` (HOST_KEEPALIVE_FEATURE).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeepAlive {
    /// Whatever it is at.
    #[default]
    Always,
    /// Not while a move waits for room in the planner.
    NotInMoves,
    /// Built without it.
    Never,
}

/// The build and the size of a simulated printer.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// MACHINE_TYPE of M115; the UUID is made from it too, so two names are two machines.
    pub name: String,
    /// Extruders, 1 to 8.
    pub tools: u8,
    /// `ok N10 P15 B3` instead of a bare `ok` (ADVANCED_OK).
    pub advanced_ok: bool,
    /// M108, M112, M410 and M876 act on reception (EMERGENCY_PARSER).
    pub emergency_parser: bool,
    /// Bytes the serial port keeps until the firmware takes them; what comes more is lost, as on a board with a
    /// UART (RX_BUFFER_SIZE 128, whose ring keeps one free). `None`: native USB, the host is made to wait.
    pub receive_buffer: Option<usize>,
    /// A rejected line empties the receive buffer, in the middle of a line if it happens to be there. Marlin does
    /// so; boards that read faster than the line brings show nothing of it.
    pub reject_empties_buffer: bool,
    /// Whose firmware it is.
    pub dialect: Dialect,
    /// When it says `busy`.
    pub keep_alive: KeepAlive,
    /// M105 is answered by a plain `ok`, and the report comes on a line of its own behind it.
    pub reports_behind_ok: bool,
    /// No sensor is connected: every heater reads `inf`, as C prints it.
    pub no_sensors: bool,
    /// It is locked by a password (PASSWORD_FEATURE) and takes no command but M511.
    pub locked: bool,
    /// An idle printer says `wait` every second (Repetier, Marlin's NO_TIMEOUTS).
    pub says_wait: bool,
    /// Whether it says to be protected against thermal runaway.
    pub thermal_protection: bool,
    /// There is a memory card in the printer.
    pub card: bool,
    /// A print from the memory card that somebody starts at the panel when the printer is switched on: its bytes.
    pub prints_from_card: Option<u64>,
    /// A display with a menu: M600 asks whether more is to be purged (M600_PURGE_MORE_RESUMABLE), and cools meanwhile.
    pub menu: bool,
    /// Seconds of this printer in one of the host's, greater than 0. Only M85 asks: what it counts is how long the
    /// host is silent, and a host is no faster because its printer is.
    pub pace: f64,
    /// How fast corners are taken, before M205 says otherwise.
    pub corner: Corner,
    /// Nothing moves before all axes were homed (NO_MOTION_BEFORE_HOMING).
    pub homes_first: bool,
    /// What stands on the plate is kept, and moves through it are seen (costs time and memory).
    pub watches_plate: bool,
    /// Travel of X, Y and Z from zero, mm.
    pub travel_mm: [f64; 3],
    /// Highest target the nozzle accepts, °C.
    pub nozzle_max_c: f64,
    /// Highest target the bed accepts, °C.
    pub bed_max_c: f64,
    /// Highest target the chamber accepts, °C; `None`: its chamber is not heated (TEMP_SENSOR_CHAMBER).
    pub chamber_max_c: Option<f64>,
    /// The name of a heater that no code means and no report tells of (Klipper's `heater_generic` without a `gcode_id`).
    pub generic_heater: Option<String>,
    /// Temperature of the room, °C.
    pub ambient_c: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            name: "Simulated Marlin".to_owned(),
            tools: 1,
            advanced_ok: false,
            emergency_parser: true,
            receive_buffer: Some(127),
            reject_empties_buffer: false,
            dialect: Dialect::Marlin,
            keep_alive: KeepAlive::Always,
            reports_behind_ok: false,
            no_sensors: false,
            locked: false,
            says_wait: false,
            thermal_protection: true,
            card: false,
            prints_from_card: None,
            menu: false,
            pace: 1.0,
            corner: Corner::Deviation(0.013),
            homes_first: false,
            watches_plate: false,
            travel_mm: [250.0, 210.0, 210.0],
            nozzle_max_c: 300.0,
            bed_max_c: 130.0,
            chamber_max_c: None,
            generic_heater: None,
            ambient_c: 21.0,
        }
    }
}
