//! JSON objects that are put together member by member.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::civil::{NANOS, second};
use crate::proto::common::v1::{AnyValue, KeyValue, any_value::Value};

/// The members of an object, each with a comma behind it.
#[derive(Default)]
pub(super) struct Object(String);

impl Object {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The object as JSON.
    pub(super) fn to_json(&self) -> String {
        format!("{{{}}}", self.0.trim_end_matches(','))
    }

    /// Adds a member, of which the value is JSON.
    pub(super) fn member(&mut self, key: &str, json: &str) {
        self.0 += &format!("{}:{json},", string(key));
    }

    /// Adds the members of another.
    pub(super) fn members(&mut self, other: &Self) {
        self.0 += &other.0;
    }

    pub(super) fn text(&mut self, key: &str, text: &str) {
        if !text.is_empty() {
            self.member(key, &string(text));
        }
    }

    pub(super) fn id(&mut self, key: &str, id: &[u8]) {
        let hex: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        self.text(key, &hex);
    }

    pub(super) fn time(&mut self, key: &str, nanos: u64) {
        if nanos != 0 {
            let second = String::from_utf8_lossy(&second(nanos)).into_owned();
            self.text(key, &format!("{second}{:09}Z", nanos % NANOS));
        }
    }

    pub(super) fn unless_zero(&mut self, key: &str, number: u64) {
        if number != 0 {
            self.member(key, &number.to_string());
        }
    }

    pub(super) fn double(&mut self, key: &str, number: Option<f64>) {
        if let Some(number) = number {
            self.member(key, &double(number));
        }
    }

    /// Adds the name of an enum's value, its number if it has none. Names are from 1 on.
    pub(super) fn named(&mut self, key: &str, number: i32, names: &[&str]) {
        let at = number.checked_sub(1).map(usize::try_from);
        let name = at.and_then(Result::ok).and_then(|at| names.get(at));
        match (number, name) {
            (0, _) => {}
            (_, Some(name)) => self.text(key, name),
            (_, None) => self.member(key, &number.to_string()),
        }
    }

    pub(super) fn list<T>(&mut self, key: &str, list: &[T], element: impl Fn(&T) -> String) {
        if !list.is_empty() {
            self.member(key, &array(list, element));
        }
    }

    pub(super) fn attributes(&mut self, key: &str, attributes: &[KeyValue]) {
        if !attributes.is_empty() {
            self.member(key, &object(attributes));
        }
    }
}

/// A double, or the string that stands for what JSON has no number for.
pub(super) fn double(number: f64) -> String {
    match number {
        _ if number.is_finite() => zmij::Buffer::new().format_finite(number).to_owned(),
        _ if number.is_nan() => string("NaN"),
        _ if number > 0.0 => string("Infinity"),
        _ => string("-Infinity"),
    }
}

/// Any value as plain JSON. Recursion ends where the message's does.
pub(super) fn any(value: &AnyValue) -> String {
    match &value.value {
        Some(Value::StringValue(text)) => string(text),
        Some(Value::BoolValue(value)) => value.to_string(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::DoubleValue(number)) => double(*number),
        Some(Value::ArrayValue(list)) => array(&list.values, any),
        Some(Value::KvlistValue(list)) => object(&list.values),
        Some(Value::BytesValue(bytes)) => string(&STANDARD.encode(bytes)),
        // An index into a table that these signals don't have.
        Some(Value::StringValueStrindex(_)) | None => "null".to_owned(),
    }
}

fn object(attributes: &[KeyValue]) -> String {
    let mut object = Object::default();
    for attribute in attributes {
        let value = attribute.value.as_ref().map(any);
        object.member(&attribute.key, value.as_deref().unwrap_or("null"));
    }
    object.to_json()
}

fn array<T>(list: &[T], element: impl Fn(&T) -> String) -> String {
    let elements: Vec<_> = list.iter().map(element).collect();
    format!("[{}]", elements.join(","))
}

fn string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
