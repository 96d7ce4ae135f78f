//! The floor sends what it is sent, and the load generator measures deliveries by it.

#![cfg(target_os = "linux")]

use clap::Parser;
use futures_util::StreamExt;
use load::payload::{Body, Compression, Encoding};
use load::{Answer, Options, Sender, Server, ServerCommand, Target, Transport, fanout};
use otlp_codec::Signal;
use tokio_tungstenite::connect_async;

fn floor(name: &str) -> ServerCommand {
    ServerCommand {
        takes_frames: true,
        ..ServerCommand::bare(name, env!("CARGO_BIN_EXE_floor").into())
    }
}

/// Scenario: a WebSocket client of another library, and bodies whose lengths are written in one,
/// two and eight bytes.
/// Guarantees: the handshake is one, and each body comes as one text message.
#[tokio::test]
async fn bodies_come_as_messages() {
    let server = Server::start(&floor("floor")).unwrap();
    let url = format!("ws://{}/ws/metrics", server.address());
    let (mut client, _) = connect_async(url).await.unwrap();
    for length in [0, 125, 126, 65_535, 65_536, 300_000] {
        let text = "x".repeat(length);
        let target = Target {
            address: server.address(),
            transport: Transport::Http,
            path: "/v1/metrics".to_owned(),
            signal: Signal::Metrics,
            body: Body {
                bytes: text.clone().into(),
                encoding: Encoding::Json,
                compression: Compression::Identity,
            },
            tls: None,
        };
        let mut sender = Sender::connect(&target).await.unwrap();
        assert_eq!(sender.send().await.unwrap(), Answer::Accepted);
        let message = client.next().await.unwrap().unwrap();
        assert!(message.is_text() && message.into_data() == text, "{length}");
    }
}

/// Scenario: the loads of `--fanout` with few subscribers and few exports, on two floors.
/// Guarantees: both deliver every frame, of the length that the load says, and what it cost is
/// told for each.
#[tokio::test]
async fn deliveries_are_measured() {
    let options = Options::parse_from(["load", "--requests", "5"]);
    let servers = [floor("one"), floor("two")];
    let measured = fanout::measure(&servers, 3, 1, &options.workload, |_| {});
    let measured = measured.await.unwrap();
    let rows = measured.as_array().unwrap();
    for (row, length) in rows.iter().zip([150_000.0, 2_048.0]) {
        for server in ["one", "two"] {
            let median = &row["result"]["servers"][server]["median"];
            let figure = |name: &str| median[name].as_f64().unwrap();
            assert_eq!(figure("frames"), 15.0);
            assert_eq!(figure("frame_bytes"), 15.0 * length);
            assert_eq!(figure("lost_frames"), 0.0);
            assert!(figure("server_cpu_us_per_frame") > 0.0);
        }
        let ratio = &row["result"]["ratios"]["one/two"]["server_cpu_us_per_frame"];
        assert!(ratio.as_f64().unwrap() > 0.0);
    }
    assert_eq!(rows.len(), 2);
}
