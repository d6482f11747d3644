//! What the processes take of a small machine: here the memory that they take themselves, because the program
//! files of debug builds are large. `make check-demo` looks at the whole of the release builds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use stardust_e2e::gcode::fixture;
use stardust_e2e::house::TestHouse;

const HUB_KB: u64 = 40_000;
const AGENT_KB: u64 = 8_000;

#[tokio::test]
async fn a_hub_and_its_agents_are_small_while_they_print_and_after_many_sign_ins() {
    let mut test = TestHouse::start(&["Ada", "Grace"], 200.0).await;
    let sign_in = test.house.sign_in.clone().unwrap();
    for _ in 0..8 {
        test.client().anonymous().sign_in(&sign_in.email, &sign_in.password).await.unwrap();
    }
    let name = "ps_teapot_ender3_thumbs_mix.gcode";
    let bytes = std::fs::read(fixture(name)).unwrap();
    let job = test.print(name, bytes.clone(), Some("Ada")).await;
    test.print("again.gcode", bytes, Some("Grace")).await;
    test.job_beyond(&job, 0.2).await;
    let hub = test.house.hub.process().private_kb().unwrap();
    assert!(hub < HUB_KB, "the hub takes {hub} kB");
    for station in &mut test.house.stations {
        let agent = station.agent.process().private_kb().unwrap();
        assert!(agent < AGENT_KB, "{}'s agent takes {agent} kB", station.name);
    }
    test.stop().await;
}
