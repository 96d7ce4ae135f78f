//! What a request means to prost-reflect: a decoder and a writer of ProtoJSON that know the
//! messages from descriptors alone and share no code with this crate but varints.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use otlp_codec::Signal;
use prost::{DecodeError, Message as _};
use prost_reflect::{
    DynamicMessage, Kind, MessageDescriptor, ReflectMessage as _, SerializeOptions, Value as Field,
};
use serde_json::Value;

use super::schema::{id_length, is_implicit, request};

/// A request, without the fields that it doesn't know.
pub(super) fn decode(signal: Signal, wire: &[u8]) -> Result<DynamicMessage, DecodeError> {
    let mut message = DynamicMessage::decode(request(signal).clone(), wire)?;
    forget_unknown(&mut message);
    Ok(message)
}

/// The one way in which it writes what it read: by number, each field once. An implicit -0.0 is
/// left out, as it is by prost; every other double is there with all its bits.
pub(super) fn rewritten(signal: Signal, wire: &[u8]) -> Vec<u8> {
    decode(signal, wire).unwrap().encode_to_vec()
}

fn messages(field: &mut Field) -> Vec<&mut DynamicMessage> {
    match field {
        Field::Message(message) => vec![message],
        Field::List(list) => list.iter_mut().filter_map(Field::as_message_mut).collect(),
        _ => Vec::new(),
    }
}

fn forget_unknown(message: &mut DynamicMessage) {
    message.take_unknown_fields().for_each(drop);
    for (_, field) in message.fields_mut() {
        messages(field).into_iter().for_each(forget_unknown);
    }
}

/// How many data points, spans, log records or profiles there are.
pub(super) fn items(message: &DynamicMessage) -> usize {
    let here = match message.descriptor().name() {
        "Span" | "LogRecord" | "Profile" => 1,
        name if name.ends_with("DataPoint") => 1,
        _ => 0,
    };
    let inner = message.fields().map(|(_, field)| match field {
        Field::Message(message) => items(message),
        Field::List(list) => list.iter().filter_map(Field::as_message).map(items).sum(),
        _ => 0,
    });
    here + inner.sum::<usize>()
}

/// ProtoJSON: enums are names where they have one, bytes are base64. prost-reflect leaves out an
/// implicit -0.0, which is not the default and is put back.
pub(super) fn protojson(signal: Signal, wire: &[u8]) -> Value {
    let message = decode(signal, wire).unwrap();
    let writer = serde_json::value::Serializer;
    let mut json = message
        .serialize_with_options(writer, &SerializeOptions::new())
        .unwrap();
    add_negative_zeros(&message, &mut json);
    json
}

fn add_negative_zeros(message: &DynamicMessage, json: &mut Value) {
    for field in message.descriptor().fields() {
        let name = field.json_name();
        match message.get_field(&field).as_ref() {
            Field::F64(value) if is_implicit(&field) && value.to_bits() == (-0.0_f64).to_bits() => {
                assert!(json[name].is_null(), "{name} is written by now");
                json[name] = Value::from(-0.0);
            }
            Field::Message(inner) if message.has_field(&field) => {
                add_negative_zeros(inner, &mut json[name]);
            }
            Field::List(list) => {
                for (at, element) in list.iter().enumerate() {
                    if let Some(inner) = element.as_message() {
                        add_negative_zeros(inner, &mut json[name][at]);
                    }
                }
            }
            _ => {}
        }
    }
}

/// OTLP JSON of ProtoJSON: enums are numbers, ids are hex, but for profile ids that are not 16
/// bytes long. That is all that OTLP does differently (OTLP spec, "JSON Protobuf Encoding").
pub(super) fn otlp_json(message: &MessageDescriptor, mut json: Value) -> Value {
    for (name, value) in json.as_object_mut().into_iter().flatten() {
        let field = message.get_field_by_json_name(name).unwrap();
        let one = |value: &Value| match field.kind() {
            Kind::Message(inner) => otlp_json(&inner, value.clone()),
            Kind::Enum(known) => match value.as_str() {
                Some(name) => Value::from(known.get_value_by_name(name).unwrap().number()),
                None => value.clone(),
            },
            Kind::Bytes if id_length(&field).is_some() => {
                let id = STANDARD.decode(value.as_str().unwrap()).unwrap();
                match field.name() == "profile_id" && id.len() != 16 {
                    true => value.clone(),
                    false => Value::from(hex(&id)),
                }
            }
            _ => value.clone(),
        };
        *value = match value.as_array() {
            Some(list) => list.iter().map(one).collect(),
            None => one(value),
        };
    }
    json
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a profile id of 24 bytes is 32 hex digits in base64, as that of 24 zeros is. OTLP JSON
/// can't tell it from an id of 16 bytes in hex.
pub(super) fn has_ambiguous_id(json: &Value) -> bool {
    let is_hex = |id: &str| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    match json {
        Value::Object(members) => members.iter().any(|(name, value)| match value.as_str() {
            Some(id) => name == "profileId" && is_hex(id),
            None => has_ambiguous_id(value),
        }),
        Value::Array(list) => list.iter().any(has_ambiguous_id),
        _ => false,
    }
}
