//! The Python that all comparisons run in, with the official SDK.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use super::{cached, execute, texts};

/// What is installed, with exact versions.
const REQUIREMENTS: &str = "requirements.txt";

/// A virtual environment with the requirements; made anew when they change. Gives its Python.
pub(super) fn environment(scripts: &Path, folder: &Path) -> Result<PathBuf> {
    let python = folder.join("bin/python");
    cached(folder, &texts(scripts, &[REQUIREMENTS])?, || {
        let venv = Command::new("python3")
            .args(["-m", "venv"])
            .arg(folder)
            .status();
        if !venv.is_ok_and(|status| status.success()) {
            bail!("a Python 3 with venv is needed (Debian: apt-get install python3-venv)");
        }
        let pip = ["-m", "pip", "install", "--quiet", "--requirement"];
        let mut command = Command::new(&python);
        execute(command.args(pip).arg(scripts.join(REQUIREMENTS)))
    })?;
    Ok(python)
}
