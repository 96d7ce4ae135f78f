//! The binary `otlp-relay`: reads the command line, runs the relay or a conversion, turns errors
//! into exit codes.

use std::process::ExitCode;

use mimalloc::MiMalloc;
use server::cli::{Cli, Task};
use server::{ServerConfig, conversion, descriptors, logging, shutdown};

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::read();
    logging::init(cli.log_format());
    match cli.into_task() {
        Task::Serve(config) => serve(*config),
        Task::Convert(job) => conversion::run(&job),
    }
}

fn serve(mut config: ServerConfig) -> ExitCode {
    descriptors::fit(&mut config);
    let result = actix_rt::System::new().block_on(async {
        let relay = server::Relay::bind(config)?;
        relay.run(shutdown::requested()?).await
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}
