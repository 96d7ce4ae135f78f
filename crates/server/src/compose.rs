//! Builds every part and joins them: the only place that knows all crates.

mod announce;
mod exchange;
mod refuse;
mod reload;

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{HttpService, KeepAlive, Protocol};
use actix_rt::net::TcpStream;
use actix_server::Server;
use actix_service::{
    IntoServiceFactory, ServiceFactory, ServiceFactoryExt, fn_service, map_config,
};
use actix_web::body::BoxBody;
use actix_web::dev::{AppConfig, Service, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use actix_web::{App, HttpResponse};
use fanout::{Fanout, Hub};
use ingest::{AllowAll, Authorize, Code, IngestError, Receiver, status};
use socket2::{Domain, Socket, Type};
use tracing::{info, warn};

use self::exchange::Exchange;
use crate::base_path::{BasePath, Routed};
use crate::bridge::Bridge;
use crate::config::{ConnectionConfig, ServerConfig};
use crate::conn::{Clock, Conn, ConnHandle, Connections};
use crate::counters::Counters;
use crate::gate::Rules;
use crate::grpc::{self, GrpcServer};
use crate::pages::{self, About};
use crate::shutdown::{self, Draining};
use crate::tls::{Handshake, Inside, Stream, Tls};
use crate::tokens::Tokens;
use crate::{RunError, showing};

/// Connections that the system may hold ready for us.
const BACKLOG: i32 = 1024;

/// A bound address, and what listens there.
type Listener = (SocketAddr, TcpListener);

/// The relay, bound to its addresses and not running yet.
pub struct Relay {
    config: ServerConfig,
    listeners: Vec<Listener>,
    grpc_listeners: Vec<Listener>,
    files: reload::Files,
    counters: Arc<Counters>,
}

/// What every worker's application is made of.
#[derive(Clone)]
struct Parts {
    receiver: Receiver,
    fanout: Fanout,
    rules: Arc<Rules>,
    base_path: Option<BasePath>,
    about: About,
    connections: Connections,
    waits: ConnectionConfig,
    tls: Option<Arc<Tls>>,
    draining: Draining,
}

impl Relay {
    /// Binds the addresses of `config`. Clients may connect from now on; they are served once
    /// the relay runs.
    ///
    /// # Errors
    ///
    /// [`RunError::Bind`] with the first address that can't be bound, [`RunError::Tokens`] and
    /// [`RunError::Tls`] if their files can't be used.
    pub fn bind(config: ServerConfig) -> Result<Self, RunError> {
        let listeners = bind_all(&config.listen, "--listen")?;
        let grpc_listeners = bind_all(&config.grpc.listen, "--grpc-listen")?;
        let tokens = config.ingest_token_file.clone().map(Tokens::read);
        let counters = Arc::new(Counters::default());
        let tls = config.tls.clone();
        let tls = tls.map(|files| Tls::read(files, counters.clone()));
        Ok(Self {
            listeners,
            grpc_listeners,
            files: reload::Files {
                tokens: tokens.transpose()?.map(Arc::new),
                tls: tls.transpose()?.map(Arc::new),
            },
            config,
            counters,
        })
    }

    /// The addresses that are bound for HTTP, in the order of the configuration.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners.iter().map(|(address, _)| *address).collect()
    }

    /// The addresses that are bound for gRPC, in the order of the configuration.
    #[must_use]
    pub fn grpc_addresses(&self) -> Vec<SocketAddr> {
        let listeners = self.grpc_listeners.iter();
        listeners.map(|(address, _)| *address).collect()
    }

    /// What the relay counts.
    #[must_use]
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// Serves until `shutdown` is ready, then sees everybody off: within
    /// [`ServerConfig::shutdown_grace`], requests in flight are answered and sessions are closed
    /// with 1001.
    ///
    /// # Errors
    ///
    /// [`RunError::Server`] if serving fails.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), RunError> {
        let (addresses, grpc_addresses) = (self.addresses(), self.grpc_addresses());
        let parts = self.parts(&addresses, &grpc_addresses);
        let mut builder = Server::build()
            .workers(self.config.workers)
            // `Connections` is the limit that answers; this one would only stop accepting.
            .max_concurrent_connections(usize::MAX)
            .disable_signals();
        let mut listeners = Vec::new();
        for (address, listener) in self.listeners {
            listeners.push(listener.try_clone()?);
            let parts = parts.clone();
            builder = builder.listen(address.to_string(), listener, move || {
                service(parts.clone())
            })?;
        }
        let mut grpc_listeners = Vec::new();
        for (_, listener) in self.grpc_listeners {
            listeners.push(listener.try_clone()?);
            grpc_listeners.push(listener);
        }
        let grpc_connections =
            Connections::new(self.config.grpc.max_connections, self.counters.clone());
        let grpc = grpc::Parts {
            receiver: parts.receiver.clone(),
            connections: grpc_connections.clone(),
            draining: parts.draining.clone(),
            tls: parts.tls.clone(),
            head_timeout: parts.waits.head_timeout,
            stall_timeout: parts.waits.stall_timeout,
            workers: self.config.workers,
        };
        let mut grpc = GrpcServer::start(&self.config.grpc, grpc_listeners, grpc).await?;
        let server = builder.run();
        let handle = server.handle();
        let reloading = reload::watch(self.files.clone(), self.config.reload_interval);
        let reloading = actix_rt::spawn(reloading);
        announce::listening(&addresses, &grpc_addresses, &self.files);
        let demo = addresses.first().filter(|_| self.config.demo);
        let demo = demo.map(|address| actix_rt::spawn(showing::run(*address)));

        let sessions = parts.fanout.hub.clone();
        let mut serving = actix_rt::spawn(server);
        tokio::select! {
            () = shutdown => {}
            // Nobody has told it to stop.
            ended = &mut serving => {
                ended.map_err(io::Error::other)??;
                return Err(io::Error::other("it stopped by itself").into());
            }
            error = grpc.ended() => return Err(error.into()),
        }
        if let Some(demo) = demo {
            demo.abort();
        }
        info!("shutting down: no new connections, finishing what is under way");
        let grace = self.config.shutdown_grace;
        let Parts {
            draining,
            connections,
            ..
        } = &parts;
        let connections = [connections.clone(), grpc_connections];
        let in_time = shutdown::drain(
            &handle,
            &listeners,
            draining,
            &connections,
            &sessions,
            grace,
        )
        .await;
        if !in_time {
            let left: usize = connections.iter().map(Connections::open).sum();
            warn!("{left} connections were still open after {grace:?} and are cut off");
        }
        drop(grpc);
        reloading.abort();
        handle.stop(false).await;
        serving.await.map_err(io::Error::other)??;
        announce::totals(&self.counters);
        Ok(())
    }

    fn parts(&self, addresses: &[SocketAddr], grpc: &[SocketAddr]) -> Parts {
        let config = &self.config;
        let counters = self.counters();
        let hub = Hub::new(config.fanout.clone(), counters.clone());
        let rules = Arc::new(Rules::new(&config.gate, addresses, counters.clone()));
        Parts {
            receiver: Receiver {
                config: config.ingest.clone(),
                budget: config.ingest.budget(),
                sink: Arc::new(Bridge::new(hub.clone())),
                authorize: match &self.files.tokens {
                    Some(tokens) => Arc::clone(tokens) as Arc<dyn Authorize>,
                    None => Arc::new(AllowAll),
                },
                observer: counters.clone(),
            },
            fanout: Fanout {
                hub,
                gate: rules.clone(),
            },
            rules,
            base_path: config.base_path.clone(),
            about: About {
                grpc_ports: grpc.iter().map(SocketAddr::port).collect(),
            },
            connections: Connections::new(config.connections.max, counters.clone()),
            waits: config.connections,
            tls: self.files.tls.clone(),
            draining: Draining::new(),
        }
    }
}

