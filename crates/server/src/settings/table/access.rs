//! Who may talk to the relay: TLS, tokens, and the rules for web pages.

use std::fmt::Display;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

use super::super::kind::kinds::{FILE, MAYBE_TIME, TIME};
use super::super::kind::{Form, Kind, Written, display, each};
use super::{Group, setting};
use crate::cors::AllowedHeader;
use crate::gate::{HostName, OriginPattern};
use crate::proxies::Proxies;

const ORIGINS: Kind<Vec<OriginPattern>> = Kind {
    form: Form {
        name: "ORIGIN",
        written: Written::Text("^(\\*|[A-Za-z][A-Za-z0-9+.-]*://[^/@?#]+)$"),
        many: true,
        expected: "an origin, like https://app.example.com, https://*.example.com or *",
        example: "https://app.example.com",
    },
    read: |texts| each(texts, parsed),
    write: |origins| display(origins),
};

const HOSTS: Kind<Vec<HostName>> = Kind {
    form: Form {
        name: "HOST",
        written: Written::Text("^([A-Za-z0-9._~-]+|\\[[0-9A-Fa-f:.]+\\])$"),
        many: true,
        expected: "the name or address of a host",
        example: "relay.example.com",
    },
    read: |texts| each(texts, parsed),
    write: |hosts| display(hosts),
};

const HEADERS: Kind<Vec<AllowedHeader>> = Kind {
    form: Form {
        name: "HEADER",
        written: Written::Text("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"),
        many: true,
        expected: "the name of a header, or *",
        example: "Authorization",
    },
    read: |texts| each(texts, parsed),
    write: |headers| display(headers),
};

const NETWORKS: Kind<Proxies> = Kind {
    form: Form {
        name: "NETWORK",
        written: Written::Text("^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$"),
        many: true,
        expected: "an address or a network, like 10.0.0.7, 10.0.0.0/8 or fd00::/8",
        example: "10.0.0.0/8",
    },
    read: |texts| each(texts, network).map(Proxies::new),
    write: |proxies| display(proxies.networks()),
};

fn parsed<T: FromStr<Err: Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}

/// A network, or one address.
fn network(text: &str) -> Result<IpNet, String> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(address.to_canonical().into());
    }
    let network = text.parse();
    network.map_err(|_| format!("expected {}", NETWORKS.form.expected))
}

pub(super) fn access() -> Group {
    Group {
        title: "Who may talk to the relay",
        settings: vec![
            setting(
                "tls-cert",
                FILE,
                |draft| &mut draft.tls_cert,
                "A certificate: every address speaks TLS",
            )
            .more("; PEM, and behind it those that lead to an authority")
            .common()
            .reloads(),
            setting(
                "tls-key",
                FILE,
                |draft| &mut draft.tls_key,
                "Its private key",
            )
            .more(", as PEM: PKCS #8, PKCS #1 or SEC 1, without a password")
            .common()
            .reloads(),
            setting(
                "tls-client-ca",
                FILE,
                |draft| &mut draft.tls_client_ca,
                "Authorities, as PEM, of the certificates that clients have to show (mTLS)",
            )
            .reloads(),
            setting(
                "ingest-token-file",
                FILE,
                |draft| &mut draft.relay.ingest_token_file,
                "Tokens for those who send, one a line",
            )
            .more("; every sender has to show one, as a bearer")
            .common()
            .reloads(),
            setting(
                "watch-token-file",
                FILE,
                |draft| &mut draft.relay.watch_token_file,
                "Tokens for those who watch, one a line",
            )
            .more("; everybody who watches has to show one, as a bearer")
            .common()
            .reloads(),
            setting(
                "allowed-origins",
                ORIGINS,
                |draft| &mut draft.relay.gate.allowed_origins,
                "Web pages that may watch, by their origins",
            )
            .more(", besides the relay's own: `https://dash.example.com`, `https://*.example.com`, `*`")
            .common()
            .reloads(),
            setting(
                "allowed-hosts",
                HOSTS,
                |draft| &mut draft.relay.gate.allowed_hosts,
                "Names that requests may have in their Host header",
            )
            .more("; on a loopback address, besides those of this machine")
            .default_words("loopback names on a loopback address, any elsewhere")
            .reloads(),
            setting(
                "reload-interval",
                TIME,
                |draft| &mut draft.relay.reload_interval,
                "How often the files of tokens and of TLS are looked at",
            )
            .more("; if they changed they are read again, as they are on SIGHUP"),
            setting(
                "trusted-proxies",
                NETWORKS,
                |draft| &mut draft.relay.trusted_proxies,
                "Networks of proxies that say who their clients are",
            )
            .more(
                ", in Forwarded or X-Forwarded-For; what is in flight then counts for those clients",
            ),
        ],
    }
}

pub(super) fn pages() -> Group {
    Group {
        title: "Web pages that send (CORS)",
        settings: vec![
            setting(
                "cors-allowed-origins",
                ORIGINS,
                |draft| &mut draft.relay.cors.allowed_origins,
                "Web pages that may send to /v1/..., by their origins",
            )
            .more(": `https://app.example.com`, `https://*.example.com`, `*`")
            .reloads(),
            setting(
                "cors-allowed-headers",
                HEADERS,
                |draft| &mut draft.relay.cors.allowed_headers,
                "Headers that such pages may set besides Content-Type and Content-Encoding",
            )
            .more(": `Authorization`, or `*`")
            .reloads(),
            setting(
                "cors-max-age",
                MAYBE_TIME,
                |draft| &mut draft.relay.cors.max_age,
                "How long browsers may remember that they may",
            )
            .default_words("up to them, 5s")
            .reloads(),
        ],
    }
}
