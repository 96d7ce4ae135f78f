//! What every test has: a word on what it shows, and no sleep but where the clock stands still.

/// The rules that a source file breaks. `all` says that all of it is tests.
pub(super) fn violations(text: &str, all: bool) -> Vec<String> {
    let mut violations = Vec::new();
    let mut item = Item::default();
    let mut tests = all;
    let mut next_is_tests = false;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        let mut broken = |what: &str| violations.push(format!("{}: {what}", number + 1));
        tests |= next_is_tests && line.starts_with("mod ") && line.ends_with('{');
        next_is_tests = line == "#[cfg(test)]";
        if line.starts_with("///") || line.starts_with("#[") {
            item.take_note(line);
        } else if is_function(line) {
            if item.is_test && !(item.scenario && item.guarantees) {
                broken("a test without `/// Scenario:` and `/// Guarantees:`");
            }
            item = Item {
                is_paused: item.is_begun && item.is_paused,
                ..Item::default()
            };
        } else if tests && sleeps(line) && !item.is_paused {
            broken("a test sleeps, and its clock isn't paused");
        }
    }
    violations
}

/// Whether a source file has a test of this name: a function with an attribute that makes it one.
pub(super) fn has_test(text: &str, name: &str) -> bool {
    let mut item = Item::default();
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[") {
            item.take_note(line);
        } else if is_function(line) {
            let is_named = line.split_once("fn ").is_some_and(|(_, rest)| {
                let behind = rest.strip_prefix(name);
                behind.is_some_and(|behind| behind.starts_with('('))
            });
            if is_named && item.is_test {
                return true;
            }
            item = Item::default();
        }
    }
    false
}

/// What stands before a function.
#[derive(Default)]
struct Item {
    is_begun: bool,
    is_test: bool,
    /// Of the function that is read, once it has begun.
    is_paused: bool,
    scenario: bool,
    guarantees: bool,
}

impl Item {
    fn take_note(&mut self, line: &str) {
        if !std::mem::replace(&mut self.is_begun, true) {
            self.is_paused = false;
        }
        self.scenario |= line.starts_with("/// Scenario: ");
        self.guarantees |= line.starts_with("/// Guarantees: ");
        let attribute = line.strip_prefix("#[").unwrap_or_default();
        let name = attribute.split(['(', ']']).next().unwrap_or_default();
        if name == "test" || name.ends_with("::test") {
            self.is_test = true;
            self.is_paused = attribute.contains("start_paused = true");
        }
    }
}

fn is_function(line: &str) -> bool {
    let words = line.split(' ');
    let mut rest = words.skip_while(|word| word.starts_with("pub") || *word == "async");
    rest.next() == Some("fn")
}

/// Whether a line waits for time to pass, of a thread or of a task.
fn sleeps(line: &str) -> bool {
    ["sleep(", "sleep_until("].into_iter().any(|call| {
        line.match_indices(call)
            .any(|(at, _)| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
    })
}

#[cfg(test)]
mod tests {
    use super::violations;

    /// Scenario: tests with both lines, with one, with none, of every runtime; and other functions.
    /// Guarantees: each test that says too little is found, and nothing else.
    #[test]
    fn words_are_missed() {
        let told = "/// Scenario: a.\n/// Guarantees: b.\n";
        for attribute in ["#[test]", "#[tokio::test(start_paused = true)]"] {
            let good = format!("{told}{attribute}\n    async fn f() {{}}\nfn g() {{}}\n");
            assert_eq!(violations(&good, false), [""; 0], "{attribute}");
            for words in ["", "/// Scenario: a.\n", "/// Guarantees: b.\n"] {
                let bad = format!("{words}{attribute}\nfn f() {{}}\n");
                assert_eq!(violations(&bad, false).len(), 1, "{bad}");
            }
        }
        assert_eq!(violations("#[test_case(1)]\nfn f() {}\n", false), [""; 0]);
    }

    /// The name of what is looked for, so that it isn't found here.
    const NAP: &str = "sleep";

    /// Scenario: sleeps in tests, in a file or a module of them, with the clock paused or not; in
    /// the function behind; and outside of tests.
    /// Guarantees: only a paused clock lets a test sleep.
    #[test]
    fn sleeps_are_found() {
        let test = |attribute: &str| {
            format!(
                "/// Scenario: a.\n/// Guarantees: b.\n{attribute}\nfn f() {{\n    x::{NAP}(y)\n}}\n"
            )
        };
        let (paused, real) = (test("#[tokio::test(start_paused = true)]"), test("#[test]"));
        assert_eq!(violations(&paused, true), [""; 0]);
        assert_eq!(violations(&real, true).len(), 1);
        assert_eq!(violations(&real, false), [""; 0]);
        let module = format!("#[cfg(test)]\nmod tests {{\n{real}");
        assert_eq!(violations(&module, false).len(), 1);
        let helper = format!("{paused}\nfn g() {{\n    thread::{NAP}(z)\n}}\n");
        assert_eq!(violations(&helper, true).len(), 1);
        assert_eq!(violations(&format!("no_{NAP}(x)\n"), true), [""; 0]);
    }
}
