//! Files of tokens.

/// A file of tokens that goes when it is dropped.
pub(crate) struct TokenFile(std::path::PathBuf);

impl TokenFile {
    pub(crate) fn new(name: &str, contents: &str) -> Self {
        let folder = std::env::temp_dir();
        let path = folder.join(format!(
            "otlp-relay-e2e-{}-{name}.tokens",
            std::process::id()
        ));
        std::fs::write(&path, contents).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for TokenFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
