//! The command line and the environment.

mod addresses;
mod connections;
mod convert;
mod cors;
mod fanout;
mod grpc;
mod metrics;
mod page;
mod shutdown;
mod tls;
mod tokens;
mod values;

use std::time::Duration;

use clap::builder::FalseyValueParser;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::config::ServerConfig;
use crate::conversion::Job;
use crate::gate::{HostName, OriginPattern};

/// OpenTelemetry in, live JSON out.
#[derive(Debug, Parser)]
#[command(
    name = "otlp-relay",
    version,
    about,
    args_conflicts_with_subcommands = true
)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,

    /// The form of log lines; RUST_LOG filters them
    #[arg(
        long,
        value_enum,
        global = true,
        env = "OTLP_RELAY_LOG_FORMAT",
        default_value = "text"
    )]
    log_format: LogFormat,
}

/// actix-server takes no more.
const MAX_WORKERS: i64 = 512;

#[derive(Debug, Subcommand)]
enum Command {
    /// Receive OTLP over HTTP and gRPC and show it over WebSocket and HTTP (the default)
    Serve(Box<ServeArgs>),
    /// Convert files of OTLP: JSON, JSON Lines and protobuf, gzip or zstd around them
    Convert(convert::ConvertArgs),
}

/// What the process is to do.
#[derive(Debug)]
pub enum Task {
    /// Run the relay.
    Serve(Box<ServerConfig>),
    /// Convert a file.
    Convert(Box<Job>),
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

#[derive(Debug, Args)]
struct ServeArgs {
    /// Where to listen for HTTP and WebSocket; may be given several times; port 0 lets the
    /// system choose
    #[arg(
        long,
        value_name = "ADDR:PORT",
        env = "OTLP_RELAY_LISTEN",
        value_delimiter = ',',
        default_value = "127.0.0.1:4444",
        value_parser = values::addresses
    )]
    listen: Vec<values::Addresses>,

    #[command(flatten)]
    grpc: grpc::GrpcArgs,

    /// The longest request body, as sent and inflated [default: 64MiB]
    #[arg(long, value_name = "SIZE", env = "OTLP_RELAY_MAX_BODY", value_parser = values::size)]
    max_body: Option<usize>,

    /// The most requests in flight; one more is told to come again [default: 1024]
    #[arg(long, value_name = "N", env = "OTLP_RELAY_MAX_REQUESTS", value_parser = values::count)]
    max_requests: Option<usize>,

    /// The most memory that the bodies of all requests in flight may take [default: 256MiB, or
    /// as much as one body may be long]
    #[arg(
        long,
        value_name = "SIZE",
        env = "OTLP_RELAY_MAX_REQUESTS_BYTES",
        value_parser = values::size
    )]
    max_requests_bytes: Option<usize>,

    /// How long a request body may take [default: 2m]
    #[arg(long, value_name = "TIME", env = "OTLP_RELAY_BODY_TIMEOUT", value_parser = values::time)]
    body_timeout: Option<Duration>,

    /// Take bodies of a missing or unknown Content-Type as protobuf instead of refusing them
    #[arg(
        long,
        env = "OTLP_RELAY_LENIENT_CONTENT_TYPE",
        value_parser = FalseyValueParser::new()
    )]
    lenient_content_type: bool,

    /// Receive profiles too, at /v1development/profiles, and show them at /ws/profiles; in OTLP
    /// they are in development
    #[arg(long, env = "OTLP_RELAY_PROFILES", value_parser = FalseyValueParser::new())]
    profiles: bool,

    #[command(flatten)]
    tls: tls::TlsArgs,

    #[command(flatten)]
    tokens: tokens::TokenArgs,

    /// Web origins that may watch besides the relay's own, like `https://dash.example.com` or
    /// `https://*.example.com`
    #[arg(
        long,
        value_name = "ORIGIN",
        env = "OTLP_RELAY_ALLOWED_ORIGINS",
        value_delimiter = ','
    )]
    allowed_origins: Vec<OriginPattern>,

    /// Names that requests may have in their Host header; on a loopback address, besides those
    /// of this machine [default: loopback names there, any elsewhere]
    #[arg(
        long,
        value_name = "HOST",
        env = "OTLP_RELAY_ALLOWED_HOSTS",
        value_delimiter = ','
    )]
    allowed_hosts: Vec<HostName>,

    #[command(flatten)]
    page: page::PageArgs,

    #[command(flatten)]
    cors: cors::CorsArgs,

    #[command(flatten)]
    connections: connections::ConnectionArgs,

    #[command(flatten)]
    addresses: addresses::AddressArgs,

    #[command(flatten)]
    fanout: fanout::FanoutArgs,

    #[command(flatten)]
    metrics: metrics::MetricsArgs,

    #[command(flatten)]
    shutdown: shutdown::ShutdownArgs,

    /// Threads that serve connections [default: one for each core]
    #[arg(
        long,
        value_name = "N",
        env = "OTLP_RELAY_WORKERS",
        value_parser = clap::value_parser!(u16).range(1..=MAX_WORKERS)
    )]
    workers: Option<u16>,
}

