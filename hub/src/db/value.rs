//! Values and rows, the same for both engines.

use std::sync::Arc;

use stardust_protocol::{
    ClaimId, CommandId, FileId, FileVersionId, JobId, JobState, PrinterId, Timestamp, TokenId, UserId,
    WorkspaceId,
};

use super::DbError;
use crate::fleet::speaker::Instance;

/// One value of a row or a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// `BIGINT`.
    Int(i64),
    /// `DOUBLE PRECISION`.
    Real(f64),
    /// `TEXT`.
    Text(String),
}

impl Value {
    fn kind(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Int(_) => "an integer",
            Self::Real(_) => "a real",
            Self::Text(_) => "a text",
        }
    }
}

/// One row; columns are read by name.
#[derive(Debug, Clone)]
pub struct Row {
    pub(super) columns: Arc<[String]>,
    pub(super) values: Vec<Value>,
}

impl Row {
    /// The value of a column.
    ///
    /// # Errors
    /// [`DbError::Column`] when there is no such column or it holds something else.
    pub fn get<T: FromValue>(&self, column: &str) -> Result<T, DbError> {
        let value = self.columns.iter().position(|name| name == column).and_then(|i| self.values.get(i));
        let value = value.unwrap_or(&Value::Null);
        T::from_value(value).ok_or_else(|| DbError::Column {
            column: column.to_owned(),
            expected: std::any::type_name::<T>(),
            found: value.kind(),
        })
    }
}

/// Something that can be read from a column.
pub trait FromValue: Sized {
    /// `None` when the column holds something else.
    fn from_value(value: &Value) -> Option<Self>;
}

/// Something that can be a parameter.
pub trait ToValue {
    /// As a database value.
    fn to_value(&self) -> Value;
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            other => T::from_value(other).map(Some),
        }
    }
}

impl<T: ToValue> ToValue for Option<T> {
    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null, ToValue::to_value)
    }
}

impl<T: ToValue + ?Sized> ToValue for &T {
    fn to_value(&self) -> Value {
        (**self).to_value()
    }
}

impl FromValue for i64 {
    fn from_value(value: &Value) -> Option<Self> {
        if let Value::Int(n) = value { Some(*n) } else { None }
    }
}

impl ToValue for i64 {
    fn to_value(&self) -> Value {
        Value::Int(*self)
    }
}

impl FromValue for u64 {
    fn from_value(value: &Value) -> Option<Self> {
        i64::from_value(value)?.try_into().ok()
    }
}

impl ToValue for u64 {
    fn to_value(&self) -> Value {
        // Sizes and counters: far below 2^63.
        Value::Int(i64::try_from(*self).unwrap_or(i64::MAX))
    }
}

impl FromValue for f64 {
    #[allow(clippy::cast_precision_loss, reason = "an engine may hand a whole real back as an integer")]
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Real(x) => Some(*x),
            Value::Int(n) => Some(*n as f64),
            _ => None,
        }
    }
}

impl ToValue for f64 {
    fn to_value(&self) -> Value {
        Value::Real(*self)
    }
}

impl FromValue for bool {
    fn from_value(value: &Value) -> Option<Self> {
        i64::from_value(value).map(|n| n != 0)
    }
}

impl ToValue for bool {
    fn to_value(&self) -> Value {
        Value::Int(i64::from(*self))
    }
}

impl FromValue for String {
    fn from_value(value: &Value) -> Option<Self> {
        if let Value::Text(text) = value { Some(text.clone()) } else { None }
    }
}

impl ToValue for String {
    fn to_value(&self) -> Value {
        Value::Text(self.clone())
    }
}

impl ToValue for str {
    fn to_value(&self) -> Value {
        Value::Text(self.to_owned())
    }
}

impl FromValue for Timestamp {
    fn from_value(value: &Value) -> Option<Self> {
        i64::from_value(value).map(Timestamp::from_millis)
    }
}

impl ToValue for Timestamp {
    fn to_value(&self) -> Value {
        Value::Int(self.as_millis())
    }
}

macro_rules! as_text {
    ($($name:ty),*) => {$(
        impl FromValue for $name {
            fn from_value(value: &Value) -> Option<Self> {
                if let Value::Text(text) = value { text.parse().ok() } else { None }
            }
        }

        impl ToValue for $name {
            fn to_value(&self) -> Value {
                Value::Text(self.to_string())
            }
        }
    )*};
}

as_text!(
    ClaimId,
    CommandId,
    FileId,
    FileVersionId,
    Instance,
    JobId,
    JobState,
    PrinterId,
    TokenId,
    UserId,
    WorkspaceId
);
