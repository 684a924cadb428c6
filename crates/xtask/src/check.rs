//! House rules that no lint knows.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Outcome;

/// Checks every source file and page below `root` and lists each breach with its place.
pub(crate) fn run(root: &Path) -> Outcome {
    let mut files = Vec::new();
    for folder in ["crates", "examples", "docs"] {
        collect(&root.join(folder), &mut files)?;
    }
    files.push(root.join("README.md"));

    let mut breaches = Vec::new();
    for file in &files {
        let text = fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
        let place = file.strip_prefix(root).unwrap_or(file);
        if file.extension().is_some_and(|e| e == "rs") {
            breaches.extend(undocumented_calls(place, &text));
        }
        breaches.extend(ignored_examples(place, &text));
    }
    println!("files_checked={}", files.len());
    if breaches.is_empty() {
        Ok(())
    } else {
        Err(breaches.join("\n"))
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Outcome {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(format!("{}: {e}", folder.display())),
    };
    for entry in entries {
        let path = entry
            .map_err(|e| format!("{}: {e}", folder.display()))?
            .path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|e| e == "rs" || e == "md") {
            files.push(path);
        }
    }
    Ok(())
}

/// A public method that returns a `Call` fails like one that returns a `Result`, but clippy's
/// `missing_errors_doc` does not see it.
fn undocumented_calls(place: &Path, text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut breaches = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if !line.trim_start().starts_with("pub fn ") || !returns_a_call(&signature(&lines, at)) {
            continue;
        }
        let docs = lines
            .iter()
            .take(at)
            .rev()
            .map(|line| line.trim_start())
            .take_while(|line| line.starts_with("///") || line.starts_with("#["));
        if !docs
            .into_iter()
            .any(|line| line.trim_end() == "/// # Errors")
        {
            breaches.push(format!(
                "{}:{}: returns a Call and has no `# Errors`",
                place.display(),
                at + 1
            ));
        }
    }
    breaches
}

/// Whether a function's own result is a `Call`; one of its arguments may be a function that returns one.
fn returns_a_call(head: &str) -> bool {
    let without_bounds = head.split(" where ").next().unwrap_or(head);
    without_bounds
        .rsplit("->")
        .next()
        .is_some_and(|result| result.trim_start().starts_with("Call<"))
}

/// The text of a function's head, from its first line to its opening brace.
fn signature(lines: &[&str], at: usize) -> String {
    let mut head = String::new();
    for line in lines.iter().skip(at) {
        head.push_str(line.trim());
        head.push(' ');
        if line.trim_end().ends_with(['{', ';']) {
            break;
        }
    }
    head
}

/// An ignored example rots unseen; one that must not run says `no_run`, one that must not compile `compile_fail`.
fn ignored_examples(place: &Path, text: &str) -> Vec<String> {
    let breach = |(at, line): (usize, &str)| {
        let fence = line
            .trim_start()
            .trim_start_matches("///")
            .trim_start_matches("//!")
            .trim_start();
        let info = fence.strip_prefix("```")?;
        info.split(',')
            .any(|word| word.trim() == "ignore")
            .then(|| format!("{}:{}: an ignored doc example", place.display(), at + 1))
    };
    text.lines().enumerate().filter_map(breach).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_without_an_errors_section_is_a_breach() {
        let text = "/// Gets it.\npub fn get(\n    &self,\n) -> Call<Thing> {\n";
        assert_eq!(undocumented_calls(Path::new("a.rs"), text).len(), 1);
        let text = "/// Makes it.\npub fn new(fetch: impl Fn() -> Call<Thing>) -> Self {\n";
        assert!(undocumented_calls(Path::new("a.rs"), text).is_empty());
        let text = "/// Gets it.\n///\n/// # Errors\n/// Never.\n#[must_use]\npub fn get(&self) -> Call<Thing> {\n";
        assert!(undocumented_calls(Path::new("a.rs"), text).is_empty());
    }

    #[test]
    fn an_ignored_example_is_a_breach() {
        assert_eq!(
            ignored_examples(Path::new("a.md"), "```rust,ignore\n```").len(),
            1
        );
        assert!(ignored_examples(Path::new("a.md"), "```rust,no_run\n```").is_empty());
    }
}