/// Binds all of `addresses`, which `flag` has chosen.
fn bind_all(addresses: &[SocketAddr], flag: &'static str) -> Result<Vec<Listener>, RunError> {
    let listeners = addresses.iter().map(|address| {
        let bound = bind(*address).and_then(|socket| Ok((socket.local_addr()?, socket)));
        bound.map_err(|source| RunError::Bind {
            address: *address,
            flag,
            source,
        })
    });
    listeners.collect()
}

/// A listener that waits in the reactor of the server. An address may be bound again while old
/// connections to it linger; `[::]` takes IPv6 alone, so that `0.0.0.0` can stand beside it.
fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // On Windows this option lets others take the port.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// What serves an accepted socket: a permit, TLS if there is any, a [`Conn`], then HTTP with the
/// application above.
fn service(
    parts: Parts,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = DispatchError, InitError = ()>
{
    let (waits, draining) = (parts.waits, parts.draining.clone());
    let (connections, tls) = (parts.connections.clone(), parts.tls.clone());
    let application = application(parts).into_factory();
    let http = HttpService::build()
        .keep_alive(KeepAlive::Timeout(waits.idle_timeout))
        .client_request_timeout(waits.head_timeout)
        .client_disconnect_timeout(waits.linger_timeout)
        .graceful_shutdown_signal({
            let draining = draining.clone();
            move || draining.begun()
        })
        .on_connect_ext(
            |conn: &Conn<Stream>, extensions: &mut actix_http::Extensions| {
                extensions.insert(conn.handle());
            },
        )
        .finish(map_config(application, |()| AppConfig::default()));
    fn_service(move |io: TcpStream| {
        let (tls, draining) = (tls.clone(), draining.begun());
        let permit = connections.admit();
        async move {
            let Some(permit) = permit else {
                refuse::too_many_connections(io, tls);
                return Err(io::Error::from(io::ErrorKind::ConnectionRefused).into());
            };
            let peer = io.peer_addr().ok();
            // Frames are written whole: waiting for more only adds delay.
            io.set_nodelay(true)?;
            let io = tokio::select! {
                io = secure(io, tls, waits.head_timeout) => io?,
                // Nothing was asked yet that could be answered.
                () = draining => return Err(io::Error::from(io::ErrorKind::ConnectionAborted).into()),
            };
            let clock = Clock::new(waits.head_timeout, waits.stall_timeout);
            Ok((Conn::new(io, permit, clock), Protocol::Http1, peer))
        }
    })
    .and_then(http)
}

/// Begins TLS, if there is any. A client that speaks plain HTTP then is told so.
async fn secure(io: TcpStream, tls: Option<Arc<Tls>>, limit: Duration) -> io::Result<Stream> {
    let Some(tls) = tls else {
        return Ok(Stream::Left(io));
    };
    match tls.accept(io, Inside::Http, limit).await? {
        Handshake::Done(stream) => Ok(stream),
        Handshake::NotTls(io) => {
            refuse::without_tls(io);
            Err(io::ErrorKind::InvalidData.into())
        }
    }
}

/// The routes of all crates, behind the rules that hold for every request.
fn application(
    parts: Parts,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<BoxBody>,
        Error = actix_web::Error,
        InitError = (),
    >,
> {
    let Parts {
        receiver,
        fanout,
        rules,
        base_path,
        about,
        draining,
        ..
    } = parts;
    App::new()
        .wrap_fn(move |mut request, next| {
            let exchange = Exchange::begin(&mut request);
            let routed = base_path.as_ref().map(|base| base.route(&mut request));
            let answer = match (refusal(&rules, &request), routed) {
                (Some(early), _) | (None, Some(Routed::Answered(early))) => {
                    Answer::Early(request.into_response(early))
                }
                (None, Some(Routed::On) | None) => Answer::Handled(next.call(request)),
            };
            async move {
                let response = match answer {
                    Answer::Early(response) => response,
                    Answer::Handled(response) => response.await?,
                };
                Ok(exchange.answer(response))
            }
        })
        .configure(|cfg| ingest::configure(cfg, receiver))
        .configure(|cfg| fanout::configure::<ConnHandle<Stream>>(cfg, fanout))
        .configure(|cfg| pages::configure(cfg, &about, draining))
}

/// How a request is answered: at once, or by its handler.
enum Answer<F> {
    Early(ServiceResponse<BoxBody>),
    Handled(F),
}

/// The answer to a request that no handler may see.
fn refusal(rules: &Rules, request: &ServiceRequest) -> Option<HttpResponse> {
    if let Err(refusal) = rules.check_host(request.head()) {
        let code = match refusal.status() {
            StatusCode::FORBIDDEN => Code::PermissionDenied,
            _ => Code::InvalidArgument,
        };
        let (status, text) = (refusal.status(), refusal.message());
        return Some(status::answer_with(request.headers(), status, code, text));
    }
    let upgrades = ingest::asks_for_websocket(request.headers());
    (upgrades && !may_upgrade(request))
        .then(|| status::answer(request.headers(), &IngestError::Upgrade))
}

/// Whether an upgrade makes sense: there is WebSocket at the path, and the request has no body.
/// actix takes what follows an upgrade for a body without an end.
fn may_upgrade(request: &ServiceRequest) -> bool {
    let headers = request.headers();
    let has_body = headers.contains_key(TRANSFER_ENCODING)
        || headers
            .get(CONTENT_LENGTH)
            .is_some_and(|length| length != "0");
    pages::is_watched(request.path()) && !has_body
}
