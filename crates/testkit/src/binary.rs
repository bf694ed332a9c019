use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

/// The folder of the workspace's `Cargo.toml`.
pub fn workspace_root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The path of the workspace's binary `name`, built by cargo if it is not up to date, in the
/// profile this process was built in. Cargo is asked once per process and binary.
///
/// # Panics
///
/// When it does not build; the message carries what the compiler said.
pub fn binary(name: &str) -> PathBuf {
    built("--bin", name)
}

/// As [`binary`], for the example `name` of any crate of the workspace.
///
/// # Panics
///
/// When it does not build; the message carries what the compiler said.
pub fn example(name: &str) -> PathBuf {
    built("--example", name)
}

fn built(kind: &'static str, name: &str) -> PathBuf {
    static BUILT: Mutex<BTreeMap<(&str, String), PathBuf>> = Mutex::new(BTreeMap::new());
    // A build that failed before leaves nothing half done in the map.
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    built.entry((kind, name.to_owned())).or_insert_with(|| build(kind, name)).clone()
}

fn build(kind: &str, name: &str) -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // What cargo told this test of its own package. Crates that look at it when they are built (ring) would
    // be built anew, with all that depends on them, and once more by whoever calls cargo next.
    for (name, _) in std::env::vars_os() {
        let of_package = ["CARGO_PKG_", "CARGO_MANIFEST_"];
        if name.to_str().is_some_and(|name| of_package.iter().any(|it| name.starts_with(it))) {
            command.env_remove(name);
        }
    }
    let output = command
        .current_dir(workspace_root())
        // The whole workspace, so that features unify as in `cargo build --workspace --bins` and
        // nothing is compiled a second time.
        .args(["build", "--quiet", "--workspace", kind, name])
        .args(["--profile", &profile(), "--message-format", "json-render-diagnostics"])
        .output()
        .unwrap_or_else(|error| panic!("cannot start cargo to build `{name}`: {error}"));
    assert!(
        output.status.success(),
        "`{name}` does not build:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .find_map(|line| executable(line, name))
        .unwrap_or_else(|| panic!("cargo built `{name}` but named no executable"))
}

/// The executable a line of cargo's output reports for the target `name`.
fn executable(line: &str, name: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(line).ok()?;
    let is_it = message["reason"] == "compiler-artifact" && message["target"]["name"] == name;
    let path = message["executable"].as_str().filter(|_| is_it)?;
    Some(PathBuf::from(path))
}

/// Test binaries and examples live in `<target>/<profile>/<folder>`, binaries in
/// `<target>/<profile>`; cargo names the folder of profile `dev` `debug`.
fn profile() -> String {
    let executable = std::env::current_exe().expect("the system knows our executable");
    let folder = executable.parent().expect("an executable is in a folder");
    let folder = match folder.file_name().and_then(|name| name.to_str()) {
        Some("deps" | "examples") => folder.parent().expect("deps is inside the profile's folder"),
        _ => folder,
    };
    match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev".to_owned(),
        Some(name) => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Option<&str>) {
        assert_eq!(executable(line, "bindery").as_deref(), expected.map(Path::new), "line: {line}");
    }

    #[test]
    fn only_the_artifact_of_that_name_is_taken() {
        let artifact = r#"{"reason":"compiler-artifact","target":{"name":"NAME"},"executable":E}"#;
        check(&artifact.replace("NAME", "bindery").replace('E', r#""/t/b""#), Some("/t/b"));
        check(&artifact.replace("NAME", "domain").replace('E', r#""/t/b""#), None);
        check(&artifact.replace("NAME", "bindery").replace('E', "null"), None);
        check(r#"{"reason":"build-finished","success":true}"#, None);
        check("not json", None);
    }

    #[test]
    fn tests_run_in_a_profile_cargo_knows() {
        assert!(["dev", "release"].contains(&profile().as_str()), "{}", profile());
    }
}
