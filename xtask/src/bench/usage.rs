use std::fs;

use anyhow::Context as _;

/// Kernel clock ticks in a second, as every Linux on the machines we build for has them.
const TICKS_PER_SECOND: f64 = 100.0;

/// A process whose use of the machine is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    process_id: u32,
}

impl Usage {
    /// Of the process with that id.
    pub(crate) fn of(process_id: u32) -> Self {
        Self { process_id }
    }

    /// Of this process.
    pub(crate) fn own() -> Self {
        Self::of(std::process::id())
    }

    /// CPU seconds it has used so far, in user and kernel.
    pub(crate) fn cpu_seconds(self) -> anyhow::Result<f64> {
        let stat = self.read("stat")?;
        // The second field, the command's name, may hold anything but ends at the last parenthesis.
        let fields = stat.rsplit_once(") ").context("a process' `stat` has no command name")?.1;
        let ticks = |index: usize| -> anyhow::Result<f64> {
            let field = fields.split(' ').nth(index).context("a process' `stat` is too short")?;
            Ok(field.parse::<f64>()?)
        };
        // `utime` and `stime` are fields 14 and 15 of the whole line.
        Ok((ticks(11)? + ticks(12)?) / TICKS_PER_SECOND)
    }

    /// The most memory it has had resident, in MiB.
    pub(crate) fn peak_mib(self) -> anyhow::Result<f64> {
        let status = self.read("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).context("no `VmHWM`")?;
        Ok(kib.trim().parse::<f64>()? / 1024.0)
    }

    fn read(self, file: &str) -> anyhow::Result<String> {
        let path = format!("/proc/{}/{file}", self.process_id);
        fs::read_to_string(&path).with_context(|| format!("`{path}` is not readable"))
    }
}
