//! Prometheus before a relay: `promtool` on the alerts, their tests and the exposition, then a
//! server of Prometheus that scrapes a relay, takes the alerts, and is asked everything that the
//! dashboard asks.

mod http;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::interop::{execute, target_folder};
use crate::tidy::workspace_root;
use crate::verify::{cargo, say};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long to wait before something is asked again.
const PAUSE: Duration = Duration::from_millis(200);
/// The alerts.
const ALERTS: &str = "deploy/prometheus/alerts.yml";
/// The dashboard.
const DASHBOARD: &str = "deploy/grafana/otlp-relay.json";
/// An export that is accepted.
const EXPORT: &str =
    r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"a"}}]}]}]}"#;
/// How many are sent.
const EXPORTS: usize = 7;

/// Runs all of it.
///
/// # Errors
///
/// If something is wrong; with `all`, if Prometheus is not installed.
pub(crate) fn run(all: bool) -> Result<()> {
    let root = workspace_root();
    if !is_installed("promtool") || !is_installed("prometheus") {
        let needs = "needs Prometheus (Debian: apt-get install prometheus)";
        ensure!(!all, "observing {needs}");
        say(&format!("observe: SKIPPED, {needs}"));
        return Ok(());
    }
    say("== alerts and their tests");
    let folder = root.join(ALERTS);
    let folder = folder.parent().context("a folder")?;
    promtool(folder, &["check", "rules", "alerts.yml"])?;
    promtool(folder, &["test", "rules", "alerts.test.yml"])?;

    cargo(&["build", "--package", "server", "--locked"], &[])?;
    let target = target_folder(&root)?;
    say("== what the relay tells");
    let mut relay = Command::new(target.join("debug/otlp-relay"));
    // What the caller's environment says to a relay doesn't count.
    for (name, _) in std::env::vars_os() {
        if name == "RUST_LOG" || name.to_string_lossy().starts_with("OTLP_RELAY_") {
            relay.env_remove(name);
        }
    }
    let relay = Process::start(
        relay
            .args(["--listen", "127.0.0.1:0"])
            .args(["--metrics-listen", "127.0.0.1:0"]),
    )?;
    let address = relay.address("listening on http://")?;
    let metrics = relay.address("metrics are at http://")?;
    for _ in 0..EXPORTS {
        http::post(address, "/v1/logs", "application/json", EXPORT)?;
    }
    check_exposition(&http::get(metrics, "/metrics")?)?;

    say("== a Prometheus that scrapes it");
    let prometheus = start_prometheus(&root, &target.join("observe"), metrics)?;
    let server = prometheus.address("Listening on\" address=")?;
    // It answers 503 until its storage is open.
    wait_for("Prometheus", || Ok(http::get(server, "/-/ready").is_ok()))?;
    wait_for("the exports of the relay", || {
        let sum = query(server, "sum(otlp_relay_exports_total)")?;
        Ok(sum.pointer("/0/value/1").and_then(Value::as_str) == Some(&EXPORTS.to_string()))
    })?;
    wait_for("all rules", || rules_are_well(server))?;
    let asked = ask_as_dashboard(&root, server)?;
    say(&format!(
        "observe: passed; {asked} queries of the dashboard were understood"
    ));
    Ok(())
}

fn is_installed(program: &str) -> bool {
    let version = Command::new(program).arg("--version").output();
    version.is_ok_and(|output| output.status.success())
}

fn promtool(folder: &Path, args: &[&str]) -> Result<()> {
    execute(Command::new("promtool").args(args).current_dir(folder))
}

/// Names, types, units and help, as `promtool` judges them.
fn check_exposition(text: &str) -> Result<()> {
    let mut child = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .spawn()?;
    let mut stdin = child.stdin.take().context("its input")?;
    stdin.write_all(text.as_bytes())?;
    drop(stdin);
    ensure!(
        child.wait()?.success(),
        "promtool finds fault with /metrics"
    );
    Ok(())
}

