//! The program as it is run, against a hub that answers by a script.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]
#![allow(unreachable_pub, reason = "a module of a test")]

mod scripted;

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Output, Stdio};

use scripted::{Hub, events, json};

const JOB: &str = "01907d8e-7c1b-7a3e-9f64-0123456789ab";
const FILE: &str = "01907d8e-7c1b-7a3e-9f64-0123456789ac";

fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn job(state: &str) -> String {
    format!(r#"{{"id":"{JOB}","file_name":"a.gcode","state":"{state}","reason":"Thermal runaway."}}"#)
}

fn change(id: u32, op: &str, data: &str) -> String {
    format!(
        "id: {id}\nevent: change\ndata: {{\"resource\":\"job\",\"op\":\"{op}\",\"id\":\"{JOB}\",\"data\":{data}}}\n\n"
    )
}

#[test]
fn login_keeps_a_token_and_logout_withdraws_it() {
    let hub = Hub::start(|request, _| match request.line.as_str() {
        "POST /api/v1/session" => {
            scripted::Reply { header: "set-cookie: s=1; Path=/; HttpOnly", ..json(200, "{}") }
        }
        "POST /api/v1/tokens" => json(201, r#"{"id":"t1","token":"sdt_new"}"#),
        "GET /api/v1/printers?limit=200" => json(200, r#"{"items":[]}"#),
        _ => json(204, ""),
    });
    let mut login = hub.command(&["login", &hub.url, "--email", "a@b.c", "--password-stdin"]);
    let mut login = login.stdin(Stdio::piped()).spawn().unwrap();
    login.stdin.take().unwrap().write_all(b"geheim\n").unwrap();
    let (status, out, err) = said(&login.wait_with_output().unwrap());
    assert_eq!((status, err.as_str()), (Some(0), ""));
    assert!(!out.contains("sdt_new") && !out.contains("geheim"));

    let stored = hub.config.path().join("stardust/credentials.toml");
    assert_eq!(std::fs::metadata(&stored).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(hub.asked("POST /api/v1/session", 0, |r| r.body.contains("geheim")));
    let by_cookie = |r: &scripted::Request| r.headers.contains(&"cookie: s=1".to_owned());
    assert!(hub.asked("POST /api/v1/tokens", 0, by_cookie));
    assert!(hub.asked("DELETE /api/v1/session", 0, by_cookie));

    assert_eq!(hub.command(&["printers"]).output().unwrap().status.code(), Some(0));
    let by_token = |r: &scripted::Request| r.headers.contains(&"authorization: Bearer sdt_new".to_owned());
    assert!(hub.asked("GET /api/v1/printers", 0, by_token));

    assert_eq!(hub.command(&["logout"]).output().unwrap().status.code(), Some(0));
    assert!(hub.asked("DELETE /api/v1/tokens/t1", 0, by_token));
    assert!(!stored.exists());
    let (status, _, err) = said(&hub.command(&["printers"]).output().unwrap());
    assert_eq!(status, Some(2));
    assert!(err.contains("stardust login"), "{err}");
}

#[test]
fn an_upload_is_told_when_it_has_been_read() {
    let hub = Hub::start(|request, before| {
        let file =
            |rest| json(200, &format!(r#"{{"id":"{FILE}","name":"a b.gcode","size_bytes":9,{rest}}}"#));
        match (request.line.split('?').next().unwrap(), before) {
            ("POST /api/v1/files", _) => file(r#""extraction":"pending""#),
            (_, 0) => file(r#""extraction":"pending""#),
            _ => file(r#""extraction":"ready","metadata":{"slicer":"Cura","estimated_time_s":1061}"#),
        }
    });
    let path = hub.config.path().join("a b.gcode");
    std::fs::write(&path, "G28\nG1 X1").unwrap();
    let (status, out, err) = said(&hub.stardust(&["upload", path.to_str().unwrap()]));
    assert_eq!((status, err.as_str()), (Some(0), ""));
    assert_eq!(out, format!("a b.gcode  9 B\n  id        {FILE}\n  slicer    Cura\n  time      17m 41s\n"));
    assert_eq!(hub.asked("POST /api/v1/files?name=a+b.gcode", 0, |r| r.body.clone()), "G28\nG1 X1");
}

#[test]
fn watching_goes_on_behind_the_last_event() {
    let hub = Hub::start(|request, before| match (request.line.as_str(), before) {
        ("GET /api/v1/stream", 0) => events(&format!(
            "id: 1\nevent: reset\ndata: {{}}\n\n{}",
            change(2, "patch", r#"{"state":"printing","progress":{"fraction":0.5}}"#)
        )),
        ("GET /api/v1/stream", 1) => json(503, r#"{"detail":"Starting.","code":"starting"}"#),
        ("GET /api/v1/stream", _) => events(&change(3, "upsert", &job("awaiting_removal"))),
        (_, 0 | 1) => json(200, &job("queued")),
        _ => json(200, &job("printing")),
    });
    let (status, out, err) = said(&hub.stardust(&["watch", JOB]));
    assert_eq!((status, out.as_str()), (Some(0), "a.gcode is printed.\n"), "{err}");
    let resumed = |r: &scripted::Request| r.headers.contains(&"last-event-id: 2".to_owned());
    assert!(!hub.asked("GET /api/v1/stream", 0, resumed));
    assert!(hub.asked("GET /api/v1/stream", 1, resumed));
    assert!(hub.asked("GET /api/v1/stream", 2, resumed));
    assert!(err.contains("no contact with the hub"), "{err}");
}

#[test]
fn a_failed_print_is_a_failure() {
    let hub = Hub::start(|request, _| match request.line.as_str() {
        "GET /api/v1/stream" => events(&change(1, "patch", r#"{"state":"failed"}"#)),
        _ => json(200, &job("printing")),
    });
    let (status, out, err) = said(&hub.stardust(&["watch", JOB]));
    assert_eq!((status, out.as_str()), (Some(1), ""));
    assert!(err.ends_with("stardust: a.gcode was not printed: failed: Thermal runaway.\n"), "{err}");
}

#[test]
fn what_the_hub_refuses_is_said_with_its_code() {
    let hub = Hub::start(|request, _| match request.line.as_str() {
        "GET /api/v1/jobs?scope=active&limit=200" => {
            json(401, r#"{"detail":"The token has been withdrawn.","code":"bad_token"}"#)
        }
        _ => json(409, r#"{"detail":"The job is not printing.","code":"not_possible_now"}"#),
    });
    let (status, _, err) = said(&hub.stardust(&["pause", JOB]));
    assert_eq!((status, err.as_str()), (Some(1), "stardust: The job is not printing. (not_possible_now)\n"));
    let (status, _, err) = said(&hub.stardust(&["jobs"]));
    assert_eq!(status, Some(1));
    assert!(err.contains("withdrawn") && err.contains("stardust login"), "{err}");
}

#[test]
fn lists_are_read_page_by_page() {
    let hub = Hub::start(|request, _| {
        if request.line.contains("cursor=n+1") {
            json(200, r#"{"items":[{"id":"2","name":"Bo","state":"idle"}]}"#)
        } else {
            json(200, r#"{"items":[{"id":"1","name":"Ada","state":"idle","new":true}],"next_cursor":"n 1"}"#)
        }
    });
    let (status, out, _) = said(&hub.stardust(&["printers", "--json"]));
    assert_eq!(status, Some(0));
    let printers: serde_json::Value = serde_json::from_str(&out).unwrap();
    // The answer is passed on whole, with what this program does not know.
    assert_eq!((printers[0]["new"].as_bool(), printers[1]["name"].as_str()), (Some(true), Some("Bo")));
    assert_eq!(hub.lines().len(), 2);
}

#[test]
fn what_a_program_reads_is_not_cut() {
    let (name, model) = ("Ada".repeat(20), "MK4".repeat(40));
    let printer = format!(r#"{{"id":"1","name":"{name}","state":"idle","model":"{model}"}}"#);
    let hub = Hub::start(move |_, _| json(200, &format!(r#"{{"items":[{printer}]}}"#)));
    let (status, out, err) = said(&hub.stardust(&["printers"]));
    assert_eq!((status, err.as_str()), (Some(0), ""));
    assert!(out.contains(&"Ada".repeat(20)) && out.contains(&"MK4".repeat(40)), "{out}");
}

#[test]
fn what_a_printer_asks_is_answered_by_the_words_of_a_button() {
    let hub = Hub::start(|request, _| match request.line.as_str() {
        "GET /api/v1/printers?limit=200" => {
            json(200, &format!(r#"{{"items":[{{"id":"{FILE}","name":"Ada","state":"attention"}}]}}"#))
        }
        line if line.starts_with("GET ") => json(
            200,
            &format!(
                r#"{{"id":"{FILE}","name":"Ada","state":"attention","status":{{"attention":
                   {{"id":"{JOB}","text":"Nozzle Parked","buttons":["Purge More","Continue"]}}}}}}"#
            ),
        ),
        _ => json(200, "{}"),
    });
    let (status, out, err) = said(&hub.stardust(&["answer", "ada", "continue"]));
    assert_eq!((status, err.as_str()), (Some(0), ""));
    assert_eq!(out, "Ada: “Nozzle Parked” answered: Continue.\n");
    let path = format!("POST /api/v1/printers/{FILE}/answer");
    assert!(hub.asked(&path, 0, |r| r.body == format!(r#"{{"attention_id":"{JOB}","button":1}}"#)));
    let (status, _, err) = said(&hub.stardust(&["answer", "ada"]));
    assert_eq!(status, Some(1));
    assert!(err.contains("1: Purge More, 2: Continue"), "{err}");
}

#[test]
fn a_print_that_was_cut_off_says_how_it_goes_on_and_does() {
    let hub = Hub::start(|request, _| match request.line.as_str() {
        "GET /api/v1/jobs?scope=active&limit=200" => {
            json(200, &format!(r#"{{"items":[{{"id":"{JOB}","file_name":"a.gcode","state":"paused"}}]}}"#))
        }
        "GET /api/v1/printers?limit=200" => json(
            200,
            &format!(
                r#"{{"items":[{{"id":"{FILE}","name":"Ada","state":"paused","contact":{{"state":"online"}},"status":
                   {{"interruption":{{"job_id":"{JOB}","layer":12,"height_mm":2.4,
                     "layers":[{{"layer":12,"height_mm":2.4}}]}}}}}}]}}"#
            ),
        ),
        _ => json(
            202,
            &format!(r#"{{"id":"{JOB}","file_name":"a.gcode","state":"paused","requested":"resume"}}"#),
        ),
    });
    let (status, out, err) = said(&hub.stardust(&["jobs"]));
    assert_eq!((status, err.as_str()), (Some(0), ""));
    let command = format!("stardust resume {JOB} --from-layer 12");
    assert!(out.contains("Cut off at layer 12, 2.40 mm.") && out.contains(&command), "{out}");

    let (status, out, err) = said(&hub.stardust(&["resume", "a.gcode", "--from-layer", "12"]));
    assert_eq!((status, err.as_str()), (Some(0), ""));
    assert_eq!(out, "a.gcode: the printer has been asked to resume.\n");
    let path = format!("POST /api/v1/jobs/{JOB}/resume");
    assert!(hub.asked(&path, 0, |r| r.body == r#"{"from_layer":12}"#));
    hub.stardust(&["resume", "a.gcode"]);
    assert!(hub.asked(&path, 1, |r| r.body == "{}"));
}

#[test]
fn printers_are_stopped_at_once_and_what_came_of_it_is_said_for_each() {
    // The one that is not answered could be written down by the hub, the other one not.
    let printer = |id: &str, name: &str, state: &str| {
        let recorded = name == "Bo";
        format!(
            r#"{{"id":"{id}","name":"{name}","state":"printing","emergency_stop":{{"state":"{state}","recorded":{recorded}}}}}"#
        )
    };
    let (one, other) = (FILE, JOB);
    let hub = Hub::start(move |request, before| match request.line.as_str() {
        "GET /api/v1/printers?limit=200" => json(
            200,
            &format!(
                r#"{{"items":[{{"id":"{one}","name":"Ada","state":"idle"}},{{"id":"{other}","name":"Bo","state":"idle"}}]}}"#
            ),
        ),
        "POST /api/v1/printers/emergency-stop" => {
            let (ada, bo) = (printer(one, "Ada", "sent_and_reset"), printer(other, "Bo", "sending"));
            json(202, &format!(r#"{{"printers":[{ada},{bo}],"unknown":[]}}"#))
        }
        line if line.contains(other) => {
            json(200, &printer(other, "Bo", if before < 6 { "sending" } else { "not_delivered" }))
        }
        _ => json(200, &printer(one, "Ada", "sent_and_reset")),
    });
    let (status, out, err) = said(&hub.stardust(&["stop", "ada", "bo"]));
    assert_eq!(status, Some(1), "one is not certain");
    assert!(out.starts_with("Ada: M112 was sent to the printer, and its board was reset"), "{out}");
    assert_eq!(out.matches("Ada: ").count(), 1, "{out}");
    assert_eq!(out.matches("Bo: no answer from its agent yet").count(), 1, "before anything is known: {out}");
    let unrecorded = out.lines().filter(|line| line.contains("The hub could not write this down"));
    assert!(unrecorded.eq(out.lines().filter(|line| line.starts_with("Ada: "))), "{out}");
    assert!(out.contains("Bo: its agent does not answer: it may be down or cut off."), "{out}");
    assert!(err.contains("not stopped for certain: Bo."), "{err}");
    let asked = format!(r#"{{"ids":["{one}","{other}"]}}"#);
    assert!(hub.asked("POST /api/v1/printers/emergency-stop", 0, |r| r.body == asked));

    // A word that means nobody does not keep the others from being stopped.
    let (status, out, err) = said(&hub.stardust(&["stop", "ada", "Cy"]));
    assert!(status == Some(1) && out.starts_with("Ada: ") && err.contains("Bo"), "{out}{err}");
    assert!(
        hub.asked("POST /api/v1/printers/emergency-stop", 1, |r| r.body == format!(r#"{{"ids":["{one}"]}}"#))
    );

    let (status, _, err) = said(&hub.stardust(&["stop", "--all"]));
    assert!(status == Some(1) && err.contains("needs --yes"), "{err}");
    let (_, _, _) = said(&hub.stardust(&["stop", "--all", "--yes"]));
    assert!(hub.asked("POST /api/v1/printers/emergency-stop", 2, |r| r.body == r#"{"all":true}"#));
}

#[test]
fn a_printer_is_preheated_for_a_time_and_cooled_down_and_a_refusal_is_passed_on() {
    let hub = Hub::start(|request, before| match request.line.as_str() {
        "GET /api/v1/printers?limit=200" => {
            json(200, &format!(r#"{{"items":[{{"id":"{FILE}","name":"Ada","state":"idle"}}]}}"#))
        }
        line if line.ends_with("/preheat") && before > 0 => {
            json(409, r#"{"code":"refused_by_printer","detail":"The printer does not answer."}"#)
        }
        _ => json(200, &format!(r#"{{"id":"{FILE}","name":"Ada","state":"idle"}}"#)),
    });
    let wanted = ["preheat", "ada", "--nozzle", "200", "--nozzle", "0", "--bed", "60"];
    let (status, out, err) = said(&hub.stardust(&wanted));
    assert_eq!((status, err.as_str()), (Some(0), ""));
    assert!(out.contains("30 min") && out.contains("stardust cool-down Ada"), "{out}");
    let path = format!("POST /api/v1/printers/{FILE}/preheat");
    let asked = r#"{"bed_c":60,"minutes":30,"nozzles_c":[200,0]}"#;
    assert!(hub.asked(&path, 0, |r| r.body == asked));
    let (status, _, err) = said(&hub.stardust(&wanted));
    assert!(status == Some(1) && err.contains("The printer does not answer."), "{err}");

    let (status, ..) = said(&hub.stardust(&["cool-down", "Ada"]));
    assert_eq!(status, Some(0));
    assert!(hub.asked(&format!("POST /api/v1/printers/{FILE}/cool-down"), 0, |r| r.body == "{}"));
}

#[test]
fn what_no_printer_has_answered_is_not_told_as_done() {
    let hub = Hub::start(|request, _| match request.line.as_str() {
        "GET /api/v1/printers?limit=200" => {
            json(200, &format!(r#"{{"items":[{{"id":"{FILE}","name":"Ada","state":"idle"}}]}}"#))
        }
        _ => json(202, &format!(r#"{{"id":"{FILE}","name":"Ada","state":"idle"}}"#)),
    });
    for (order, what) in [
        (&["preheat", "Ada", "--bed", "60"][..], "may still heat up"),
        (&["cool-down", "Ada"], "may still be hot"),
    ] {
        let (status, out, err) = said(&hub.stardust(order));
        assert!(status == Some(1) && out.is_empty() && err.contains(what), "{out}{err}");
    }
}

#[test]
fn a_file_that_is_cut_off_says_in_words_how_it_is_printed_all_the_same() {
    let hub = Hub::start(|request, _| match request.line.as_str() {
        "POST /api/v1/jobs" if request.body.contains("even_if_cut_off") => json(200, &job("queued")),
        "POST /api/v1/jobs" => json(409, r#"{"detail":"It is cut off.","code":"file_cut_off"}"#),
        _ => json(200, &format!(r#"{{"items":[{{"id":"{FILE}","name":"a.gcode","extraction":"ready"}}]}}"#)),
    });
    let (status, _, err) = said(&hub.stardust(&["print", "a.gcode"]));
    assert_eq!(status, Some(1));
    assert!(err.contains("a.gcode is cut off") && err.contains("add --even-if-cut-off"), "{err}");
    assert!(!err.contains("even_if_cut_off") && !err.contains("file_cut_off"), "{err}");
    assert_eq!(said(&hub.stardust(&["print", "a.gcode", "--even-if-cut-off"])).0, Some(0));
}

#[test]
fn a_wish_of_a_printer_out_of_reach_is_not_called_asked() {
    let hub = Hub::start(|request, _| match request.line.as_str() {
        line if line.ends_with("/pause") => json(
            202,
            &format!(
                r#"{{"id":"{JOB}","file_name":"a.gcode","state":"printing","requested":"pause","printer_name":"Ada",
                    "printer_id":"{FILE}"}}"#
            ),
        ),
        _ => json(
            200,
            &format!(r#"{{"id":"{FILE}","name":"Ada","state":"offline","contact":{{"state":"lost"}}}}"#),
        ),
    });
    let (status, out, err) = said(&hub.stardust(&["pause", JOB]));
    assert_eq!((status, err.as_str()), (Some(0), ""));
    assert!(out.starts_with("a.gcode: the agent of Ada is out of reach"), "{out}");
}

#[test]
fn a_wish_that_was_taken_is_said_to_be_also_where_nothing_is_heard_of_its_printer() {
    for (status, printer) in [(503, "<html>busy</html>"), (200, "not JSON")] {
        let hub = Hub::start(move |request, _| match request.line.as_str() {
            line if line.ends_with("/cancel") => json(
                202,
                &format!(
                    r#"{{"id":"{JOB}","file_name":"a.gcode","state":"printing","requested":"cancel","printer_name":"Ada",
                        "printer_id":"{FILE}"}}"#
                ),
            ),
            _ => json(status, printer),
        });
        let (status, out, err) = said(&hub.stardust(&["cancel", JOB]));
        assert_eq!((status, err.as_str()), (Some(0), ""));
        assert_eq!(out, "a.gcode: Ada has been asked to cancel.\n");
    }
}

#[test]
fn every_stop_that_stands_is_cleared_at_once_and_no_other() {
    let hub = Hub::start(|request, _| match request.line.as_str() {
        "GET /api/v1/printers?limit=200" => json(
            200,
            &format!(
                r#"{{"items":[{{"id":"{FILE}","name":"Ada","state":"error","emergency_stop":{{"id":"c1","state":"sent"}}}},
                             {{"id":"{JOB}","name":"Bo","state":"idle"}}]}}"#
            ),
        ),
        _ => json(
            200,
            &format!(
                r#"{{"id":"{FILE}","name":"Ada","state":"error","contact":{{"state":"online"}},"status":{{"halted":true}}}}"#
            ),
        ),
    });
    let (status, _, err) = said(&hub.stardust(&["stop", "--clear", "--all"]));
    assert_eq!(status, Some(1));
    assert!(err.contains("--yes"), "{err}");
    let (status, out, err) = said(&hub.stardust(&["stop", "--clear", "--all", "--yes"]));
    assert_eq!((status, err.as_str()), (Some(0), ""));
    assert!(out.contains("its board has halted") && !out.contains("Bo"), "{out}");
    let cleared: Vec<String> = hub.lines().into_iter().filter(|line| line.starts_with("POST")).collect();
    assert_eq!(cleared, [format!("POST /api/v1/printers/{FILE}/emergency-stop/clear")]);
    assert!(hub.asked("POST", 0, |r| r.body == r#"{"stop_id":"c1"}"#), "only the one that was seen");
}

#[test]
fn a_stop_that_is_not_cleared_does_not_keep_the_others_from_being() {
    let printer = |name: &str, stop: &str| {
        format!(
            r#"{{"id":"{name}","name":"{name}","state":"idle","contact":{{"state":"online"}},
                "emergency_stop":{{"id":"{stop}","state":"sent"}}}}"#
        )
    };
    let hub = Hub::start(move |request, _| match request.line.as_str() {
        "GET /api/v1/printers?limit=200" => {
            let all = [printer("Ada", "c1"), printer("Bo", "c2"), printer("Cy", "c3"), printer("Di", "c4")];
            json(200, &format!(r#"{{"items":[{}]}}"#, all.join(",")))
        }
        line if line.contains("/Ada/") => json(409, r#"{"code":"not_stopped","detail":"There is none."}"#),
        line if line.contains("/Cy/") => json(409, r#"{"code":"another_stop","detail":"Stopped anew."}"#),
        line => {
            let name = if line.contains("/Bo/") { "Bo" } else { "Di" };
            json(
                200,
                &format!(
                    r#"{{"id":"{name}","name":"{name}","state":"idle","contact":{{"state":"online"}}}}"#
                ),
            )
        }
    });
    let (status, out, err) = said(&hub.stardust(&["stop", "--clear", "--all", "--yes"]));
    assert_eq!(status, Some(1));
    assert_eq!(out, "Bo: jobs may start on it again.\nDi: jobs may start on it again.\n");
    assert_eq!(
        err,
        "stardust: not cleared: Ada: There is none. (not_stopped); Cy: Stopped anew. (another_stop)\n"
    );
}
