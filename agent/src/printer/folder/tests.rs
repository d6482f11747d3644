use super::*;
use crate::journal::Journal;
use crate::journal::{Debts, HeatOwed};
use crate::print_job::profile::Profile;
use crate::printer::section::Sections;
use crate::serial::{KeepBedWarm, Templates};
use std::os::unix::fs::{PermissionsExt, symlink};

fn settings(data: &tempfile::TempDir) -> Settings {
    Settings { spool_bytes: 1000, ..Settings::of_data(data.path().to_owned()) }
}

fn config() -> PrinterConfig {
    PrinterConfig {
        name: "Ender left".into(),
        hub: "http://hub.local:8080/".parse().unwrap(),
        hub_ca: None,
        mqtt_in_clear: false,
        workspace_id: "0190a7c2-6f00-7000-8000-000000000001".parse().unwrap(),
        printer_id: "0190a7c2-6f00-7000-8000-000000000002".parse().unwrap(),
        port: "/dev/serial/by-id/usb-1a86".into(),
        baud: None,
        keep_bed_warm_minutes: KeepBedWarm::default(),
        reset_on_open: false,
        profile: Profile::default(),
        scripts: Templates::default(),
    }
}

#[test]
fn what_is_stored_is_loaded_and_the_token_is_ours_alone() {
    let data = tempfile::tempdir().unwrap();
    let folder = PrinterFolder::for_name(&settings(&data), "Ender left!");
    assert!(PrinterFolder::all(&settings(&data)).is_empty());
    folder.store(&config(), &Credential::new("token")).unwrap();
    assert_eq!(PrinterFolder::all(&settings(&data))[0].path(), folder.path());
    assert_eq!(folder.name(), "ender-left");
    let (loaded, credential) = folder.load().unwrap();
    assert_eq!((loaded, credential.secret()), (config(), "token"));
    let mode = folder.credential_file().metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    insta::assert_snapshot!(fs::read_to_string(folder.config_file()).unwrap(), @r#"
    name = "Ender left"
    hub = "http://hub.local:8080/"
    workspace_id = "0190a7c2-6f00-7000-8000-000000000001"
    printer_id = "0190a7c2-6f00-7000-8000-000000000002"
    port = "/dev/serial/by-id/usb-1a86"
    "#);
}

#[test]
fn what_a_person_sets_about_the_port() {
    let data = tempfile::tempdir().unwrap();
    let folder = PrinterFolder::for_name(&settings(&data), "x");
    folder.store(&config(), &Credential::new("token")).unwrap();
    let text = fs::read_to_string(folder.config_file()).unwrap() + "baud = 250000\nreset_on_open = true\n";
    fs::write(folder.config_file(), text).unwrap();
    let (config, _) = folder.load().unwrap();
    let plan = folder.port_plan(&config);
    assert_eq!((plan.baud, plan.reset_on_open), (Some(250_000), true));
    assert_eq!(plan.adapter_file, Some(data.path().join("printers/x/adapter.toml")));
}

#[test]
fn a_mistake_in_the_settings_is_named() {
    let data = tempfile::tempdir().unwrap();
    let folder = PrinterFolder::for_name(&settings(&data), "x");
    folder.store(&config(), &Credential::new("token")).unwrap();
    let text = fs::read_to_string(folder.config_file()).unwrap() + "bawd = 9600\n";
    fs::write(folder.config_file(), text).unwrap();
    let error = folder.load().unwrap_err().to_string();
    assert!(error.contains("printer.toml") && error.contains("line 6: unknown field `bawd`"), "{error}");
}

#[test]
fn the_agents_configuration_goes_before_the_folder() {
    let data = tempfile::tempdir().unwrap();
    PrinterFolder::for_name(&settings(&data), "Ender left").store(&config(), &Credential::new("t")).unwrap();
    let section: PrinterSection = toml::from_str("baud = 9600\n").unwrap();
    let sections = Sections::new([("Ender left".to_owned(), section)].into()).unwrap();
    let set = Settings { sections, ..settings(&data) };
    let [folder] = PrinterFolder::all(&set).try_into().unwrap();
    assert_eq!(folder.load().unwrap().0, PrinterConfig { baud: Some(9600), ..config() });
    assert_eq!(folder.stored_config().unwrap(), config());
}

#[test]
fn a_later_pairing_takes_over_and_what_the_hub_before_was_not_told_is_kept() {
    let data = tempfile::tempdir().unwrap();
    let folder = PrinterFolder::for_name(&settings(&data), "x");
    folder.store(&config(), &Credential::new("one")).unwrap();
    fs::create_dir(folder.spool()).unwrap();
    fs::write(folder.journal(), "events\n").unwrap();
    assert!(!folder.take_over().unwrap());

    // Another credential of the same printer: it remembers everything.
    folder.next().store(&config(), &Credential::new("two")).unwrap();
    assert!(folder.take_over().unwrap());
    assert_eq!(folder.credential().unwrap().secret(), "two");
    assert!(folder.journal().exists() && folder.spool().exists() && !folder.next().path().exists());

    // Another printer; cut off after the credential, and done to its end at the next start.
    let new =
        PrinterConfig { printer_id: "0190a7c2-6f00-7000-8000-000000000003".parse().unwrap(), ..config() };
    folder.next().store(&new, &Credential::new("three")).unwrap();
    fs::rename(folder.next().credential_file(), folder.credential_file()).unwrap();
    assert!(folder.take_over().unwrap());
    assert_eq!(folder.load().unwrap(), (new, Credential::new("three")));
    assert!(!folder.journal().exists() && !folder.spool().exists());
    let former = folder.former(config().printer_id);
    assert_eq!(fs::read_to_string(former.join("journal.jsonl")).unwrap(), "events\n");
    let mode = folder.credential_file().metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn what_is_owed_is_owed_by_the_pairing_that_takes_over_wherever_that_was_cut_off() {
    let new =
        PrinterConfig { printer_id: "0190a7c2-6f00-7000-8000-000000000003".parse().unwrap(), ..config() };
    let heat: Debts = {
        let data = tempfile::tempdir().unwrap();
        let owed =
            |port: &str| HeatOwed { port: Some(port.into()), in_place: true, ..HeatOwed::default() }.into();
        let path = data.path().join("journal.jsonl");
        Journal::open(&path).unwrap().append(&[owed("/dev/a"), owed("/dev/b")]).unwrap();
        Journal::peek(&path).heat
    };
    for cut_off_after in 0..5 {
        let data = tempfile::tempdir().unwrap();
        let folder = PrinterFolder::for_name(&settings(&data), "x");
        let next = folder.next();
        folder.store(&config(), &Credential::new("one")).unwrap();
        folder.goes_on_owing(&heat).unwrap();
        next.store(&new, &Credential::new("two")).unwrap();
        next.goes_on_owing(&heat).unwrap();
        // The steps of `take_over`.
        let steps: [&dyn Fn(); 4] = [
            &|| folder.set_aside(&folder.former(config().printer_id)).unwrap(),
            &|| fs::rename(next.credential_file(), folder.credential_file()).unwrap(),
            &|| fs::rename(next.config_file(), folder.config_file()).unwrap(),
            &|| folder.take_debt(&next).unwrap(),
        ];
        steps.iter().take(cut_off_after).for_each(|step| step());
        folder.take_over().unwrap();
        assert_eq!(Journal::peek(&folder.journal()).heat, heat, "cut off after {cut_off_after} steps");
        assert_eq!(folder.load().unwrap(), (new.clone(), Credential::new("two")));
    }
}

/// A full disk leaves such a file; the hub would call what is in it no credential of its own.
#[test]
fn an_empty_credential_is_called_empty() {
    let data = tempfile::tempdir().unwrap();
    let folder = PrinterFolder::for_name(&settings(&data), "x");
    folder.store(&config(), &Credential::new("one")).unwrap();
    fs::write(folder.credential_file(), "\n").unwrap();
    let error = folder.load().unwrap_err().to_string();
    assert!(error.contains("credential") && error.contains("it is empty"), "{error}");
    assert!(folder.is_paired(), "it is seen to as one whose files can't be read");
}

/// Whoever could read it before, or has put a link there, has nothing of what is written now.
#[test]
fn the_token_is_ours_alone_whatever_was_there_before() {
    let data = tempfile::tempdir().unwrap();
    let folder = PrinterFolder::for_name(&settings(&data), "x");
    let path = folder.credential_file();
    let is_ours = |token: &str| {
        let found = fs::symlink_metadata(&path).unwrap();
        assert_eq!((found.is_file(), found.permissions().mode() & 0o777), (true, 0o600));
        assert_eq!(folder.credential().unwrap().secret(), token);
        let names = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name();
        let mut there: Vec<_> = fs::read_dir(folder.path()).unwrap().map(names).collect();
        there.sort();
        assert_eq!(there, [CREDENTIAL, CONFIG], "no draft");
    };
    folder.prepare().unwrap();
    fs::write(&path, "old\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let mut before = fs::File::open(&path).unwrap();
    folder.store(&config(), &Credential::new("one")).unwrap();
    is_ours("one");
    let mut read = String::new();
    std::io::Read::read_to_string(&mut before, &mut read).unwrap();
    assert_eq!(read, "old\n", "nothing is written over it");

    let elsewhere = data.path().join("elsewhere");
    for there in [true, false] {
        fs::remove_file(&path).unwrap();
        symlink(&elsewhere, &path).unwrap();
        let _ = fs::remove_file(&elsewhere);
        if there {
            fs::write(&elsewhere, "somebody's").unwrap();
        }
        folder.store(&config(), &Credential::new("two")).unwrap();
        is_ours("two");
        assert_eq!(fs::read_to_string(&elsewhere).ok(), there.then(|| "somebody's".into()));
    }
}

/// A link that leads back to itself stands for all that keeps one from looking: a disk that fails, rights that are missing.
#[test]
fn a_printer_that_can_not_be_looked_at_is_still_somebodys() {
    let data = tempfile::tempdir().unwrap();
    let folder = PrinterFolder::for_name(&settings(&data), "x");
    let is_paired = |expected: bool| {
        assert_eq!(folder.is_paired(), expected);
        assert_eq!(PrinterFolder::all(&settings(&data)).len(), usize::from(expected));
    };
    is_paired(false);
    fs::create_dir_all(data.path().join("printers")).unwrap();
    symlink(folder.path(), folder.path()).unwrap();
    is_paired(true);
    assert!(folder.load().is_err());
    // There is certainly nothing in these.
    fs::remove_file(folder.path()).unwrap();
    fs::write(folder.path(), "").unwrap();
    is_paired(false);
    fs::remove_file(folder.path()).unwrap();
    fs::create_dir(folder.path()).unwrap();
    is_paired(false);
    // And in this one there was something.
    fs::create_dir(folder.config_file()).unwrap();
    is_paired(true);
}

#[test]
fn a_later_pairing_counts_only_where_its_settings_are_a_file() {
    let data = tempfile::tempdir().unwrap();
    let folder = PrinterFolder::for_name(&settings(&data), "x");
    folder.store(&config(), &Credential::new("one")).unwrap();
    let (next, file) = (folder.next(), folder.next().config_file());
    let things: [&dyn Fn(); 4] = [
        &|| fs::create_dir(&file).unwrap(),
        &|| symlink(&file, &file).unwrap(),
        &|| symlink("/dev/null", &file).unwrap(),
        &|| drop(std::os::unix::net::UnixListener::bind(&file).unwrap()),
    ];
    for thing in things {
        next.prepare().unwrap();
        thing();
        assert!(!next.is_paired());
        assert!(!folder.take_over().unwrap());
        assert_eq!(folder.load().unwrap(), (config(), Credential::new("one")));
        fs::remove_dir_all(next.path()).unwrap();
    }
    next.store(&config(), &Credential::new("two")).unwrap();
    assert!(next.is_paired() && folder.take_over().unwrap());
    // What is beside it is no later pairing.
    assert!(folder.next().beside(folder.path().to_owned()).is_paired());
}

#[test]
fn any_name_makes_a_folder() {
    for (name, expected) in [
        ("Ender 3 (left)", "ender-3-left"),
        ("../..", "printer"),
        ("Drücker №1", "drücker-1"),
        ("", "printer"),
    ] {
        assert_eq!(slug(name), expected, "{name}");
    }
}
