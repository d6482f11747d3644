//! Who the firmware says it is: the answer to M115.

use sha2::{Digest, Sha256};

use super::config::Config;
use super::dialect::Dialect;

/// What this build can do. EMERGENCY_PARSER, SDCARD, THERMAL_PROTECTION and CHAMBER_TEMPERATURE are in the configuration.
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
    let name = &config.name;
    let tools = config.tools;
    let machine = format!("PROTOCOL_VERSION:1.0 MACHINE_TYPE:{name} EXTRUDER_COUNT:{tools}");
    let unique = format!("{machine} UUID:{}", uuid(name));
    let head = match config.dialect {
        Dialect::Marlin => return marlin(config),
        // Firmware/Marlin_main.cpp: version, commit number and hash.
        Dialect::Prusa => format!(
            "FIRMWARE_NAME:Prusa-Firmware 3.13.3+7094_0c9bf5d44 based on Marlin \
             FIRMWARE_URL:https://github.com/prusa3d/Prusa-Firmware {unique}"
        ),
        // src/GCodes/GCodes2.cpp, src/Config/Pins_DuetNG.h
        Dialect::RepRapFirmware => {
            "FIRMWARE_NAME: RepRapFirmware for Duet 2 WiFi/Ethernet FIRMWARE_VERSION: 3.5.4 \
             ELECTRONICS: Duet WiFi 1.02 or later FIRMWARE_DATE: 2024-11-24 10:47:10"
                .to_owned()
        }
        // Communication.cpp
        Dialect::Repetier => format!(
            "FIRMWARE_NAME:Repetier_1.0.5 COMPILED:Aug  3 2022 \
             FIRMWARE_URL:https://github.com/repetier/Repetier-Firmware/ {machine} REPETIER_PROTOCOL:3"
        ),
        // klippy/gcode.py; it stands in the `ok`.
        Dialect::Klipper => "FIRMWARE_NAME:Klipper FIRMWARE_VERSION:v0.12.0-100-g0123abcd".to_owned(),
        // Quoted in OctoPrint's serial_comm.py, with tabs.
        Dialect::Malyan => "NAME. Malyan\tVER: 3.8\tMODEL: M200\tHW: HA02".to_owned(),
        // gcode_process.c: one extruder, whatever there is.
        Dialect::Teacup => format!(
            "FIRMWARE_NAME:Teacup FIRMWARE_URL:http://github.com/traumflug/Teacup_Firmware/ \
             PROTOCOL_VERSION:1.0 MACHINE_TYPE:Mendel EXTRUDER_COUNT:1 TEMP_SENSOR_COUNT:{tools} \
             HEATER_COUNT:{tools}"
        ),
        // Marlin/language.h
        Dialect::UltiMaker2 => format!(
            "FIRMWARE_NAME:Marlin Ultimaker2; Sprinter/grbl mashup for gen6 \
             FIRMWARE_URL:http://github.com/Ultimaker {machine}"
        ),
        // The form of Marlin 1.1, as in the log of MarlinFirmware/Marlin issue 6571.
        Dialect::Creality => format!(
            "FIRMWARE_NAME:Marlin 1.1.6 (Github) SOURCE_CODE_URL:https://github.com/MarlinFirmware/Marlin {unique}"
        ),
    };
    let mut lines = vec![head];
    lines.extend(capabilities(config.dialect).iter().map(|&line| line.to_owned()));
    if config.dialect == Dialect::Creality {
        lines.push(thermal_protection(config));
    }
    lines
}

/// What a dialect says beside its name, as far as it is the same for all its builds.
fn capabilities(dialect: Dialect) -> &'static [&'static str] {
    match dialect {
        Dialect::Prusa => &[
            "Cap:AUTOREPORT_TEMP:1",
            "Cap:AUTOREPORT_FANS:1",
            "Cap:AUTOREPORT_POSITION:1",
            "Cap:EXTENDED_M20:1",
            "Cap:PRUSA_MMU2:1",
        ],
        Dialect::Repetier => &[
            "Cap:PROGRESS:1",
            "Cap:AUTOREPORT_TEMP:1",
            "Cap:HOST_RESCUE:1",
            "Cap:EEPROM:1",
            "Cap:AUTOLEVEL:0",
            "Cap:Z_PROBE:0",
            "Cap:SOFTWARE_POWER:0",
            "Cap:TOGGLE_LIGHTS:0",
            "Printed filament:0.00m Printing time:0 days 0 hours 0 min",
            "PRINTER_MODE:FFF",
        ],
        // In lower case: gcode_process.c.
        Dialect::Teacup => &["cap:AUTOREPORT_TEMP:1"],
        Dialect::Creality => {
            &["Cap:EEPROM:1", "Cap:AUTOREPORT_TEMP:1", "Cap:PROGRESS:0", "Cap:EMERGENCY_PARSER:0"]
        }
        _ => &[],
    }
}

fn marlin(config: &Config) -> Vec<String> {
    let Config { name, tools, travel_mm: [x, y, z], .. } = config;
    let uuid = uuid(name);
    let mut lines = vec![format!(
        "FIRMWARE_NAME:Marlin bugfix-2.1.x (Sep 29 2024 12:00:00) \
         SOURCE_CODE_URL:github.com/MarlinFirmware/Marlin PROTOCOL_VERSION:1.0 MACHINE_TYPE:{name} \
         KINEMATICS:Cartesian EXTRUDER_COUNT:{tools} UUID:{uuid}"
    )];
    for (capability, there) in CAPABILITIES {
        lines.push(match capability {
            "THERMAL_PROTECTION" => thermal_protection(config),
            "CHAMBER_TEMPERATURE" => format!("Cap:{capability}:{}", u8::from(config.chamber_max_c.is_some())),
            "SDCARD" => format!("Cap:SDCARD:{}", u8::from(config.card || config.prints_from_card.is_some())),
            _ => format!("Cap:{capability}:{}", u8::from(there)),
        });
        if capability == "CASE_LIGHT_BRIGHTNESS" {
            lines.push(format!("Cap:EMERGENCY_PARSER:{}", u8::from(config.emergency_parser)));
        }
    }
    let area = format!("{{min:{{x:0.00,y:0.00,z:0.00}},max:{{x:{x:.2},y:{y:.2},z:{z:.2}}}}}");
    lines.push("Cap:CONFIG_EXPORT:0".to_owned());
    lines.push(format!("area:{{full:{area},work:{area}}}"));
    lines
}

fn thermal_protection(config: &Config) -> String {
    format!("Cap:THERMAL_PROTECTION:{}", u8::from(config.thermal_protection))
}

/// Always the same for a name, different between names.
fn uuid(name: &str) -> String {
    let digest = Sha256::digest(name.as_bytes());
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}
