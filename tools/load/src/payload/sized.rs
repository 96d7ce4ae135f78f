//! Metrics whose OTLP JSON has any length that is asked for.

use std::fmt::Write;

use anyhow::{Result, ensure};
use otlp_codec::from_json::json_to_protobuf;
use otlp_codec::{Limits, Signal};

/// How long they may be, in bytes.
pub const LENGTHS: std::ops::RangeInclusive<usize> = 512..=8 << 20;

/// A request whose JSON has exactly `length` bytes: a gauge with as many points as fit, and an
/// attribute of the resource that fills up the rest.
pub(super) fn metrics(length: usize) -> Result<Vec<u8>> {
    ensure!(
        LENGTHS.contains(&length),
        "a payload has {} to {} bytes of JSON",
        LENGTHS.start(),
        LENGTHS.end()
    );
    let (one, two) = (json(1, 0).len(), json(2, 0).len());
    let points = 1 + (length - one) / (two - one);
    let filling = length - json(points, 0).len();
    let json = json(points, filling);
    let (mut wire, limits) = (Vec::new(), Limits::default());
    json_to_protobuf(Signal::Metrics, json.as_bytes(), &limits, &mut wire)?;
    Ok(wire)
}

/// A request as the codec writes it. All points are equally long.
fn json(points: usize, filling: usize) -> String {
    let mut json = String::from(concat!(
        r#"{"resourceMetrics":[{"resource":{"attributes":["#,
        r#"{"key":"service.name","value":{"stringValue":"load"}},"#,
        r#"{"key":"filling","value":{"stringValue":""#,
    ));
    json.extend(std::iter::repeat_n('x', filling));
    json.push_str(concat!(
        r#""}}]},"scopeMetrics":[{"scope":{"name":"load"},"metrics":["#,
        r#"{"name":"load.gauge","unit":"By","gauge":{"dataPoints":["#,
    ));
    for point in 0..points {
        let comma = if point > 0 { "," } else { "" };
        // Writing to a string never fails.
        let _ = write!(
            json,
            concat!(
                r#"{}{{"attributes":[{{"key":"host.id","value":{{"stringValue":"host-{:06}"}}}},"#,
                r#"{{"key":"state","value":{{"stringValue":"running"}}}}],"#,
                r#""timeUnixNano":"17000000{:02}123456789","asDouble":{}.25}}"#
            ),
            comma,
            point,
            point % 100,
            1000 + point % 9000,
        );
    }
    json.push_str("]}}]}]}]}");
    json
}