impl Cli {
    /// Reads the command line and the environment; ends the process, with a message, if they
    /// can't be read, and after `--help` and `--version`.
    #[must_use]
    pub fn read() -> Self {
        let command = values::without_empty_variables(Self::command());
        Self::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit())
    }

    /// The form of log lines that was asked for.
    #[must_use]
    pub fn log_format(&self) -> LogFormat {
        self.log_format
    }

    /// The task that was asked for.
    #[must_use]
    pub fn into_task(self) -> Task {
        match self.command {
            Some(Command::Convert(args)) => Task::Convert(Box::new(args.into_job())),
            Some(Command::Serve(args)) => Task::Serve(Box::new(args.into_config())),
            None => Task::Serve(Box::new(self.serve.into_config())),
        }
    }
}

impl ServeArgs {
    fn into_config(self) -> ServerConfig {
        let args = self;
        let mut config = ServerConfig {
            listen: args
                .listen
                .into_iter()
                .flat_map(|addresses| addresses.0)
                .collect(),
            ..ServerConfig::default()
        };
        args.grpc.apply(&mut config.grpc);
        args.fanout.apply(&mut config.fanout);
        config.ingest.lenient_content_type = args.lenient_content_type;
        config.ingest.profiles = args.profiles;
        config.fanout.profiles = args.profiles;
        config.tls = args.tls.into_config();
        args.tokens.apply(&mut config);
        config.gate.allowed_origins = args.allowed_origins;
        config.gate.allowed_hosts = args.allowed_hosts;
        args.page.apply(&mut config);
        config.cors = args.cors.into_config();
        if let Some(limit) = args.max_body {
            config.ingest.max_body_bytes = limit;
            config.ingest.codec.input_bytes = limit;
            // The fan-out reads what the receiver let in.
            config.fanout.codec.input_bytes = limit;
        }
        let ingest = &mut config.ingest;
        ingest.max_requests_bytes = ingest.max_requests_bytes.max(ingest.max_body_bytes);
        set(&mut ingest.max_requests, args.max_requests);
        set(&mut ingest.max_requests_bytes, args.max_requests_bytes);
        set(&mut ingest.body_timeout, args.body_timeout);
        args.connections.apply(&mut config.connections);
        args.addresses.apply(&mut config);
        config.metrics = args.metrics.into_config();
        args.shutdown.apply(&mut config);
        set(&mut config.workers, args.workers.map(usize::from));
        config
    }
}

fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::{Cli, Task};

    fn config(args: &[&str]) -> crate::ServerConfig {
        let cli = Cli::try_parse_from([&["otlp-relay"], args].concat()).unwrap();
        match cli.into_task() {
            Task::Serve(config) => *config,
            Task::Convert(job) => panic!("{job:?}"),
        }
    }

    /// Scenario: clap's own check of the declarations.
    /// Guarantees: no two flags clash.
    #[test]
    fn declarations_are_sound() {
        Cli::command().debug_assert();
    }

    /// Scenario: no arguments, `serve`, flags with and without `serve`.
    /// Guarantees: the subcommand may be left out; what is not said keeps its default.
    #[test]
    fn serve_is_the_default() {
        let default = crate::ServerConfig::default();
        for args in [&[][..], &["serve"]] {
            let config = config(args);
            assert_eq!(config.listen, default.listen);
            assert_eq!(config.ingest, default.ingest);
            assert_eq!(config.fanout, default.fanout);
            assert_eq!(config.connections, default.connections);
            assert_eq!(config.grpc, default.grpc);
            assert_eq!(config.cors, default.cors);
            assert_eq!(config.trusted_proxies, default.trusted_proxies);
        }
        for args in [
            &[
                "--listen",
                "127.0.0.1:0",
                "--listen",
                "[::1]:0",
                "--max-body",
                "1MiB",
            ][..],
            &[
                "serve",
                "--listen",
                "127.0.0.1:0,[::1]:0",
                "--max-body",
                "1048576",
            ],
        ] {
            let config = config(args);
            assert_eq!(config.listen.len(), 2);
            assert_eq!(config.ingest.max_body_bytes, 1 << 20);
        }
    }

    /// Scenario: flags of the fan-out.
    /// Guarantees: no history can be asked for; more for all logs is more for all frames.
    #[test]
    fn the_fan_out_is_set() {
        let fanout = config(&["--history-bytes", "0", "--slow", "disconnect"]).fanout;
        assert_eq!(
            (fanout.history_bytes, fanout.slow),
            (0, fanout::Slow::Disconnect)
        );
        let fanout = config(&["--max-lag-total", "1GiB"]).fanout;
        assert_eq!(fanout.lag_total_bytes, 1 << 30);
        assert_eq!(fanout.frames_total_bytes, 2 << 30);
    }

    /// Scenario: names in the place of addresses, and the log's format with and without `serve`.
    /// Guarantees: a name is resolved; the format is said once for all subcommands.
    #[test]
    fn names_and_formats() {
        let listen = config(&["--listen", "localhost:4444"]).listen;
        assert!(!listen.is_empty() && listen.iter().all(|address| address.ip().is_loopback()));
        for args in [
            &["--log-format", "json"][..],
            &["serve", "--log-format", "json"],
        ] {
            let cli = Cli::try_parse_from([&["otlp-relay"], args].concat()).unwrap();
            assert_eq!(cli.log_format(), super::LogFormat::Json);
        }
    }

    /// Scenario: values that can't be read.
    /// Guarantees: refused, and the message names the flag.
    #[test]
    fn bad_values_are_refused() {
        for args in [
            ["--listen", "localhost"],
            ["--listen", ":4444"],
            ["--grpc-listen", "4317"],
            ["--grpc-max-streams", "0"],
            ["--grpc-max-headers", "5GiB"],
            ["--stall-timeout", "0s"],
            ["--drain-delay", "soon"],
            ["--metrics", "maybe"],
            ["--metrics-listen", "9090"],
            ["--head-timeout", "1000years"],
            ["--max-body", "lots"],
            ["--max-body", "0"],
            ["--max-views", "0"],
            ["--history-bytes", "some"],
            ["--history-age", "0s"],
            ["--slow", "never"],
            ["--max-connections", "0"],
            ["--max-connections-per-address", "0"],
            ["--grpc-max-connections-per-address", "0"],
            ["--trusted-proxies", "10.0.0.0/33"],
            ["--trusted-proxies", "proxy.example"],
            ["--ping-interval", "0s"],
            ["--workers", "0"],
            ["--workers", "513"],
            ["--allowed-origins", "example.com"],
            ["--allowed-hosts", "a/b"],
            ["--base-path", "otel"],
            ["--cors-allowed-origins", "example.com"],
            ["--cors-allowed-headers", "a b"],
            ["--ping-interval", "soon"],
            ["--compression", "true"],
            ["--log-format", "xml"],
            ["--tls-cert", "cert.pem"],
            ["--tls-key", "key.pem"],
        ] {
            let error = Cli::try_parse_from([&["otlp-relay"], &args[..]].concat()).unwrap_err();
            assert!(error.to_string().contains(args[0]), "{error}");
        }
    }
}
