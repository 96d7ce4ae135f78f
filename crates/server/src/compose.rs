//! Builds every part and joins them: the only place that knows all crates.

mod accept;
mod announce;
mod application;
mod client;
mod exchange;
mod expect;
mod refuse;
mod reload;

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use actix_server::Server;
use actix_web::web::ServiceConfig;
use fanout::{Fanout, Hub};
use ingest::{AllowAll, Authorize, Receiver};
use socket2::{Domain, Socket, Type};
use tracing::{info, warn};

use self::accept::service;
use crate::base_path::BasePath;
use crate::bridge::Bridge;
use crate::config::{ConnectionConfig, ServerConfig};
use crate::conn::{ConnHandle, Connections};
use crate::cors::Cors;
use crate::counters::Counters;
use crate::gate::Rules;
use crate::grpc::{self, GrpcServer};
use crate::logging::Log;
use crate::pages::About;
use crate::proxies::Proxies;
use crate::settings::{Loaded, Source};
use crate::shutdown::{self, Draining};
use crate::tls::{Stream, Tls};
use crate::tokens::Asked;
use crate::{RunError, showing};

pub(crate) use self::reload::errors_of_files;

/// Connections that the system may hold ready for us.
const BACKLOG: i32 = 1024;

/// The congestion control of connections over loopback, which every Linux has. Where the system's
/// own paces, as BBR does, it sets timers between segments, and there is no network to spare.
#[cfg(any(target_os = "linux", target_os = "android"))]
const LOCAL_CONGESTION: &[u8] = b"reno";

/// What is known of a connection to whoever handles its requests: `conn_data` finds it by this
/// type and no other.
type Handle = ConnHandle<Stream>;

/// A bound address, and what listens there.
type Listener = (SocketAddr, TcpListener);

/// Adds routes to the application of a worker.
type Routes = Arc<dyn Fn(&mut ServiceConfig) + Send + Sync>;

/// The relay, bound to its addresses and not running yet.
pub struct Relay {
    config: ServerConfig,
    listeners: Vec<Listener>,
    grpc_listeners: Vec<Listener>,
    files: reload::Files,
    origin: Option<reload::Origin>,
    counters: Arc<Counters>,
    routes: Routes,
}

/// What every worker's application is made of.
#[derive(Clone)]
struct Parts {
    receiver: Receiver,
    fanout: Fanout,
    rules: Arc<Rules>,
    cors: Arc<Cors>,
    base_path: Option<BasePath>,
    about: About,
    connections: Connections,
    proxies: Arc<Proxies>,
    waits: ConnectionConfig,
    tls: Option<Arc<Tls>>,
    draining: Draining,
    routes: Routes,
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
        let tokens = Asked::read(&config)?;
        let counters = Arc::new(Counters::default());
        let tls = config.tls.clone();
        let tls = tls.map(|files| Tls::read(files, counters.clone()));
        Ok(Self {
            listeners,
            grpc_listeners,
            files: reload::Files {
                tokens,
                tls: tls.transpose()?.map(Arc::new),
                counters: counters.clone(),
            },
            config,
            origin: None,
            counters,
            routes: Arc::new(|_| {}),
        })
    }

    /// On SIGHUP, reads `source` again, which gave `loaded`, and puts into force what may change
    /// while the relay runs. Without it the files of tokens and of TLS alone are read again.
    #[must_use]
    pub fn with_source(mut self, source: Source, loaded: Loaded, log: Log) -> Self {
        self.origin = Some(reload::Origin {
            source,
            loaded,
            log,
        });
        self
    }

    /// Serves `routes` too, behind the same connections and the same rules for every request, for
    /// programs that hold a relay and more. Paths of the relay's own stay its own.
    #[must_use]
    pub fn with_routes(
        mut self,
        routes: impl Fn(&mut ServiceConfig) + Send + Sync + 'static,
    ) -> Self {
        self.routes = Arc::new(routes);
        self
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
        let grpc_connections = Connections::by_address(
            self.config.grpc.max_connections,
            self.config.grpc.max_connections_per_address,
            parts.proxies.clone(),
            self.counters.clone(),
        );
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
        let reloading = reload::Reloading {
            files: self.files.clone(),
            rules: parts.rules.clone(),
            cors: parts.cors.clone(),
            hub: parts.fanout.hub.clone(),
            origin: self.origin,
        };
        let reloading = actix_rt::spawn(reloading.watch(self.config.reload_interval));
        announce::listening(&addresses, &grpc_addresses, &self.files);
        let demo = addresses.first().filter(|_| self.config.demo);
        let host = self.config.gate.allowed_hosts.first().cloned();
        let demo = demo.map(|address| actix_rt::spawn(showing::run(*address, host)));

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
        announce::totals(&self.counters, parts.receiver.budget.decoders());
        Ok(())
    }

    fn parts(&self, addresses: &[SocketAddr], grpc: &[SocketAddr]) -> Parts {
        let config = &self.config;
        let counters = self.counters();
        let hub = Hub::new(config.fanout.clone(), counters.clone());
        let tokens = &self.files.tokens;
        let proxies = Arc::new(config.trusted_proxies.clone());
        let rules = Rules::new(&config.gate, addresses, tokens, counters.clone());
        let rules = Arc::new(rules);
        Parts {
            receiver: Receiver {
                config: config.ingest.clone(),
                budget: config.ingest.budget(),
                sink: Arc::new(Bridge::new(hub.clone())),
                authorize: match &tokens.senders {
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
            cors: Arc::new(Cors::new(&config.cors, counters.clone())),
            base_path: config.base_path.clone(),
            about: About {
                grpc_ports: grpc.iter().map(SocketAddr::port).collect(),
            },
            connections: Connections::by_address(
                config.connections.max,
                config.connections.max_per_address,
                Arc::clone(&proxies),
                counters,
            ),
            proxies,
            waits: config.connections,
            tls: self.files.tls.clone(),
            draining: Draining::new(),
            routes: Arc::clone(&self.routes),
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
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if address.ip().is_loopback() {
        // Where it is not allowed, the system's own does.
        let _ = socket.set_tcp_congestion(LOCAL_CONGESTION);
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::TcpStream;

    use socket2::SockRef;

    use super::*;

    /// Scenario: a connection to a listener on loopback.
    /// Guarantees: what is accepted has the congestion control that doesn't pace, if this system
    /// lets anybody choose it.
    #[test]
    fn loopback_is_not_paced() {
        let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        listener.set_nonblocking(false).unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let may = SockRef::from(&client)
            .set_tcp_congestion(LOCAL_CONGESTION)
            .is_ok();
        let (accepted, _) = listener.accept().unwrap();
        let control = SockRef::from(&accepted).tcp_congestion().unwrap();
        assert!(!may || control.starts_with(LOCAL_CONGESTION), "{control:?}");
    }
}
