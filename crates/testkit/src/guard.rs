use std::process::{Child, Command, Stdio};

/// Kills a child process when the process of the test dies without dropping anything.
///
/// A shell holds the reading end of a pipe: our death, however it comes, closes the other end.
/// Whoever reaps the child drops its guard first, so that a reused process id is never hit.
pub(crate) struct Guard(Child);

impl Guard {
    pub(crate) fn of(child: &Child) -> Self {
        let shell = Command::new("sh")
            .args(["-c", r#"read -r _; kill -9 "$1" 2>/dev/null"#, "guard"])
            .arg(child.id().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sh is on every system the tests run on");
        Self(shell)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Both can only fail because the shell is gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
