//! Who the firmware says it is: the banner at power-up and the answer to M115.

use sha2::{Digest, Sha256};

use super::config::Config;

/// What is printed at power-up, in order, as observed.
pub(crate) const BANNER: [&str; 9] = [
    "start",
    "PowerUp",
    "Marlin bugfix-2.1.x",
    "echo: Last Updated: 2024-09-29 | Author: (none, default config)",
    "echo: Compiled: Sep 29 2024",
    "echo: Free Memory: 0  PlannerBufferBytes: 1472",
    "echo:EEPROM version mismatch (EEPROM=? Marlin=V90)",
    "echo:Hardcoded Default Settings Loaded",
    "//action:prompt_end",
];

/// What this build can do. EMERGENCY_PARSER is in the configuration.
const CAPABILITIES: [(&str, bool); 34] = [
    ("SERIAL_XON_XOFF", false),
    ("BINARY_FILE_TRANSFER", false),
    ("EEPROM", true),
    ("VOLUMETRIC", true),
    ("AUTOREPORT_POS", true),
    ("AUTOREPORT_TEMP", true),
    ("PROGRESS", false),
    ("PRINT_JOB", true),
    ("AUTOLEVEL", true),
    ("RUNOUT", false),
    ("Z_PROBE", true),
    ("LEVELING_DATA", false),
    ("BUILD_PERCENT", true),
    ("SOFTWARE_POWER", false),
    ("TOGGLE_LIGHTS", false),
    ("CASE_LIGHT_BRIGHTNESS", false),
    ("HOST_ACTION_COMMANDS", true),
    ("PROMPT_SUPPORT", true),
    ("SDCARD", false),
    ("REPEAT", false),
    ("SD_WRITE", false),
    ("AUTOREPORT_SD_STATUS", false),
    ("LONG_FILENAME", false),
    ("LFN_WRITE", false),
    ("CUSTOM_FIRMWARE_UPLOAD", false),
    ("EXTENDED_M20", false),
    ("THERMAL_PROTECTION", true),
    ("MOTION_MODES", false),
    ("ARCS", true),
    ("BABYSTEPPING", false),
    ("EP_BABYSTEP", false),
    ("CHAMBER_TEMPERATURE", false),
    ("COOLER_TEMPERATURE", false),
    ("MEATPACK", false),
];

/// The lines of M115, without the `ok`.
pub(crate) fn description(config: &Config) -> Vec<String> {
    let Config { name, tools, travel_mm: [x, y, z], .. } = config;
    let uuid = uuid(name);
    let mut lines = vec![format!(
        "FIRMWARE_NAME:Marlin bugfix-2.1.x (Sep 29 2024 12:00:00) \
         SOURCE_CODE_URL:github.com/MarlinFirmware/Marlin PROTOCOL_VERSION:1.0 MACHINE_TYPE:{name} \
         KINEMATICS:Cartesian EXTRUDER_COUNT:{tools} UUID:{uuid}"
    )];
    for (capability, there) in CAPABILITIES {
        lines.push(format!("Cap:{capability}:{}", u8::from(there)));
        if capability == "CASE_LIGHT_BRIGHTNESS" {
            lines.push(format!("Cap:EMERGENCY_PARSER:{}", u8::from(config.emergency_parser)));
        }
    }
    let area = format!("{{min:{{x:0.00,y:0.00,z:0.00}},max:{{x:{x:.2},y:{y:.2},z:{z:.2}}}}}");
    lines.push("Cap:CONFIG_EXPORT:0".to_owned());
    lines.push(format!("area:{{full:{area},work:{area}}}"));
    lines
}

/// Always the same for a name, different between names.
fn uuid(name: &str) -> String {
    let digest = Sha256::digest(name.as_bytes());
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}
