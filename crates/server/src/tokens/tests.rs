//! Files of tokens, and who gets in by them.

use fanout::{FanoutConfig, Hub, NoObserver};

use super::*;

const ONE: &str = "c2VjcmV0LW9uZS1vZi10d28=";
const TWO: &str = "another-token.of_some~length";

/// A file of tokens that goes when it is dropped.
struct File(PathBuf);

impl File {
    fn new(name: &str, contents: &str) -> Self {
        let name = format!("otlp-relay-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, contents).unwrap();
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn lets_in(tokens: &Tokens, header: Option<&str>) -> bool {
    let authorization = header.map(str::as_bytes);
    let peer = None;
    let checked = tokens.check(Credentials {
        authorization,
        peer,
    });
    checked.is_ok()
}

/// Scenario: a file of two tokens, with comments and empty lines; headers of every kind.
/// Guarantees: exactly those two get in, under a scheme in any case.
#[test]
fn those_of_the_file_get_in() {
    let file = File::new("in", &format!("# ours\n{ONE}\n\n  {TWO}\r\n"));
    let tokens = Tokens::read(file.0.clone()).unwrap();
    for header in [
        format!("Bearer {ONE}"),
        format!("bearer {TWO}"),
        format!("BEARER  {TWO} "),
    ] {
        assert!(lets_in(&tokens, Some(&header)), "{header}");
    }
    for header in [
        ONE.to_owned(),
        format!("Basic {ONE}"),
        format!("Bearer{ONE}"),
        format!("Bearer {ONE}{TWO}"),
        format!("Bearer {}", &ONE[..ONE.len() - 1]),
        "Bearer ".to_owned(),
        "Bearer # ours".to_owned(),
        String::new(),
    ] {
        assert!(!lets_in(&tokens, Some(&header)), "{header}");
    }
    assert!(!lets_in(&tokens, None));
}

/// Scenario: the file changes, then to something that can't be used, then goes.
/// Guarantees: what it holds counts after a reload; a bad file changes nothing, and the clock
/// tells of it once.
#[test]
fn a_reload_takes_what_is_good() {
    let file = File::new("reload", ONE);
    let tokens = Tokens::read(file.0.clone()).unwrap();
    std::fs::write(&file.0, TWO).unwrap();
    assert!(!lets_in(&tokens, Some(&format!("Bearer {TWO}"))));
    assert_eq!(tokens.reload().unwrap().count, 1);
    assert!(tokens.reload_if_changed().is_none());
    assert!(lets_in(&tokens, Some(&format!("Bearer {TWO}"))));
    assert!(!lets_in(&tokens, Some(&format!("Bearer {ONE}"))));
    for garbage in ["", "# nothing", "short", &"x".repeat(70_000)] {
        std::fs::write(&file.0, garbage).unwrap();
        tokens.reload_if_changed().unwrap().unwrap_err();
        assert!(tokens.reload_if_changed().is_none());
        tokens.reload().unwrap_err();
    }
    std::fs::remove_file(&file.0).unwrap();
    tokens.reload().unwrap_err();
    assert!(lets_in(&tokens, Some(&format!("Bearer {TWO}"))));
    std::fs::write(&file.0, ONE).unwrap();
    assert_eq!(tokens.reload_if_changed().unwrap().unwrap().count, 1);
    assert!(lets_in(&tokens, Some(&format!("Bearer {ONE}"))));
}

/// Scenario: a token stays in the file, twice; another leaves it and comes back.
/// Guarantees: the first keeps its pass; the second's is told to be gone, and it gets a new one.
#[test]
fn passes_go_with_their_tokens() {
    let file = File::new("passes", &format!("{ONE}\n{TWO}\n{ONE}\n"));
    let tokens = Tokens::read(file.0.clone()).unwrap();
    let hub = Hub::new(FanoutConfig::default(), Arc::new(NoObserver));
    let [one, two] = [ONE, TWO].map(|token| tokens.find(token.as_bytes()).unwrap());

    std::fs::write(&file.0, ONE).unwrap();
    let reloaded = tokens.reload().unwrap();
    assert_eq!((reloaded.count, reloaded.gone.len()), (1, 1));
    assert!(tokens.find(TWO.as_bytes()).is_none());
    hub.revoke(reloaded.gone);
    assert!(two.is_revoked() && !one.is_revoked());

    std::fs::write(&file.0, format!("{TWO}\n{ONE}")).unwrap();
    assert!(tokens.reload().unwrap().gone.is_empty());
    assert!(!tokens.find(TWO.as_bytes()).unwrap().is_revoked());
    std::fs::write(&file.0, TWO).unwrap();
    hub.revoke(tokens.reload().unwrap().gone);
    assert!(one.is_revoked());
}

/// Scenario: files with a line that is no token.
/// Guarantees: the error names the line and not what stands there.
#[test]
fn errors_name_lines_and_no_secrets() {
    for (name, bad) in [
        ("short", "secret-but-short"),
        ("space", "secret with some spaces"),
    ] {
        let bad = bad.replace("-but-short", "");
        let file = File::new(name, &format!("{ONE}\n{bad}\n"));
        let error = Tokens::read(file.0.clone()).err().unwrap().to_string();
        assert!(error.contains("line 2") && !error.contains(&bad), "{error}");
    }
}
