//! Builds every part and joins them: the only place that knows all crates.

mod accept;
mod announce;
mod application;
mod client;
mod exchange;
mod expect;
mod listen;
mod refuse;
mod reload;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use actix_server::Server;
use actix_web::web::ServiceConfig;
use fanout::{Fanout, Hub};
use ingest::{AllowAll, Authorize, Receiver};
use tracing::warn;

use self::accept::service;
use self::listen::{Bound, bind_all};
use crate::base_path::BasePath;
use crate::bridge::Bridge;
use crate::config::{ConnectionConfig, ServerConfig};
use crate::conn::{ConnHandle, Connections};
use crate::cors::Cors;
use crate::counters::Counters;
use crate::counters::labels::Listener;
use crate::gate::Rules;
use crate::grpc::{self, GrpcServer};
use crate::logging::{Log, Writer};
use crate::metrics::Metrics;
use crate::pages::{About, MetricsPage};
use crate::proxies::Proxies;
use crate::settings::{Loaded, Source};
use crate::shutdown::{self, Draining};
use crate::tls::{Stream, Tls};
use crate::tokens::Asked;
use crate::{RunError, showing};

pub(crate) use self::reload::errors_of_files;

/// What is known of a connection to whoever handles its requests: `conn_data` finds it by this
/// type and no other.
type Handle = ConnHandle<Stream>;

/// Adds routes to the application of a worker.
type Routes = Arc<dyn Fn(&mut ServiceConfig) + Send + Sync>;

/// The relay, bound to its addresses and not running yet.
pub struct Relay {
    config: ServerConfig,
    listeners: Vec<Bound>,
    grpc_listeners: Vec<Bound>,
    metrics_listeners: Vec<Bound>,
    files: reload::Files,
    origin: Option<reload::Origin>,
    log: Writer,
    counters: Arc<Counters>,
    proxies: Arc<Proxies>,
    routes: Routes,
}

/// What is served at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Serves {
    /// All routes.
    Everything,
    /// Only the pages that tell how the relay is.
    Pages,
}

/// What every worker's application is made of.
#[derive(Clone)]
struct Parts {
    serves: Serves,
    metrics: Option<MetricsPage>,
    counters: Arc<Counters>,
    receiver: Receiver,
    fanout: Fanout,
    rules: Arc<Rules>,
    cors: Arc<Cors>,
    base_path: Option<BasePath>,
    about: About,
    connections: Connections,
    grpc_connections: Connections,
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
    /// [`RunError::Start`] with every address that can't be bound and every file that can't be
    /// used.
    pub fn bind(config: ServerConfig) -> Result<Self, RunError> {
        let mut errors = Vec::new();
        let mut bind = |addresses, setting| bind_all(addresses, setting, &mut errors);
        let listeners = bind(&config.listen, "listen");
        let grpc_listeners = bind(&config.grpc.listen, "grpc-listen");
        let metrics_listeners = bind(&config.metrics.listen, "metrics-listen");
        let counters = Arc::new(Counters::default());
        let files = reload::Files::read(&config, &counters, &mut errors);
        if !errors.is_empty() {
            return Err(RunError::Start(errors));
        }
        Ok(Self {
            listeners,
            grpc_listeners,
            metrics_listeners,
            files,
            proxies: Arc::new(config.trusted_proxies.clone()),
            config,
            origin: None,
            log: Writer::default(),
            counters,
            routes: Arc::new(|_| {}),
        })
    }

