//! The page that the relay serves: its files, ready to be sent.
//!
//! The page itself is in `web/`: HTML, CSS and ES modules that browsers run as they are, so nothing
//! here needs a JavaScript toolchain. This crate only embeds them. It knows nothing of HTTP;
//! `server` answers with what it finds here.

mod files;

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::sync::LazyLock;

use flate2::Compression;
use flate2::write::GzEncoder;

/// What browsers may do with the page: run its own scripts and workers, use its own style, and talk
/// to the relay that it came from. Nothing else, nothing inline, in no frame. For every file: a
/// worker goes by the policy that its script came with (CSP level 3, section 4.2.2).
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; \
    worker-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A file of the page.
#[derive(Debug)]
pub struct Asset {
    /// Its media type, with the charset of text.
    pub content_type: &'static str,
    /// What it holds.
    pub body: &'static [u8],
    /// The same as gzip, if that is shorter.
    pub gzip: Option<Vec<u8>>,
    /// Changes with the content; hexadecimal, to be put in quotes.
    pub tag: String,
}

/// The page, and its files by their path in `web/`.
static ASSETS: LazyLock<HashMap<&str, Asset>> = LazyLock::new(|| {
    let files = files::FILES.iter();
    files
        .map(|(path, body)| (*path, asset(path, body)))
        .collect()
});

/// The page, as HTML. It names its files by paths relative to itself, below `viewer/`.
#[must_use]
pub fn index() -> &'static Asset {
    // A test proves that it is there.
    &ASSETS["index.html"]
}

/// The file at a path like `ui/list.js`.
#[must_use]
pub fn find(path: &str) -> Option<&'static Asset> {
    ASSETS.get(path)
}

fn asset(path: &str, body: &'static [u8]) -> Asset {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    Asset {
        content_type: content_type(path),
        body,
        gzip: gzip(body).filter(|gzip| gzip.len() < body.len()),
        tag: format!("{:016x}", hasher.finish()),
    }
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    }
}

fn gzip(body: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).ok()?;
    encoder.finish().ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::io::Read;
    use std::path::{Path, PathBuf};

    use flate2::read::GzDecoder;

    use super::*;

    /// Every file below `web/`, as the table names it.
    fn in_folder() -> BTreeSet<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("web");
        let (mut files, mut folders) = (BTreeSet::new(), vec![root.clone()]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path: PathBuf = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => {
                        let path = path.strip_prefix(&root).unwrap();
                        files.insert(path.to_str().unwrap().replace('\\', "/"));
                    }
                }
            }
        }
        files
    }

    /// Scenario: the folder `web/` beside the table of what is embedded.
    /// Guarantees: nothing is missing, so no import of the page can fail.
    #[test]
    fn every_file_is_embedded() {
        let embedded: BTreeSet<String> = ASSETS.keys().map(|path| (*path).to_owned()).collect();
        assert_eq!(embedded, in_folder());
    }

    /// Scenario: every file.
    /// Guarantees: it is not empty, its gzip is the same, and other content has another tag.
    #[test]
    fn assets_are_whole() {
        let mut tags = BTreeSet::new();
        for (path, asset) in ASSETS.iter() {
            assert!(!asset.body.is_empty(), "{path}");
            assert!(tags.insert(&asset.tag), "{path}");
            if let Some(gzip) = &asset.gzip {
                let mut body = Vec::new();
                GzDecoder::new(&gzip[..]).read_to_end(&mut body).unwrap();
                assert_eq!(body, asset.body, "{path}");
            }
        }
        assert!(index().content_type.starts_with("text/html"));
        assert!(find("../Cargo.toml").is_none());
    }

    /// Scenario: the page and its scripts, our own.
    /// Guarantees: what the policy forbids is not in them: no address of another origin is loaded,
    /// and nothing is inline.
    #[test]
    fn the_page_keeps_to_its_policy() {
        let page = std::str::from_utf8(index().body).unwrap();
        for forbidden in [
            "style=",
            "<style",
            "onclick",
            "onload",
            "src=\"http",
            "href=\"/",
        ] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
        for (path, asset) in ASSETS.iter() {
            if path.ends_with(".js") && !path.starts_with("vendor/") {
                let script = std::str::from_utf8(asset.body).unwrap();
                for forbidden in ["innerHTML", "eval(", "new Function", "from 'http"] {
                    assert!(!script.contains(forbidden), "{path}: {forbidden}");
                }
                let lines = script.lines().count();
                assert!(lines <= 400, "{path}: {lines} lines");
            }
        }
    }

    /// Scenario: the modules that the page names ahead, so that they are loaded at once and not one
    /// after another as imports are found.
    /// Guarantees: they exist, and all of `ui/` is among them.
    #[test]
    fn modules_are_named_ahead() {
        let page = std::str::from_utf8(index().body).unwrap();
        let preloads = page.split("rel=\"modulepreload\" href=\"viewer/").skip(1);
        let preloads: BTreeSet<&str> = preloads.filter_map(|rest| rest.split('"').next()).collect();
        for path in &preloads {
            assert!(find(path).is_some(), "{path}");
        }
        for path in ASSETS.keys().filter(|path| path.starts_with("ui/")) {
            assert!(preloads.contains(path), "{path}");
        }
    }
}
