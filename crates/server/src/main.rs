//! The binary `otlp-relay`: reads the command line and the configuration, runs the relay or a
//! conversion, turns errors into exit codes.

use std::process::ExitCode;

use mimalloc::MiMalloc;
use server::cli::{self, Task};
use server::logging::Log;
use server::settings::{Loaded, Source, Variables};
use server::{conversion, descriptors, shutdown};

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let task = cli::parse(std::env::args_os(), Variables::of_process());
    match task.unwrap_or_else(|error| error.exit()) {
        Task::Serve(source) => serve(source),
        Task::Convert(job, source) => match source.log() {
            Ok(log) => {
                Log::start_waiting(&log);
                conversion::run(&job)
            }
            Err(problems) => cli::refuse(&problems),
        },
        Task::Config(question, source) => question.answer(&source),
    }
}

fn serve(source: Source) -> ExitCode {
    let mut loaded = match source.load() {
        Ok(loaded) => loaded,
        Err(problems) => return cli::refuse(&problems),
    };
    let log = Log::start(&loaded.log);
    let log_writer = log.writer();
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    descriptors::fit(&mut loaded.config);
    let code = run(source, loaded, log);
    log_writer.finish();
    code
}

/// Runs the relay to its end.
fn run(source: Source, loaded: Loaded, log: Log) -> ExitCode {
    let relay = match server::Relay::bind(loaded.config.clone()) {
        Ok(relay) => relay,
        Err(error) => {
            for line in loaded.told(&error) {
                tracing::error!("{line}");
            }
            return ExitCode::FAILURE;
        }
    };
    let last_lines = log.writer();
    let result = actix_rt::System::new().block_on(async {
        let relay = relay.with_source(source, loaded, log);
        let requested = shutdown::requested(move || last_lines.finish())?;
        relay.run(requested).await
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}