fn start_prometheus(root: &Path, folder: &Path, relay: SocketAddr) -> Result<Process> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    let config = folder.join("prometheus.yml");
    let alerts = root.join(ALERTS);
    let text = format!(
        "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\n\
         rule_files: ['{}']\n\
         scrape_configs:\n\
         - job_name: otlp-relay\n\
         \x20 static_configs: [{{targets: ['{relay}']}}]\n",
        alerts.display()
    );
    fs::write(&config, text)?;
    let option = |name: &str, path: PathBuf| format!("--{name}={}", path.display());
    Process::start(
        Command::new("prometheus")
            .arg(option("config.file", config))
            .arg(option("storage.tsdb.path", folder.join("data")))
            .arg("--web.listen-address=127.0.0.1:0"),
    )
}

/// Whether every rule was evaluated without an error.
fn rules_are_well(server: SocketAddr) -> Result<bool> {
    let answer: Value = serde_json::from_str(&http::get(server, "/api/v1/rules")?)?;
    let groups = answer["data"]["groups"].as_array().context("groups")?;
    let rules = groups.iter().filter_map(|group| group["rules"].as_array());
    let mut count = 0;
    for rule in rules.flatten() {
        let (name, health) = (&rule["name"], rule["health"].as_str());
        ensure!(health != Some("err"), "{name}: {}", rule["lastError"]);
        if health != Some("ok") {
            return Ok(false);
        }
        count += 1;
    }
    ensure!(count > 0, "Prometheus has no rules");
    Ok(true)
}

/// Asks every query of the dashboard, as Grafana would; how many there are.
fn ask_as_dashboard(root: &Path, server: SocketAddr) -> Result<usize> {
    let dashboard: Value = serde_json::from_str(&fs::read_to_string(root.join(DASHBOARD))?)?;
    let panels = dashboard["panels"].as_array().context("panels")?;
    let targets = panels
        .iter()
        .filter_map(|panel| panel["targets"].as_array());
    let mut count = 0;
    for target in targets.flatten() {
        let asked = target["expr"].as_str().context("a query")?;
        let asked = asked
            .replace("$__rate_interval", "1m")
            .replace("$job", ".*")
            .replace("$instance", ".*");
        query(server, &asked)?;
        count += 1;
    }
    Ok(count)
}

/// What Prometheus answers to a query.
fn query(server: SocketAddr, asked: &str) -> Result<Value> {
    let path = format!("/api/v1/query?query={}", http::escape(asked));
    let answer: Value = serde_json::from_str(&http::get(server, &path)?)?;
    ensure!(answer["status"] == "success", "{asked}: {answer}");
    Ok(answer["data"]["result"].clone())
}

/// Asks again until it is so.
#[expect(
    clippy::disallowed_methods,
    reason = "another program tells of no event, and this thread holds nobody up"
)]
fn wait_for(what: &str, mut is_so: impl FnMut() -> Result<bool>) -> Result<()> {
    let begin = Instant::now();
    while !is_so()? {
        if begin.elapsed() > PATIENCE {
            bail!("waited in vain for {what}");
        }
        thread::sleep(PAUSE);
    }
    Ok(())
}

/// A server that ends when it is dropped.
struct Process {
    child: Child,
    log: Receiver<String>,
}

impl Process {
    fn start(command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("{command:?} can't be run"))?;
        let stderr = BufReader::new(child.stderr.take().context("its log")?);
        let (tx, log) = channel();
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                // Nobody may listen any more.
                drop(tx.send(line));
            }
        });
        Ok(Self { child, log })
    }

    /// The address that the log tells behind this text.
    fn address(&self, text: &str) -> Result<SocketAddr> {
        loop {
            let line = self.log.recv_timeout(PATIENCE);
            let line = line.with_context(|| format!("{text} is not in the log"))?;
            if let Some((_, rest)) = line.split_once(text) {
                let end = rest.find([' ', '/', '"']).unwrap_or(rest.len());
                return Ok(rest[..end].parse()?);
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Fails if it has ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
