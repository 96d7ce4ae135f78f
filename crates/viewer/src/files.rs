//! The table of what is embedded.

/// The content of a file in `web/`, beside its path.
macro_rules! files {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_bytes!(concat!("../web/", $path)))),*]
    };
}

/// Every file below `web/`, by its path there. A test holds it to the folder.
pub(crate) const FILES: &[(&str, &[u8])] = files![
    "core/attributes.js",
    "core/clock.js",
    "core/commands.js",
    "core/distribution.js",
    "core/filter.js",
    "core/format.js",
    "core/frames.js",
    "core/lines.js",
    "core/link.js",
    "core/logs.js",
    "core/meter.js",
    "core/metrics.js",
    "core/otlp.js",
    "core/rates.js",
    "core/ring.js",
    "core/rows.js",
    "core/size.js",
    "core/traces.js",
    "core/view.js",
    "icon.svg",
    "index.html",
    "main.js",
    "style/base.css",
    "style/details.css",
    "style/lists.css",
    "style/metrics.css",
    "style/shell.css",
    "ui/bars.js",
    "ui/chart.js",
    "ui/details.js",
    "ui/dom.js",
    "ui/help.js",
    "ui/labels.js",
    "ui/list.js",
    "ui/logs.js",
    "ui/metrics.js",
    "ui/raw.js",
    "ui/slice.js",
    "ui/spark.js",
    "ui/statebar.js",
    "ui/theme.js",
    "ui/token.js",
    "ui/traces.js",
    "ui/waterfall.js",
    "ui/welcome.js",
    "support.js",
    "vendor/uplot/LICENSE",
    "vendor/uplot/package.json",
    "vendor/uplot/uPlot.esm.js",
    "vendor/uplot/uPlot.min.css",
    "watch.js",
    "worker.js",
];
