use std::error::Error;
use std::fmt;

/// Prints an error and all its sources, outermost first, in one line. A source that its parent
/// already repeats is left out.
pub struct Chain<'a>(pub &'a (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = flat(self.0);
        let mut source = self.0.source();
        while let Some(error) = source {
            let text = flat(error);
            if !line.ends_with(&text) {
                line.push_str(": ");
                line.push_str(&text);
            }
            source = error.source();
        }
        f.write_str(&line)
    }
}

fn flat(error: &dyn Error) -> String {
    let text = error.to_string();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
