//! Gates.
pub(crate) fn run(_: bool) -> anyhow::Result<()> {
    Ok(())
}
