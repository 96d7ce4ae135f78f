//! What this machine does: processors, memory, file systems, network. Names, units and attributes
//! are those of OpenTelemetry's semantic conventions for system metrics.

use otlp_codec::proto::collector::metrics::v1::ExportMetricsServiceRequest;
use otlp_codec::proto::common::v1::KeyValue;
use otlp_codec::proto::metrics::v1::{Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics};
use sysinfo::{Disks, Networks, System};

use crate::messages::{Moment, Span, gauge, integer, metric, resource, scope, sum, text};

/// The most processors, file systems and interfaces that are told of, each.
const MOST: usize = 32;

/// The machine: what can be seen of it on this platform.
pub(crate) struct Host {
    system: Option<System>,
    disks: Option<Disks>,
    networks: Option<Networks>,
    start: Moment,
}

impl Host {
    pub(crate) fn new(start: Moment) -> Self {
        let mut system = System::new().ok();
        // The use of processors is measured between two looks.
        if let Some(system) = &mut system {
            system.refresh_cpu_usage();
        }
        Self {
            system,
            disks: Disks::new_with_refreshed_list().ok(),
            networks: Networks::new_with_refreshed_list().ok(),
            start,
        }
    }

    /// Looks at the machine.
    pub(crate) fn measure(&mut self, now: Moment) -> ExportMetricsServiceRequest {
        let span = Span {
            start: self.start,
            now,
        };
        let mut metrics = Vec::new();
        if let Some(system) = &mut self.system {
            system.refresh_cpu_usage();
            system.refresh_memory();
            metrics.extend(processors(system, span));
            metrics.extend(memory(system, span));
        }
        if let Some(disks) = &mut self.disks {
            disks.refresh(true);
            metrics.push(file_systems(disks, span));
            metrics.push(disk_io(disks, span));
        }
        if let Some(networks) = &mut self.networks {
            networks.refresh(true);
            metrics.push(network_io(networks, span));
        }
        metrics.retain(has_points);
        let host = System::host_name().unwrap_or_else(|_| "localhost".to_owned());
        ExportMetricsServiceRequest {
            resource_metrics: vec![ResourceMetrics {
                resource: resource("host", vec![text("host.name", host)]),
                scope_metrics: vec![ScopeMetrics {
                    scope: scope("otlp-relay/demo/host"),
                    metrics,
                    ..ScopeMetrics::default()
                }],
                ..ResourceMetrics::default()
            }],
        }
    }
}

fn processors(system: &System, span: Span) -> Vec<Metric> {
    let used = system.cpus().iter().take(MOST).enumerate();
    let used = used.map(|(number, cpu)| {
        let number = i64::try_from(number).unwrap_or_default();
        let attributes = vec![integer("cpu.logical_number", number)];
        span.double(f64::from(cpu.usage()) / 100.0, attributes)
    });
    let load = System::load_average().ok();
    let load = load.map(|load| span.double(load.one, Vec::new()));
    vec![
        metric(
            "system.cpu.utilization",
            "1",
            "The part of the time that a processor was busy",
            gauge(used.collect()),
        ),
        metric(
            "system.cpu.load_average.1m",
            "{thread}",
            "Tasks that run or wait to, over a minute",
            gauge(load.into_iter().collect()),
        ),
    ]
}

fn memory(system: &System, span: Span) -> Vec<Metric> {
    let (total, used) = (system.total_memory(), system.used_memory());
    let available = system.available_memory();
    let state = |name| vec![text("system.memory.state", name)];
    let part = used as f64 / total.max(1) as f64;
    vec![
        metric(
            "system.memory.usage",
            "By",
            "Memory by what it is used for",
            sum(
                vec![
                    span.integer(used, state("used")),
                    span.integer(available, state("available")),
                ],
                false,
            ),
        ),
        metric(
            "system.memory.utilization",
            "1",
            "The part of the memory that is used",
            gauge(vec![span.double(part, state("used"))]),
        ),
    ]
}

fn file_systems(disks: &Disks, span: Span) -> Metric {
    let disks = disks.iter().take(MOST);
    let points = disks.flat_map(|disk| {
        let place = disk.mount_point().to_string_lossy().into_owned();
        let (total, free) = (disk.total_space(), disk.available_space());
        [("used", total.saturating_sub(free)), ("free", free)].map(|(state, bytes)| {
            let attributes = vec![
                text("system.filesystem.mountpoint", place.clone()),
                text("system.filesystem.state", state),
            ];
            span.integer(bytes, attributes)
        })
    });
    metric(
        "system.filesystem.usage",
        "By",
        "Space of file systems",
        sum(points.collect(), false),
    )
}

fn disk_io(disks: &Disks, span: Span) -> Metric {
    let points = disks.iter().take(MOST).flat_map(|disk| {
        let usage = disk.usage();
        let name = disk.name().to_string_lossy().into_owned();
        let device = text("system.device", name);
        directions(
            span,
            "disk.io.direction",
            device,
            [
                ("read", usage.total_read_bytes),
                ("write", usage.total_written_bytes),
            ],
        )
    });
    metric(
        "system.disk.io",
        "By",
        "Bytes read and written",
        sum(points.collect(), true),
    )
}

fn network_io(networks: &Networks, span: Span) -> Metric {
    let mut names: Vec<_> = networks.iter().collect();
    names.sort_by_key(|(name, _)| name.as_os_str());
    let points = names.into_iter().take(MOST).flat_map(|(name, network)| {
        let device = text("network.interface.name", name.to_string_lossy());
        directions(
            span,
            "network.io.direction",
            device,
            [
                ("receive", network.total_received()),
                ("transmit", network.total_transmitted()),
            ],
        )
    });
    metric(
        "system.network.io",
        "By",
        "Bytes received and sent",
        sum(points.collect(), true),
    )
}

/// The points of a device, one for each direction.
fn directions(
    span: Span,
    key: &str,
    device: KeyValue,
    totals: [(&str, u64); 2],
) -> [NumberDataPoint; 2] {
    totals.map(|(direction, total)| span.integer(total, vec![device.clone(), text(key, direction)]))
}

/// Not every machine has disks or a network that can be seen.
fn has_points(metric: &Metric) -> bool {
    use otlp_codec::proto::metrics::v1::metric::Data;
    match &metric.data {
        Some(Data::Gauge(gauge)) => !gauge.data_points.is_empty(),
        Some(Data::Sum(sum)) => !sum.data_points.is_empty(),
        _ => true,
    }
}
