//! Accounts: who the people are and how they prove it.
//!
//! A person is a member of a workspace with a role. There is no anonymous access and no default password:
//! the first start makes an owner with a random one ([`first_start`]).

pub mod first_start;
pub mod password;
pub mod routes;
pub mod sessions;
pub mod tokens;

use serde::{Deserialize, Serialize};
use stardust_protocol::{UserId, WorkspaceId};

use crate::db::{DbError, FromValue, Row, ToValue, Value};

/// What a member may do. Rules by role are later work: until then the owner is the one member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything.
    Admin,
    /// Prints and changes others' jobs.
    Member,
    /// Sees what is shared.
    Guest,
}

impl FromValue for Role {
    fn from_value(value: &Value) -> Option<Self> {
        match String::from_value(value)?.as_str() {
            "admin" => Some(Self::Admin),
            "member" => Some(Self::Member),
            "guest" => Some(Self::Guest),
            _ => None,
        }
    }
}

impl ToValue for Role {
    fn to_value(&self) -> Value {
        let name = match self {
            Self::Admin => "admin",
            Self::Member => "member",
            Self::Guest => "guest",
        };
        name.to_value()
    }
}

/// A signed-in member of a workspace.
#[derive(Debug, Clone)]
pub struct Person {
    /// Who.
    pub user_id: UserId,
    /// Their e-mail address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// What they may do here.
    pub role: Role,
    /// Where.
    pub workspace_id: WorkspaceId,
    /// The workspace's name.
    pub workspace_name: String,
}

/// Reads the columns `user_id, email, user_name, role, workspace_id, workspace_name`.
fn read_person(row: &Row) -> Result<Person, DbError> {
    Ok(Person {
        user_id: row.get("user_id")?,
        email: row.get("email")?,
        name: row.get("user_name")?,
        role: row.get("role")?,
        workspace_id: row.get("workspace_id")?,
        workspace_name: row.get("workspace_name")?,
    })
}

#[cfg(test)]
pub(crate) mod testing {
    use super::first_start;
    use crate::db::Db;
    use crate::params;
    use stardust_protocol::{Timestamp, UserId, WorkspaceId};

    /// Where the clock of store tests stands.
    pub(crate) fn now() -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000)
    }

    /// A workspace with its owner.
    pub(crate) async fn owner(db: &Db) -> (WorkspaceId, UserId) {
        first_start::create(db, now(), "owner@example.org", "not a hash").await.unwrap();
        let row =
            db.query_opt("SELECT workspace_id, user_id FROM members", params![]).await.unwrap().unwrap();
        (row.get("workspace_id").unwrap(), row.get("user_id").unwrap())
    }

    pub(crate) async fn workspace(db: &Db) -> WorkspaceId {
        owner(db).await.0
    }
}
