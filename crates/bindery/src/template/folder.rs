//! Files and folders of templates, and those that come with the program.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::file::{Problem, TemplateSource, read};

/// Why templates could not be had from files.
#[derive(Debug, thiserror::Error)]
pub enum ReadFailure {
    /// A file or folder cannot be read.
    #[error("cannot read `{path}`")]
    Unreadable {
        /// Which.
        path: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// There is nothing to publish.
    #[error("no template file (`*.toml`) in {0}")]
    Nothing(String),
    /// Some files are no templates; everything that is wrong with all of them.
    #[error("{} problems in the template files", .0.len())]
    Problems(Vec<Problem>),
}

/// The templates that come with the program: `examples/templates`.
const EMBEDDED: &[(&str, &str)] = &include!("embedded.in");

/// The templates that come with the program.
pub fn embedded() -> Result<Vec<TemplateSource>, ReadFailure> {
    check(EMBEDDED.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())), Vec::new())
}

/// The templates of these files, and of the `*.toml` files of these folders and the folders in them.
///
/// # Errors
/// Where one cannot be read, and every problem of all of them together.
pub fn read_all(paths: &[PathBuf]) -> Result<Vec<TemplateSource>, ReadFailure> {
    let mut files = Vec::new();
    for path in paths {
        gather(path, true, &mut files)?;
    }
    files.sort();
    files.dedup();
    if files.is_empty() {
        let named: Vec<String> = paths.iter().map(|path| format!("`{}`", path.display())).collect();
        return Err(ReadFailure::Nothing(named.join(", ")));
    }
    let (mut texts, mut problems) = (Vec::new(), Vec::new());
    for path in &files {
        let name = path.display().to_string();
        let bytes = fs::read(path).map_err(|source| unreadable(path, source))?;
        match String::from_utf8(bytes) {
            Ok(text) => texts.push((name, text)),
            Err(error) => {
                let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
                let n_lines = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
                let line = u32::try_from(n_lines).unwrap_or(u32::MAX);
                problems.push(Problem {
                    file: name,
                    line,
                    message: "not UTF-8 from here on".into(),
                });
            }
        }
    }
    check(texts.into_iter(), problems)
}

fn unreadable(path: &Path, source: io::Error) -> ReadFailure {
    ReadFailure::Unreadable { path: path.display().to_string(), source }
}

/// Adds the files at `path`. One that is named is taken whatever it is called.
fn gather(path: &Path, named: bool, files: &mut Vec<PathBuf>) -> Result<(), ReadFailure> {
    let kind = fs::metadata(path).map_err(|source| unreadable(path, source))?;
    if kind.is_dir() {
        for entry in fs::read_dir(path).map_err(|source| unreadable(path, source))? {
            let entry = entry.map_err(|source| unreadable(path, source))?;
            gather(&entry.path(), false, files)?;
        }
    } else if named || path.extension().is_some_and(|extension| extension == "toml") {
        files.push(path.to_owned());
    }
    Ok(())
}

/// Every template of `texts`, or every problem in them beside those known already.
fn check(
    texts: impl Iterator<Item = (String, String)>,
    mut problems: Vec<Problem>,
) -> Result<Vec<TemplateSource>, ReadFailure> {
    let mut templates = Vec::<TemplateSource>::new();
    let mut first_of: HashMap<String, String> = HashMap::new();
    for (file, text) in texts {
        match read(&file, &text) {
            Ok(template) => {
                if let Some(first) = first_of.insert(template.id.clone(), file.clone()) {
                    let message = format!("template `{}` is in `{first}` already", template.id);
                    problems.push(Problem { file, line: 1, message });
                } else {
                    templates.push(template);
                }
            }
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() {
        return Ok(templates);
    }
    problems.sort();
    Err(ReadFailure::Problems(problems))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn examples() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/templates")
    }

    #[test]
    fn the_embedded_templates_are_those_of_the_examples() {
        let mut embedded = embedded().unwrap();
        let mut files = read_all(&[examples()]).unwrap();
        for template in embedded.iter_mut().chain(&mut files) {
            template.file.clear();
        }
        embedded.sort_by(|a, b| a.id.cmp(&b.id));
        files.sort_by(|a, b| a.id.cmp(&b.id));
        assert_eq!(embedded, files);
    }

    #[test]
    fn the_examples_are_many_in_two_languages_and_four_channels() {
        let templates = embedded().unwrap();
        assert!(templates.len() >= 12, "{}", templates.len());
        let languages: BTreeSet<&str> = templates.iter().map(|t| t.language.as_str()).collect();
        assert_eq!(languages, BTreeSet::from(["", "en", "fr"]));
        let channels: BTreeSet<&str> = templates.iter().map(|t| t.channel.as_str()).collect();
        assert_eq!(channels, BTreeSet::from(["android", "email", "ios", "sms"]));
    }

    #[test]
    fn the_problems_of_all_files_are_told_together() {
        let folder = tempfile::tempdir().unwrap();
        let head = "type = \"t\"\nchannel = \"sms\"\n";
        let write = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
        write("a.toml", format!("id = \"same\"\n{head}text = \"{{{{ x }}}}\""));
        write("b.toml", format!("id = \"same\"\n{head}text = \"fine\""));
        write("c.toml", format!("id = \"same\"\n{head}text = \"twice\""));
        write("d.txt", "no template".into());
        fs::write(folder.path().join("e.toml"), b"id = \"e\"\ntype = \"\xff\"").unwrap();
        let failure = read_all(&[folder.path().to_owned()]).unwrap_err();
        let ReadFailure::Problems(problems) = failure else { panic!("{failure}") };
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[0].contains("a.toml:4: unknown variable `x`"), "{told:?}");
        assert!(told[1].contains("c.toml:1: template `same` is in"), "{told:?}");
        assert!(told[2].contains("e.toml:2: not UTF-8"), "{told:?}");
    }

    #[test]
    fn a_folder_without_templates_and_a_missing_one_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let nothing = read_all(&[folder.path().to_owned()]);
        assert!(matches!(nothing, Err(ReadFailure::Nothing(_))), "{nothing:?}");
        let missing = read_all(&[folder.path().join("nowhere")]);
        assert!(matches!(missing, Err(ReadFailure::Unreadable { .. })), "{missing:?}");
    }
}
