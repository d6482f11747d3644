//! Deltas of live data: JSON merge patches (RFC 7396), made and applied by both sides alike.
//!
//! A merge patch can't tell "set to null" from "remove", so every live document writes its optional fields
//! as explicit nulls or leaves them out: readers treat both alike.

use serde_json::{Map, Value};

/// The smallest merge patch that turns `from` into `to`, or `None` when they are equal.
///
/// Arrays are replaced whole (RFC 7396).
#[must_use]
pub fn diff(from: &Value, to: &Value) -> Option<Value> {
    if from == to {
        return None;
    }
    let (Value::Object(from), Value::Object(to)) = (from, to) else {
        return Some(to.clone());
    };
    let mut patch = Map::new();
    for key in from.keys().filter(|key| !to.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    for (key, value) in to {
        let change = match from.get(key) {
            Some(before) => diff(before, value),
            None => Some(value.clone()),
        };
        if let Some(change) = change {
            patch.insert(key.clone(), change);
        }
    }
    if patch.is_empty() { None } else { Some(Value::Object(patch)) }
}

/// Applies a merge patch in place.
pub fn apply(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(target) = target else { return };
    for (key, change) in patch {
        if change.is_null() {
            target.remove(key);
        } else {
            apply(target.entry(key.clone()).or_insert(Value::Null), change);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn only_what_changed_is_in_the_patch() {
        let before = json!({"state": "printing", "bed": {"actual": 59.1, "target": 60.0}, "job": {"id": 1}});
        let after = json!({"state": "printing", "bed": {"actual": 59.4, "target": 60.0}});
        assert_eq!(diff(&before, &after), Some(json!({"bed": {"actual": 59.4}, "job": null})));
        assert_eq!(diff(&after, &after), None);
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![any::<bool>().prop_map(Value::from), any::<i32>().prop_map(Value::from)];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::hash_map("[a-d]", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn applying_the_difference_gives_the_other(from in value(), to in value()) {
            let mut patched = from.clone();
            if let Some(patch) = diff(&from, &to) {
                apply(&mut patched, &patch);
            }
            prop_assert_eq!(patched, to);
        }
    }
}
