//! What becomes of an accepted socket before HTTP is spoken on it.

use std::io;
use std::sync::Arc;

use actix_http::error::DispatchError;
use actix_http::{HttpService, KeepAlive, Protocol};
use actix_rt::net::TcpStream;
use actix_service::{
    IntoServiceFactory, ServiceFactory, ServiceFactoryExt, fn_service, map_config,
};
use actix_web::dev::AppConfig;

use super::application::application;
use super::{Handle, Parts, expect, refuse};
use crate::config::ConnectionConfig;
use crate::conn::{Clock, Conn, LONGEST};
use crate::counters::labels::Listener;
use crate::tls::{Handshake, Stream, Tls};

/// What serves an accepted socket: a permit, TLS if there is any, a [`Conn`], then HTTP with the
/// application above.
pub(super) fn service(
    parts: Parts,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = DispatchError, InitError = ()>
{
    let (waits, draining) = (parts.waits, parts.draining.clone());
    let (connections, tls) = (parts.connections.clone(), parts.tls.clone());
    let listener = connections.listener();
    let expect = expect::judging(parts.clone());
    let application = application(parts).into_factory();
    let http = HttpService::build()
        .keep_alive(match waits.idle_timeout.is_zero() {
            true => KeepAlive::Disabled,
            // `Clock` knows how long. actix's own timer is lost when a head begins too early, and
            // begins anew whenever the connection is woken.
            false => KeepAlive::Os,
        })
        .client_request_timeout(waits.head_timeout.min(LONGEST))
        .client_disconnect_timeout(waits.linger_timeout.min(LONGEST))
        .graceful_shutdown_signal({
            let draining = draining.clone();
            move || draining.begun()
        })
        .expect(expect)
        .on_connect_ext(
            |conn: &Conn<Stream>, extensions: &mut actix_http::Extensions| {
                extensions.insert::<Handle>(conn.handle());
            },
        )
        .finish(map_config(application, |()| AppConfig::default()));
    fn_service(move |io: TcpStream| {
        let (tls, draining) = (tls.clone(), draining.begun());
        let peer = io.peer_addr().ok();
        let permit = connections.admit(peer.map(|peer| peer.ip()));
        async move {
            let Some(permit) = permit else {
                refuse::too_many_connections(io, tls, listener, waits.max_refused);
                return Err(io::Error::from(io::ErrorKind::ConnectionRefused).into());
            };
            prepare(&io)?;
            let io = tokio::select! {
                io = secure(io, tls, listener, &waits) => io?,
                // Nothing was asked yet that could be answered.
                () = draining => return Err(io::Error::from(io::ErrorKind::ConnectionAborted).into()),
            };
            let conn = Conn::new(io, permit, Clock::new(waits));
            Ok((conn, Protocol::Http1, peer))
        }
    })
    .and_then(http)
}

/// How much of what is written the kernel may hold before it is sent, in bytes. It would take
/// 4 MiB for a client that doesn't read; clients that do notice nothing (`docs/performance.md`).
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNSENT_BYTES: u32 = 64 << 10;

/// Sets what holds for every connection.
fn prepare(io: &TcpStream) -> io::Result<()> {
    // Frames are written whole: waiting for more only adds delay.
    io.set_nodelay(true)?;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    socket2::SockRef::from(io).set_tcp_notsent_lowat(UNSENT_BYTES)?;
    Ok(())
}

/// Begins TLS, if there is any. A client that speaks plain HTTP then is told so.
async fn secure(
    io: TcpStream,
    tls: Option<Arc<Tls>>,
    listener: Listener,
    waits: &ConnectionConfig,
) -> io::Result<Stream> {
    let Some(tls) = tls else {
        return Ok(Stream::Left(io));
    };
    match tls.accept(io, listener, waits.head_timeout).await? {
        Handshake::Done(stream) => Ok(stream),
        Handshake::NotTls(io) => {
            refuse::without_tls(io, waits.max_refused);
            Err(io::ErrorKind::InvalidData.into())
        }
    }
}
