//! The relay with one more route, `POST /discard`, which reads a body and discards it: the least
//! that receiving can cost in this server. `cargo xtask load --receiver` holds the receiver
//! against it.

use std::hint::black_box;

use actix_web::web::{self, Payload};
use actix_web::{Error, HttpResponse};
use futures_util::StreamExt;
use mimalloc::MiMalloc;
use server::{Relay, ServerConfig};

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> anyhow::Result<()> {
    let mut config = ServerConfig {
        listen: vec![([127, 0, 0, 1], 0).into()],
        ..ServerConfig::default()
    };
    config.grpc.listen.clone_from(&config.listen);
    actix_rt::System::new().block_on(async {
        let relay = Relay::bind(config)?;
        print(&relay);
        let relay = relay.with_routes(|cfg| {
            cfg.route("/discard", web::post().to(discard));
        });
        // It is killed by whoever started it.
        Ok(relay.run(std::future::pending()).await?)
    })
}

async fn discard(mut body: Payload) -> Result<HttpResponse, Error> {
    while let Some(chunk) = body.next().await {
        black_box(chunk?);
    }
    Ok(HttpResponse::Ok().finish())
}

#[expect(clippy::print_stdout, reason = "says where it listens")]
fn print(relay: &Relay) {
    for address in relay.addresses() {
        println!("listening on http://{address}");
    }
    for address in relay.grpc_addresses() {
        println!("listening for OTLP/gRPC on {address}");
    }
}
