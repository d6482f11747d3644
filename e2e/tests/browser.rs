//! A person's whole way in a real browser, and its emergency stops: the scripts are `hub/dashboard/e2e/print-a-file.mjs` and
//! `stop-printers.mjs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::path::Path;

use stardust_e2e::gcode::fixture;
use stardust_e2e::house::TestHouse;

#[tokio::test]
async fn a_file_is_dropped_printed_paused_resumed_and_cleared_in_the_browser_and_everything_is_stopped() {
    let test = TestHouse::start(&["Ada", "Grace", "Hedy", "Mary", "Rosalind", "Vera"], 120.0).await;
    // Others are at work too, as in any workshop.
    let cura = "cura_teapot_ender3_marlin.gcode";
    test.print(cura, std::fs::read(fixture(cura)).unwrap(), Some("Mary")).await;
    test.print("square.gcode", b"G28\nG1 X10 F3000\nM84\n".to_vec(), Some("Vera")).await;
    test.print("two-colours.gcode", b"G28\nM600\nG1 X10 F3000\nM84\n".to_vec(), Some("Grace")).await;
    test.printer_in_state("Grace", "attention").await;
    let said = in_browser(&test, "e2e/print-a-file.mjs").await;
    assert!(said.contains("answer what a printer asks"), "{said}");
    // In the same house: starting one takes longer than this.
    in_browser(&test, "e2e/stop-printers.mjs").await;
    for name in ["Ada", "Grace", "Hedy", "Mary", "Rosalind", "Vera"] {
        assert_eq!(test.halts(name), if name == "Mary" { 3 } else { 1 }, "{name}");
    }
    test.stop().await;
}

/// Runs a script of the dashboard; what it has said.
async fn in_browser(test: &TestHouse, script: &str) -> String {
    let sign_in = test.house.sign_in.as_ref().unwrap();
    let dashboard = Path::new(env!("CARGO_MANIFEST_DIR")).join("../hub/dashboard");
    let output = tokio::process::Command::new("node")
        .arg(script)
        .current_dir(&dashboard)
        .env("HUB_URL", test.house.hub.url())
        .env("OWNER_EMAIL", &sign_in.email)
        .env("OWNER_PASSWORD", &sign_in.password)
        .env("GCODE_FILE", fixture("ps_teapot_ender3_thumbs_mix.gcode"))
        .env("PRINTER", "Mary")
        .env("SHOTS_DIR", dashboard.join("test-results"))
        .kill_on_drop(true)
        .output()
        .await
        .expect("node is installed");
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "the browser test failed:\n{said}");
    assert!(said.contains("1 passed, 0 failed"), "{said}");
    said
}