    /// On SIGHUP, reads `source` again, which gave `loaded`, and puts into force what may change
    /// while the relay runs. Without it the files of tokens and of TLS alone are read again.
    #[must_use]
    pub fn with_source(mut self, source: Source, loaded: Loaded, log: Log) -> Self {
        self.log = log.writer();
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

    /// The addresses that are bound for metrics alone, in the order of the configuration.
    #[must_use]
    pub fn metrics_addresses(&self) -> Vec<SocketAddr> {
        let listeners = self.metrics_listeners.iter();
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
        let metrics_addresses = self.metrics_addresses();
        let (parts, pages) = self.parts(&addresses, &grpc_addresses, &metrics_addresses);
        let mut builder = Server::build()
            .workers(self.config.workers)
            // `Connections` is the limit that answers; this one would only stop accepting.
            .max_concurrent_connections(usize::MAX)
            .disable_signals();
        let mut listeners = Vec::new();
        let everything = self.listeners.into_iter().map(|one| (one, &parts));
        let pages_alone = self.metrics_listeners.into_iter().map(|one| (one, &pages));
        for ((address, listener), parts) in everything.chain(pages_alone) {
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
        let grpc = grpc::Parts {
            receiver: parts.receiver.clone(),
            connections: parts.grpc_connections.clone(),
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
            rules: [parts.rules.clone(), pages.rules.clone()],
            cors: parts.cors.clone(),
            hub: parts.fanout.hub.clone(),
            origin: self.origin,
        };
        let reloading = actix_rt::spawn(reloading.watch(self.config.reload_interval));
        let shown = self.config.metrics.enabled;
        announce::listening(&addresses, &grpc_addresses, &self.files);
        announce::pages(&metrics_addresses, shown, &self.files);
        let demo = addresses.first().filter(|_| self.config.demo);
        let rules = parts.rules.clone();
        let host = move || rules.first_host();
        let demo = demo.map(|address| actix_rt::spawn(showing::run(*address, host)));

        let mut serving = actix_rt::spawn(server);
        let leaving = async {
            shutdown.await;
            shutdown::leave(&parts.draining, self.config.drain_delay).await;
        };
        tokio::select! {
            () = leaving => {}
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
        let grace = self.config.shutdown_grace;
        let connections = [
            &parts.connections,
            &parts.grpc_connections,
            &pages.connections,
        ];
        let hub = &parts.fanout.hub;
        let seen_off = shutdown::drain(
            &handle,
            &listeners,
            &parts.draining,
            connections,
            hub,
            grace,
        )
        .await;
        if let Err(took) = seen_off {
            let left: usize = connections.into_iter().map(Connections::open).sum();
            warn!("{left} connections were still open after {took:.1?} and are cut off");
        }
        drop(grpc);
        reloading.abort();
        handle.stop(false).await;
        serving.await.map_err(io::Error::other)??;
        announce::totals(&self.counters, parts.receiver.budget.decoders());
        Ok(())
    }

    /// What is served at the addresses of HTTP, and at those for metrics alone.
    fn parts(
        &self,
        addresses: &[SocketAddr],
        grpc: &[SocketAddr],
        metrics: &[SocketAddr],
    ) -> (Parts, Parts) {
        let config = &self.config;
        let mut parts = self.without_metrics(addresses, grpc);
        let mut pages = Parts {
            serves: Serves::Pages,
            // No token is asked for there, so the rule for Host is all that there is.
            rules: self.rules(metrics, &Asked::default()),
            connections: self.connections(Listener::Metrics, config.metrics.max_connections, None),
            ..parts.clone()
        };
        let told = Metrics {
            counters: self.counters(),
            hub: parts.fanout.hub.clone(),
            budget: parts.receiver.budget.clone(),
            connections: [
                parts.connections.clone(),
                parts.grpc_connections.clone(),
                pages.connections.clone(),
            ],
            tls: self.files.tls.clone(),
            log: self.log.clone(),
            draining: parts.draining.clone(),
        };
        let shown = |gate| {
            config.metrics.enabled.then_some(MetricsPage {
                metrics: told,
                gate,
            })
        };
        match metrics.is_empty() {
            true => parts.metrics = shown(Some(Arc::clone(&parts.rules))),
            false => pages.metrics = shown(None),
        }
        (parts, pages)
    }

    fn without_metrics(&self, addresses: &[SocketAddr], grpc: &[SocketAddr]) -> Parts {
        let config = &self.config;
        let counters = self.counters();
        let hub = Hub::new(config.fanout.clone(), counters.clone());
        let tokens = &self.files.tokens;
        let rules = self.rules(addresses, tokens);
        let (http, rpc) = (&config.connections, &config.grpc);
        Parts {
            serves: Serves::Everything,
            metrics: None,
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
            connections: self.connections(Listener::Http, http.max, Some(http.max_per_address)),
            grpc_connections: self.connections(
                Listener::Grpc,
                rpc.max_connections,
                Some(rpc.max_connections_per_address),
            ),
            counters,
            waits: config.connections,
            tls: self.files.tls.clone(),
            draining: Draining::new(),
            routes: Arc::clone(&self.routes),
        }
    }

    /// The rules at addresses where these tokens are asked for.
    fn rules(&self, addresses: &[SocketAddr], tokens: &Asked) -> Arc<Rules> {
        let gate = &self.config.gate;
        Arc::new(Rules::new(gate, addresses, tokens, self.counters()))
    }

    /// The places for connections of a listener. An address has no limit of its own unless there is
    /// one: then only the one for all can be reached.
    fn connections(
        &self,
        listener: Listener,
        max: usize,
        max_per_address: Option<usize>,
    ) -> Connections {
        let max_per_address = max_per_address.unwrap_or(usize::MAX);
        let proxies = Arc::clone(&self.proxies);
        Connections::by_address(listener, max, max_per_address, proxies, self.counters())
    }
}
