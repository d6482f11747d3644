//! What every run begins with: a hub with its owner, two paired printers and a print file. It is made once and copied,
//! for hashing a password takes longer than a run.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use bytes::Bytes;
use stardust_agent::hub_link::client::Credential;
use stardust_agent::printer::folder::{PrinterConfig, PrinterFolder};
use stardust_agent::settings::Settings;
use stardust_hub::accounts::{Person, Role, first_start};
use stardust_hub::fleet::pairing;
use stardust_hub::library::upload;
use stardust_hub::params;
use stardust_protocol::agent_api::{PairRequest, PairResponse};
use stardust_protocol::{FileId, PrinterId, ProtocolVersion};

use crate::hub_house::HubHouse;

pub(crate) const NAMES: [&str; 2] = ["Left", "Right"];

/// A finished beginning.
pub(crate) struct Template {
    folder: tempfile::TempDir,
    pub(crate) paired: Vec<PairResponse>,
    pub(crate) owner: Person,
    pub(crate) file: FileId,
}

static TEMPLATE: LazyLock<Template> = LazyLock::new(Template::make);

/// The commands of the print file.
pub(crate) fn commands() -> Vec<String> {
    let moves = (0..30).map(|n| format!("G1 X{}.5 Y{} E{n}.25 F3000", 10 + n, 20 + n));
    ["G28".to_owned(), "M104 S50".to_owned()].into_iter().chain(moves).chain(["M84".to_owned()]).collect()
}

/// A folder that is gone with the run: in memory where the machine offers that, for what is looked at here is what is
/// written in which order, not the disk; else where temporary files are.
pub(crate) fn temporary() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

impl Template {
    pub(crate) fn get() -> &'static Self {
        &TEMPLATE
    }

    /// The hub's data directory: objects never change, so all runs share them.
    pub(crate) fn data(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn printer(&self, index: usize) -> PrinterId {
        self.paired[index].printer_id
    }

    /// Which printer this is.
    pub(crate) fn index(&self, printer: PrinterId) -> usize {
        self.paired.iter().position(|paired| paired.printer_id == printer).unwrap()
    }

    /// Copies the database.
    pub(crate) fn copy_database(&self, to: &Path) {
        std::fs::copy(self.folder.path().join("hub.db"), to).unwrap();
    }

    /// The folder of a printer on a printer host with these data.
    pub(crate) fn printer_folder(&self, data: &Path, index: usize) -> PrinterFolder {
        let settings = Settings::read(Some(data.to_owned()), None).unwrap();
        let paired = &self.paired[index];
        let folder = PrinterFolder::for_name(&settings, &paired.printer_name);
        if !folder.is_paired() {
            let hub = "http://hub.test/".parse().unwrap();
            let config = PrinterConfig::new(paired, hub, PathBuf::from("/dev/null"));
            folder.store(&config, &Credential::new(&paired.token)).unwrap();
        }
        folder
    }

    fn make() -> Self {
        let folder = temporary();
        let database = folder.path().join("hub.db");
        let hub = HubHouse::new();
        hub.start(folder.path(), &database);
        let (owner, paired, file) = hub
            .inside(|app| {
                Box::pin(async move {
                    let now = app.clock.now();
                    first_start::ensure_owner(&app.db, &app.passwords, now).await.unwrap();
                    let sql = "SELECT workspace_id, user_id FROM members";
                    let member = app.db.query_opt(sql, params![]).await.unwrap().unwrap();
                    let owner = Person {
                        user_id: member.get("user_id").unwrap(),
                        email: "owner@stardust.local".into(),
                        name: "Owner".into(),
                        role: Role::Admin,
                        workspace_id: member.get("workspace_id").unwrap(),
                        workspace_name: "My workspace".into(),
                    };
                    let mut paired = Vec::new();
                    for name in NAMES {
                        let (code, _) = pairing::create_code(&app.db, now, &owner).await.unwrap();
                        let request = PairRequest {
                            code,
                            protocol: ProtocolVersion::CURRENT,
                            agent_version: "0".into(),
                            printer_name: name.into(),
                            printer_model: None,
                            credential: None,
                        };
                        paired.push(pairing::pair(&app.db, now, &request).await.unwrap().0);
                    }
                    let text = commands().join("\n") + "\n";
                    let body =
                        futures::stream::iter([Ok::<_, stardust_hub::error::Error>(Bytes::from(text))]);
                    let file = upload::take(&app, &owner, "part.gcode", None, body).await.unwrap().file.id;
                    (owner, paired, file)
                })
            })
            .unwrap();
        hub.work_off();
        hub.kill();
        // With its last connection the database's log becomes part of it, unless the last two end in the same moment: then
        // each leaves it to the other.
        while database.with_extension("db-wal").exists() {
            let last = rusqlite::Connection::open(&database).unwrap();
            let _: i64 = last.query_row("SELECT COUNT(*) FROM printers", [], |row| row.get(0)).unwrap();
        }
        Self { folder, paired, owner, file }
    }
}
